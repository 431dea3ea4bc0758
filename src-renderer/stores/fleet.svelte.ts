// The fleet as the main side tells it: a snapshot, then numbered deltas. The only writer of what the window shows.
import { untrack } from 'svelte';
import { SvelteMap } from 'svelte/reactivity';
import type { Snapshot, NumberedDelta } from '../../contract/events.ts';
import { toErr, type Err } from '../../contract/failure.ts';
import type { Link } from '../../contract/link.ts';
import type {
  DomainRef,
  DomainView,
  HostId,
  HostView,
  MigrationId,
  MigrationView,
  Notice,
  Question,
  ScanChange,
  ScanId,
  ScanView,
  StatsRow,
  Uuid,
} from '../../contract/model.ts';
import { Domain, keyOf, type DomainKey } from './domain.svelte.ts';
import { Host } from './host.svelte.ts';
import { byKey, orderKey } from './order.ts';
import { tagsOf, type Tag } from './tags.ts';

/** What may need to know that a VM, by its UUID, has another home now. */
export type Moved = (from: DomainKey, to: DomainKey | null) => void;

interface Options {
  /** Hears of notices. */
  notice?: (notice: Notice) => void;
  /** Waits before a failed snapshot is asked for again. */
  later?: (retry: () => void) => void;
  /** How long lists rest after they changed. */
  rest?: (over: () => void) => void;
}

/** More than this is not kept while a snapshot is on its way; a fresh one is cheaper. */
const mostHeld = 20_000;

export class FleetStore {
  /** False: what is shown may be out of date. */
  inStep = $state(false);
  /** Whether the main side is in reach. */
  up = $state(false);
  /** The first snapshot was taken. */
  known = $state(false);
  /** Why the last snapshot could not be had. */
  trouble = $state.raw<Err | null>(null);

  readonly hosts = new SvelteMap<HostId, Host>();
  readonly migrations = new SvelteMap<MigrationId, MigrationView>();
  readonly scans = new SvelteMap<ScanId, ScanView>();
  readonly questions = new SvelteMap<string, Question>();

