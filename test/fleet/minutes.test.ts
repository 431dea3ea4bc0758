// A point a minute: means, gaps, and an end to what is kept.
import { describe, expect, it } from 'vitest';
import { Minutes, mostMinutes } from '../../src-main/fleet/minutes.ts';

const minute = 60_000;
const first = (minutes: Minutes) => {
  const found = minutes.of('a');
  return found && { first: found.first, values: [...(found.figures[0] ?? [])] };
};

describe('the course of a figure', () => {
  it('has the mean of each minute, and a gap where nothing was sampled', () => {
    const minutes = new Minutes(2);
    minutes.add('a', 100 * minute, [10, 1]);
    minutes.add('a', 100 * minute + 20_000, [20, 2]);
    minutes.add('a', 100 * minute + 40_000, [60, 3]);
    minutes.add('a', 102 * minute, [5, 4]);
    expect(first(minutes)).toEqual({ first: 100, values: [30, NaN, 5] });
    expect([...(minutes.of('a')?.figures[1] ?? [])]).toEqual([2, NaN, 4]);
  });

  it('grows without losing anything, and then keeps the last hours', () => {
    const minutes = new Minutes(1);
    for (let at = 0; at < 500; at += 1) {
      minutes.add('a', (7 + at) * minute, [at]);
      const { first: from, values } = first(minutes) ?? { first: 0, values: [] };
      const count = Math.min(at + 1, mostMinutes);
      expect(from).toBe(7 + at + 1 - count);
      expect(values).toEqual(Array.from({ length: count }, (_, i) => at + 1 - count + i));
    }
  });

  it('begins anew after a silence longer than what is kept, and is not upset by a clock set back', () => {
    const minutes = new Minutes(1);
    minutes.add('a', 10 * minute, [1]);
    minutes.add('a', 1_000 * minute, [2]);
    minutes.add('a', 999 * minute, [3]);
    expect(first(minutes)).toEqual({ first: 1_000, values: [2] });
  });

  it('is of one VM, and forgotten with it', () => {
    const minutes = new Minutes(1);
    minutes.add('a', minute, [1]);
    expect(minutes.of('b')).toBeNull();
    minutes.forget('a');
    expect(minutes.of('a')).toBeNull();
  });
});
