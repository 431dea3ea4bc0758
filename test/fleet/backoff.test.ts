// When to try again.
import { describe, expect, it } from 'vitest';
import { Backoff } from '../../src-main/fleet/backoff.ts';

describe('the pause before the next try', () => {
  it('doubles from a second to a minute', () => {
    const backoff = new Backoff(() => 0.5);
    expect(Array.from({ length: 8 }, () => backoff.next())).toEqual([
      1_000, 2_000, 4_000, 8_000, 16_000, 32_000, 60_000, 60_000,
    ]);
    backoff.reset();
    expect(backoff.next()).toBe(1_000);
  });

  it('is spread, so that a thousand hosts do not come back in step', () => {
    expect(new Backoff(() => 0).next()).toBe(750);
    expect(new Backoff(() => 0.999).next()).toBe(1_250);
  });
});
