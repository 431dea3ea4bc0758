// Turns libvirt's ever-growing counters into rates, over a clock that is never set back.
import type { DomainStats, Uuid } from '../../contract/model.ts';

/** What one bulk record says of a running domain; counters since its start. */
export interface Counters {
  cpuNs: number;
  vcpus: number;
  memoryUsedKiB: number;
  diskReadBytes: number;
  diskWriteBytes: number;
  netRxBytes: number;
  netTxBytes: number;
}

/** The values of a bulk record by name. Kinds vary with the libvirt version: numbers and bigints alike. */
export type StatsRecord = Readonly<Record<string, unknown>>;

/** Sums groups like `block.<n>.rd.bytes`; the indexes may have gaps after an unplug, so names decide. */
export function countersOf(record: StatsRecord): Counters {
  const counters: Counters = {
    cpuNs: number(record, 'cpu.time'),
    vcpus: Math.max(1, number(record, 'vcpu.current')),
    memoryUsedKiB: memoryUsed(record),
    diskReadBytes: 0,
    diskWriteBytes: 0,
    netRxBytes: 0,
    netTxBytes: 0,
  };
  for (const name of Object.keys(record)) {
    if (name.startsWith('block.')) {
      if (name.endsWith('.rd.bytes')) counters.diskReadBytes += number(record, name);
      else if (name.endsWith('.wr.bytes')) counters.diskWriteBytes += number(record, name);
    } else if (name.startsWith('net.')) {
      if (name.endsWith('.rx.bytes')) counters.netRxBytes += number(record, name);
      else if (name.endsWith('.tx.bytes')) counters.netTxBytes += number(record, name);
    }
  }
  return counters;
}

/** With the balloon's driver in the guest, what the guest uses; else what the host holds for it. */
function memoryUsed(record: StatsRecord): number {
  const available = number(record, 'balloon.available');
  const free = number(record, 'balloon.usable') || number(record, 'balloon.unused');
  if (available > 0 && free > 0) return Math.max(0, available - free);
  const current = number(record, 'balloon.current');
  const rss = number(record, 'balloon.rss');
  return rss > 0 ? Math.min(rss, current || rss) : current;
}

function number(record: StatsRecord, name: string): number {
  const value = record[name];
  return typeof value === 'number' ? value : typeof value === 'bigint' ? Number(value) : 0;
}

/** Remembers the last sample of each domain of one host. */
export class Rates {
  #last = new Map<Uuid, { counters: Counters; atMs: number }>();

  /** The rates since the last sample; null for a first one, and after a counter went back (a reboot, a move). */
  take(uuid: Uuid, counters: Counters, atMs: number): Omit<DomainStats, 'at'> | null {
    const last = this.#last.get(uuid);
    this.#last.set(uuid, { counters, atMs });
    const seconds = last ? (atMs - last.atMs) / 1000 : 0;
    if (!last || seconds <= 0 || counters.cpuNs < last.counters.cpuNs) return null;
    const perSecond = (name: 'diskReadBytes' | 'diskWriteBytes' | 'netRxBytes' | 'netTxBytes') =>
      Math.max(0, Math.round((counters[name] - last.counters[name]) / seconds));
    const cpu = ((counters.cpuNs - last.counters.cpuNs) / 1e9 / seconds / counters.vcpus) * 100;
    return {
      cpuPercent: percent(cpu),
      memoryUsedKiB: counters.memoryUsedKiB,
      diskReadBps: perSecond('diskReadBytes'),
      diskWriteBps: perSecond('diskWriteBytes'),
      netRxBps: perSecond('netRxBytes'),
      netTxBps: perSecond('netTxBytes'),
    };
  }

  /** Forgets all but these. */
  keep(uuids: ReadonlySet<Uuid>): void {
    for (const uuid of this.#last.keys()) if (!uuids.has(uuid)) this.#last.delete(uuid);
  }

  clear(): void {
    this.#last.clear();
  }
}

/** The host's CPU time counters, as `node_get_cpu_stats` names them, in ns. */
export class HostCpu {
  #last: { busy: number; all: number } | null = null;

  /** 0–100 over all CPUs since the last sample; null for the first. */
  take(counters: readonly { name: string; value: number }[]): number | null {
    let idle = 0;
    let all = 0;
    for (const { name, value } of counters) {
      if (name === 'utilization') continue;
      all += value;
      if (name === 'idle' || name === 'iowait') idle += value;
    }
    const last = this.#last;
    this.#last = { busy: all - idle, all };
    if (!last || all <= last.all) return null;
    return percent(((all - idle - last.busy) / (all - last.all)) * 100);
  }

  clear(): void {
    this.#last = null;
  }
}

function percent(value: number): number {
  return Math.round(Math.min(100, Math.max(0, value)) * 10) / 10;
}
