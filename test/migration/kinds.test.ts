// Emptying a host, post-copy, a shut-off VM with its disks: on simulated hosts.
import { afterEach, describe, expect, it } from 'vitest';
import type { Fault } from '../../src-sim/index.ts';
import { Rig, until } from './rig.ts';

let rig: Rig;
afterEach(async () => {
  const { problems } = rig.sim;
  await rig.close();
  expect(problems).toEqual([]);
});

const shared = (name: string) => ({ disks: [{ path: `/srv/shared/${name}.qcow2` }] });

describe('a host that is emptied', () => {
  const begin = async (seed: string) => {
    rig = await Rig.start({
      seed,
      speed: 20,
      hosts: [
        { name: 'kvm1', memoryGiB: 64 },
        { name: 'kvm2', memoryGiB: 64 },
        { name: 'kvm3', memoryGiB: 4 },
      ],
      domains: [
        { name: 'big', host: 'kvm1', memoryMiB: 8192, ...shared('big') },
        { name: 'small', host: 'kvm1', memoryMiB: 512, ...shared('small') },
        { name: 'local', host: 'kvm1', memoryMiB: 512, disks: [{ path: '/var/lib/libvirt/images/local.qcow2' }] },
        { name: 'off', host: 'kvm1', running: false },
      ],
    });
  };
  const names = (all: { name: string }[]) => all.map(({ name }) => name).sort();

  it('is planned first: each where it fits, and why the others stay', async () => {
    await begin('plan');
    const { plan, stays, migrations } = await rig.migrations.evacuate(rig.host('kvm1').id, { dryRun: true });
    expect(names(plan)).toEqual(['big', 'small']);
    expect(plan.find(({ name }) => name === 'big')?.to).toBe(rig.host('kvm2').id);
    expect(names(stays)).toEqual(['local', 'off']);
    expect(stays.find(({ name }) => name === 'local')?.reason).toContain('not there on');
    expect(migrations).toEqual([]);
  });

  it('takes no option that is for one VM, nor one that is for one target where there are several', async () => {
    await begin('options');
    const evacuate = (given: object, to?: string[]) =>
      rig.migrations.evacuate(rig.host('kvm1').id, { dryRun: true, options: given, ...(to && { to }) });
    await expect(evacuate({ destName: 'x' })).rejects.toMatchObject({ code: 'bad-request' });
    await expect(evacuate({ destXml: '<domain/>' })).rejects.toMatchObject({ code: 'bad-request' });
    await expect(evacuate({ listenAddress: '10.0.0.1' })).rejects.toMatchObject({ code: 'bad-request' });
    expect((await evacuate({ listenAddress: '10.0.0.1' }, [rig.host('kvm2').id])).plan).toHaveLength(2);
  });

  it('is then empty but for those', async () => {
    await begin('empty');
    await rig.migrations.evacuate(rig.host('kvm1').id, { parallel: 1 });
    await until('all have moved', () => ['big', 'small'].every((name) => !rig.where(name).held.includes('kvm1')));
    expect(rig.where('local').runs).toEqual(['kvm1']);
  });

  it('keeps the rest where it is once one fails', async () => {
    await begin('fails');
    const failing = {
      kind: 'fails',
      call: 'domain_migrate_perform3_params',
      code: 9,
      domain: 10,
      message: 'made to fail',
    };
    rig.sim.faults.set(failing as Fault);
    await rig.migrations.evacuate(rig.host('kvm1').id, { parallel: 1 });
    await until('it is told', () =>
      rig.told.some(({ event, data }) => event === 'notice' && JSON.stringify(data).includes('stopped')),
    );
    expect(rig.migrations.list()).toHaveLength(1);
    for (const name of ['big', 'small']) expect(rig.where(name).runs).toEqual(['kvm1']);
  });
});

