// The domains of one host as last read. An event only says "read that one again": no state is guessed.
import { hash } from 'node:crypto';
import type { Delta } from '../../contract/events.ts';
import type { DomainStats, DomainView, HostId, Uuid } from '../../contract/model.ts';
import {
  type Connection,
  ConnectionLost,
  type Dom,
  LibvirtError,
  listDomainsFlags,
  paramRecord,
  stateInWords,
  statsFlags,
  statsGroups,
  version,
} from '../libvirt/index.ts';
import { type DomainFacts, readDomainXml } from './domain-xml.ts';

export interface DomainsOptions {
  hostId: HostId;
  /** The connection to read from; null while there is none. */
  connection: () => Connection | null;
  tell: (delta: Delta) => void;
  /** The counts of the host changed. */
  changed: () => void;
}

/** What is read again: everything, or the state alone, where an event says that nothing else can have changed. */
export type Part = 'all' | 'state';

type Read = Omit<DomainView, 'hostId' | 'uuid' | 'consoles' | 'tags' | 'stats' | 'job' | 'stale'>;

export class HostDomains {
  readonly #options: DomainsOptions;
  #views = new Map<Uuid, DomainView>();
  /** Each with the digest of the XML that says it: most reads bring the same once more, and parsing is dear. */
  #facts = new Map<Uuid, { digest: string; facts: DomainFacts }>();
  #jobs = new Map<Uuid, NonNullable<DomainView['job']>>();
  /** Of each domain that is being read: that read, and the one that follows it. */
  #reads = new Map<Uuid, { now: Promise<void>; next: Promise<void> | null; nextPart: Part }>();
  /** The last reading of the whole list; never rejects. */
  #listing = Promise.resolve();

  constructor(options: DomainsOptions) {
    this.#options = options;
  }

