// What a simulated guest says on its console by itself.
import { expect, it } from 'vitest';
import type { Clock } from '../../src-sim/clock.ts';
import { Guest, usualProfile } from '../../src-sim/guest.ts';

it('no tick comes twice where timers come a little early', () => {
  let nowMs = 0;
  let next = { ms: 0, run: () => {} };
  const clock: Clock = {
    now: () => nowMs,
    after: (ms, run) => {
      next = { ms, run };
      return () => {};
    },
  };
  const guest = new Guest({
    name: 'a',
    vcpus: 1,
    memoryBytes: 2 ** 30,
    profile: usualProfile('ticks', 'a'),
    clock,
    left: () => {},
  });
  const said: string[] = [];
  guest.listen((bytes) => said.push(bytes.toString().trim()));
  guest.go();
  for (let turn = 0; turn < 5; turn += 1) {
    const { ms, run } = next;
    nowMs += ms - 0.4;
    run();
  }
  expect(said).toEqual(['tick 1', 'tick 2', 'tick 3', 'tick 4', 'tick 5']);
});
