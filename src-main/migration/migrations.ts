// All migrations: starts them after a preflight, queues them per host, keeps their record.
import { randomUUID } from 'node:crypto';
import { userInfo } from 'node:os';
import type { Delta } from '../../contract/events.ts';
import { Failure } from '../../contract/failure.ts';
import type {
  DomainRef,
  EvacuationPlan,
  HostId,
  MigrationBatch,
  MigrationId,
  MigrationView,
  Preflight,
  Remedied,
} from '../../contract/model.ts';
import { type Clock, systemClock } from '../fleet/clock.ts';
import type { Fleet } from '../fleet/fleet.ts';
import type { Host } from '../fleet/host.ts';
import { carryOutPlan, planEvacuation } from './evacuate.ts';
import { Journal, type Unfinished } from './recovery/journal.ts';
import { Migration } from './migration.ts';
import { described, type GivenOptions, isOff, resolveOptions } from './options.ts';
import { checkAsking, checkKnown, stopping, verdictOf } from './preflight.ts';
import { SourceXml } from './preflight/domain-xml.ts';
import { carryOut } from './preflight/remedies.ts';
import { Receipt } from './receipt.ts';
import type { Route } from './route.ts';
import { migrateUriTo } from './preflight/path.ts';

export interface MigrationsOptions {
  fleet: Fleet;
  tell: (delta: Delta) => void;
  /** Awaited before a target may run: consoles open there first. */
  beforeSwitch: (ref: DomainRef, to: Host) => Promise<void>;
  /** Left out: a crash of Drover is not outlived. */
  journal?: Journal;
  clock?: Clock;
}

/** Per host, as source and target together: each takes a worker of the daemon for as long as it lasts. */
const atOnce = 4;
/** Ended ones are kept so that they can be looked at; the oldest go first. */
const kept = 1_000;
/** How many hosts are asked at once for the verdicts of a drag, and how long it may take. */
const evacuatedAtOnce = 2;
const settledPollMs = 200;
const askedAtOnce = 16;
const askedMs = 4_000;

export class Migrations {
  readonly #options: MigrationsOptions;
  readonly #clock: Clock;
  readonly #journal: Journal;
  #all = new Map<MigrationId, Migration>();
  /** Of earlier runs, oldest first. */
  #receipts: Map<MigrationId, Receipt>;
  #running = new Set<Promise<void>>();
  #closed = false;

  constructor(options: MigrationsOptions) {
    this.#options = options;
    this.#clock = options.clock ?? systemClock;
    this.#journal = options.journal ?? Journal.forgetful();
    this.#receipts = new Map(this.#journal.receipts.map((view) => [view.id, new Receipt(view)]));
  }

  /** Takes up what an earlier run left unfinished. Call once, when the saved hosts are there. */
  recover(warn: (message: string) => void): void {
    const { fleet } = this.#options;
    for (const unfinished of this.#journal.unfinished) {
      const { record } = unfinished;
      try {
        const known = new Set(fleet.hosts.map(({ id }) => id));
        // A host that was added just before the crash may not have been saved.
        const missing = [record.from, record.to].filter(({ id }) => !known.has(id));
        fleet.restore(missing, warn);
        this.#add(unfinished);
      } catch (error) {
        const said = error instanceof Error ? error.message : String(error);
        warn(`The migration of ${record.domain.name} that was interrupted cannot be taken up again: ${said}`);
      }
    }
    this.#advance();
  }

  readonly described = described;