  get all(): DomainView[] {
    return [...this.#views.values()];
  }

  get(uuid: Uuid): DomainView | undefined {
    return this.#views.get(uuid);
  }

  /** What its XML said when it was last read. */
  facts(uuid: Uuid): DomainFacts | undefined {
    return this.#facts.get(uuid)?.facts;
  }

  get counts(): { running: number; total: number } {
    let running = 0;
    for (const { state } of this.#views.values()) if (state !== 'shutoff' && state !== 'crashed') running += 1;
    return { running, total: this.#views.size };
  }

  /**
   * Reads them all in a few round trips, and forgets those that are gone. Reads that are under way come first, those
   * that are asked for meanwhile come afterwards: what is older never lands on what is newer.
   * @throws what the connection throws
   */
  list(connection: Connection): Promise<void> {
    const before = [this.#listing, ...[...this.#reads.values()].map(({ now }) => now)];
    const listing = Promise.allSettled(before).then(() => this.#list(connection));
    this.#listing = settled(listing);
    return listing;
  }

  async #list(connection: Connection): Promise<void> {
    const listAll = lists(connection);
    const [all, persistent, autostart, stats] = await Promise.all([
      listAll(0),
      listAll(listDomainsFlags.persistent),
      listAll(listDomainsFlags.autostart),
      connection.call('connect_get_all_domain_stats', {
        domains: [],
        stats: statsGroups.state | statsGroups.balloon | statsGroups.vcpu,
        flags: statsFlags.nowait,
      }),
    ]);
    const records = new Map(stats.records.map(({ dom, params }) => [dom.uuid, paramRecord(params)]));
    const persistentOnes = new Set(persistent.map(({ uuid }) => uuid));
    const autostartOnes = new Set(autostart.map(({ uuid }) => uuid));
    const there = new Set(all.map(({ uuid }) => uuid));
    for (const uuid of [...this.#views.keys()]) if (!there.has(uuid)) this.#remove(uuid);
    await Promise.all(
      all.map(async (dom) => {
        const record = records.get(dom.uuid);
        const state = Number(record?.['state.state'] ?? 0);
        const reason = Number(record?.['state.reason'] ?? 0);
        const words = stateInWords(state, reason);
        await this.#readXml(connection, dom, words);
        this.#put(dom.uuid, {
          name: dom.name,
          id: dom.id >= 0 ? dom.id : null,
          ...words,
          persistent: persistentOnes.has(dom.uuid),
          autostart: autostartOnes.has(dom.uuid),
          vcpus: Number(record?.['vcpu.current'] ?? 0),
          memoryKiB: Number(record?.['balloon.current'] ?? record?.['balloon.maximum'] ?? 0),
          maxMemoryKiB: Number(record?.['balloon.maximum'] ?? 0),
        });
      }),
    );
  }

  /** Compares the list with what is held, and reads what differs: for changes that no event tells. */
  async compare(connection: Connection): Promise<void> {
    const listAll = lists(connection);
    const all = await listAll(0);
    const there = new Map(all.map((dom) => [dom.uuid, dom]));
    for (const uuid of [...this.#views.keys()]) if (!there.has(uuid)) this.refresh(uuid);
    for (const [uuid, dom] of there) {
      const view = this.#views.get(uuid);
      if (!view || view.name !== dom.name || (view.id ?? -1) !== dom.id) this.refresh(uuid);
    }
  }

  /** Reads one again. Asked for during a read, it is read once more afterwards; never two reads at once. */
  refresh(uuid: Uuid, part: Part = 'all'): void {
    void this.refreshed(uuid, part).catch(() => {});
  }

  /** As `refresh`; resolves when what was true at the call has been read. @throws what the connection throws */
  refreshed(uuid: Uuid, part: Part = 'all'): Promise<void> {
    const reads = this.#reads.get(uuid);
    if (!reads) return this.#begin(uuid, part);
    if (part === 'all') reads.nextPart = 'all';
    return (reads.next ??= settled(reads.now).then(() => this.#begin(uuid, reads.nextPart)));
  }

  #begin(uuid: Uuid, part: Part): Promise<void> {
    const now = this.#listing.then(() => (part === 'state' ? this.#readState(uuid) : this.#read(uuid)));
    const reads: { now: Promise<void>; next: Promise<void> | null; nextPart: Part } = {
      now,
      next: null,
      nextPart: 'state',
    };
    this.#reads.set(uuid, reads);
    void settled(now).then(() => {
      if (!reads.next) this.#reads.delete(uuid);
    });
    return now;
  }

  /** What a sampling said; not told as a change of the domain, since samples travel in batches of their own. */
  setStats(uuid: Uuid, stats: DomainStats | null): void {
    const view = this.#views.get(uuid);
    if (view) this.#views.set(uuid, { ...view, stats });
  }

  setJob(uuid: Uuid, job: DomainView['job']): void {
    if (job) this.#jobs.set(uuid, job);
    else this.#jobs.delete(uuid);
    const view = this.#views.get(uuid);
    if (view) this.#replace({ ...view, job });
  }

  /** Greys them all, or takes that back. */
  setStale(stale: boolean): void {
    for (const view of this.#views.values()) {
      if (view.stale !== stale) this.#replace({ ...view, stale, stats: stale ? null : view.stats });
    }
  }

  clear(): void {
    for (const uuid of [...this.#views.keys()]) this.#remove(uuid);
  }

  async #readState(uuid: Uuid): Promise<void> {
    const connection = this.#options.connection();
    const known = this.#views.get(uuid);
    if (!connection || !known) return this.#read(uuid);
    try {
      const { state, reason } = await connection.call('domain_get_state', { dom: { name: known.name, uuid } });
      const view = this.#views.get(uuid);
      if (view) this.#replace({ ...view, ...stateInWords(state, reason), stale: false });
    } catch (error) {
      if (LibvirtError.is(error, 'no_domain')) this.#remove(uuid);
      else throw error;
    }
  }

  async #read(uuid: Uuid): Promise<void> {
    const connection = this.#options.connection();
    if (!connection) return;
    const dom = { name: this.#views.get(uuid)?.name ?? '', uuid };
    try {
      const [found, { state, reason }, info, persistent, autostart] = await Promise.all([
        connection.call('domain_lookup_by_uuid', { uuid }),
        connection.call('domain_get_state', { dom }),
        connection.call('domain_get_info', { dom }),
        connection.call('domain_is_persistent', { dom }),
        connection.call('domain_get_autostart', { dom }),
      ]);
      const read: Read = {
        name: found.dom.name,
        id: found.dom.id >= 0 ? found.dom.id : null,
        ...stateInWords(state, reason),
        persistent: persistent.persistent !== 0,
        autostart: autostart.autostart !== 0,
        vcpus: info.vcpus,
        memoryKiB: info.memory,
        maxMemoryKiB: info.max_memory,
      };
      await this.#readXml(connection, found.dom, read);
      this.#put(uuid, read);
    } catch (error) {
      if (LibvirtError.is(error, 'no_domain')) this.#remove(uuid);
      else throw error;
    }
  }

  async #readXml(connection: Connection, dom: Dom, { state, reason }: Pick<Read, 'state' | 'reason'>): Promise<void> {
    if (state === 'paused' && reason === 'migration') {
      // Of a domain that is coming in, these versions would wait for its job.
      const waits = connection.libVersion >= version(11) && connection.libVersion < version(11, 5);
      if (waits || this.#facts.has(dom.uuid)) return;
    }
    try {
      const { xml } = await connection.call('domain_get_xml_desc', { dom });
      const digest = hash('sha1', xml, 'base64');
      if (this.#facts.get(dom.uuid)?.digest === digest) return;
      this.#facts.set(dom.uuid, { digest, facts: apart(readDomainXml(xml)) });
    } catch (error) {
      // A domain that vanished, or XML that cannot be read, must not hide the others.
      if (error instanceof ConnectionLost) throw error;
    }
  }

  #put(uuid: Uuid, read: Read): void {
    const before = this.#views.get(uuid);
    const running = read.id !== null;
    this.#replace({
      hostId: this.#options.hostId,
      uuid,
      ...read,
      consoles: this.#facts.get(uuid)?.facts.consoles ?? [],
      tags: this.#facts.get(uuid)?.facts.tags ?? [],
      stats: running ? (before?.stats ?? null) : null,
      job: this.#jobs.get(uuid) ?? null,
      stale: false,
    });
  }

  #replace(view: DomainView): void {
    const before = this.#views.get(view.uuid);
    this.#views.set(view.uuid, view);
    if (before && JSON.stringify(before) === JSON.stringify(view)) return;
    this.#options.tell({ event: 'domain', data: view });
    if (!before || before.state !== view.state) this.#options.changed();
  }

  #remove(uuid: Uuid): void {
    if (!this.#views.delete(uuid)) return;
    this.#facts.delete(uuid);
    this.#options.tell({ event: 'domain', data: { removed: true, hostId: this.#options.hostId, uuid } });
    this.#options.changed();
  }
}

const lists = (connection: Connection) => async (flags: number) =>
  (await connection.call('connect_list_all_domains', { need: 1, flags })).domains;

/** Resolves when it has ended, either way. */
const settled = (promise: Promise<void>) => promise.catch(() => {});

/** A copy that shares nothing with the XML: a piece of a string keeps the whole of it in memory. */
const apart = (facts: DomainFacts) => JSON.parse(JSON.stringify(facts)) as DomainFacts;
