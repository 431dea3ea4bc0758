// All hosts, by id: adds, forgets and finds them, and finds a domain across them.
import { randomUUID } from 'node:crypto';
import type { Delta } from '../../contract/events.ts';
import { Failure } from '../../contract/failure.ts';
import type {
  DomainHappening,
  DomainHistory,
  DomainRef,
  DomainView,
  HostId,
  HostView,
  Uuid,
} from '../../contract/model.ts';
import { labelOf, parseHostUri } from '../../contract/uri.ts';
import { type Clock, systemClock } from './clock.ts';
import { Gate, hangsMs } from '../ssh/index.ts';
import { Happenings } from './happenings.ts';
import { Host } from './host.ts';
import { Minutes, mostMinutes } from './minutes.ts';
import type { Questions } from './questions.ts';
import { type Logins, openReach, type OpenReach } from './reach.ts';

/** What is kept of a host over a restart. */
export interface SavedHost {
  id: HostId;
  uri: string;
  label: string;
  group?: string | undefined;
}

export interface FleetOptions {
  logins: Logins;
  questions: Questions;
  tell: (delta: Delta) => void;
  /** Keeps the list of hosts; called after each change of it. */
  save: (hosts: SavedHost[]) => void;
  openReach?: OpenReach;
  clock?: Clock;
}

/** Logins under way at once: more would only make each of them slower. */
const connectingAtOnce = 32;

export class Fleet {
  readonly #options: FleetOptions;
  readonly #gate = new Gate(connectingAtOnce, hangsMs);
  readonly #clock: Clock;
  #hosts = new Map<HostId, Host>();
  #listeners = new Set<(host: Host) => void>();
  #watched = false;
  /** CPU, memory, disk, network. By UUID alone: what moves takes its past along. */
  readonly #minutes = new Minutes(4);
  readonly #happenings = new Happenings();
  /** Where each domain is: asked at each of its events, so nobody looks through all hosts for it. */
  readonly #homes = new Map<Uuid, Set<HostId>>();
  /** Of each window, the hosts that it shows now. */
  #looks = new Map<object, ReadonlySet<HostId>>();

  constructor(options: FleetOptions) {
    this.#options = options;
    this.#clock = options.clock ?? systemClock;
    options.questions.onOpen(() => {
      for (const host of this.hosts) host.askNow();
    });
  }

