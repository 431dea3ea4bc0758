// The way through the admin's machine, for hosts that do not reach each other: what the source sends into a Unix
// socket of its own comes out at the target's, by way of the two SSH connections that are there anyway.
import type { Duplex } from 'node:stream';
import { pipeline } from 'node:stream';
import { Failure } from '../../contract/failure.ts';
import type { Host } from '../fleet/host.ts';
import { quote } from './virsh.ts';

export interface Relay {
  memoryUri: string;
  disksUri: string;
  close(): Promise<void>;
}

/** @throws Failure where either host has no place for the sockets */
export async function openRelay(id: string, source: Host, target: Host): Promise<Relay> {
  const folder = `/run/drover-${id}`;
  const paths = { memory: `${folder}/memory`, disks: `${folder}/disks` };
  const undos: (() => void)[] = [];
  const open = new Set<Duplex>();
  const close = async () => {
    for (const undo of undos) undo();
    for (const stream of open) stream.destroy();
    const clean = `rm -f ${quote(paths.memory)} ${quote(paths.disks)}; rmdir ${quote(folder)}`;
    await Promise.all([source.shell(clean), target.shell(clean)]);
  };
  try {
    // On the target QEMU itself makes the socket, whoever it runs as.
    await Promise.all([source, target].map((host) => makeFolder(host, folder)));
    for (const path of [paths.memory, paths.disks]) {
      undos.push(await source.listenUnix(path, (from) => void join(from, path)));
    }
  } catch (error) {
    await close();
    throw error;
  }
  return { memoryUri: `unix://${paths.memory}`, disksUri: `unix://${paths.disks}`, close };

  /** Each waits for the other, so what is under way here is bounded by their buffers. */
  async function join(from: Duplex, path: string): Promise<void> {
    open.add(from);
    let to: Duplex;
    try {
      to = await target.openUnix(path);
    } catch {
      from.destroy(); // the source then says that its connection broke
      return;
    }
    open.add(to);
    const forget = () => {
      open.delete(from);
      open.delete(to);
    };
    pipeline(from, to, forget);
    pipeline(to, from, forget);
  }
}

async function makeFolder(host: Host, folder: string): Promise<void> {
  const owner = '/var/lib/libvirt/qemu';
  const made = await host.shell(
    `mkdir -m 0711 ${quote(folder)} 2>&1 && { [ ! -d ${owner} ] || chown --reference=${owner} ${quote(folder)} 2>&1; }`,
  );
  if (made?.code === 0) return;
  const said = made?.stdout.trim().split('\n')[0] ?? '';
  throw new Failure(
    'refused',
    `${host.label} has no place for the relay’s sockets at ${folder}${said ? ` (“${said}”)` : ''}. Log in to it as root for a relay.`,
  );
}