describe('post-copy', () => {
  it('ends a migration that would not converge, and cannot be cancelled from then on', async () => {
    rig = await Rig.start({
      seed: 'post-copy',
      speed: 10,
      hosts: [
        { name: 'kvm1', linkMiBps: 100 },
        { name: 'kvm2', linkMiBps: 100 },
      ],
      domains: [{ name: 'busy', host: 'kvm1', memoryMiB: 1024, ...shared('busy'), profile: { dirtyMiBps: 400 } }],
    });
    const { id } = await rig.start('busy', 'kvm1', 'kvm2', { transport: 'direct', postCopy: true });
    await until('memory goes over', () => rig.migrations.get(id).view().progress.iteration > 1);
    await rig.migrations.get(id).postCopy();
    await expect(rig.migrations.get(id).cancel()).rejects.toMatchObject({ code: 'conflict' });
    const ended = await rig.ended(id);
    expect(ended.state).toBe('completed');
    expect(ended.notices?.join()).toContain('post-copy');
    expect(rig.where('busy')).toEqual({ runs: ['kvm2'], held: ['kvm2'], defined: ['kvm2'] });
  });
});

describe('a VM that is shut off, with its disks', () => {
  const path = '/var/lib/libvirt/images/local.qcow2';
  const begin = async (seed: string, speed = 1) => {
    rig = await Rig.start({
      seed,
      speed,
      hosts: [{ name: 'kvm1', linkMiBps: 400 }, { name: 'kvm2' }],
      domains: [{ name: 'local', host: 'kvm1', running: false, disks: [{ path }] }],
    });
    const file = rig.sim.storage.file('kvm1', path);
    if (!file) throw new Error('no disk');
    file.holds = 'what was written';
    return file;
  };
  const start = () => {
    const ref = { hostId: rig.host('kvm1').id, uuid: rig.sim.uuid('local') };
    return rig.migrations.start(ref, rig.host('kvm2').id, { mode: 'cold' });
  };
  const copying = (id: string) =>
    until('bytes go over', () => rig.migrations.get(id).view().progress.dataProcessedBytes > 1_000);

  it('moves: the same is in them, and the source’s files stay', async () => {
    const file = await begin('cold', 20);
    const { id } = await start();
    const ended = await rig.ended(id);
    expect(ended.error).toBeNull();
    expect(ended.state).toBe('completed');
    expect(rig.where('local').defined).toEqual(['kvm2']);
    expect(rig.sim.storage.file('kvm2', path)).toMatchObject({ holds: 'what was written', capacity: file.capacity });
    expect(rig.sim.storage.file('kvm1', path)).toBe(file);
    expect(ended.notices?.join()).toContain(path);
  });

  it('stays when it is cancelled while they are copied, and leaves nothing on the target', async () => {
    await begin('cold-cancelled');
    const { id } = await start();
    await copying(id);
    expect(rig.migrations.get(id).view().phase).toBe('copy');
    await rig.migrations.get(id).cancel();
    expect(await rig.ended(id)).toMatchObject({ state: 'cancelled', error: null });
    expect(rig.where('local').defined).toEqual(['kvm1']);
    expect(rig.sim.storage.file('kvm2', path)).toBeNull();
  });

  it('stays when Drover is killed meanwhile, and the next one removes the half of a copy', async () => {
    await begin('cold-killed');
    const { id } = await start();
    await copying(id);
    await rig.kill();
    expect((await rig.ended(id)).state).toBe('failed');
    expect(rig.where('local').defined).toEqual(['kvm1']);
    expect(rig.sim.storage.file('kvm2', path)).toBeNull();
  });
});

it('limits are taken from the moment on that the memory is told to move', async () => {
  rig = await Rig.start({
    seed: 'limits',
    speed: 20,
    hosts: [{ name: 'kvm1' }, { name: 'kvm2' }],
    domains: [{ name: 'web01', host: 'kvm1', memoryMiB: 1024, ...shared('web01') }],
  });
  const changed: Promise<void>[] = [];
  rig.onStep = (step) => {
    const [migration] = rig.migrations.list();
    if (step === 'perform' && migration) {
      changed.push(rig.migrations.get(migration.id).update({ bandwidthMiBps: 900 }));
    }
  };
  const { id } = await rig.start('web01', 'kvm1', 'kvm2', { transport: 'direct' });
  await rig.ended(id);
  expect(changed).toHaveLength(1);
  await Promise.all(changed);
  expect(rig.migrations.get(id).view().options.bandwidthMiBps).toBe(900);
});
