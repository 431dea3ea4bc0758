// All migrations: starts them after a preflight, queues them per host, keeps their record.
import { randomUUID } from 'node:crypto';
import { lookup } from 'node:dns/promises';
import { isIP } from 'node:net';
import type { Delta } from '../../contract/events.ts';
import { Failure } from '../../contract/failure.ts';
import type { DomainRef, HostId, MigrationId, MigrationView, Preflight } from '../../contract/model.ts';
import { type Clock, systemClock } from '../fleet/clock.ts';
import type { Fleet } from '../fleet/fleet.ts';
import type { Host } from '../fleet/host.ts';
import { Migration } from './migration.ts';
import { described, type GivenOptions, resolveOptions } from './options.ts';
import { checkAsking, checkKnown, type Route, stopping, verdictOf } from './preflight.ts';

export interface MigrationsOptions {
  fleet: Fleet;
  tell: (delta: Delta) => void;
  /** Awaited before a target may run: consoles open there first. */
  beforeSwitch: (ref: DomainRef, to: Host) => Promise<void>;
  clock?: Clock;
}

/** Per host, as source and target together: each takes a worker of the daemon for as long as it lasts. */
const atOnce = 4;
/** Ended ones are kept so that they can be looked at; the oldest go first. */
const kept = 1_000;
/** How many hosts are asked at once for the verdicts of a drag, and how long it may take. */
const askedAtOnce = 16;
const askedMs = 4_000;

export class Migrations {
  readonly #options: MigrationsOptions;
  readonly #clock: Clock;
  #all = new Map<MigrationId, Migration>();
  #running = new Set<Promise<void>>();
  #closed = false;

  constructor(options: MigrationsOptions) {
    this.#options = options;
    this.#clock = options.clock ?? systemClock;
  }

  readonly described = described;

  /** Newest first. */
  list(): MigrationView[] {
    return [...this.#all.values()].reverse().map((migration) => migration.view());
  }

  /** @throws Failure `not-found` */
  get(id: MigrationId): Migration {
    const migration = this.#all.get(id);
    if (!migration) throw new Failure('not-found', `There is no migration with the id “${id}”.`);
    return migration;
  }

  /** Whether the domain can go to one host, all of it asked of both. */
  async preflight(ref: DomainRef, to: HostId, given: GivenOptions): Promise<Preflight> {
    return verdictOf(await checkAsking(this.#options.fleet, this.#route(ref, to, given)));
  }

  /** The same for every other host, by id. Hosts that take too long to answer are judged by what is known. */
  async preflightAll(ref: DomainRef, given: GivenOptions): Promise<Record<HostId, Preflight>> {
    const { fleet } = this.#options;
    const routes = fleet.hosts.filter(({ id }) => id !== ref.hostId).map((host) => this.#route(ref, host.id, given));
    const verdicts: Record<HostId, Preflight> = {};
    for (const route of routes) verdicts[route.target.id] = verdictOf(checkKnown(fleet, route));
    const open = routes.filter(({ target }) => verdicts[target.id]?.verdict !== 'blocked');
    let closed = false;
    const worker = async () => {
      for (let route = open.shift(); route && !closed; route = open.shift()) {
        const verdict = verdictOf(await checkAsking(fleet, route));
        if (!closed) verdicts[route.target.id] = verdict;
      }
    };
    const workers = Promise.all(Array.from({ length: askedAtOnce }, worker));
    await Promise.race([workers.catch(() => {}), this.#clock.sleep(askedMs)]);
    closed = true;
    return verdicts;
  }

  /** @throws Failure `refused` with `detail.checks`, `conflict`, `not-found`, `unsupported`, `bad-request` */
  async start(ref: DomainRef, to: HostId, given: GivenOptions): Promise<MigrationView> {
    if (this.#closed) throw new Failure('conflict', 'Drover is ending, and starts no migration any more.');
    const route = this.#route(ref, to, given);
    const { domain, source, target, options } = route;
    if (this.#active(ref.uuid)) throw busy(domain.name);
    const checks = await checkAsking(this.#options.fleet, route);
    const reasons = stopping(checks, options.force);
    if (reasons.length > 0) {
      throw new Failure(
        'refused',
        `${domain.name} cannot migrate from ${source.label} to ${target.label}: ${reasons.map(({ message }) => message).join(' ')}`,
        { checks, verdict: 'blocked' },
      );
    }
    const migrateUri = options.migrateUri ?? (options.mode === 'offline' ? null : await uriOf(target));
    // Asked again after the waits: two callers may have come for the same VM.
    if (this.#active(ref.uuid)) throw busy(domain.name);
    const migration: Migration = new Migration({
      id: randomUUID(),
      source,
      target,
      domain,
      options,
      migrateUri,
      changed: () => this.#options.tell({ event: 'migration', data: migration.view() }),
      beforeSwitch: this.#options.beforeSwitch,
      clock: this.#clock,
    });
    this.#keep(migration);
    this.#options.tell({ event: 'migration', data: migration.view() });
    this.#advance();
    return migration.view();
  }

  /** Ends what can be ended, completes what cannot; resolves when none is under way. */
  async close(): Promise<void> {
    this.#closed = true;
    const open = [...this.#all.values()].filter((migration) => !migration.ended);
    await Promise.all(open.map((migration) => migration.leave()));
    await Promise.all(this.#running);
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
    if (this.#all.size <= kept) return;
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

/** An address rather than a name: the admin's name for a host need not be the other host's. */
async function uriOf(target: Host): Promise<string | null> {
  const { address } = target;
  if (address === null) return null;
  const found = isIP(address)
    ? address
    : await lookup(address).then(
        ({ address: at }) => at,
        () => address,
      );
  return `tcp://${found.includes(':') ? `[${found}]` : found}`;
}
