// Real pools: what a host's card says of its storage is what virsh says of its pools.
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest';
import type { HostView } from '../../contract/model.ts';
import { Lab } from './lab.ts';
import { until } from './run.ts';
import { Served } from './served.ts';

const lab = await Lab.open();
let drover: Served;
const undos: (() => Promise<unknown>)[] = [];

beforeAll(async () => {
  await lab.reset();
  drover = await Served.start();
});
afterEach(async () => {
  for (const undo of undos.splice(0).reverse()) await undo();
});
afterAll(async () => drover.remove());

async function pool(name: string, folder: string): Promise<void> {
  await lab.exec('kvm1', ['mkdir', '-p', folder]);
  await lab.virsh('kvm1', 'pool-create-as', name, 'dir', '--target', folder);
  undos.push(() => lab.virsh('kvm1', 'pool-destroy', name));
}

/** In bytes, as virsh tells it. */
async function told(name: string, what: 'Capacity' | 'Available'): Promise<number> {
  const said = await lab.virsh('kvm1', 'pool-info', '--bytes', name);
  return Number(new RegExp(`${what}:\\s+(\\d+)`).exec(said)?.[1]);
}

it('is the sum of its active pools, two folders of one file system counted once', async () => {
  const before = (await lab.virsh('kvm1', 'pool-list', '--name'))
    .split('\n')
    .map((name) => name.trim())
    .filter(Boolean);
  await lab.exec('kvm1', ['mkdir', '-p', '/run/hs-small']);
  await lab.exec('kvm1', ['mount', '-t', 'tmpfs', '-o', 'size=7m', 'none', '/run/hs-small']);
  undos.push(() => lab.exec('kvm1', ['umount', '/run/hs-small']));
  await pool('hs-one', '/run/hs-small/one');
  await pool('hs-two', '/run/hs-small/two');
  const capacities = new Set<number>();
  for (const name of [...before, 'hs-one', 'hs-two']) capacities.add(await told(name, 'Capacity'));
  const small = await told('hs-one', 'Capacity');
  expect(small).toBe(7 * 2 ** 20);
  // A pool tells what was free when it was last refreshed: now the two of one file system tell different things.
  await lab.exec('kvm1', ['dd', 'if=/dev/zero', 'of=/run/hs-small/one/file', 'bs=1M', 'count=2']);
  await lab.virsh('kvm1', 'pool-refresh', 'hs-one');
  expect(await told('hs-one', 'Available')).toBeLessThan(await told('hs-two', 'Available'));

  const hosts = await drover.addLab(lab);
  const storage = await until('its storage is told', async () => {
    const { info } = await drover.get<HostView>('GET', `/hosts/${hosts['kvm1']?.id}`);
    return info?.storage;
  });
  expect(storage.pools).toBe(before.length + 2);
  expect(storage.capacityBytes).toBe([...capacities].reduce((sum, one) => sum + one, 0));
  expect(storage.availableBytes).toBeLessThanOrEqual(storage.capacityBytes);
  expect(storage.availableBytes).toBeGreaterThan(0);
});
