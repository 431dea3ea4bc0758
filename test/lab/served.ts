// Drover as others drive it: the real server as a process of its own, and its API.
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import WebSocket from 'ws';
import type { Answer } from '../../contract/link.ts';
import type { DomainView, HostView, MigrationView } from '../../contract/model.ts';
import type { Lab } from './lab.ts';
import { RfbViewer } from '../consoles/rfb-viewer.ts';
import { until } from './run.ts';

const top = resolve(import.meta.dirname, '../..');

export interface Told {
  id: string;
  event: string;
  data: unknown;
}

export class Served {
  readonly url: string;
  readonly token: string;
  readonly dataDir: string;
  readonly #child: ChildProcess;
  readonly #ends: (() => void)[] = [];
  /** What it wrote to stderr: a test may look for what should not be there. */
  readonly log: string[];

  /** @param options.program what node is told to run, instead of the sources: the built one, or with a profiler */
  static async start({
    dataDir,
    env,
    program = ['--import', 'tsx', 'src-main/main.ts'],
  }: { dataDir?: string; env?: NodeJS.ProcessEnv; program?: string[] } = {}): Promise<Served> {
    const dir = dataDir ?? (await mkdtemp(join(tmpdir(), 'drover-test-')));
    const args = [...program, 'serve', '--listen', '127.0.0.1:0', '--data', dir];
    const child = spawn(process.execPath, args, {
      cwd: top,
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...process.env, ...env },
    });
    const log: string[] = [];
    createInterface({ input: child.stderr }).on('line', (line) => log.push(line));
    const lines = createInterface({ input: child.stdout });
    const first = await Promise.race([once(lines, 'line'), once(child, 'exit')]);
    const ready = /^Drover listening on (\S+)\/#token=(\S+)$/.exec(String(first[0]));
    if (!ready) throw new Error(`Drover did not start: ${String(first[0])}\n${log.join('\n')}`);
    return new Served(child, ready[1] as string, ready[2] as string, dir, log);
  }

  private constructor(child: ChildProcess, url: string, token: string, dataDir: string, log: string[]) {
    this.#child = child;
    this.url = url;
    this.token = token;
    this.dataDir = dataDir;
    this.log = log;
  }

  get pid(): number {
    return this.#child.pid as number;
  }

  async ask<R>(method: string, path: string, body?: unknown): Promise<Answer<R> & { status: number }> {
    const response = await fetch(`${this.url}/api/v1${path}`, {
      method,
      headers: { authorization: `Bearer ${this.token}`, 'content-type': 'application/json' },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    });
    return { ...((await response.json()) as Answer<R>), status: response.status };
  }

  /** The data. Throws what the answer's `err` says. */
  async get<R>(method: string, path: string, body?: unknown): Promise<R> {
    const { err, data } = await this.ask<R>(method, path, body);
    if (err) throw Object.assign(new Error(`${err.code}: ${err.message}`), err);
    return data;
  }

  /** Adds the lab's hosts and waits until all are online. */
  async addLab(lab: Lab): Promise<Record<string, HostView>> {
    await Promise.all(lab.hosts.map(({ name, uri }) => this.get('POST', '/hosts', { uri, label: name })));
    return until('all hosts are online', async () => {
      const hosts = await this.get<HostView[]>('GET', '/hosts');
      return (
        hosts.every(({ state }) => state === 'online') && Object.fromEntries(hosts.map((host) => [host.label, host]))
      );
    });
  }

  async domain(name: string, on?: string): Promise<DomainView> {
    const hosts = await this.get<HostView[]>('GET', '/hosts');
    const all = await this.get<DomainView[]>('GET', `/domains?q=${name}`);
    const found = all.filter(
      (domain) => domain.name === name && (!on || hosts.find(({ id }) => id === domain.hostId)?.label === on),
    );
    if (found.length !== 1) throw new Error(`${name} is on ${found.length} hosts`);
    return found[0] as DomainView;
  }

  async migrated(id: string): Promise<MigrationView> {
    return until(`migration ${id} has ended`, async () => {
      const migration = await this.get<MigrationView>('GET', `/migrations/${id}`);
      return migration.endedAt !== null && migration;
    });
  }

  /** The event stream from now on: each event as it came. */
  async events(): Promise<{ told: Told[]; close: () => void }> {
    const abort = new AbortController();
    const response = await fetch(`${this.url}/api/v1/events`, {
      headers: { authorization: `Bearer ${this.token}` },
      signal: abort.signal,
    });
    const told: Told[] = [];
    void (async () => {
      let held = '';
      for await (const chunk of response.body as unknown as AsyncIterable<Uint8Array>) {
        held += Buffer.from(chunk).toString('utf8');
        const blocks = held.split('\n\n');
        held = blocks.pop() ?? '';
        for (const block of blocks) {
          const field = (name: string) => new RegExp(`^${name}: (.*)$`, 'm').exec(block)?.[1] ?? '';
          if (field('event')) told.push({ id: field('id'), event: field('event'), data: JSON.parse(field('data')) });
        }
      }
    })().catch(() => {});
    this.#ends.push(() => abort.abort());
    await until('the first event is there', async () => told.length > 0);
    return { told, close: () => abort.abort() };
  }

  /** A console's socket: its text so far, with notes in double angle brackets. */
  console(domain: Pick<DomainView, 'hostId' | 'uuid'>, query = ''): Watched {
    const url = this.url.replace(/^http/, 'ws');
    const socket = new WebSocket(
      `${url}/api/v1/hosts/${domain.hostId}/domains/${domain.uuid}/console?token=${this.token}${query}`,
    );
    const watched = new Watched(socket);
    this.#ends.push(() => socket.terminate());
    return watched;
  }

  /** A graphical console's socket, with a VNC viewer on it. */
  graphics(domain: Pick<DomainView, 'hostId' | 'uuid'>, query = ''): WatchedScreen {
    const url = this.url.replace(/^http/, 'ws');
    const socket = new WebSocket(
      `${url}/api/v1/hosts/${domain.hostId}/domains/${domain.uuid}/graphics?token=${this.token}${query}`,
    );
    this.#ends.push(() => socket.terminate());
    return new WatchedScreen(socket);
  }

  async stop(signal: NodeJS.Signals = 'SIGTERM'): Promise<number | null> {
    for (const end of this.#ends) end();
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return this.#child.exitCode;
    const exit = once(this.#child, 'exit');
    this.#child.kill(signal);
    await exit;
    return this.#child.exitCode;
  }

  async remove(): Promise<void> {
    await this.stop();
    await rm(this.dataDir, { recursive: true, force: true });
  }
}

export class Watched {
  text = '';
  notes: { type: string; [field: string]: unknown }[] = [];
  readonly socket: WebSocket;

  constructor(socket: WebSocket) {
    this.socket = socket;
    socket.on('error', () => {});
    socket.on('message', (data: Buffer, binary: boolean) => {
      if (binary) this.text += data.toString('utf8');
      else this.notes.push(JSON.parse(data.toString('utf8')) as Watched['notes'][number]);
    });
  }

  get ticks(): number[] {
    return [...this.text.matchAll(/tick (\d+)/g)].map(([, tick]) => Number(tick));
  }

  note(type: string) {
    return until(`the console notes “${type}”`, async () => this.notes.find((note) => note.type === type));
  }

  says(part: string | RegExp) {
    return until(`the console says ${part}`, async () =>
      typeof part === 'string' ? this.text.includes(part) : part.test(this.text),
    );
  }
}

export class WatchedScreen {
  notes: Watched['notes'] = [];
  readonly socket: WebSocket;
  readonly viewer: RfbViewer;

  constructor(socket: WebSocket) {
    this.socket = socket;
    this.viewer = new RfbViewer((bytes) => socket.send(bytes));
    socket.on('error', () => {});
    socket.on('message', (data: Buffer, binary: boolean) => {
      if (binary) return this.viewer.take(data);
      const note = JSON.parse(data.toString('utf8')) as Watched['notes'][number];
      this.notes.push(note);
      if (note.type === 'moved') this.viewer.anew();
    });
  }

  note(type: string) {
    return until(`the screen notes “${type}”`, async () => this.notes.find((note) => note.type === type));
  }

  /** A picture with something on it. */
  async shows(): Promise<void> {
    await until('a picture is there', async () => this.viewer.rectangles > 0);
    await until('something is drawn on it', async () => {
      this.viewer.ask(false);
      return this.viewer.drawn > 500;
    });
  }
}
