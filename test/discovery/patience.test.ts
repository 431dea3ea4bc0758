import { describe, expect, it } from 'vitest';
import { INITIAL, Patience } from '../../src-main/discovery/patience.ts';

function after(answers: [ms: number, attempt: number][]): Patience {
  const patience = new Patience();
  for (const [ms, attempt] of answers) patience.answered(ms, attempt);
  return patience;
}
const times = (count: number, ms: number, attempt = 1) =>
  Array.from({ length: count }, (): [number, number] => [ms, attempt]);

describe('patience', () => {
  it('waits half a second before it knows anything, twice as long the second time, and less than until the system calls again', () => {
    const patience = new Patience();
    expect(patience.timeout(1)).toBe(INITIAL);
    expect(patience.timeout(2)).toBe(2 * INITIAL);
    expect(2 * INITIAL).toBeLessThan(1000);
    expect(patience.tries).toBe(2);
  });

  it('is short on a local network, and never too short', () => {
    const patience = after(times(4, 0.3));
    expect(patience.timeout(1)).toBe(100);
    expect(patience.tries).toBe(2);
  });

  it('outlasts a lost neighbour question, asked again after a second, where round trips take 20 ms', () => {
    const patience = after(times(4, 20));
    let whole = 0;
    for (let attempt = 1; attempt <= patience.tries; attempt += 1) whole += patience.timeout(attempt);
    expect(whole).toBeGreaterThan(1100);
  });

  it('grows with what varies', () => {
    const calm = after(times(20, 40));
    const wild = after(times(20, 40).map(([ms], n) => [n % 2 ? ms * 6 : ms, 1]));
    expect(wild.timeout(1)).toBeGreaterThan(calm.timeout(1));
  });

  it('waits at the last try, where packets were lost, until the system has called again, and learns no round trip from that', () => {
    const far = after(times(5, 20));
    expect(far.tries).toBe(3);
    expect(far.timeout(3)).toBeLessThan(1000);
    const before = far.timeout(1);
    far.answered(1020, 1); // the system had to call again
    expect(far.timeout(1)).toBe(before);
    expect(far.tries).toBeGreaterThan(3);
    expect(far.timeout(far.tries - 1)).toBeLessThan(far.timeout(far.tries));
    expect(far.timeout(far.tries)).toBeGreaterThan(1000);
    expect(after(times(5, 0.3)).timeout(2)).toBeLessThan(1000);
  });

  it('never waits longer than three seconds for one try', () => {
    expect(after(times(9, 2900)).timeout(4)).toBe(3000);
  });

  it('tries the more often the more was lost', () => {
    const tries = (lost: number) => after([...times(100 - lost, 1), ...times(lost, 1, 2)]).tries;
    expect(tries(0)).toBe(2);
    expect(tries(1)).toBe(3);
    expect(tries(20)).toBeGreaterThan(tries(5));
    expect(tries(90)).toBe(6);
  });

  it('is what the admin says, where the admin says it', () => {
    const patience = new Patience(750);
    patience.answered(1, 1);
    expect([patience.timeout(1), patience.timeout(2)]).toEqual([750, 750]);
  });
});
