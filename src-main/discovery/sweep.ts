// Calls many addresses: thousands a second within a rate, each within the patience that the network asks for.
import type { Socket } from 'node:net';
import { Failure } from '../../contract/failure.ts';
import { BannerReader } from './banner.ts';
import type { Clock } from './clock.ts';
import type { Dial, Line, Target } from './dial.ts';
import type { Pace } from './pace.ts';
import { Patience } from './patience.ts';
import type { Sockets } from './sockets.ts';

/** What was learned of one port. `closed`: a host is there, and refuses. `uncalled`: this machine has no way there. */
export type Answer =
  | { kind: 'silent' }
  | { kind: 'uncalled' }
  | { kind: 'closed' }
  | { kind: 'open'; banner: string | null }
  | { kind: 'ssh'; banner: string; fingerprint: string | null };

/** Takes a host's key without logging in, over the connection that is there. */
export type TakeKey = (
  target: Target,
  options: { timeoutMs: number; signal: AbortSignal; socket: Socket },
) => Promise<{ fingerprint: string }>;

export interface SweepOptions {
  targets: Iterable<Target>;
  /** May be shared with other sweeps. */
  pace: Pace;
  /** Patience of each try in milliseconds; null: learned from the answers. */
  timeoutMs: number | null;
  sockets: Sockets;
  dial: Dial;
  takeKey: TakeKey;
  clock: Clock;
  signal: AbortSignal;
  /** Whether an address is in one of this machine's own networks: too many of these at once would not be sent. */
  near: (address: string) => boolean;
  /** Asked before each call: while true, none is begun. */
  hold?: () => boolean;
  /** Once per connection begun, second tries counted. */
  began?: () => void;
  /** Once per target, in the order in which they are settled. */
  settled(target: Target, answer: Answer): void;
}

export interface SweepEnd {
  /** Connections begun, second tries counted. */
  connections: number;
  /** Targets that this machine could not even call. */
  uncalled: number;
  /** The system's code for the last of these. */
  code: string | null;
}

/** What a port that is open is given to say something, and for the key exchange; milliseconds. */
const BANNER_MS = 2500;
const KEY_MS = 5000;
/** Key exchanges under way at once: they cost CPU here, and would delay the answers of others. */
const KEYS = 8;
/** Under way at once of those that hung up on us. */
const HUNG_UP = 2;
/** How often the deadlines are looked at. */
const TICK_MS = 10;
/** How long the network may be away before the sweep gives up, and sockets be short. */
const OUTAGE_MS = 3000;
const SHORTAGE_MS = 10_000;
/** So many failures in a row to call at all are an outage. */
const OUTAGE_CALLS = 8;
/** How often a sweep that was asked to hold asks whether it still has to. */
const HOLD_MS = 250;
/** libvirt's own ports: who calls there has to speak first, so no banner is waited for. */
const SPEAKS_SECOND = new Set([16509, 16514]);
/** How long to hold back before the next try to call, while there is no network or no socket. */
const OUTAGE_HOLD_MS = 250;
const SHORTAGE_HOLD_MS = 100;

interface Attempt {
  target: Target;
  /** From 1. */
  turn: number;
  /** Called once more since it hung up; what it says now counts. */
  hungUp: boolean;
  state: 'calling' | 'listening' | 'queued' | 'keying';
  /** When this state began. */
  since: number;
  began: number;
  line: Line | null;
  banner: BannerReader;
  keying: AbortController | null;
}

/**
 * Calls every target. What was settled stays told, whatever happens after.
 * @throws Failure `unreachable` where the network went away or the system has no sockets left
 * @throws the signal's reason once it is aborted
 */
export function sweep(options: SweepOptions): Promise<SweepEnd> {
  return new Sweep(options).run();
}

