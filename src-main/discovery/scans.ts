// The sweeps of this run: started, told as they go, cancelled; what they find goes to the neighbours.
import { randomUUID } from 'node:crypto';
import type { Args } from '../../contract/calls.ts';
import { Failure, toErr } from '../../contract/failure.ts';
import type { Found, ScanChange, ScanId, ScanView } from '../../contract/model.ts';
import { compareAddresses } from './address.ts';
import type { Clock } from './clock.ts';
import type { Dial, Target } from './dial.ts';
import type { Neighbours } from './neighbours.ts';
import { planPass, type Plan } from './passes.ts';
import { parseRange } from './range.ts';
import { Pace } from './pace.ts';
import type { Sockets } from './sockets.ts';
import { sweep, type Answer, type TakeKey } from './sweep.ts';

export type ScanArgs = Args<'scans.start'>;
export type Login = NonNullable<ScanArgs['identify']>;

/**
 * Logs in to tell a libvirt host from others; only where the key seen there is trusted already.
 * @returns null where that could not be told: the key is not trusted, or the login failed.
 *   `libvirtVersion: null`: logged in, and there is no libvirt.
 */
export type Identify = (
  host: Target & { fingerprint: string },
  login: Login,
  signal: AbortSignal,
) => Promise<{ libvirtVersion: string | null } | null>;

export interface ScansOptions {
  neighbours: Neighbours;
  /** Null: nothing is logged in to, SSH hosts stay `ssh`. */
  identify: Identify | null;
  takeKey: TakeKey;
  dial: Dial;
  sockets: Sockets;
  clock: Clock;
}

/**
 * Where the admin says nothing, for all scans together. On a local network each silent address holds an entry of the
 * kernel's neighbour table for three seconds, however often it is called meanwhile. Linux has 1024 of these, and where
 * they are used up it sends nothing, and hosts are missed. So a /24 goes at once, wide ranges in portions.
 */
const PACE = { rate: 3000, first: { count: 850, withinMs: 3100 } };
/** How often a scan is told of, in milliseconds. */
const TELL_MS = 100;
/** How often what was found is handed to the store. */
const SAVE_MS = 5000;
const LOGINS = 8;
const LOGIN_MS = 30_000;
/** So many ended scans are remembered. */
const ENDED = 20;

interface Scan {
  /** All but `found`. */
  view: ScanView;
  found: Map<string, Found>;
  fresh: Map<string, Found>;
  controller: AbortController;
  callOffTelling: (() => void) | null;
  savedAt: number;
  login: Login | null;
  logins: (Target & { fingerprint: string })[];
  loggingIn: Set<Promise<void>>;
}

export class Scans {
  readonly #options: ScansOptions;
  readonly #scans = new Map<ScanId, Scan>();
  readonly #listeners = new Set<(change: ScanChange | { removed: true; id: ScanId }) => void>();
  readonly #running = new Set<Promise<void>>();
  readonly #pace: Pace;

  constructor(options: ScansOptions) {
    this.#options = options;
    this.#pace = new Pace(options.clock, PACE);
  }

