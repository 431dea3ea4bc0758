// The sweeps of this run: started, told as they go, cancelled; what they find goes to the neighbours.
import { randomUUID } from 'node:crypto';
import type { Args } from '../../contract/calls.ts';
import { Failure, toErr } from '../../contract/failure.ts';
import type { Found, ScanChange, ScanForecast, ScanId, ScanView } from '../../contract/model.ts';
import { compareAddresses } from './address.ts';
import type { Clock } from './clock.ts';
import { forecast } from './forecast.ts';
import type { Dial, Target } from './dial.ts';
import type { Neighbours, Proof } from './neighbours.ts';
import { planPass, type Plan } from './passes.ts';
import { parseRange, type Range } from './range.ts';
import { Pace, PACE } from './pace.ts';
import { ScanMap, type Grade } from './scan-map.ts';
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
) => Promise<Proof | null>;

export interface ScansOptions {
  neighbours: Neighbours;
  /** Null: nothing is logged in to, SSH hosts stay `ssh`. */
  identify: Identify | null;
  takeKey: TakeKey;
  dial: Dial;
  sockets: Sockets;
  clock: Clock;
  /** Addresses of the hosts that a VM migrates between now: their network is left to it. */
  busy: () => Iterable<string>;
  /** This machine's own addresses: where one is lost in the middle of a scan, silence proves nothing. */
  ownAddresses: () => ReadonlySet<string>;
  /** Whether an address is in one of this machine's own networks, as they are now. */
  ownNetworks: () => (address: string) => boolean;
  /** A scan has come to its end, and these were found to have moved. */
  completed: (scan: ScanView, moved: Found[]) => void;
}

/** How often a scan is told of, in milliseconds. */
const TELL_MS = 100;
/** How often what was found is handed to the store. */
const SAVE_MS = 5000;
/** How often it is looked whether hosts migrate. */
const BUSY_MS = 200;
const LOGINS = 8;
const LOGIN_MS = 30_000;
/** So many ended scans are remembered. */
const ENDED = 20;

interface Scan {
  /** All but `found` and `map`. */
  view: ScanView;
  range: Range;
  map: ScanMap;
  /** How many ports that were open before it has found silent, and how many it has found open. */
  known: { silent: number; open: number };
  own: ReadonlySet<string>;
  moved: boolean;
  whileMigrating: boolean;
  heldAt: number;
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
  start(
    { cidr, pass = 'full', ports: given, timeoutMs, rate, identify, confirm, whileMigrating = false }: ScanArgs,
    scheduled = false,
  ): ScanView {
    const range = parseRange(cidr, confirm);
    const ports = given ? [...new Set(given)] : null;
    const connected = scheduled && pass === 'known' ? this.#options.neighbours.hearConnected() : 0;
    const plan = planPass(pass, range, ports, this.#options.neighbours, scheduled);
    const scan: Scan = {
      range,
      map: new ScanMap(range.count, ports?.length ?? 1),
      known: { silent: 0, open: 0 },
      own: this.#options.ownAddresses(),
      moved: false,
      whileMigrating,
      heldAt: -Infinity,
      view: {
        id: randomUUID(),
        cidr: range.text,
        pass,
        state: 'running',
        probed: 0,
        total: plan.total,
        connections: 0,
        found: [],
        map: '',
        addresses: range.count,
        paused: null,
        scheduled,
        notes: [
          ...range.notes,
          ...(plan.note === null ? [] : [plan.note]),
          ...(connected > 0 && plan.total > 0 ? [`Not called, since they are connected: ${connected}.`] : []),
        ],
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

  /** What a scan with these arguments would do. @throws Failure `bad-request` as `start` does, but not to be confirmed */
  forecast({ cidr, pass = 'full', ports, rate, timeoutMs, confirm }: ScanArgs): ScanForecast {
    let range: Range;
    let ask: string | null = null;
    try {
      range = parseRange(cidr, confirm);
    } catch (error) {
      if (!(error instanceof Failure && error.detail?.['confirm'] === true)) throw error;
      ask = error.message;
      range = parseRange(cidr, true);
    }
    const plan = planPass(pass, range, ports ? [...new Set(ports)] : null, this.#options.neighbours);
    return {
      cidr: range.text,
      pass,
      addresses: range.count,
      total: plan.total,
      ...forecast(pass, plan, { rate, timeoutMs, near: this.#isNear(plan) }),
      notes: [...range.notes, ...(plan.note === null ? [] : [plan.note])],
      confirm: ask,
    };
  }

  #isNear({ targets }: Plan): boolean {
    for (const { address } of targets) return this.#options.ownNetworks()(address);
    return false;
  }

  /** Lets it go on while a host of its range migrates, or wait for that. @throws Failure `not-found` */
  update(id: ScanId, whileMigrating: boolean): ScanView {
    const scan = this.#scan(id);
    scan.whileMigrating = whileMigrating;
    scan.heldAt = -Infinity;
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
        near: this.#options.ownNetworks(),
        hold: () => this.#holds(scan),
        began: () => (scan.view.connections += 1),
        settled: (target, answer) => this.#settled(scan, target, answer),
      });
      while (scan.loggingIn.size > 0) await Promise.race(scan.loggingIn);
      if (uncalled > 0 && uncalled === scan.view.probed) throw noWay(scan.view.cidr, code);
      if (uncalled > 0) {
        scan.view.notes.push(
          `${uncalled} of ${scan.view.probed} could not be called: this machine has no way there (${code}).`,
        );
      }
      const moved = this.#options.neighbours.moves(scan.found.values());
      for (const found of moved) this.#add(scan, found);
      scan.view.notes.push(...this.#doubts(scan));
      // Others may have found what this one then passed over.
      scan.view.total = scan.view.probed;
      this.#end(scan, 'completed', null);
      this.#options.completed(whole(scan), moved);
    } catch (error) {
      this.#end(scan, 'failed', error);
    }
    await this.#options.neighbours.save().catch(() => {}); // the store says so itself
  }

  #settled(scan: Scan, target: Target, answer: Answer): void {
    const { neighbours, clock } = this.#options;
    scan.view.probed += 1;
    const heard = answer.kind === 'silent' && this.#lostNetwork(scan) ? { kind: 'uncalled' as const } : answer;
    const found = neighbours.hear(target, heard);
    if (found) this.#add(scan, found);
    if (found) scan.known[found.kind === 'silent' ? 'silent' : 'open'] += 1;
    const place = scan.range.placeOf(target.address);
    if (heard.kind !== 'uncalled') scan.map.called(place, gradeOf(heard, found));
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
          const found = proof && this.#options.neighbours.identified(host, proof);
          if (found) this.#add(scan, found);
          if (found?.kind === 'libvirt') scan.map.raise(scan.range.placeOf(host.address), 'l');
          this.#tellSoon(scan);
          this.#logIn(scan);
        });
      scan.loggingIn.add(login);
    }
  }

