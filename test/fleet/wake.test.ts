// Sleep is told from the clocks alone.
import { expect, it } from 'vitest';
import { watchForWake } from '../../src-main/fleet/wake.ts';

function watch() {
  let now = 1_000_000;
  let look: () => void = () => expect.fail('nothing looks');
  let woken = 0;
  let stopped = false;
  const stop = watchForWake({
    timeOfDay: () => now,
    every: (_, run) => {
      look = run;
      return () => (stopped = true);
    },
    woke: () => (woken += 1),
  });
  const after = (ms: number) => {
    now += ms;
    look();
    return woken;
  };
  return { after, stop, stopped: () => stopped };
}

it('minutes between two looks are sleep, told once', () => {
  const { after } = watch();
  expect(after(2000)).toBe(0);
  expect(after(600_000)).toBe(1);
  expect(after(2000)).toBe(1);
  expect(after(30_000)).toBe(2);
});

it('a busy machine’s late timers, and a clock that is set back, are none', () => {
  const { after } = watch();
  expect(after(9_000)).toBe(0);
  expect(after(-3_600_000)).toBe(0);
  expect(after(2_000)).toBe(0);
});

it('ends', () => {
  const { stop, stopped } = watch();
  stop();
  expect(stopped()).toBe(true);
});
