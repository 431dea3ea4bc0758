// Counters into rates.
import { describe, expect, it } from 'vitest';
import { countersOf, HostCpu, Rates } from '../../src-main/fleet/rates.ts';

const uuid = 'a';
const none = countersOf({});

describe('counters', () => {
  it('add up what is there, whatever its index and kind', () => {
    expect(
      countersOf({
        'cpu.time': 5_000_000_000n,
        'vcpu.current': 2,
        'vcpu.maximum': 4,
        'block.count': 3,
        'block.0.rd.bytes': 10,
        'block.7.rd.bytes': 5n,
        'block.7.wr.bytes': 3,
        'block.7.name': 'vda.rd.bytes',
        'block.7.rd.reqs': 99,
        'net.4.rx.bytes': 7,
        'net.4.tx.bytes': 8,
        'net.4.rx.pkts': 99,
      }),
    ).toEqual({
      cpuNs: 5e9,
      vcpus: 2,
      memoryUsedKiB: 0,
      diskReadBytes: 15,
      diskWriteBytes: 3,
      netRxBytes: 7,
      netTxBytes: 8,
    });
  });

  it.each([
    [{ 'balloon.current': 1000 }, 1000],
    [{ 'balloon.current': 1000, 'balloon.rss': 600 }, 600],
    [{ 'balloon.current': 1000, 'balloon.rss': 1400 }, 1000],
    [{ 'balloon.current': 1000, 'balloon.rss': 900, 'balloon.available': 950, 'balloon.usable': 700 }, 250],
    [{ 'balloon.current': 1000, 'balloon.available': 950, 'balloon.unused': 600 }, 350],
    [{ 'balloon.available': 100, 'balloon.usable': 200 }, 0],
    [{ 'balloon.current': 'many' }, 0],
  ])('memory used by %j is %d KiB', (record, used) => {
    expect(countersOf(record).memoryUsedKiB).toBe(used);
  });
});

describe('rates', () => {
  it('need two samples', () => {
    const rates = new Rates();
    expect(rates.take(uuid, none, 0)).toBeNull();
    const two = { ...none, cpuNs: 1e9, vcpus: 2, diskReadBytes: 4_000, netTxBytes: 2 };
    expect(rates.take(uuid, two, 2_000)).toEqual({
      cpuPercent: 25,
      memoryUsedKiB: 0,
      diskReadBps: 2_000,
      diskWriteBps: 0,
      netRxBps: 0,
      netTxBps: 1,
    });
  });

  it('are none after the counters began anew, and go on from there', () => {
    const rates = new Rates();
    rates.take(uuid, { ...none, cpuNs: 9e9 }, 0);
    expect(rates.take(uuid, { ...none, cpuNs: 1e9 }, 1_000)).toBeNull();
    expect(rates.take(uuid, { ...none, cpuNs: 1.5e9 }, 2_000)?.cpuPercent).toBe(50);
  });

  it('are never negative, as when a disk was unplugged', () => {
    const rates = new Rates();
    rates.take(uuid, { ...none, diskReadBytes: 1_000, netRxBytes: 1_000 }, 0);
    expect(rates.take(uuid, none, 1_000)).toMatchObject({ diskReadBps: 0, netRxBps: 0 });
  });

  it('never exceed all CPUs', () => {
    const rates = new Rates();
    rates.take(uuid, none, 0);
    expect(rates.take(uuid, { ...none, cpuNs: 9e9 }, 1_000)?.cpuPercent).toBe(100);
  });

  it('are none where no time has passed', () => {
    const rates = new Rates();
    rates.take(uuid, none, 5);
    expect(rates.take(uuid, { ...none, cpuNs: 1 }, 5)).toBeNull();
  });

  it('of a domain that was gone begin anew', () => {
    const rates = new Rates();
    rates.take(uuid, none, 0);
    rates.take('b', none, 0);
    rates.keep(new Set(['b']));
    expect(rates.take(uuid, { ...none, cpuNs: 1e9 }, 1_000)).toBeNull();
    expect(rates.take('b', { ...none, cpuNs: 1e9 }, 1_000)).not.toBeNull();
  });
});

describe('a host’s CPU', () => {
  const counters = (busy: number, idle: number) => [
    { name: 'kernel', value: busy },
    { name: 'user', value: 0 },
    { name: 'idle', value: idle },
    { name: 'iowait', value: 0 },
    { name: 'utilization', value: 12 },
  ];
  it('is busy as far as it did not idle', () => {
    const cpu = new HostCpu();
    expect(cpu.take(counters(0, 0))).toBeNull();
    expect(cpu.take(counters(1, 3))).toBe(25);
    expect(cpu.take(counters(2, 3))).toBe(100);
  });
  it('is not told where nothing was counted, and after a restart', () => {
    const cpu = new HostCpu();
    cpu.take(counters(5, 5));
    expect(cpu.take(counters(5, 5))).toBeNull();
    expect(cpu.take(counters(1, 1))).toBeNull();
  });
});