class Sweep {
  readonly #options: SweepOptions;
  readonly #targets: Iterator<Target>;
  readonly #patience: Patience;
  readonly #attempts = new Set<Attempt>();
  readonly #again: { target: Target; turn: number }[] = [];
  /** Hung up without a word, as sshd does with too many logins under way: called once more, after all others. */
  readonly #hungUp: Target[] = [];
  readonly #forKey: Attempt[] = [];
  #keying = 0;
  #fresh: Target | null = null;
  #exhausted = false;
  #end: SweepEnd = { connections: 0, uncalled: 0, code: null };
  /** Since when, and how often in a row, nothing could be called at all. */
  #outage: { since: number; calls: number } | null = null;
  /** Since when the system has had no socket to give. */
  #shortSince: number | null = null;
  #holdUntil = 0;
  #callOffWake = () => {};
  #callOffTick: (() => void) | null = null;
  #callOffWait = () => {};
  #finish!: (failed: Error | null) => void;
  #over = false;

  constructor(options: SweepOptions) {
    this.#options = options;
    this.#targets = options.targets[Symbol.iterator]();
    this.#patience = new Patience(options.timeoutMs);
  }

  run(): Promise<SweepEnd> {
    const { signal } = this.#options;
    return new Promise((resolve, reject) => {
      const abort = () => this.#finish(signal.reason as Error);
      this.#finish = (failed) => {
        if (this.#over) return;
        this.#over = true;
        signal.removeEventListener('abort', abort);
        this.#callOffWake();
        this.#callOffTick?.();
        this.#callOffWait();
        for (const attempt of this.#attempts) this.#free(attempt);
        this.#targets.return?.();
        if (failed === null) resolve(this.#end);
        else reject(failed);
      };
      signal.addEventListener('abort', abort);
      if (signal.aborted) abort();
      else this.#pump();
    });
  }

  /** Calls as many as pace and sockets allow. */
  #pump(): void {
    this.#callOffWake();
    this.#callOffWait();
    while (!this.#over) {
      const hold = this.#holdUntil - this.#options.clock.now();
      if (hold > 0) return this.#wake(hold);
      // While nothing can be called, one at a time feels for the network to come back.
      if (this.#held && [...this.#attempts].some(({ state }) => state === 'calling')) return;
      const call = this.#again.length > 0 ? 'again' : this.#ahead() ? 'first' : 'hung up';
      if (call === 'hung up' && (this.#hungUp.length === 0 || this.#attempts.size >= HUNG_UP)) {
        if (this.#attempts.size === 0) this.#finish(null);
        return;
      }
      if (this.#options.hold?.() === true) return this.#wake(HOLD_MS);
      if (!this.#options.sockets.take()) {
        this.#callOffWait = this.#options.sockets.wait(() => this.#pump());
        return;
      }
      const isNewNear = call === 'first' && this.#options.near(this.#fresh!.address);
      const wait = this.#options.pace.take(isNewNear ? 'first' : 'again');
      if (wait > 0) {
        this.#options.sockets.give();
        return this.#wake(wait);
      }
      // Second tries go first: so what waits for one is never more than what was under way.
      switch (call) {
        case 'again': {
          const { target, turn } = this.#again.shift()!;
          this.#call(target, turn);
          break;
        }
        case 'first':
          this.#call(this.#fresh!, 1);
          this.#fresh = null;
          break;
        case 'hung up':
          this.#call(this.#hungUp.shift()!, 1, true);
          break;
      }
    }
  }

  get #held(): boolean {
    return this.#shortSince !== null || (this.#outage?.calls ?? 0) >= OUTAGE_CALLS;
  }

  #wake(ms: number): void {
    this.#callOffWake();
    this.#callOffWake = this.#options.clock.after(ms, () => this.#pump());
  }

  /** Looks one target ahead: what is taken of the pace and of the sockets is then used. */
  #ahead(): boolean {
    if (this.#fresh || this.#exhausted) return this.#fresh !== null;
    const next = this.#targets.next();
    if (next.done === true) this.#exhausted = true;
    else this.#fresh = next.value;
    return !this.#exhausted;
  }

  #call(target: Target, turn: number, hungUp = false): void {
    const now = this.#options.clock.now();
    const attempt: Attempt = {
      target,
      turn,
      hungUp,
      state: 'calling',
      since: now,
      began: now,
      line: null,
      banner: new BannerReader(),
      keying: null,
    };
    this.#attempts.add(attempt);
    this.#end.connections += 1;
    this.#options.began?.();
    attempt.line = this.#options.dial(target, {
      opened: () => this.#opened(attempt),
      said: (chunk) => this.#said(attempt, chunk),
      ended: () => this.#ended(attempt),
      failed: (code) => this.#failed(attempt, code),
    });
    this.#callOffTick ??= this.#options.clock.after(TICK_MS, () => this.#tick());
  }

