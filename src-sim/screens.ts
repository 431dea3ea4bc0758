// The VNC servers of a host's running domains: who may connect where, and what a guest's screen shows.
import { createCipheriv, randomBytes } from 'node:crypto';
import type { Duplex } from 'node:stream';
import type { Daemon } from './daemon.ts';
import type { Domain } from './domain.ts';
import { paint } from './picture.ts';
import { RfbServer } from './rfb.ts';
import { childOf, childrenOf, readOwn } from './xml.ts';

/** The port of a domain that has libvirt choose one. */
export const vncPort = (id: number) => 5900 + id;

/** Where something on the host listens, as its SSH server is asked for it. */
export type Asked = { port: number } | { path: string };

/** Leads a stream to the domain that listens there. False where none does. */
export function connectScreen(daemon: Daemon, asked: Asked, open: () => Duplex): boolean {
  for (const domain of daemon.domains.values()) {
    const vnc = domain.active ? vncOf(domain) : null;
    if (!vnc) continue;
    const here = 'path' in asked ? vnc.socket === asked.path : vnc.socket === null && asked.port === vncPort(domain.id);
    if (!here) continue;
    show(daemon, domain, vnc.password, open());
    return true;
  }
  return false;
}

function vncOf(domain: Domain): { socket: string | null; password: string | null } | null {
  const { xml } = domain.definition;
  if (!xml.includes("<graphics type='vnc'")) return null;
  const graphics = childrenOf(childOf(readOwn(xml), 'devices'), 'graphics').find(
    ({ attributes }) => attributes['type'] === 'vnc',
  );
  const listen = childrenOf(graphics, 'listen').find(({ attributes }) => attributes['type'] === 'socket');
  return {
    socket: listen?.attributes['socket'] ?? graphics?.attributes['socket'] ?? null,
    password: graphics?.attributes['passwd'] ?? null,
  };
}

function show(daemon: Daemon, domain: Domain, password: string | null, stream: Duplex): void {
  const { guest } = domain;
  const challenge = randomBytes(16);
  const server = new RfbServer({
    name: `QEMU (${domain.name})`,
    auth:
      password === null
        ? null
        : { challenge, right: (answer) => encrypted(challenge, password).equals(Buffer.from(answer)) },
    picture: () => paint(linesOf(daemon, domain)),
    say: (bytes) => stream.write(bytes),
    over: () => stream.end(),
    // A guest that stands still takes no keys.
    key: (keysym, down) => {
      if (!down || !guest?.running) return;
      if (keysym >= 0x20 && keysym < 0x7f) guest.shell.type(String.fromCharCode(keysym));
      else if (keysym === 0xff0d) guest.shell.type('\r');
      else if (keysym === 0xff08) guest.shell.type('\b');
    },
    after: (ms, run) => daemon.fleet.clock.after(ms, run),
  });
  const gone = () => server.end();
  domain.whenOff.add(gone);
  stream.on('error', () => {});
  stream.on('data', (bytes: Buffer) => server.take(bytes));
  stream.on('close', () => {
    domain.whenOff.delete(gone);
    server.end();
  });
}

/** What stands on the screen; its clock shows that the guest runs. */
function linesOf({ host }: Daemon, { name, definition, guest }: Domain): string[] {
  const seconds = Math.floor((guest?.runMs ?? 0) / 1000);
  const two = (value: number) => String(value).padStart(2, '0');
  const up = `${Math.floor(seconds / 3600)}:${two(Math.floor(seconds / 60) % 60)}:${two(seconds % 60)}`;
  return [
    'Booted from hard disk.',
    '',
    `[    0.000000] Linux 6.1.0-sim, ${definition.vcpus} CPUs, ${Math.round(definition.memoryKiB / 1024)} MiB`,
    '[    0.412873] virtio-blk: vda: 1 partition',
    '[  OK  ] Reached target multi-user.',
    '',
    `${name} (simulated by Drover) tty1`,
    '',
    `${name} login: ${guest?.shell.line ?? ''}_`,
    '',
    '',
    `up ${up}${guest?.running ? '' : ' - paused'} on ${host.name}`,
  ];
}

/** VNC's own way with a password: DES under its first eight letters, the bits of each turned around. */
export function encrypted(challenge: Uint8Array, password: string): Buffer {
  const turned = Uint8Array.from({ length: 8 }, (_, at) => {
    const code = password.charCodeAt(at) || 0;
    return [...Array(8).keys()].reduce((sum, bit) => sum | (((code >> bit) & 1) << (7 - bit)), 0);
  });
  // With the same key three times, triple DES is DES, which OpenSSL has no more.
  const cipher = createCipheriv('des-ede3', Buffer.concat([turned, turned, turned]), null).setAutoPadding(false);
  return Buffer.concat([cipher.update(challenge), cipher.final()]);
}