  get hosts(): Host[] {
    return [...this.#hosts.values()];
  }

  get domains(): DomainView[] {
    return this.hosts.flatMap((host) => host.domains.all);
  }

  views(): HostView[] {
    return this.hosts.map((host) => host.view());
  }

  /** This machine was asleep. */
  woke(): void {
    for (const host of this.hosts) host.woke();
  }

  /** @throws Failure `not-found` */
  host(id: HostId): Host {
    const host = this.#hosts.get(id);
    if (!host)
      throw new Failure('not-found', `There is no host with the id “${id}”. It may have been forgotten.`, {
        hostId: id,
      });
    return host;
  }

  /** @throws Failure `not-found` */
  domain({ hostId, uuid }: DomainRef): DomainView {
    const host = this.host(hostId);
    const domain = host.domains.get(uuid);
    if (!domain) {
      throw new Failure(
        'not-found',
        `There is no VM with the UUID ${uuid} on ${host.label}. It may have moved, or been deleted.`,
        {
          hostId,
          uuid,
        },
      );
    }
    return domain;
  }

  /** Every host that has the domain, whether it runs there or is only defined; in the fleet's order. */
  homes(uuid: Uuid): Host[] {
    const ids = this.#homes.get(uuid);
    if (!ids) return [];
    // Nearly always it is one.
    if (ids.size > 1) return this.hosts.filter(({ id }) => ids.has(id));
    return [...ids].flatMap((id) => this.#hosts.get(id) ?? []);
  }

  /**
   * Adds a host and starts connecting.
   * @param trust A fingerprint to accept on first sight.
   * @param simulated Of the demo fleet: not kept.
   * @throws Failure `bad-request` for a URI that cannot be, `conflict` for one that is there
   */
  add(given: string, label?: string, trust?: string, simulated = false): Host {
    const uri = parseHostUri(given);
    const twin = this.hosts.find((host) => host.uri.canonical === uri.canonical);
    if (twin)
      throw new Failure('conflict', `${twin.label} is that host already (${twin.uri.text}).`, {
        id: twin.id,
        hostId: twin.id,
      });
    const host = this.#make(
      { id: randomUUID(), uri: given.trim(), label: label ?? labelOf(uri) },
      trust ?? null,
      simulated,
    );
    this.#save();
    host.connect();
    return host;
  }

  /** Takes up what was kept, and connects to all of it. Entries that no longer parse are passed over. */
  restore(saved: readonly SavedHost[], warn: (message: string) => void): void {
    for (const entry of saved) {
      try {
        this.#make(entry, null).connect();
      } catch (error) {
        warn(`The saved host ${entry.label} is passed over: ${error instanceof Error ? error.message : String(error)}`);
      }
    }
  }

  /** What is left out stays as it is. @param group null: in none */
  update(id: HostId, { label, group }: { label?: string | undefined; group?: string | null | undefined }): Host {
    const host = this.host(id);
    if (label !== undefined) host.label = label;
    if (group !== undefined) host.group = group;
    this.#save();
    return host;
  }

  /** Forgets a host. Its VMs are not touched. @throws Failure `not-found`, `conflict` while a migration is under way */
  async remove(id: HostId): Promise<void> {
    const host = this.host(id);
    host.mustBeFree();
    this.#hosts.delete(id);
    this.#save();
    await host.remove();
    this.#options.tell({ event: 'host', data: { removed: true, id } });
  }

  /** Each host that is there now or is added later. Returns the undo. */
  onHost(listener: (host: Host) => void): () => void {
    const mine = (host: Host) => listener(host);
    this.#listeners.add(mine);
    for (const host of this.hosts) mine(host);
    return () => this.#listeners.delete(mine);
  }

  setWatched(watched: boolean): void {
    this.#watched = watched;
    for (const host of this.hosts) this.#attend(host);
  }

  /**
   * What one window shows: of these hosts, statistics come often, whatever the size of the fleet.
   * @param viewer Whose look it is; the last one counts. No hosts: looks no more.
   */
  look(viewer: object, ids: readonly HostId[]): void {
    const before = this.#looks.get(viewer) ?? new Set();
    const now = new Set(ids);
    if (now.size > 0) this.#looks.set(viewer, now);
    else this.#looks.delete(viewer);
    for (const id of new Set([...before, ...now])) {
      const host = this.#hosts.get(id);
      if (host) this.#attend(host);
    }
  }

  #attend(host: Host): void {
    const seen = [...this.#looks.values()].some((ids) => ids.has(host.id));
    host.setAttention(seen ? 'here' : this.#watched ? 'elsewhere' : 'none');
  }

  async close(): Promise<void> {
    await Promise.all(this.hosts.map((host) => host.close()));
  }

  /** What a VM used over the last hours, wherever it ran. @throws Failure `not-found` */
  history(ref: DomainRef): DomainHistory {
    this.domain(ref);
    const found = this.#minutes.of(ref.uuid);
    const points = (figure: number, digits = 0) =>
      Array.from(found?.figures[figure] ?? [], (value) => (Number.isNaN(value) ? null : +value.toFixed(digits)));
    return {
      from: found && new Date(found.first * 60_000).toISOString(),
      stepMs: 60_000,
      most: mostMinutes,
      cpuPercent: points(0, 1),
      memoryUsedKiB: points(1),
      diskBps: points(2),
      netBps: points(3),
    };
  }

  /** What happened to a VM, wherever it ran, the newest first. @throws Failure `not-found` */
  happenings(ref: DomainRef): DomainHappening[] {
    this.domain(ref);
    return this.#happenings.of(ref.uuid);
  }

  #remember({ event, data }: Delta): void {
    if (event === 'stats') {
      for (const row of data) {
        if (!('uuid' in row)) continue;
        const disk = row.diskReadBps + row.diskWriteBps;
        const net = row.netRxBps + row.netTxBps;
        this.#minutes.add(row.uuid, Date.parse(row.at), [row.cpuPercent, row.memoryUsedKiB, disk, net]);
      }
    } else if (event === 'domain') {
      const { hostId, uuid } = data;
      const homes = this.#homes.get(uuid) ?? new Set();
      if ('removed' in data) homes.delete(hostId);
      else homes.add(hostId);
      if (homes.size > 0) this.#homes.set(uuid, homes);
      else {
        this.#homes.delete(uuid);
        this.#minutes.forget(uuid);
        this.#happenings.forget(uuid);
      }
    }
  }

  #make(saved: SavedHost, trust: string | null, simulated = false): Host {
    const { logins, questions, tell } = this.#options;
    const host = new Host({
      id: saved.id,
      uri: parseHostUri(saved.uri),
      label: saved.label,
      group: saved.group ?? null,
      trust,
      simulated,
      logins,
      questions,
      gate: this.#gate,
      openReach: this.#options.openReach ?? openReach,
      tell: (delta) => {
        this.#remember(delta);
        tell(delta);
      },
      happened: (uuid, happening) => this.#happenings.add(uuid, happening),
      clock: this.#clock,
      fleetSize: () => this.#hosts.size,
    });
    this.#hosts.set(saved.id, host);
    this.#attend(host);
    for (const listener of this.#listeners) listener(host);
    return host;
  }

  #save(): void {
    const own = this.hosts.filter((host) => !host.simulated);
    this.#options.save(
      own.map((host) => ({
        id: host.id,
        uri: host.uri.text,
        label: host.label,
        ...(host.group !== null && { group: host.group }),
      })),
    );
  }
}