  /** By label. */
  readonly hostList: readonly Host[] = $derived.by(() =>
    [...this.hosts.values()].sort((a, b) => byKey(a.order, b.order) || byKey(a.id, b.id)),
  );
  /** Every VM, in no order. Changes when one comes, goes, or changes in what it can be found by. */
  readonly domainList: readonly Domain[] = $derived.by(() => {
    void this.#shape;
    return [...this.#domains.values()];
  });
  /** Every tag that a VM has, in order, with its VMs in no order. */
  readonly tagList: readonly Tag[] = $derived.by(() => {
    const all = this.domainList;
    return untrack(() => tagsOf(all));
  });
  /** The groups that hosts stand in, in order. */
  readonly groupList: readonly string[] = $derived.by(() => {
    const found = new Set([...this.hosts.values()].flatMap(({ view }) => view.group ?? []));
    return [...found].sort((a, b) => byKey(orderKey(a), orderKey(b)));
  });
  /** The newest first. */
  readonly migrationList: readonly MigrationView[] = $derived.by(() =>
    [...this.migrations.values()].sort((a, b) => (a.startedAt < b.startedAt ? 1 : -1)),
  );

  /** The migration that each VM was last moved by, whoever began it. */
  readonly #arrivals: ReadonlyMap<Uuid, MigrationView> = $derived.by(() => {
    const newest = new Map<Uuid, MigrationView>();
    for (const one of this.migrations.values()) {
      if (one.state !== 'completed') continue;
      const known = newest.get(one.uuid);
      if (!known || (known.endedAt ?? '') < (one.endedAt ?? '')) newest.set(one.uuid, one);
    }
    return newest;
  });

  // A plain map and one counter: a map with a signal for each of 20,000 keys is dear to walk.
  readonly #domains = new Map<DomainKey, Domain>();
  readonly #homes = new Map<Uuid, Set<Domain>>();
  #shape = $state(0);
  #resting = false;
  #touched = false;

  readonly #link: Link;
  readonly #options: Required<Options>;
  readonly #moved = new Set<Moved>();
  #epoch = '';
  #seq = 0;
  #asking = false;
  #held: { epoch: string; delta: NumberedDelta }[] = [];
  #undo: (() => void)[] = [];

  constructor(link: Link, options: Options = {}) {
    this.#link = link;
    this.#options = {
      notice: () => {},
      later: (retry) => void setTimeout(retry, 1_000),
      rest: (over) => void setTimeout(over, 200),
      ...options,
    };
  }

  /** Begins to listen; the answer ends it. */
  start(): () => void {
    this.#undo = [
      this.#link.on('deltas', ({ epoch, deltas }) => this.take(epoch, deltas)),
      this.#link.on('up', (up) => {
        this.up = up;
        this.inStep = false;
        void this.#ask(); // while it is down, the answer is why
      }),
    ];
    return () => {
      for (const undo of this.#undo.splice(0)) undo();
    };
  }

  /** How many VMs there are; changes with them. */
  get domainCount(): number {
    void this.#shape;
    return this.#domains.size;
  }

  domain(ref: DomainRef | DomainKey): Domain | undefined {
    void this.#shape;
    return this.#domains.get(typeof ref === 'string' ? ref : keyOf(ref));
  }

  /** Where a VM stands: one host as a rule, two while it moves. */
  homes(uuid: Uuid): Domain[] {
    void this.#shape;
    return [...(this.#homes.get(uuid) ?? [])];
  }

  /** The migration that brought a VM to where it is; undefined where none is known, or it has gone on since. */
  cameFrom({ hostId, uuid }: DomainRef): MigrationView | undefined {
    const last = this.#arrivals.get(uuid);
    return last?.to === hostId ? last : undefined;
  }

  hostOf(domain: DomainRef): Host | undefined {
    return this.hosts.get(domain.hostId);
  }

  label(hostId: HostId): string {
    return this.hosts.get(hostId)?.view.label ?? hostId;
  }

  /** Hears when a VM leaves a host, with its key at the host where it is now, if it is on any. */
  onMoved(listener: Moved): () => void {
    this.#moved.add(listener);
    return () => void this.#moved.delete(listener);
  }

  take(epoch: string, deltas: readonly NumberedDelta[]): void {
    for (const delta of deltas) {
      if (!this.inStep) this.#hold(epoch, delta);
      else if (epoch !== this.#epoch || delta.seq !== this.#seq + 1) this.#lose(epoch, delta);
      else this.#apply(delta);
    }
  }

  #hold(epoch: string, delta: NumberedDelta): void {
    if (this.#held.length >= mostHeld) this.#held = [];
    this.#held.push({ epoch, delta });
  }

  #lose(epoch: string, delta: NumberedDelta): void {
    if (epoch === this.#epoch && delta.seq <= this.#seq) return; // told twice
    this.inStep = false;
    this.#hold(epoch, delta);
    void this.#ask();
  }

  async #ask(): Promise<void> {
    if (this.#asking) return;
    this.#asking = true;
    try {
      const snapshot = await this.#link.call('fleet.snapshot', {});
      this.#asking = false;
      this.trouble = null;
      this.#takeSnapshot(snapshot);
    } catch (thrown) {
      this.#asking = false;
      this.trouble = toErr(thrown);
      this.#options.later(() => !this.inStep && void this.#ask());
    }
  }

  #takeSnapshot(snapshot: Snapshot): void {
    const gone = new Set(this.#domains.keys());
    replace(
      this.hosts,
      snapshot.hosts,
      (view) => view.id,
      (view, old) => {
        old?.take(view);
        return old ?? new Host(view);
      },
    );
    for (const view of snapshot.domains) {
      gone.delete(keyOf(view));
      this.#takeDomain(view);
    }
    for (const key of gone) this.#removeDomain(key);
    replace(
      this.migrations,
      snapshot.migrations,
      (view) => view.id,
      (view) => view,
    );
    replace(
      this.scans,
      snapshot.scans,
      (view) => view.id,
      (view) => view,
    );
    replace(
      this.questions,
      snapshot.questions,
      (view) => view.id,
      (view) => view,
    );
    this.#epoch = snapshot.epoch;
    this.#seq = snapshot.seq;
    this.inStep = this.up;
    this.known = true;
    const held = this.#held;
    this.#held = [];
    for (const { epoch, delta } of held) {
      if (epoch === this.#epoch && delta.seq > snapshot.seq) this.take(epoch, [delta]);
    }
  }

  #apply(delta: NumberedDelta): void {
    this.#seq = delta.seq;
    switch (delta.event) {
      case 'host':
        if ('removed' in delta.data) this.#removeHost(delta.data.id);
        else this.#takeHost(delta.data);
        return;
      case 'domain':
        if ('removed' in delta.data) this.#removeDomain(keyOf(delta.data));
        else this.#takeDomain(delta.data);
        return;
      case 'stats':
        for (const row of delta.data) this.#takeStats(row);
        return;
      case 'migration':
        if ('removed' in delta.data) this.migrations.delete(delta.data.id);
        else this.#takeMigration(delta.data);
        return;
      case 'scan':
        if ('removed' in delta.data) this.scans.delete(delta.data.id);
        else this.#takeScan(delta.data);
        return;
      case 'question':
        if ('removed' in delta.data) this.questions.delete(delta.data.id);
        else this.questions.set(delta.data.id, delta.data);
        return;
      case 'notice':
        this.#options.notice(delta.data);
        return;
      default:
        delta satisfies never;
    }
  }

  #takeHost(view: HostView): void {
    const known = this.hosts.get(view.id);
    if (known) {
      known.take(view);
      return;
    }
    const host = new Host(view);
    this.hosts.set(view.id, host);
    // Whichever is told first: its VMs may be known already.
    for (const domain of this.#domains.values()) if (domain.view.hostId === view.id) host.add(domain);
  }

  #removeHost(id: HostId): void {
    this.hosts.delete(id);
    for (const [key, domain] of this.#domains) if (domain.view.hostId === id) this.#removeDomain(key);
  }

  #takeDomain(view: DomainView): void {
    const key = keyOf(view);
    const known = this.#domains.get(key);
    if (known) {
      const old = known.view;
      known.take(view);
      if (old.name !== view.name) this.hosts.get(view.hostId)?.reorder();
      if (!sameToLists(old, view)) this.#touch();
      return;
    }
    const domain = new Domain(view);
    this.#domains.set(key, domain);
    const homes = this.#homes.get(view.uuid);
    const [before] = homes ?? [];
    if (before) domain.inherit(before);
    if (homes) homes.add(domain);
    else this.#homes.set(view.uuid, new Set([domain]));
    this.hosts.get(view.hostId)?.add(domain);
    this.#touch();
  }

  #removeDomain(key: DomainKey): void {
    const domain = this.#domains.get(key);
    if (!domain) return;
    this.#domains.delete(key);
    const homes = this.#homes.get(domain.view.uuid);
    homes?.delete(domain);
    if (homes?.size === 0) this.#homes.delete(domain.view.uuid);
    this.hosts.get(domain.view.hostId)?.remove(domain);
    this.#touch();
    const [next] = homes ?? [];
    for (const moved of this.#moved) moved(key, next?.key ?? null);
  }

  /** Lists change at once, then rest a moment: at 500 changes a second they are made five times, not sixty. */
  #touch(): void {
    this.#touched = true;
    if (this.#resting) return;
    this.#touched = false;
    this.#resting = true;
    this.#shape += 1;
    this.#options.rest(() => {
      this.#resting = false;
      if (this.#touched) this.#touch();
    });
  }

  #takeStats(row: StatsRow): void {
    if ('uuid' in row) {
      const { hostId: _host, uuid: _uuid, ...stats } = row;
      this.#domains.get(keyOf(row))?.takeStats(stats);
    } else {
      this.hosts.get(row.hostId)?.takeLoad({ cpuPercent: row.cpuPercent, freeMemoryKiB: row.freeMemoryKiB });
    }
  }

  #takeMigration(view: MigrationView): void {
    this.migrations.set(view.id, view);
    if (view.state !== 'completed') return;
    const from = keyOf({ hostId: view.from, uuid: view.uuid });
    const to = keyOf({ hostId: view.to, uuid: view.uuid });
    // A definition that stays behind is not where the VM is.
    if (this.#domains.has(to)) for (const moved of this.#moved) moved(from, to);
  }

  #takeScan(change: ScanChange): void {
    const known = this.scans.get(change.id);
    if (!known) {
      this.scans.set(change.id, change);
      return;
    }
    const found = new Map(known.found.map((one) => [`${one.address}:${one.port}`, one]));
    for (const one of change.found) found.set(`${one.address}:${one.port}`, one);
    this.scans.set(change.id, { ...change, found: [...found.values()] });
  }
}

/** Whether nothing changed that VMs are found, counted or sorted by. */
const sameToLists = (a: DomainView, b: DomainView) =>
  a.name === b.name &&
  a.state === b.state &&
  a.stale === b.stale &&
  !a.job === !b.job &&
  a.vcpus === b.vcpus &&
  a.memoryKiB === b.memoryKiB &&
  a.persistent === b.persistent &&
  a.autostart === b.autostart &&
  (a.tags === b.tags || (a.tags.length === b.tags.length && a.tags.every((tag, at) => tag === b.tags[at])));

/** Brings a map to what a list says, keeping what was there before where `make` does. */
function replace<T, V>(
  map: Map<string, V>,
  list: readonly T[],
  id: (item: T) => string,
  make: (item: T, old?: V) => V,
) {
  const gone = new Set(map.keys());
  for (const item of list) {
    const key = id(item);
    gone.delete(key);
    const old = map.get(key);
    const next = make(item, old);
    if (next !== old) map.set(key, next);
  }
  for (const key of gone) map.delete(key);
}
