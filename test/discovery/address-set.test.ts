import { expect, it } from 'vitest';
import { AddressSet } from '../../src-main/discovery/address-set.ts';
import { toText } from '../../src-main/discovery/address.ts';
import { random, seed } from './random.ts';

it(`holds what a plain set holds, and comes back whole from its ranges (seed ${seed})`, () => {
  const next = random(seed);
  const set = new AddressSet();
  const plain = new Set<string>();
  for (let n = 0; n < 2000; n += 1) {
    const address = n % 50 === 0 ? `fd00::${(n + 1).toString(16)}` : toText(0x0aff0000 + Math.floor(next() * 3000));
    set.add(address);
    plain.add(address);
  }
  expect(new Set(set.values())).toEqual(plain);
  const back = AddressSet.of(set.toRanges());
  expect([...back.values()]).toEqual([...set.values()]);
  for (let n = 0; n < 3000; n += 1) {
    const address = toText(0x0aff0000 + n);
    expect(set.has(address)).toBe(plain.has(address));
  }
});

it('keeps a whole network in one range', () => {
  const set = AddressSet.of(['127.0.0.1-127.0.255.254', 'rubbish', '10.0.0.9-x', '10.0.0.9']);
  expect(set.toRanges()).toEqual(['10.0.0.9', '127.0.0.1-127.0.255.254']);
});
