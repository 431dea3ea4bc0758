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

it('a question that was called off is asked again by the next who waits', async () => {
  const cache = new SecretCache();
  let callOff: (error: Error) => void = () => undefined;
  const first = cache.unlock('k', () => new Promise((_, reject) => (callOff = reject)));
  const second = cache.unlock('k', () => Promise.resolve(aKey));
  callOff(new Error('the host went'));
  await expect(first).rejects.toThrow('the host went');
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
