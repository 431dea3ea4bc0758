// Numbered deltas: in order, in batches, none missed and none told twice.
import { afterEach, beforeEach, describe, expect, it, test, vi } from 'vitest';
import type { Delta, NumberedDelta } from '../../contract/events.ts';
import { Feed } from '../../src-main/api/feed.ts';
import { random, seed } from '../libvirt/random.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

const notice = (message: string): Delta => ({ event: 'notice', data: { level: 'info', message, at: '' } });
const seqs = (deltas: readonly NumberedDelta[] | null) => deltas?.map(({ seq }) => seq) ?? null;

describe('numbers', () => {
  it('begin at one and leave none out', () => {
    const feed = new Feed();
    expect(feed.seq).toBe(0);
    for (let i = 0; i < 3; i++) feed.push(notice('x'));
    expect(feed.seq).toBe(3);
    expect(seqs(feed.since(0))).toEqual([1, 2, 3]);
  });

  it('are of one process: another has another epoch', () => {
    expect(new Feed().epoch).not.toBe(new Feed().epoch);
  });
});

describe('who comes back', () => {
  it('gets what it missed, or nothing where that is nothing', () => {
    const feed = new Feed();
    for (let i = 0; i < 5; i++) feed.push(notice(String(i)));
    expect(seqs(feed.since(3))).toEqual([4, 5]);
    expect(feed.since(5)).toEqual([]);
  });

  it('is told that it needs a snapshot where what it missed is no longer known, or never was', () => {
    const feed = new Feed();
    for (let i = 0; i < 10_000; i++) feed.push(notice('x'));
    expect(feed.since(10)).toBeNull();
    for (const never of [10_001, -1, 9_999.5, NaN, Infinity]) expect(feed.since(never)).toBeNull();
    expect(feed.since(10_000 - 4_096)).toHaveLength(4_096);
  });

  it('never gets a part of what it missed', () => {
    const feed = new Feed();
    for (let i = 0; i < 20_000; i++) {
      feed.push(notice('x'));
      if (i % 997 !== 0) continue;
      for (const from of [0, 1, feed.seq - 4_096, feed.seq - 8_192, feed.seq - 1]) {
        const missed = from < 0 ? null : seqs(feed.since(from));
        if (missed) expect(missed).toEqual(Array.from({ length: feed.seq - from }, (_, at) => from + 1 + at));
      }
    }
  });
});

describe('a listener', () => {
  it('is told in batches: once for many deltas', () => {
    const feed = new Feed();
    const batches: (number[] | null)[] = [];
    feed.subscribe((deltas) => batches.push(seqs(deltas)));
    for (let i = 0; i < 5; i++) feed.push(notice('x'));
    expect(batches).toEqual([]);
    vi.advanceTimersByTime(20);
    feed.push(notice('x'));
    vi.advanceTimersByTime(20);
    expect(batches).toEqual([[1, 2, 3, 4, 5], [6]]);
  });

  it('hears nothing of before', () => {
    const feed = new Feed();
    const early: number[] = [];
    const late: number[] = [];
    feed.subscribe((deltas) => early.push(...(seqs(deltas) ?? [])));
    feed.push(notice('x'));
    feed.subscribe((deltas) => late.push(...(seqs(deltas) ?? [])));
    feed.push(notice('x'));
    vi.advanceTimersByTime(20);
    expect([early, late]).toEqual([[1, 2], [2]]);
  });

  it('that left hears nothing, even of what was pending; leaving twice harms nobody', () => {
    const feed = new Feed();
    const heard: number[] = [];
    const listener = (deltas: NumberedDelta[]) => void heard.push(...(seqs(deltas) ?? []));
    const leave = feed.subscribe(listener);
    feed.subscribe(listener);
    feed.push(notice('x'));
    leave();
    leave();
    vi.advanceTimersByTime(20);
    expect(heard).toEqual([1]);
  });

  it('may leave while it is told', () => {
    const feed = new Feed();
    const heard: string[] = [];
    const leave = feed.subscribe(() => {
      heard.push('a');
      leave();
    });
    feed.subscribe(() => heard.push('b'));
    feed.push(notice('x'));
    feed.flush();
    feed.push(notice('x'));
    feed.flush();
    expect(heard).toEqual(['a', 'b', 'b']);
  });
});

it('tells when the first one looks and when the last one left', () => {
  const feed = new Feed();
  const watched: boolean[] = [];
  feed.onWatched((is) => watched.push(is));
  const one = feed.subscribe(() => {});
  const two = feed.subscribe(() => {});
  one();
  one();
  two();
  feed.subscribe(() => {})();
  expect(watched).toEqual([true, false, true, false]);
});

it('keeps no timer when it is closed', () => {
  const feed = new Feed();
  feed.subscribe(() => {});
  feed.push(notice('x'));
  feed.close();
  expect(vi.getTimerCount()).toBe(0);
});

test(`a reader that took deltas equals a fresh snapshot, whenever it came (seed ${seed})`, () => {
  const chance = random(seed);
  for (let round = 0; round < 50; round++) {
    const feed = new Feed();
    const model = new Map<number, number>();
    // A reader as a window is: a snapshot in the turn that it subscribes, then deltas; after a gap it asks again.
    const read = () => {
      const reader = { things: new Map<number, number>(), seq: 0, leave: () => {} };
      reader.leave = feed.subscribe((deltas) => {
        for (const { seq, data } of deltas) {
          expect(seq, `round ${round}`).toBe(reader.seq + 1);
          reader.seq = seq;
          const [key, value] = (data as { message: string }).message.split('=').map(Number) as [number, number];
          if (Number.isNaN(value)) reader.things.delete(key);
          else reader.things.set(key, value);
        }
      });
      reader.things = new Map(model);
      reader.seq = feed.seq;
      return reader;
    };
    const readers: ReturnType<typeof read>[] = [];
    for (let step = 0; step < 300; step++) {
      const dice = chance();
      const key = Math.floor(chance() * 10);
      if (dice < 0.6) {
        model.set(key, step);
        feed.push(notice(`${key}=${step}`));
      } else if (dice < 0.75) {
        model.delete(key);
        feed.push(notice(`${key}=gone`));
      } else if (dice < 0.85) vi.advanceTimersByTime(chance() * 30);
      else if (dice < 0.95) readers.push(read());
      else {
        const [gone] = readers.splice(Math.floor(chance() * readers.length), 1);
        gone?.leave();
      }
    }
    feed.flush();
    for (const reader of readers) expect(reader.things, `round ${round}`).toEqual(model);
    feed.close();
  }
});
