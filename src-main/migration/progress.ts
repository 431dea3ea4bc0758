// A running migration's numbers, from libvirt's job statistics.
import type { MigrationProgress } from '../../contract/model.ts';
import type { ParamValue } from '../libvirt/index.ts';

export const noProgress: MigrationProgress = {
  percent: 0,
  dataTotalBytes: 0,
  dataProcessedBytes: 0,
  dataRemainingBytes: 0,
  memoryBps: 0,
  dirtyRateBps: 0,
  iteration: 0,
  elapsedMs: 0,
  etaMs: null,
};

/** First samples lack keys, or are all zero: then what was known before stays. */
export function readProgress(
  stats: Readonly<Record<string, ParamValue>>,
  before: MigrationProgress,
): MigrationProgress {
  const number = (name: string) => {
    const value = stats[name];
    return typeof value === 'number' ? value : typeof value === 'bigint' ? Number(value) : 0;
  };
  const total = number('data_total') || number('memory_total') + number('disk_total');
  if (total === 0) return { ...before, elapsedMs: number('time_elapsed') || before.elapsedMs };
  const remaining = number('data_remaining');
  const memoryBps = number('memory_bps');
  const dirtyRateBps = number('memory_dirty_rate') * number('memory_page_size');
  const expectedDowntimeMs = number('downtime');
  const throttlePercent = number('auto_converge_throttle');
  const gain = memoryBps - dirtyRateBps;
  return {
    // What was sent can exceed the total, in many iterations: what remains tells.
    percent: Math.round(Math.min(100, Math.max(0, (1 - remaining / total) * 100)) * 10) / 10,
    dataTotalBytes: total,
    dataProcessedBytes: number('data_processed'),
    dataRemainingBytes: remaining,
    memoryBps,
    dirtyRateBps,
    iteration: number('memory_iteration'),
    elapsedMs: number('time_elapsed'),
    etaMs: gain > 0 ? Math.round((remaining / gain) * 1000) : null,
    ...(expectedDowntimeMs > 0 && { expectedDowntimeMs }),
    ...(throttlePercent > 0 && { throttlePercent }),
  };
}
