// Samples one host's statistics by libvirt's bulk call: often while somebody looks at it, seldom otherwise and in a crowd.
import type { Delta } from '../../contract/events.ts';
import type { DomainStats, HostId, HostStorage, StatsRow } from '../../contract/model.ts';
import { type Connection, listDomainsFlags, paramRecord, statsFlags, statsGroups } from '../libvirt/index.ts';
import type { Clock } from './clock.ts';
import type { HostDomains } from './domains.ts';
import { HostStorageReader } from './host-storage.ts';
import { countersOf, HostCpu, Rates } from './rates.ts';

export interface SamplingOptions {
  hostId: HostId;
  domains: HostDomains;
  clock: Clock;
  tell: (delta: Delta) => void;
  sampled: (cpuPercent: number | null, freeMemoryKiB: number) => void;
  /** The room of its pools was read. */
  measured: (storage: HostStorage) => void;
  /** How many hosts there are to sample; 1 where left out. */
  fleetSize?: () => number;
}

/** Who looks: nobody; somebody, but at other hosts; somebody at this one. */
export type Attention = 'none' | 'elsewhere' | 'here';

const pausesMs: Record<Attention, number> = { none: 15_000, elsewhere: 2_000, here: 2_000 };
/** A rate needs two samples: the second comes soon. */
const secondMs = 700;
/** What a fleet of many hosts adds to a pause for each of them: so all together cost the same, however many. */
const crowdMs = 60;

export class HostSampling {
  readonly #options: SamplingOptions;
  readonly #rates = new Rates();
  readonly #cpu = new HostCpu();
  #connection: Connection | null = null;
  #storage: HostStorageReader | null = null;
  #attention: Attention = 'none';
  #samples = 0;
  #sampling = false;
  #cpuNames = 0;
  #cancel: () => void = () => {};

  constructor(options: SamplingOptions) {
    this.#options = options;
  }

  start(connection: Connection): void {
    this.stop();
    this.#connection = connection;
    this.#samples = 0;
    this.#cpuNames = 0;
    this.#storage = new HostStorageReader(connection, this.#options.clock);
    void this.#turn(connection);
  }

  stop(): void {
    this.#connection = null;
    this.#cancel();
    this.#rates.clear();
    this.#cpu.clear();
  }

  setAttention(attention: Attention): void {
    const before = this.#attention;
    if (attention === before) return;
    this.#attention = attention;
    const connection = this.#connection;
    if (attention === 'none' || !connection || this.#sampling || this.#samples === 0) return;
    if (attention === 'elsewhere' && before === 'here') return; // the pause that has begun is the shorter one
    this.#cancel();
    // Not all of a large fleet at once.
    const spreadMs = Math.random() * (this.#pauseMs - pausesMs[attention]);
    if (spreadMs <= 0) void this.#turn(connection);
    else this.#cancel = this.#options.clock.later(spreadMs, () => void this.#turn(connection));
  }

  get #pauseMs(): number {
    const pauseMs = pausesMs[this.#attention];
    // What is looked at is as little as a window can show, however large the fleet.
    if (this.#attention === 'here') return this.#samples === 1 ? secondMs : pauseMs;
    const crowd = (this.#options.fleetSize?.() ?? 1) * crowdMs;
    return this.#samples === 1 ? Math.max(secondMs, crowd / 4) : Math.max(pauseMs, crowd);
  }

  /** One sample, then the next is planned: so a slow host is asked less often, and never twice at once. */
  async #turn(connection: Connection): Promise<void> {
    this.#cancel = () => {};
    this.#sampling = true;
    try {
      await this.#sample(connection);
    } catch {
      // The connection's end is told elsewhere; a failed sample is only a gap in the curve.
    }
    // After a stop, the next start has its own turn.
    if (this.#connection !== connection) return;
    this.#sampling = false;
    this.#samples += 1;
    void this.#measure(connection);
    this.#cancel = this.#options.clock.later(this.#pauseMs, () => void this.#turn(connection));
  }

  async #measure(connection: Connection): Promise<void> {
    const storage = await this.#storage?.look(this.#attention === 'here' ? 'here' : 'elsewhere');
    if (storage && this.#connection === connection) this.#options.measured(storage);
  }

  async #sample(connection: Connection): Promise<void> {
    const { hostId, domains, clock, tell, sampled } = this.#options;
    const [{ records }, cpu, { free }] = await Promise.all([
      connection.call('connect_get_all_domain_stats', {
        domains: [],
        stats: statsGroups.cpu | statsGroups.balloon | statsGroups.vcpu | statsGroups.interface | statsGroups.block,
        // Never waits for a domain that is stuck.
        flags: statsFlags.nowait + listDomainsFlags.active,
      }),
      this.#hostCpu(connection),
      connection.call('node_get_free_memory', {}),
      domains.compare(connection),
    ]);
    if (this.#connection !== connection) return;
    const at = new Date().toISOString();
    const nowMs = clock.now();
    const freeMemoryKiB = Math.round(free / 1024);
    sampled(cpu, freeMemoryKiB);
    const rows: StatsRow[] = [{ hostId, cpuPercent: cpu, freeMemoryKiB, at }];
    for (const { dom, params } of records) {
      const rates = this.#rates.take(dom.uuid, countersOf(paramRecord(params)), nowMs);
      if (!rates) continue;
      const stats: DomainStats = { ...rates, at };
      domains.setStats(dom.uuid, stats);
      rows.push({ hostId, uuid: dom.uuid, ...stats });
    }
    const running = new Set(records.map(({ dom }) => dom.uuid));
    this.#rates.keep(running);
    tell({ event: 'stats', data: rows });
  }

  /** Asked twice the first time: how many values there are, then the values. */
  async #hostCpu(connection: Connection): Promise<number | null> {
    try {
      if (this.#cpuNames === 0) {
        this.#cpuNames = (await connection.call('node_get_cpu_stats', { cpu: -1, nparams: 0 })).nparams;
      }
      const { params } = await connection.call('node_get_cpu_stats', { cpu: -1, nparams: this.#cpuNames });
      return this.#cpu.take(params.map(({ name, value }) => ({ name, value: Number(value) })));
    } catch {
      return null; // The test driver has none.
    }
  }
}
