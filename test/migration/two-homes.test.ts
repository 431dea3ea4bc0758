// One UUID on two hosts: an alarm where both run, and no start or resume that would make it so.
import { afterEach, beforeEach, expect, it } from 'vitest';
import type { Delta } from '../../contract/events.ts';
import { Actions } from '../../src-main/fleet/actions.ts';
import { systemClock } from '../../src-main/fleet/clock.ts';
import { TwoHomes } from '../../src-main/migration/two-homes.ts';
import { Rig, until } from './rig.ts';

const uuid = '6a5e0000-0000-4000-8000-000000000001';
let rig: Rig;
let told: Delta[];
let waits: number;
let homes: TwoHomes;

const begin = async (state: object) => {
  rig = await Rig.start({
    seed: `homes ${JSON.stringify(state)}`,
    hosts: [{ name: 'kvm1' }, { name: 'kvm2' }],
    domains: [
      { name: 'web01', uuid, host: 'kvm1' },
      { name: 'web01', uuid, host: 'kvm2', ...state },
    ],
  });
  const clock = { sleep: () => systemClock.sleep(++waits) };
  homes = new TwoHomes({ fleet: rig.fleet, tell: (delta) => void told.push(delta), clock });
  await until('both are seen', () => ['kvm1', 'kvm2'].every((name) => rig.host(name).domains.get(uuid)));
};
const again = () => {
  for (const delta of rig.told) homes.seen(delta);
};

beforeEach(() => {
  told = [];
  waits = 0;
});
afterEach(() => rig.close());

it('a VM that runs on both hosts is told of once, by a sentence that names them', async () => {
  await begin({});
  again();
  again();
  await until('it is told', () => told.length > 0);
  again();
  expect(told).toMatchObject([{ event: 'notice', data: { level: 'error' } }]);
  expect(JSON.stringify(told)).toMatch(/web01 runs on kvm1 and kvm2 at once/);
});

it('what a second look does not find is no alarm', async () => {
  await begin({});
  again();
  await new Actions(rig.fleet).act({ hostId: rig.host('kvm2').id, uuid }, 'destroy');
  await until('it has looked', () => waits > 0);
  await until('one is off', () => rig.host('kvm2').domains.get(uuid)?.state === 'shutoff');
  again();
  expect(told).toEqual([]);
});

it.each([
  ['start', { running: false }],
  ['resume', { paused: true }],
] as const)('%s is refused while it runs elsewhere, and does nothing', async (action, state) => {
  await begin(state);
  const refused = new Actions(rig.fleet).act({ hostId: rig.host('kvm2').id, uuid }, action);
  await expect(refused).rejects.toMatchObject({ code: 'conflict' });
  await expect(refused).rejects.toThrow(/runs on kvm1 already/);
  expect(rig.where('web01').runs).toEqual(['kvm1']);
});

it('it may be started where the other has been shut off', async () => {
  await begin({ running: false });
  const actions = new Actions(rig.fleet);
  await actions.act({ hostId: rig.host('kvm1').id, uuid }, 'destroy');
  await until('one is off', () => rig.host('kvm1').domains.get(uuid)?.state === 'shutoff');
  await actions.act({ hostId: rig.host('kvm2').id, uuid }, 'start');
  await until('the other runs', () => rig.where('web01').runs.join() === 'kvm2');
});
