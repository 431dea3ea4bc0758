import { expect, it } from 'vitest';
import { Pace } from '../../src-main/shells/pace.ts';
import { served } from './served.ts';

it('lets so many through in a second, and the others in their order in the next ones', async () => {
  const seconds: (() => void)[] = [];
  const pace = new Pace({ perSecond: 2, later: (_ms, run) => seconds.push(run) });
  const through: number[] = [];
  const all = [1, 2, 3, 4, 5].map((one) => pace.turn().then(() => through.push(one)));
  await Promise.all(all.slice(0, 2));
  expect(through).toEqual([1, 2]);
  seconds.shift()?.();
  await Promise.all(all.slice(0, 4));
  expect(through).toEqual([1, 2, 3, 4]);
  const late = pace.turn().then(() => through.push(6));
  seconds.shift()?.();
  await Promise.all([...all, late]);
  expect(through).toEqual([1, 2, 3, 4, 5, 6]);
  // A second in which nobody came begins none.
  seconds.shift()?.();
  expect(seconds).toEqual([]);
  await pace.turn();
  expect(seconds).toHaveLength(1);
});

it('holds back requests of the API, whoever makes them', async () => {
  const seconds: (() => void)[] = [];
  const server = await served('/nonexistent', {}, new Pace({ perSecond: 1, later: (_ms, run) => seconds.push(run) }));
  expect((await server.ask('/api/v1/hosts')).status).toBe(200);
  let answered = false;
  const second = server.ask('/api/v1/hosts').finally(() => (answered = true));
  // Who has no token takes no turn of anybody, and neither does who only asks whether it lives.
  expect((await server.askBare('/api/v1/hosts')).status).toBe(401);
  expect((await server.askBare('/api/v1/health')).status).toBe(200);
  expect(answered).toBe(false);
  seconds.shift()?.();
  expect((await second).status).toBe(200);
});
