// The link of a window in a browser: a WebSocket to `drover serve`, opened again whenever it is lost.
import { createBirpc } from 'birpc';
import type { ArgsIn, CallName, Result } from '../../contract/calls.ts';
import type { LinkEvents } from '../../contract/events.ts';
import { Failure } from '../../contract/failure.ts';
import type { Link } from '../../contract/link.ts';
import {
  beatMs,
  decodeFrame,
  encodeFrame,
  linkProtocol,
  tokenProtocol,
  type MainSide,
  type WindowSide,
} from '../../contract/wire.ts';
import { link as words } from '../words/link.ts';
import { resultOf } from './result.ts';

export interface SocketOptions {
  /** `ws://…/link` */
  url: string;
  token: string;
  /** Why no socket could be opened; browsers do not tell. */
  explain?: () => Promise<Failure>;
  /** Opens a WebSocket; tests bring their own. */
  open?: (url: string, protocols: string[]) => WebSocket;
  /** The longest wait between two attempts. */
  retryMs?: number;
  /** How long nothing may be heard before the socket counts as lost. */
  silenceMs?: number;
}

type Call = (name: string, args: unknown) => ReturnType<MainSide['call']>;
type Listener = (payload: never) => void;

const firstRetryMs = 250;

const unreachable = () => new Failure('unreachable', words.unreachable);

/** Told to those who call, if any. */
function refused(): Promise<never> {
  const promise = Promise.reject(unreachable());
  promise.catch(() => {});
  return promise;
}

export class SocketLink implements Link {
  readonly #options: Required<SocketOptions>;
  readonly #listeners = new Map<string, Set<Listener>>();
  /** The socket's call once it is open; rejects when it cannot be opened. */
  #ready: Promise<Call>;
  #up = false;
  #retryMs = firstRetryMs;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #hangUp: () => void = () => {};
  #ended = false;

  constructor(options: SocketOptions) {
    this.#options = {
      explain: async () => unreachable(),
      open: (url, protocols) => new WebSocket(url, protocols),
      retryMs: 5_000,
      silenceMs: 3 * beatMs,
      ...options,
    };
    this.#ready = this.#connect();
  }

  async call<N extends CallName>(name: N, args: ArgsIn<N>): Promise<Result<N>> {
    const call = await this.#ready;
    try {
      return resultOf(await call(name, args)) as Result<N>;
    } catch (error) {
      if (error instanceof Failure) throw error;
      throw unreachable(); // asked of a socket that was just lost
    }
  }

  /** `up` is told at once, then at every change. */
  on<E extends keyof LinkEvents | 'up'>(
    event: E,
    listener: (payload: E extends keyof LinkEvents ? LinkEvents[E] : boolean) => void,
  ): () => void {
    const mine: Listener = (payload) => listener(payload);
    const all = this.#listeners.get(event) ?? new Set();
    this.#listeners.set(event, all.add(mine));
    if (event === 'up') mine(this.#up as never);
    return () => void all.delete(mine);
  }

  /** For good: what waits is refused, and it does not come back. */
  close(): void {
    this.#ended = true;
    clearTimeout(this.#timer);
    this.#hangUp();
  }

  #tell(event: string, payload: unknown): void {
    for (const listener of [...(this.#listeners.get(event) ?? [])]) listener(payload as never);
  }

  #setUp(up: boolean): void {
    if (this.#up === up) return;
    this.#up = up;
    this.#tell('up', up);
  }

  #connect(): Promise<Call> {
    const { url, token, open, silenceMs } = this.#options;
    const socket = open(url, [linkProtocol, tokenProtocol(token)]);
    socket.binaryType = 'arraybuffer';
    let heardAt = Date.now();
    const rpc = createBirpc<MainSide, WindowSide, false>(
      { event: (name, payload) => this.#tell(name, payload), beat: () => {} },
      {
        proxify: false,
        timeout: -1, // a lost socket ends what waits, nothing else does
        serialize: encodeFrame,
        deserialize: decodeFrame,
        post: (frame: Uint8Array<ArrayBuffer>) => socket.send(frame),
        on: (take) => {
          socket.addEventListener('message', ({ data }) => {
            heardAt = Date.now();
            take(data);
          });
        },
      },
    );
    const ready = new Promise<Call>((resolve, reject) => {
      let opened = false;
      let over = false;
      let watch: ReturnType<typeof setInterval> | undefined;
      const lost = () => {
        if (over) return;
        over = true;
        clearInterval(watch);
        rpc.$close(new Failure('unreachable', words.lost));
        // Until the next attempt, a call fails at once.
        if (opened) this.#ready = refused();
        else void this.#options.explain().then(reject, () => reject(unreachable()));
        this.#setUp(false);
        this.#retry();
      };
      this.#hangUp = () => {
        lost(); // a close that the other side never answers takes long to be told
        socket.close();
      };
      socket.addEventListener('open', () => {
        opened = true;
        this.#retryMs = firstRetryMs;
        watch = setInterval(() => {
          if (Date.now() - heardAt > silenceMs) this.#hangUp();
        }, silenceMs / 3);
        resolve((name, args) => rpc.$call('call', name, args));
        this.#setUp(true);
      });
      socket.addEventListener('close', lost);
      socket.addEventListener('error', lost);
    });
    ready.catch(() => {});
    return ready;
  }

  #retry(): void {
    if (this.#ended) return;
    const wait = this.#retryMs * (0.75 + Math.random() / 2);
    this.#retryMs = Math.min(this.#retryMs * 2, this.#options.retryMs);
    this.#timer = setTimeout(() => {
      this.#ready = this.#connect();
    }, wait);
  }
}
