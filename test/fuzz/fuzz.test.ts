// A short run of the fuzzer over every parser; `npm run fuzz` is the long one.
import { expect, it } from 'vitest';
import { seed } from '../libvirt/random.ts';
import { fuzz } from './fuzz.ts';
import { targets } from './targets.ts';

it.each(Object.entries(targets))(`%s bear mutated inputs (seed ${seed})`, (name, target) => {
  expect(target.samples.length).toBeGreaterThan(0);
  expect(fuzz(name, target, { runs: 400, seed })).toMatchObject({ runs: 400 });
});

it('finds what crashes, hangs are told with their input', () => {
  const target = {
    samples: [Buffer.from('abc')],
    feed: (input: Buffer) => {
      if (input.length > 3) throw new TypeError('crash');
    },
  };
  expect(() => fuzz('a bad parser', target, { runs: 1000, seed: 1 })).toThrow(
    /a bad parser: TypeError.*seed 1, run \d+/,
  );
});