  #opened(attempt: Attempt): void {
    this.#called(attempt);
    this.#patience.answered(this.#options.clock.now() - attempt.began, attempt.turn);
    if (SPEAKS_SECOND.has(attempt.target.port)) return this.#settle(attempt, { kind: 'open', banner: null });
    this.#enter(attempt, 'listening');
  }

  #said(attempt: Attempt, chunk: Buffer): void {
    if (attempt.state !== 'listening') return;
    const verdict = attempt.banner.take(chunk);
    if (verdict === 'more' && isBusy(attempt.banner)) return this.#ended(attempt);
    if (verdict === 'other') this.#settle(attempt, this.#heard(attempt));
    if (verdict !== 'ssh') return;
    this.#enter(attempt, 'queued');
    this.#forKey.push(attempt);
    this.#takeKeys();
  }

  #ended(attempt: Attempt): void {
    const { state, hungUp, banner, target } = attempt;
    const cutShort = banner.read.length === 0 || isBusy(banner);
    if (state !== 'listening' || hungUp || !cutShort) return this.#settle(attempt, this.#heard(attempt));
    this.#hungUp.push(target);
    this.#free(attempt);
    this.#pump();
  }

  #takeKeys(): void {
    while (this.#keying < KEYS) {
      const attempt = this.#forKey.shift();
      if (!attempt) return;
      if (this.#attempts.has(attempt)) void this.#takeKey(attempt);
    }
  }

  async #takeKey(attempt: Attempt): Promise<void> {
    this.#keying += 1;
    this.#enter(attempt, 'keying');
    attempt.keying = new AbortController();
    const socket = attempt.line!.hand(attempt.banner.read);
    const { signal } = attempt.keying;
    let fingerprint: string | null = null;
    try {
      ({ fingerprint } = await this.#options.takeKey(attempt.target, { timeoutMs: KEY_MS, signal, socket }));
    } catch {
      // Whatever stopped it, the banner has proved SSH; the fingerprint stays unknown.
    }
    this.#keying -= 1;
    this.#settle(attempt, { kind: 'ssh', banner: attempt.banner.line ?? '', fingerprint });
    this.#takeKeys();
  }

  /** What a port turned out to be that said all it will, or too much. */
  #heard({ state, banner }: Attempt): Answer {
    if (state === 'queued' || state === 'keying') return { kind: 'ssh', banner: banner.line ?? '', fingerprint: null };
    return { kind: 'open', banner: banner.line };
  }

  #failed(attempt: Attempt, code: string): void {
    if (attempt.state !== 'calling') return this.#ended(attempt);
    const meaning = meaningOf(code, attempt.target);
    switch (meaning) {
      case 'refused':
        this.#called(attempt);
        this.#patience.answered(this.#options.clock.now() - attempt.began, attempt.turn);
        return this.#settle(attempt, { kind: 'closed' });
      case 'hung up':
        this.#opened(attempt);
        return this.#ended(attempt);
      case 'lost':
        this.#called(attempt);
        return this.#retry(attempt);
      case 'uncallable':
        return this.#uncallable(attempt, code);
      case 'no-socket':
        return this.#noSocket(attempt, code);
      default:
        meaning satisfies never;
    }
  }

  /** A call that went out ends what stood in the way. */
  #called(attempt: Attempt): void {
    if (this.#outage && attempt.began >= this.#outage.since) this.#outage = null;
    this.#shortSince = null;
    this.#options.sockets.grow();
  }

  #retry(attempt: Attempt): void {
    if (attempt.turn >= this.#patience.tries) return this.#settle(attempt, { kind: 'silent' });
    this.#again.push({ target: attempt.target, turn: attempt.turn + 1 });
    this.#free(attempt);
    this.#pump();
  }

  #uncallable(attempt: Attempt, code: string): void {
    const now = this.#options.clock.now();
    this.#outage ??= { since: now, calls: 0 };
    this.#outage.calls += 1;
    this.#end.code = code;
    if (this.#outage.calls >= OUTAGE_CALLS && now - this.#outage.since >= OUTAGE_MS) {
      return this.#finish(
        new Failure(
          'unreachable',
          `The sweep stopped at ${attempt.target.address}: this machine has had no way there for ${OUTAGE_MS / 1000} seconds ` +
            `(${code}). What was found is kept; check its network and sweep again.`,
        ),
      );
    }
    if (this.#held) this.#holdUntil = now + OUTAGE_HOLD_MS;
    if (attempt.turn < this.#patience.tries) return this.#retry(attempt);
    this.#end.uncalled += 1;
    this.#settle(attempt, { kind: 'uncalled' });
  }

  /** Not the target's fault: it is called again without counting a try. */
  #noSocket(attempt: Attempt, code: string): void {
    const now = this.#options.clock.now();
    this.#shortSince ??= now;
    this.#again.push({ target: attempt.target, turn: attempt.turn });
    this.#free(attempt);
    this.#options.sockets.shrink();
    this.#holdUntil = now + SHORTAGE_HOLD_MS;
    if (now - this.#shortSince < SHORTAGE_MS) return this.#pump();
    this.#finish(
      new Failure(
        'unreachable',
        `The sweep stopped at ${attempt.target.address}: this machine has had no free sockets for ` +
          `${SHORTAGE_MS / 1000} seconds (${code}). What was found is kept; close other programs and sweep again.`,
      ),
    );
  }

  #enter(attempt: Attempt, state: Attempt['state']): void {
    attempt.state = state;
    attempt.since = this.#options.clock.now();
  }

  /** All deadlines in one timer, as patience may shrink while calls are under way. */
  #tick(): void {
    this.#callOffTick = null;
    const now = this.#options.clock.now();
    for (const attempt of this.#attempts) {
      if (this.#over) return;
      const waited = now - attempt.since;
      if (attempt.state === 'calling' && waited >= this.#patience.timeout(attempt.turn)) {
        this.#called(attempt);
        this.#retry(attempt);
      } else if (attempt.state === 'listening' && waited >= BANNER_MS) {
        this.#settle(attempt, this.#heard(attempt));
      } else if (attempt.state === 'keying' && waited >= KEY_MS + 1000) {
        this.#settle(attempt, this.#heard(attempt));
      }
    }
    if (this.#attempts.size > 0) this.#callOffTick ??= this.#options.clock.after(TICK_MS, () => this.#tick());
  }

  #settle(attempt: Attempt, answer: Answer): void {
    if (!this.#attempts.has(attempt)) return;
    this.#free(attempt);
    this.#options.settled(attempt.target, answer);
    this.#pump();
  }

  #free(attempt: Attempt): void {
    if (!this.#attempts.delete(attempt)) return;
    attempt.keying?.abort();
    attempt.line?.hangUp();
    this.#options.sockets.give();
  }
}

/** What sshd says instead of its banner while too many logins are under way. */
const isBusy = (banner: BannerReader) => banner.line?.startsWith('Exceeded MaxStartups') === true;

/** What the system's code says of the target, or of this machine. */
function meaningOf(code: string, { address }: Target): 'refused' | 'hung up' | 'lost' | 'uncallable' | 'no-socket' {
  switch (code) {
    case 'ECONNREFUSED':
      return 'refused';
    case 'ECONNRESET':
      return 'hung up'; // it was open: a call that is reset before it is through is refused
    case 'ENETUNREACH':
    case 'ENETDOWN':
    case 'EACCES':
    case 'EPERM':
    case 'EINVAL':
    case 'EAFNOSUPPORT':
      return 'uncallable';
    case 'EADDRNOTAVAIL':
      // Without IPv6 here it is the address; else the local ports are used up.
      return address.includes(':') ? 'uncallable' : 'no-socket';
    case 'EMFILE':
    case 'ENFILE':
    case 'ENOBUFS':
    case 'ENOMEM':
    case 'EAGAIN':
      return 'no-socket';
    default:
      return 'lost';
  }
}
