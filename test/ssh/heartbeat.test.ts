import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { Heartbeat } from '../../src-main/ssh/heartbeat.ts';

let heard = 0;
let events: string[] = [];
let heart: Heartbeat;

beforeEach(() => {
  vi.useFakeTimers();
  heard = 0;
  events = [];
  heart = new Heartbeat({
    intervalMs: 3500,
    count: 3,
    heard: () => heard,
    ping: () => events.push('ping'),
    silent: () => events.push('silent'),
    heardAgain: () => events.push('heard'),
    gone: () => events.push('gone'),
  });
});
afterEach(() => {
  heart.stop();
  vi.useRealTimers();
});

const quiet = { heard: () => 0, ping: () => {}, silent: () => {}, heardAgain: () => {} };

const intervals = (count: number) => vi.advanceTimersByTime(3500 * count);

it('asks nothing while it hears something', () => {
  for (let n = 0; n < 5; n += 1) {
    heard += 1;
    intervals(1);
  }
  expect(events).toEqual([]);
});

it('asks when it heard nothing, and is content with an answer', () => {
  intervals(1);
  expect(events).toEqual(['ping']);
  heard += 36;
  intervals(1);
  expect(events).toEqual(['ping']);
});

it('notices a pulled cable within 15 s, whenever it was pulled', () => {
  heard += 1; // heard in the last moment before: the worst case
  let waited = 0;
  while (!events.includes('gone') && waited < 60) {
    vi.advanceTimersByTime(1000);
    waited += 1;
  }
  expect(waited).toBeLessThanOrEqual(15);
  expect(events).toEqual(['ping', 'ping', 'silent', 'gone']);
});

it('asks no more once it is gone or stopped', () => {
  intervals(10);
  expect(events.filter((event) => event === 'gone')).toHaveLength(1);
  heart.stop();
  const before = events.length;
  intervals(10);
  expect(events).toHaveLength(before);
});

it('tells silence but never ends it while held', () => {
  const release = heart.hold();
  intervals(100);
  expect(events.filter((event) => event !== 'ping')).toEqual(['silent']);
  heard += 1;
  intervals(1);
  expect(events.at(-1)).toBe('heard');
  release();
});

it('ends a silence that goes on after the last hold was released', () => {
  const [first, second] = [heart.hold(), heart.hold()];
  intervals(10);
  first();
  first(); // twice is harmless
  intervals(10);
  expect(events).not.toContain('gone');
  second();
  intervals(1);
  expect(events.at(-1)).toBe('gone');
});

it('asks first when this machine wakes up, and counts from there', () => {
  vi.advanceTimersByTime(3000);
  // Asleep for an hour: the clock went on, the timers did not.
  vi.setSystemTime(Date.now() + 3_600_000);
  const clock = vi.spyOn(performance, 'now').mockReturnValue(performance.now() + 3_600_000);
  vi.advanceTimersByTime(500);
  expect(events).toEqual(['ping']);
  clock.mockRestore();
});

it('that is told to ask does so at once, and counts from there', () => {
  intervals(2); // one more, and it would be gone
  events.length = 0;
  vi.advanceTimersByTime(3400);
  heart.ask();
  expect(events).toEqual(['ping']);
  vi.advanceTimersByTime(3400);
  expect(events).toEqual(['ping']);
  heard += 1;
  vi.advanceTimersByTime(100);
  expect(events).toEqual(['ping', 'heard']);
});

it('that asks in vain is gone within 9 s', () => {
  const soon = new Heartbeat({ ...quiet, intervalMs: 3000, count: 3, gone: () => events.push('gone') });
  soon.ask();
  let waited = 0;
  while (!events.includes('gone') && waited < 60) {
    vi.advanceTimersByTime(1000);
    waited += 1;
  }
  expect(waited).toBeLessThanOrEqual(9);
  soon.stop();
});
