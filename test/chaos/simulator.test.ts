// A few hundred seeded faults; `npm run chaos -- --sim N` does as many as you like.
import { describe, expect, it } from 'vitest';
import { onSimulator } from './simulator.ts';

describe('after any faults', () => {
  it('the VM runs in one place, nothing is left over, and every caller is answered', async () => {
    const said: string[] = [];
    // To play one of them again: npm run chaos -- --seed 1 --only NUMBER
    const { failed } = await onSimulator({ count: 150, seed: 1, only: null, say: (line) => said.push(line) });
    expect(failed, said.join('\n')).toBe(0);
  }, 180_000);
});