  /** Whether it waits now: a sweep takes nothing from a migration over the same network. */
  #holds(scan: Scan): boolean {
    const now = this.#options.clock.now();
    if (now - scan.heldAt < BUSY_MS) return scan.view.paused !== null;
    scan.heldAt = now;
    const busy = scan.whileMigrating ? [] : [...this.#options.busy()].filter((address) => scan.range.has(address));
    const paused =
      busy.length === 0
        ? null
        : `The sweep waits while a VM migrates over this network (${[...new Set(busy)].join(', ')}).`;
    if (paused !== scan.view.paused) {
      scan.view.paused = paused;
      this.#tellSoon(scan);
    }
    return paused !== null;
  }

  /** Whether this machine has lost an address of its own since the scan began: it may be in another network now. */
  #lostNetwork(scan: Scan): boolean {
    if (scan.moved) return true;
    const own = this.#options.ownAddresses();
    scan.moved = [...scan.own].some((address) => !own.has(address));
    return scan.moved;
  }

  /** Why what was not found may be there all the same. */
  #doubts({ moved, known, view: { cidr } }: Scan): string[] {
    if (moved) {
      return [
        'This machine changed networks during the sweep: what did not answer after that is not counted as gone. Sweep again.',
      ];
    }
    if (known.open > 0 || known.silent < 2) return [];
    return [
      `None of the ${known.silent} ports that answered in ${cidr} before did so now: is this machine in the same network as then?`,
    ];
  }

  #add(scan: Scan, found: Found): void {
    const key = `${found.address} ${found.port}`;
    scan.found.set(key, found);
    scan.fresh.set(key, found);
  }

  #end(scan: Scan, state: 'completed' | 'cancelled' | 'failed', error: unknown): void {
    if (scan.view.state !== 'running') return;
    scan.view.state = state;
    scan.view.paused = null;
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
    const change = {
      ...scan.view,
      notes: [...scan.view.notes],
      map: scan.map.toString(),
      found: [...scan.fresh.values()],
    };
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

function whole({ view, map, found }: Scan): ScanView {
  return {
    ...view,
    map: map.toString(),
    notes: [...view.notes],
    found: [...found.values()].sort((a, b) => compareAddresses(a.address, b.address) || a.port - b.port),
  };
}

function gradeOf(answer: Answer, found: Found | null): Grade | null {
  switch (answer.kind) {
    case 'closed':
      return 'c';
    case 'open':
      return 'o';
    case 'ssh':
      return found?.kind === 'libvirt' ? 'l' : 's';
    case 'silent':
    case 'uncalled':
      return null;
  }
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
