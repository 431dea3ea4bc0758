// Real sockets on this machine, among them such as mean no good.
import { createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { openDiscovery, type Discovery, type ScanArgs } from '../../src-main/discovery/index.ts';
import type { ScanView } from '../../contract/model.ts';

const ends: (() => void | Promise<void>)[] = [];
afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end();
});

interface Listening {
  /** Connections that came, and those still open. */
  came: number;
  open: Set<Socket>;
  bytesTaken: () => number;
}

async function listen(
  address: string,
  port: number,
  greet: (socket: Socket) => void,
): Promise<Listening & { port: number }> {
  const open = new Set<Socket>();
  let taken = 0;
  const listening = { came: 0, open, bytesTaken: () => taken, port };
  const server: Server = createServer((socket) => {
    listening.came += 1;
    open.add(socket);
    socket.on('close', () => {
      open.delete(socket);
      taken += socket.bytesWritten;
    });
    socket.on('error', () => {});
    socket.resume();
    greet(socket);
  });
  await new Promise<void>((resolve, reject) => server.once('error', reject).listen(port, address, resolve));
  listening.port = (server.address() as AddressInfo).port;
  ends.push(() => {
    for (const socket of open) socket.destroy();
    return new Promise<void>((resolve) => server.close(() => resolve()));
  });
  return listening;
}

async function discovery(): Promise<Discovery> {
  const opened = await openDiscovery({
    store: { load: async () => undefined, save: async () => {} },
    fleet: () => [],
    addHost: () => Promise.reject(new Error('nothing is added here')),
    takeKey: async ({ address }) => ({ fingerprint: `SHA256:${address}` }),
  });
  ends.push(() => opened.close());
  return opened;
}

async function finished({ scans }: Discovery, args: ScanArgs): Promise<ScanView> {
  return new Promise((resolve) => {
    const undo = scans.onChange((change) => {
      if ('removed' in change || change.state === 'running') return;
      undo();
      resolve(scans.get(change.id));
    });
    scans.start(args);
  });
}

describe('a sweep of real listeners', () => {
  it('tells each for what it is, in its time, and leaves none connected', async () => {
    const ssh = await listen('127.31.0.1', 0, (socket) => socket.write('SSH-2.0-Test_1\r\n'));
    const { port } = ssh;
    const listening = {
      ssh,
      silent: await listen('127.31.0.2', port, () => {}),
      slams: await listen('127.31.0.3', port, (socket) => socket.destroy()),
      resets: await listen('127.31.0.9', port, (socket) => socket.resetAndDestroy()),
      big: await listen('127.31.0.4', port, (socket) => {
        const megabyte = Buffer.alloc(1_000_000, 'x');
        for (let n = 0; n < 10; n += 1) socket.write(megabyte);
      }),
      tarpit: await listen('127.31.0.5', port, (socket) => {
        const drip = setInterval(() => socket.write('z\r\n'), 50);
        socket.on('close', () => clearInterval(drip));
      }),
      binary: await listen('127.31.0.6', port, (socket) => socket.write(Buffer.from([0, 27, 91, 50, 74, 255, 1]))),
      slow: await listen('127.31.0.7', port, (socket) => {
        const line = [...'SSH-2.0-Slow\r\n'];
        const drip = setInterval(() => {
          const next = line.shift();
          if (next === undefined) clearInterval(drip);
          else socket.write(next);
        }, 20);
        socket.on('close', () => clearInterval(drip));
      }),
      http: await listen('127.31.0.8', port, (socket) => socket.end('HTTP/1.1 400 Bad Request\r\n\r\n')),
    };
    const scan = await finished(await discovery(), { cidr: '127.31.0.0/28', ports: [port] });
    expect(scan).toMatchObject({ state: 'completed', probed: 14, total: 14, error: null, notes: [] });
    const found = Object.fromEntries(
      scan.found.map(({ address, kind, banner }) => [address, `${kind} ${banner ?? '-'}`]),
    );
    expect(found).toEqual({
      '127.31.0.1': 'ssh SSH-2.0-Test_1',
      '127.31.0.2': 'open -',
      '127.31.0.3': 'open -',
      '127.31.0.4': `open ${'x'.repeat(255)}`,
      '127.31.0.5': 'open z',
      '127.31.0.6': 'open [2J',
      '127.31.0.7': 'ssh SSH-2.0-Slow',
      '127.31.0.8': 'open HTTP/1.1 400 Bad Request',
      '127.31.0.9': 'open -',
    });
    for (const [name, { came, open }] of Object.entries(listening)) {
      expect(came, name).toBe(name === 'slams' || name === 'resets' ? 2 : 1);
      await expect.poll(() => open.size, { message: name }).toBe(0);
    }
    expect(listening.big.bytesTaken()).toBeLessThan(10_000_000);
  });

  it('takes the key over the connection that read the banner', async () => {
    const { port, ...ssh } = await listen('127.31.0.9', 0, (socket) => socket.write('SSH-2.0-Test_1\r\n'));
    let heard = '';
    const opened = await openDiscovery({
      store: { load: async () => undefined, save: async () => {} },
      fleet: () => [],
      addHost: () => Promise.reject(new Error('nothing is added here')),
      takeKey: async (_target, { socket }) => {
        heard = await new Promise<string>((resolve) =>
          socket.once('data', (chunk) => resolve(chunk.toString())).resume(),
        );
        return { fingerprint: 'SHA256:taken' };
      },
    });
    ends.push(() => opened.close());
    const { found } = await finished(opened, { cidr: '127.31.0.9', ports: [port] });
    expect(heard).toBe('SSH-2.0-Test_1\r\n');
    expect(found[0]).toMatchObject({ kind: 'ssh', fingerprint: 'SHA256:taken' });
    await expect.poll(() => ssh.open.size).toBe(0);
  });

  it('that is cancelled hangs up at once', async () => {
    const tarpits = await Promise.all([21, 22, 23].map((last) => listen(`127.31.0.${last}`, 0, () => {})));
    const opened = await discovery();
    const { id } = opened.scans.start({ cidr: '127.31.0.21-23', ports: tarpits.map(({ port }) => port) });
    await expect.poll(() => tarpits.every(({ came }) => came === 1)).toBe(true);
    const cancelled = opened.scans.cancel(id);
    expect(cancelled.state).toBe('cancelled');
    await expect.poll(() => tarpits.every(({ open }) => open.size === 0)).toBe(true);
  });

  it('sees a host that refuses as there, and does not list it', async () => {
    const opened = await discovery();
    const scan = await finished(opened, { cidr: '127.31.1.0/24', ports: [9] });
    expect(scan).toMatchObject({ state: 'completed', probed: 254, found: [] });
    // There, so it is no newcomer; without libvirt as far as is known.
    expect(await finished(opened, { cidr: '127.31.1.0/24', ports: [9], pass: 'silent' })).toMatchObject({ total: 0 });
    expect(await finished(opened, { cidr: '127.31.1.0/24', ports: [9], pass: 'non-libvirt' })).toMatchObject({
      total: 254,
    });
  });
});