  /** Newest first. */
  list(): MigrationView[] {
    return [...this.#receipts.values(), ...this.#all.values()].reverse().map((one) => one.view());
  }

  /** @throws Failure `not-found` */
  get(id: MigrationId): Migration | Receipt {
    const migration = this.#all.get(id) ?? this.#receipts.get(id);
    if (!migration) throw new Failure('not-found', `There is no migration with the id “${id}”.`);
    return migration;
  }

  /** Whether the domain can go to one host, all of it asked of both. */
  async preflight(ref: DomainRef, to: HostId, given: GivenOptions): Promise<Preflight> {
    const { checks } = await checkAsking(this.#options.fleet, this.#route(ref, to, given));
    return verdictOf(checks);
  }

  /**
   * Does what a check offers, as the checks are now, and checks again.
   * @throws Failure `conflict` where that is not offered (any more)
   */
  async remedy(ref: DomainRef, to: HostId, given: GivenOptions, id: string): Promise<Remedied> {
    const { checks } = await checkAsking(this.#options.fleet, this.#route(ref, to, given));
    const remedy = checks.flatMap(({ remedies }) => remedies ?? []).find((one) => one.id === id);
    if (!remedy) {
      const message = 'That is not offered any more: what the checks find has changed. Look at them again.';
      throw new Failure('conflict', message, { checks });
    }
    await carryOut(remedy);
    const options = { ...given, ...remedy.options };
    const told = Object.entries(options).filter(([, value]) => value !== undefined);
    return { options: Object.fromEntries(told), preflight: await this.preflight(ref, to, options) };
  }

  /** The same for every other host, by id. Hosts that take too long to answer are judged by what is known. */
  async preflightAll(ref: DomainRef, given: GivenOptions): Promise<Record<HostId, Preflight>> {
    const { fleet } = this.#options;
    const routes = fleet.hosts.filter(({ id }) => id !== ref.hostId).map((host) => this.#route(ref, host.id, given));
    const verdicts: Record<HostId, Preflight> = {};
    for (const route of routes) verdicts[route.target.id] = verdictOf(checkKnown(fleet, route));
    const xml = new SourceXml(fleet.host(ref.hostId), fleet.domain(ref));
    const open = routes.filter(({ target }) => verdicts[target.id]?.verdict !== 'blocked');
    let closed = false;
    const worker = async () => {
      for (let route = open.shift(); route && !closed; route = open.shift()) {
        const verdict = verdictOf((await checkAsking(fleet, route, xml)).checks);
        if (!closed) verdicts[route.target.id] = verdict;
      }
    };
    const workers = Promise.all(Array.from({ length: askedAtOnce }, worker));
    await Promise.race([workers.catch(() => {}), this.#clock.sleep(askedMs)]);
    closed = true;
    return verdicts;
  }

  /** @throws Failure `refused` with `detail.checks`, `conflict`, `not-found`, `unsupported`, `bad-request` */
  async start(ref: DomainRef, to: HostId, given: GivenOptions, batch?: MigrationBatch): Promise<MigrationView> {
    if (this.#closed) throw new Failure('conflict', 'Drover is ending, and starts no migration any more.');
    const route = this.#route(ref, to, given);
    const { domain, source, target, options } = route;
    if (this.#active(ref.uuid)) throw busy(domain.name);
    const { checks, way, copied } = await checkAsking(this.#options.fleet, route);
    // Two callers may have come for the same VM: then what the checks found is the first one's doing.
    if (this.#active(ref.uuid)) throw busy(domain.name);
    const reasons = stopping(checks, options.force);
    if (reasons.length > 0) {
      throw new Failure(
        'refused',
        `${domain.name} cannot migrate from ${source.label} to ${target.label}: ${reasons.map(({ message }) => message).join(' ')}`,
        { checks, verdict: 'blocked' },
      );
    }
    if (!way) throw new Failure('internal', `No way was found to migrate ${domain.name}.`);
    const { transport, peerUri, why, tlsDestination } = way;
    const addressed = !isOff(options) && transport !== 'tunnelled' && transport !== 'relay';
    const migrateUri = options.migrateUri ?? (addressed ? await migrateUriTo(target) : null);
    if (this.#active(ref.uuid)) throw busy(domain.name); // once more, after the last wait
    const of = (host: Host) => ({ id: host.id, uri: host.uri.text, label: host.label });
    const migration = this.#add(
      {
        record: {
          id: randomUUID(),
          by: loginName(),
          startedAt: new Date().toISOString(),
          domain: { uuid: domain.uuid, name: domain.name },
          from: of(source),
          to: of(target),
          options: { ...options, transport },
          migrateUri,
          peerUri,
          ...(tlsDestination !== null && { tlsDestination }),
          copied,
          twin: target.domains.get(domain.uuid) !== undefined,
          notices: why === null ? [] : [why],
          ...(batch && { batch }),
        },
        phase: 'preflight',
        made: [],
      },
      { id: domain.id, paused: domain.state === 'paused' },
    );
    this.#advance();
    await migration.queue();
    return migration.view();
  }

  /** @param domain As it is now; null for one that an earlier run began. */
  #add(unfinished: Unfinished, domain: { id: number | null; paused: boolean } | null = null): Migration {
    const { fleet, tell, beforeSwitch } = this.#options;
    const { record } = unfinished;
    const source = fleet.host(record.from.id);
    const target = fleet.host(record.to.id);
    const migration: Migration = new Migration({
      record,
      source,
      target,
      domain: domain ?? { id: null, paused: false },
      // Of the demo fleet nothing is taken up again, and nothing kept.
      journal: source.simulated && target.simulated ? Journal.forgetful() : this.#journal,
      unfinished: domain ? null : unfinished,
      changed: () => tell({ event: 'migration', data: migration.view() }),
      beforeSwitch,
      clock: this.#clock,
    });
    this.#keep(migration);
    tell({ event: 'migration', data: migration.view() });
    return migration;
  }

  /**
   * Plans to move every running VM off a host, and unless `dryRun` starts that, `parallel` at a time.
   * @throws Failure `not-found`, `conflict`, `bad-request`
   */
  async evacuate(
    id: HostId,
    options: {
      to?: HostId[] | undefined;
      parallel?: number | undefined;
      options?: GivenOptions | undefined;
      dryRun?: boolean | undefined;
    },
  ): Promise<EvacuationPlan> {
    const { fleet, tell } = this.#options;
    const from = fleet.host(id);
    const given = options.options ?? {};
    const planned = await planEvacuation(fleet, from, options.to, given);
    if (options.dryRun) return { ...planned, migrations: [] };
    const batch = { id: randomUUID(), title: `Empty ${from.label}`, size: planned.plan.length };
    const mover = {
      start: (uuid: string, to: HostId) => this.start({ hostId: id, uuid }, to, given, batch),
      ended: (migration: MigrationId) => this.#settled(migration),
    };
    const migrations = await carryOutPlan(planned, options.parallel ?? evacuatedAtOnce, mover, (message) => {
      tell({ event: 'notice', data: { level: 'warn', message, hostId: id, at: new Date().toISOString() } });
    });
    return { ...planned, migrations };
  }

  /** Resolves when it has ended, or waits for somebody. */
  async #settled(id: MigrationId): Promise<MigrationView> {
    for (;;) {
      const view = this.get(id).view();
      if (view.endedAt !== null || view.state === 'needs-attention') return view;
      await this.#clock.sleep(settledPollMs);
    }
  }

  /** Ends what can be ended, completes what cannot; resolves when none is under way. */
  async close(): Promise<void> {
    this.#closed = true;
    const open = [...this.#all.values()].filter((migration) => !migration.ended);
    await Promise.all(open.map((migration) => migration.leave()));
    await Promise.all(this.#running);
    await this.#journal.close();
  }

  #route(ref: DomainRef, to: HostId, given: GivenOptions): Route {
    const { fleet } = this.#options;
    const domain = fleet.domain(ref);
    return { domain, source: fleet.host(ref.hostId), target: fleet.host(to), options: resolveOptions(given, domain) };
  }

  #active(uuid: string): boolean {
    return [...this.#all.values()].some((migration) => migration.uuid === uuid && !migration.ended);
  }

  #keep(migration: Migration): void {
    this.#all.set(migration.id, migration);
    if (this.#all.size + this.#receipts.size <= kept) return;
    const [oldest] = this.#receipts.keys();
    if (oldest !== undefined) {
      this.#receipts.delete(oldest);
      this.#options.tell({ event: 'migration', data: { removed: true, id: oldest } });
      return;
    }
    for (const [id, old] of this.#all) {
      if (!old.ended) continue;
      this.#all.delete(id);
      this.#options.tell({ event: 'migration', data: { removed: true, id } });
      return;
    }
  }

  /** Starts whatever finds a place on both of its hosts, in the order they came. */
  #advance(): void {
    const load = new Map<Host, number>();
    const of = (host: Host) => load.get(host) ?? 0;
    for (const migration of this.#all.values()) {
      const { source, target } = migration;
      if (migration.ended) continue;
      const wants = !migration.running;
      if (wants && (of(source) >= atOnce || of(target) >= atOnce || this.#closed)) continue;
      load.set(source, of(source) + 1);
      load.set(target, of(target) + 1);
      if (!wants) continue;
      const run = migration.run().finally(() => {
        this.#running.delete(run);
        this.#advance();
      });
      this.#running.add(run);
    }
  }
}

const busy = (name: string) =>
  new Failure('conflict', `${name} is being migrated already. Wait until that ends, or cancel it.`);

function loginName(): string {
  try {
    return userInfo().username;
  } catch {
    return 'unknown'; // a user id without a name
  }
}
