// A running migration's numbers.
import { expect, test } from 'vitest';
import { noProgress, readProgress } from '../../src-main/migration/progress.ts';

const running = {
  data_total: 1000,
  data_processed: 400,
  data_remaining: 250,
  memory_bps: 100,
  memory_dirty_rate: 2,
  memory_page_size: 25,
  memory_iteration: 3,
  time_elapsed: 1500,
};

test('what remains tells how far it is, and how long it takes', () => {
  expect(readProgress(running, noProgress)).toEqual({
    percent: 75,
    dataTotalBytes: 1000,
    dataProcessedBytes: 400,
    dataRemainingBytes: 250,
    memoryBps: 100,
    dirtyRateBps: 50,
    iteration: 3,
    elapsedMs: 1500,
    etaMs: 5000,
  });
});

test('more may be sent than there is', () => {
  expect(readProgress({ ...running, data_processed: 9000, data_remaining: 10 }, noProgress).percent).toBe(99);
});

test('nobody knows how long it takes where memory is written to faster than it goes over', () => {
  expect(readProgress({ ...running, memory_dirty_rate: 4 }, noProgress).etaMs).toBeNull();
});

test('first samples lack keys or are all zero: what was known stays', () => {
  const before = readProgress(running, noProgress);
  expect(readProgress({}, noProgress)).toEqual(noProgress);
  expect(readProgress({ data_total: 0, data_remaining: 0, time_elapsed: 1700 }, before)).toEqual({
    ...before,
    elapsedMs: 1700,
  });
});

test('numbers that only fit a bigint, and totals that are told apart', () => {
  const { percent, dataTotalBytes } = readProgress(
    { memory_total: 2n ** 60n, disk_total: 2n ** 60n, data_remaining: 2n ** 60n },
    noProgress,
  );
  expect([percent, dataTotalBytes]).toEqual([50, 2 ** 61]);
});

test('it is never below nothing, nor above all', () => {
  for (const data_remaining of [-5, 0, 500, 5000]) {
    const { percent } = readProgress({ ...running, data_remaining }, noProgress);
    expect(percent).toBeGreaterThanOrEqual(0);
    expect(percent).toBeLessThanOrEqual(100);
  }
});

test('how long it would stand still now, and how much the guest is slowed down, where libvirt says so', () => {
  const told = readProgress({ ...running, downtime: 420n, auto_converge_throttle: 30 }, noProgress);
  expect([told.expectedDowntimeMs, told.throttlePercent]).toEqual([420, 30]);
});
