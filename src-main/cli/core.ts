// The Drover that a command works with: one that is running already, or one of its own in this process.
import { setTimeout } from 'node:timers/promises';
import { WebSocket } from 'ws';
import type { ArgsIn, CallName, Result } from '../../contract/calls.ts';
import { Failure } from '../../contract/failure.ts';
import type { Link } from '../../contract/link.ts';
import { linkPath } from '../../contract/wire.ts';
import { resultOf } from '../../src-renderer/link/result.ts';
import { refusalOf } from '../../src-renderer/link/refused.ts';
import { SocketLink } from '../../src-renderer/link/socket.ts';
import { link as words } from '../../src-renderer/words/link.ts';
import { Session } from '../api/api.ts';
import type { Drover, Start } from '../api/drover.ts';
import { listenOf } from '../shells/listen.ts';
import { serve, type Serving } from '../shells/serve.ts';
import { makeToken } from '../shells/token.ts';
import { announce, announced, type Running } from './running.ts';

export interface Core extends Link {
  /** In this process: what it does ends with it. */
  readonly own: boolean;
  close(): Promise<void>;
}

export interface CoreOptions {
  start: Start;
  /** Null for the platform's. */
  dataDir: string | null;
  /** Of a Drover to join, whatever runs here; its fragment may hold the token, as `serve` prints it. */
  url: string | null;
  token: string | null;
  demo: boolean;
  /** Somebody answers what logins ask. */
  interactive: boolean;
  /** Another `drover` may join this one while it works. */
  shared: boolean;
  log: (line: string) => void;
}

/** How long another command that just ends may hold the data folder. */
const lockedMs = 3_000;
const againMs = 100;

/** @throws Failure where there is none to join, or none can be started */
export async function openCore(options: CoreOptions): Promise<Core> {
  if (options.url !== null) return RunningCore.join(target(options.url, options.token), options.interactive);
  for (let left = lockedMs; ; left -= againMs) {
    const running = options.demo ? null : announced(options.dataDir);
    if (running) {
      const core = await RunningCore.join(running, options.interactive).catch((error: unknown) => {
        // It may be on its way out.
        if (left <= 0 || !(error instanceof Failure) || error.code !== 'unreachable') throw error;
        return null;
      });
      if (core) return core;
    }
    try {
      return await OwnCore.start(options);
    } catch (error) {
      if (!(error instanceof Failure) || error.code !== 'conflict' || left <= 0) throw error;
    }
    await setTimeout(againMs);
  }
}

function target(text: string, token: string | null): Omit<Running, 'pid'> {
  const url = URL.canParse(text) ? new URL(text) : null;
  if (!url || !['http:', 'https:'].includes(url.protocol))
    throw new Failure('bad-request', `“${text}” is no address of a Drover. Give it as “drover serve” prints it.`);
  const said = /^#token=(.+)$/.exec(url.hash)?.[1];
  const known = token ?? (said === undefined ? null : decodeURIComponent(said));
  if (!known)
    throw new Failure('unauthorized', `${url.origin} needs its token: set DROVER_TOKEN, or give --token-file FILE.`);
  url.hash = '';
  url.search = '';
  if (!url.pathname.endsWith('/')) url.pathname += '/';
  return { url: url.href, token: known };
}

/** Joined by a window's link. */
class RunningCore implements Core {
  readonly own = false;
  readonly #link: SocketLink;
  readonly #url: string;

  static async join({ url, token }: Omit<Running, 'pid'>, interactive: boolean): Promise<RunningCore> {
    const core = new RunningCore(url, token, interactive);
    try {
      await core.call('fleet.health', {});
      return core;
    } catch (error) {
      await core.close();
      throw error;
    }
  }

  private constructor(url: string, token: string, interactive: boolean) {
    this.#url = url;
    const socket = new URL(`.${linkPath}`, url);
    socket.protocol = socket.protocol === 'https:' ? 'wss:' : 'ws:';
    if (!interactive) socket.searchParams.set('answers', '0');
    this.#link = new SocketLink({
      url: socket.href,
      token,
      explain: () => explain(url, token),
      open: (address, protocols) => new WebSocket(address, protocols) as unknown as globalThis.WebSocket,
    });
  }

  async call<N extends CallName>(name: N, args: ArgsIn<N>): Promise<Result<N>> {
    try {
      return await this.#link.call(name, args);
    } catch (error) {
      // The link's own sentence speaks of a window.
      if (error instanceof Failure && error.code === 'unreachable' && !this.#up) throw lost(this.#url);
      throw error;
    }
  }

  on: Core['on'] = (event, listener) => this.#link.on(event, listener);

  async close(): Promise<void> {
    this.#link.close();
  }

  get #up(): boolean {
    let now = false;
    this.#link.on('up', (up) => (now = up))();
    return now;
  }
}