  /** @throws Failure `bad-request` for what is no range, or is wide or public and not confirmed */
  start({ cidr, pass = 'full', ports, timeoutMs, rate, identify, confirm }: ScanArgs): ScanView {
    const range = parseRange(cidr, confirm);
    const plan = planPass(pass, range, ports ? [...new Set(ports)] : null, this.#options.neighbours);
    const scan: Scan = {
      view: {
        id: randomUUID(),
        cidr: range.text,
        pass,
        state: 'running',
        probed: 0,
        total: plan.total,
        found: [],
        notes: [...range.notes, ...(plan.note === null ? [] : [plan.note])],
        error: null,
        startedAt: this.#options.clock.date().toISOString(),
        endedAt: null,
      },
      found: new Map(),
      fresh: new Map(),
      controller: new AbortController(),
      callOffTelling: null,
      savedAt: this.#options.clock.now(),
      login: identify ?? null,
      logins: [],
      loggingIn: new Set(),
    };
    this.#scans.set(scan.view.id, scan);
    this.#forgetOld();
    this.#tell(scan);
    const run = this.#run(
      scan,
      plan,
      rate === undefined ? this.#pace : new Pace(this.#options.clock, { rate }),
      timeoutMs ?? null,
    );
    this.#running.add(run);
    void run.finally(() => this.#running.delete(run));
    return whole(scan);
  }

  /** @throws Failure `not-found` */
  get(id: ScanId): ScanView {
    return whole(this.#scan(id));
  }

  /** Newest last. */
  list(): ScanView[] {
    return [...this.#scans.values()].map(whole);
  }

  /** Stops it at once, and keeps what it found; nothing happens to one that has ended. @throws Failure `not-found` */
  cancel(id: ScanId): ScanView {
    const scan = this.#scan(id);
    this.#end(scan, 'cancelled', null);
    return whole(scan);
  }

  /** Tells each change with only what is newly found, at most some ten times a second for each scan. */
  onChange(listener: (change: ScanChange | { removed: true; id: ScanId }) => void): () => void {
    const own: typeof listener = (change) => listener(change);
    this.#listeners.add(own);
    return () => this.#listeners.delete(own);
  }

  /** Cancels what runs; resolves when no socket is left open and what was found is with the store. */
  async close(): Promise<void> {
    for (const scan of this.#scans.values()) this.#end(scan, 'cancelled', null);
    await Promise.all(this.#running);
    await this.#options.neighbours.save();
  }

  async #run(scan: Scan, plan: Plan, pace: Pace, timeoutMs: number | null): Promise<void> {
    const { sockets, dial, takeKey, clock } = this.#options;
    try {
      const { uncalled, code } = await sweep({
        targets: plan.targets,
        pace,
        timeoutMs,
        sockets,
        dial,
        takeKey,
        clock,
        signal: scan.controller.signal,
        settled: (target, answer) => this.#settled(scan, target, answer),
      });
      while (scan.loggingIn.size > 0) await Promise.race(scan.loggingIn);
      if (uncalled > 0 && uncalled === scan.view.probed) throw noWay(scan.view.cidr, code);
      if (uncalled > 0) {
        scan.view.notes.push(
          `${uncalled} of ${scan.view.probed} could not be called: this machine has no way there (${code}).`,
        );
      }
      // Others may have found what this one then passed over.
      scan.view.total = scan.view.probed;
      this.#end(scan, 'completed', null);
    } catch (error) {
      this.#end(scan, 'failed', error);
    }
    await this.#options.neighbours.save().catch(() => {}); // the store says so itself
  }

  #settled(scan: Scan, target: Target, answer: Answer): void {
    const { neighbours, clock } = this.#options;
    scan.view.probed += 1;
    const found = neighbours.hear(target, answer);
    if (found) this.#add(scan, found);
    if (scan.login && found?.kind === 'ssh' && found.fingerprint !== undefined) {
      scan.logins.push({ ...target, fingerprint: found.fingerprint });
      this.#logIn(scan);
    }
    if (clock.now() - scan.savedAt >= SAVE_MS) {
      scan.savedAt = clock.now();
      neighbours.save().catch(() => {});
    }
    this.#tellSoon(scan);
  }

  #logIn(scan: Scan): void {
    const { identify } = this.#options;
    if (!identify) return;
    while (scan.loggingIn.size < LOGINS) {
      const host = scan.logins.shift();
      if (!host) return;
      const signal = AbortSignal.any([scan.controller.signal, AbortSignal.timeout(LOGIN_MS)]);
      const login = Promise.race([identify(host, scan.login ?? {}, signal), aborted(signal)])
        .catch(() => null)
        .then((proof) => {
          scan.loggingIn.delete(login);
          if (scan.view.state !== 'running') return;
          const found = proof && this.#options.neighbours.identified(host, proof.libvirtVersion);
          if (found) this.#add(scan, found);
          this.#tellSoon(scan);
          this.#logIn(scan);
        });
      scan.loggingIn.add(login);
    }
  }

  #add(scan: Scan, found: Found): void {
    const key = `${found.address} ${found.port}`;
    scan.found.set(key, found);
    scan.fresh.set(key, found);
  }

  #end(scan: Scan, state: 'completed' | 'cancelled' | 'failed', error: unknown): void {
    if (scan.view.state !== 'running') return;
    scan.view.state = state;
    scan.view.error = error === null ? null : toErr(error);
    scan.view.endedAt = this.#options.clock.date().toISOString();
    scan.controller.abort(new Error('the scan has ended'));
    this.#tell(scan);
  }

  #tellSoon(scan: Scan): void {
    if (scan.view.state !== 'running') return;
    scan.callOffTelling ??= this.#options.clock.after(TELL_MS, () => this.#tell(scan));
  }

  #tell(scan: Scan): void {
    scan.callOffTelling?.();
    scan.callOffTelling = null;
    const change = { ...scan.view, notes: [...scan.view.notes], found: [...scan.fresh.values()] };
    scan.fresh.clear();
    for (const listener of this.#listeners) listener(change);
  }

  #scan(id: ScanId): Scan {
    const scan = this.#scans.get(id);
    if (!scan)
      throw new Failure('not-found', `There is no scan ${id}. Only the last ${ENDED} of this run are remembered.`);
    return scan;
  }

  #forgetOld(): void {
    const ended = [...this.#scans.values()].filter(({ view }) => view.state !== 'running');
    for (const { view } of ended.slice(0, Math.max(0, ended.length - ENDED))) {
      this.#scans.delete(view.id);
      for (const listener of this.#listeners) listener({ removed: true, id: view.id });
    }
  }
}

function whole({ view, found }: Scan): ScanView {
  return {
    ...view,
    notes: [...view.notes],
    found: [...found.values()].sort((a, b) => compareAddresses(a.address, b.address) || a.port - b.port),
  };
}

function noWay(range: string, code: string | null): Failure {
  return new Failure(
    'unreachable',
    `This machine has no way to ${range}${code === null ? '' : ` (${code})`}: check its network, VPN and firewall, and sweep again.`,
  );
}

function aborted(signal: AbortSignal): Promise<null> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve(null);
    else signal.addEventListener('abort', () => resolve(null), { once: true });
  });
}
