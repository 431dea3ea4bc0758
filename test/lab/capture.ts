// Records what virsh and a real libvirtd say to each other, as fixtures: `npx tsx test/lab/capture.ts [--prefix P]`.
// Without a prefix it brings up a lab of its own. Each fixture: the connections of one command, their chunks in order.
import { createConnection, createServer, type Socket } from 'node:net';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { guestNamed } from './guests.ts';
import { Lab } from './lab.ts';
import { directoryOf, readState } from './registry.ts';
import { until } from './run.ts';

interface Chunk {
  from: 'client' | 'server';
  /** Base64, as it came from the socket. */
  data: string;
}

interface Recorded {
  /** e.g. `kvm1: virsh list --all` */
  what: string;
  chunks: Chunk[];
}

const fixtures = join(import.meta.dirname, '../fixtures');
const LIMIT = 200_000;

/** Stands before one host's libvirt socket and writes down what goes through. */
class Tap {
  readonly path: string;
  readonly connections: Recorded[] = [];
  #what = '';
  readonly #server;
  readonly #open = new Set<Socket>();

  constructor(lab: Lab, host: string) {
    this.path = join(lab.state.directory, `${host}-tap.sock`);
    // By the host's process 1, since /run is the host's own.
    const daemon = `/proc/${lab.host(host).init.pid}/root/run/libvirt/libvirt-sock`;
    this.#server = createServer((client) => {
      const recorded: Recorded = { what: `${host}: ${this.#what}`, chunks: [] };
      this.connections.push(recorded);
      const server = createConnection(daemon);
      const pass = (from: Chunk['from'], source: Socket, target: Socket) => {
        this.#open.add(source);
        source.on('data', (data) => {
          recorded.chunks.push({ from, data: Buffer.from(data).toString('base64') });
          target.write(data);
        });
        source.on('end', () => target.end());
        source.on('error', () => target.destroy());
        source.on('close', () => this.#open.delete(source));
      };
      pass('client', client, server);
      pass('server', server, client);
    });
  }

  async listen(): Promise<this> {
    await rm(this.path, { force: true });
    await new Promise<void>((done) => this.#server.listen(this.path, done));
    return this;
  }

  /** What the connections from now on are for. */
  next(what: string): void {
    this.#what = what;
  }

  /** All connections so far, once their last byte is there. */
  async take(): Promise<Recorded[]> {
    await until('the connections end', () => this.#open.size === 0, 10_000);
    return this.connections.splice(0);
  }

  close(): void {
    this.#server.close();
  }
}

async function record(lab: Lab): Promise<void> {
  const source = await new Tap(lab, 'kvm1').listen();
  const target = await new Tap(lab, 'kvm2').listen();
  const uri = (tap: Tap) => `qemu:///system?socket=${tap.path}`;
  const virsh = (...args: string[]) => {
    source.next(`virsh ${args.join(' ')}`);
    return lab.exec('kvm1', ['virsh', '-c', uri(source), ...args]);
  };
  const version = /Using library: libvirt ([\d.]+)/.exec(await lab.virsh('kvm1', 'version'))?.[1] ?? 'unknown';
  const keep = async (name: string, connections: Recorded[]) => {
    const text = JSON.stringify({ name, libvirt: version, connections }, null, 1) + '\n';
    if (text.length > LIMIT) throw new Error(`${name} is ${text.length} bytes, which is more than a fixture should be`);
    await writeFile(join(fixtures, `${name}-libvirt-${version}.json`), text);
    console.log(`${name}: ${connections.length} connections, ${text.length} bytes`);
  };

  await lab.reset();
  await mkdir(fixtures, { recursive: true });
  try {
    for (const [name, ...args] of [
      ['list', 'list', '--all'],
      ['dominfo-missing', 'dominfo', 'no-such-guest'],
      ['domstats', 'domstats'],
      ['dumpxml', 'dumpxml', 'web01'],
      ['capabilities', 'capabilities'],
    ] as const) {
      await virsh(...args).catch((error: unknown) => {
        if (name !== 'dominfo-missing') throw error;
      });
      await keep(name, await source.take());
    }

    source.next('virsh event --all --loop');
    const events = lab.spawn('kvm1', ['virsh', '-c', uri(source), 'event', '--all', '--loop', '--timeout', '4']);
    await until('the listener connects', () => (source.connections[0]?.chunks.length ?? 0) > 40);
    const guest = guestNamed('mail01');
    await lab.virsh('kvm2', 'undefine', guest.name);
    await lab.ensureShutOff(guest.name, 'kvm1');
    await virsh('start', guest.name);
    await virsh('suspend', guest.name);
    await virsh('resume', guest.name);
    await virsh('destroy', guest.name);
    await until('the listener ends', () => events.exitCode !== null);
    await keep('start-destroy-with-events', await source.take());
    await lab.reset();

    source.next('virsh console web01');
    const terminal = lab.spawn('kvm1', ['script', '-qfc', `virsh -c '${uri(source)}' console web01`, '/dev/null']);
    let seen = '';
    terminal.stdout?.on('data', (chunk: Buffer) => (seen += chunk.toString('latin1')));
    await until('two ticks', () => (seen.match(/tick \d+/g)?.length ?? 0) >= 2);
    terminal.stdin?.write('echo $((6 * 7))\r');
    await until('the shell answers', () => /^42\r/m.test(seen));
    terminal.stdin?.write('\x1d'); // Ctrl+]
    await until('the console closes', () => terminal.exitCode !== null);
    await keep('console', await source.take());

    target.next('virsh migrate --live web01 (target)');
    await virsh('migrate', '--live', '--persistent', '--undefinesource', 'web01', uri(target));
    await keep('migrate', [...(await source.take()), ...(await target.take())]);
    await lab.reset();
  } finally {
    source.close();
    target.close();
  }
}

const { values } = parseArgs({ options: { prefix: { type: 'string' } } });
const lab = values.prefix
  ? new Lab(await readState(join(directoryOf(values.prefix), 'lab.json')))
  : await Lab.up({ prefix: 'capture' });
try {
  await record(lab);
} finally {
  if (!values.prefix) await lab.down();
}
