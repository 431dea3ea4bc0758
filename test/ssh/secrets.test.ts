import { expect, it, vi } from 'vitest';
import { SecretCache } from '../../src-main/ssh/index.ts';
import type { ParsedKey } from '../../src-main/ssh/ssh2.ts';

const aKey = { comment: 'mine' } as ParsedKey;

it('an answer counts for everyone who waits for it, and later', async () => {
  const cache = new SecretCache();
  const ask = vi.fn(() => Promise.resolve(aKey));
  expect(await Promise.all([cache.unlock('k', ask), cache.unlock('k', ask)])).toEqual([aKey, aKey]);
  expect(await cache.unlock('k', ask)).toBe(aKey);
  expect(ask).toHaveBeenCalledTimes(1);
});

it('a no counts for everyone who waits, and not later', async () => {
  const cache = new SecretCache();
  const ask = vi.fn(() => Promise.resolve(null));
  expect(await Promise.all([cache.unlock('k', ask), cache.unlock('k', ask)])).toEqual([null, null]);
  expect(ask).toHaveBeenCalledTimes(1);
  await cache.unlock('k', ask);
  expect(ask).toHaveBeenCalledTimes(2);
});

it('a cancel counts for everyone who waits', async () => {
  const cache = new SecretCache();
  const ask = vi.fn(() => Promise.reject(new Error('cancelled')));
  const all = [cache.unlock('k', ask), cache.unlock('k', ask)];
  for (const one of all) await expect(one).rejects.toThrow('cancelled');
  expect(ask).toHaveBeenCalledTimes(1);
});

it('a question that was called off is asked again by the next who waits', async () => {
  const cache = new SecretCache();
  let callOff: (key: undefined) => void = () => undefined;
  const first = cache.unlock('k', () => new Promise((resolve) => (callOff = resolve)));
  const second = cache.unlock('k', () => Promise.resolve(aKey));
  callOff(undefined);
  expect(await first).toBeUndefined();
  expect(await second).toBe(aKey);
});

it('clearing forgets keys and passwords', async () => {
  const cache = new SecretCache();
  cache.rememberPassword('ada@kvm1:22', 'x');
  await cache.unlock('k', () => Promise.resolve(aKey));
  cache.clear();
  expect(cache.password('ada@kvm1:22')).toBeUndefined();
  expect(await cache.unlock('k', () => Promise.resolve(null))).toBeNull();
});