const lost = (url: string) =>
  new Failure('unreachable', `The Drover at ${new URL(url).origin} does not answer. Is it still running?`);

/** A refused WebSocket tells no reason, a plain request does. */
async function explain(url: string, token: string): Promise<Failure> {
  const { origin } = new URL(url);
  let asked: Response;
  try {
    asked = await fetch(new URL('./api/v1/migrations/options', url), {
      method: 'HEAD',
      headers: { authorization: `Bearer ${token}` },
      redirect: 'manual',
      signal: AbortSignal.timeout(5_000),
    });
  } catch (error) {
    const { code = '', message = '' } = ((error as Error).cause ?? {}) as NodeJS.ErrnoException;
    if (!/CERT|SIGNATURE/.test(code)) return lost(url);
    return new Failure(
      'refused',
      `The certificate of ${origin} is not trusted: ${message}. A file with its authority can be named in NODE_EXTRA_CA_CERTS.`,
    );
  }
  switch (refusalOf(asked)) {
    case 'token':
      return new Failure(
        'unauthorized',
        `The token is not the one of the Drover at ${origin}. It printed the right one when it started.`,
      );
    case 'login':
      return new Failure(
        'unauthorized',
        `A proxy at ${origin} asks for a login of its own, which commands do not have: reach Drover itself, as by an SSH tunnel.`,
      );
    case 'no-socket':
      return new Failure('forbidden', words.noSocketAt(origin));
    default:
      return lost(url);
  }
}

type Listener = (payload: never) => void;

/** Started for this command, and ended with it. */
class OwnCore implements Core {
  readonly own = true;
  readonly #drover: Drover;
  readonly #session: Session;
  readonly #listeners = new Map<string, Set<Listener>>();
  readonly #serving: Serving | null;
  readonly #withdraw: () => void;
  readonly #log: CoreOptions['log'];

  static async start(options: CoreOptions): Promise<OwnCore> {
    const { dataDir, log, demo } = options;
    const begin = () => options.start({ dataDir, log, demo });
    if (!options.shared) return new OwnCore(await begin(), null, () => {}, options);
    const token = makeToken('');
    let drover: Drover | undefined;
    const serving = await serve(async () => (drover = await begin()), {
      listen: listenOf({ listen: '127.0.0.1:0' }),
      token,
      log,
      attended: options.interactive,
    });
    if (!drover) throw new Failure('internal', 'Drover was not started.');
    return new OwnCore(drover, serving, announce(dataDir, serving.url, token), options);
  }

  private constructor(
    drover: Drover,
    serving: Serving | null,
    withdraw: () => void,
    { interactive, log }: CoreOptions,
  ) {
    this.#drover = drover;
    this.#serving = serving;
    this.#withdraw = withdraw;
    this.#log = log;
    this.#session = new Session((event, payload) => this.#tell(event, payload));
    const { feed } = drover.door;
    this.#session.onEnd(feed.subscribe((deltas) => this.#tell('deltas', { epoch: feed.epoch, deltas })));
    if (interactive) drover.windows(1);
  }

  async call<N extends CallName>(name: N, args: ArgsIn<N>): Promise<Result<N>> {
    return resultOf(await this.#drover.door.call(name, args, this.#session)) as Result<N>;
  }

  on: Core['on'] = (event, listener) => {
    const mine: Listener = (payload) => listener(payload);
    const all = this.#listeners.get(event) ?? new Set();
    this.#listeners.set(event, all.add(mine));
    if (event === 'up') mine(true as never);
    return () => void all.delete(mine);
  };

  async close(): Promise<void> {
    this.#session.end();
    this.#withdraw();
    if (!this.#serving) return this.#drover.close();
    // What another command has begun here would be cut short.
    if (this.#serving.links > 0) this.#log('another drover command still works with this one: it ends with that');
    await this.#serving.unlinked();
    await this.#serving.close();
  }

  #tell(event: string, payload: unknown): void {
    for (const listener of [...(this.#listeners.get(event) ?? [])]) listener(payload as never);
  }
}
