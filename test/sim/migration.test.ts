// How memory goes over: convergence, its limits, and the ways besides the managed one.
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  type Connection,
  LibvirtError,
  lifecycleDetails,
  lifecycleEvents,
  migrateFlags as flag,
  param,
  paramRecord,
} from '../../src-main/libvirt/index.ts';
import { SimFleet } from '../../src-sim/index.ts';
import { direct } from './reach.ts';

const move = flag.live | flag.persist_dest | flag.undefine_source;

let sim: SimFleet;
let source: Connection;
let target: Connection;

beforeEach(async () => {
  sim = await SimFleet.start({
    seed: 'memory',
    speed: 20,
    hosts: [{ name: 'kvm1', linkMiBps: 1_000 }, { name: 'kvm2' }],
    domains: [
      { name: 'calm', host: 'kvm1', memoryMiB: 1_000, profile: { dirtyMiBps: 10, workingSetMiB: 100 } },
      { name: 'busy', host: 'kvm1', memoryMiB: 1_000, profile: { dirtyMiBps: 4_000, workingSetMiB: 800 } },
    ],
  });
  [source, target] = await Promise.all([direct(sim.host('kvm1')), direct(sim.host('kvm2'))]);
});
afterEach(async () => {
  expect(sim.problems).toEqual([]);
  await sim.close();
});

const dom = (name: string) => ({ name, uuid: sim.uuid(name) });

async function prepared(name: string, flags = move) {
  const begun = await source.call('domain_migrate_begin3_params', { dom: dom(name), params: [], flags: flags | 256 });
  const { uri, cookie } = await target.call('domain_migrate_prepare3_params', {
    params: [param.str('destination_xml', begun.xml)],
    cookie: begun.cookie,
    flags,
  });
  return { params: [param.str('migrate_uri', uri ?? '')], cookie };
}

async function perform(name: string, flags = move) {
  const ready = await prepared(name, flags);
  return source.call('domain_migrate_perform3_params', { dom: dom(name), ...ready, flags: flags | 256 });
}

async function finish(name: string, { cookie }: { cookie: Buffer }, flags = move) {
  const params = [param.str('destination_name', name)];
  const done = await target.call('domain_migrate_finish3_params', { params, cookie, flags, cancelled: 0 });
  const confirm = { dom: dom(name), params: [], cookie: done.cookie, flags: flags | 256, cancelled: 0 };
  await source.call('domain_migrate_confirm3_params', confirm);
}

const stats = async (name: string, flags = 0, on = source) =>
  paramRecord((await on.call('domain_get_job_stats', { dom: dom(name), flags })).params);

describe('memory goes over', () => {
  it('in rounds, each told, the last with the guest standing still', async () => {
    const rounds: number[] = [];
    source.on('migration_iteration', ({ iteration }) => rounds.push(iteration));
    await source.eventsReady();
    await finish('calm', await perform('calm'));
    expect(rounds).toEqual([1, 2]);
    const receipt = await stats('calm', 1, target);
    expect(Number(receipt['downtime'])).toBeLessThanOrEqual(300);
    expect(Number(receipt['time_elapsed'])).toBeGreaterThanOrEqual(1_000);
  });
  it('without an end, when the guest writes faster', async () => {
    const across = perform('busy').catch((error: unknown) => error);
    await expect.poll(async () => (await stats('busy'))['memory_iteration']).toBeGreaterThan(4);
    await source.call('domain_abort_job', { dom: dom('busy') });
    expect(await across).toMatchObject({ code: 78 });
  });
  it('when a guest that writes faster is slowed down', async () => {
    const flags = move | flag.auto_converge;
    const across = perform('busy', flags);
    await expect.poll(async () => Number((await stats('busy'))['auto_converge_throttle'])).toBeGreaterThanOrEqual(20);
    await finish('busy', await across, flags);
    expect(sim.where('busy')).toMatchObject([{ host: 'kvm2', state: 'running' }]);
  });
  it('when it may stand still for longer', async () => {
    const across = perform('busy');
    await expect.poll(async () => Number((await stats('busy'))['memory_iteration'])).toBeGreaterThan(2);
    await source.call('domain_migrate_set_max_downtime', { dom: dom('busy'), downtime: 2_000 });
    await finish('busy', await across);
    expect(Number((await stats('busy', 1, target))['downtime'])).toBeGreaterThan(300);
  });
  it('at the speed that is allowed, and faster as soon as more is', async () => {
    await source.call('domain_migrate_set_max_speed', { dom: dom('calm'), bandwidth: 10n });
    const across = perform('calm');
    await expect.poll(async () => Number((await stats('calm'))['data_processed'])).toBeGreaterThan(1 << 20);
    expect(Number((await stats('calm'))['memory_bps'])).toBe(10 << 20);
    await source.call('domain_migrate_set_max_speed', { dom: dom('calm'), bandwidth: 900n });
    await finish('calm', await across);
  });
  it('no further than where it stalls, until that is cleared', async () => {
    sim.faults.set({ kind: 'migration-stalls', at: 60, vm: 'calm' });
    const across = perform('calm');
    const percent = async () => {
      const { data_remaining, data_total } = await stats('calm');
      return Math.round((1 - Number(data_remaining) / Number(data_total)) * 100);
    };
    await expect.poll(percent).toBe(60);
    expect(Number((await stats('calm'))['memory_bps'])).toBe(0);
    sim.faults.clear('migration-stalls');
    await finish('calm', await across);
  });
});

describe('post-copy', () => {
  it('runs over there at once, and ends', async () => {
    const seen: string[] = [];
    for (const [host, on] of [
      ['source', source],
      ['target', target],
    ] as const) {
      on.on('lifecycle', ({ event, detail }) => {
        const name = lifecycleEvents[event];
        if (name) seen.push(`${host} ${name}: ${lifecycleDetails[name][detail] ?? detail}`);
      });
      await on.eventsReady();
    }
    const flags = move | flag.postcopy;
    const across = perform('busy', flags);
    await expect.poll(async () => Number((await stats('busy'))['memory_iteration'])).toBeGreaterThan(1);
    await source.call('domain_migrate_start_post_copy', { dom: dom('busy') });
    expect(sim.where('busy').map(({ host, executes, reason }) => ({ host, executes, reason }))).toEqual([
      { host: 'kvm1', executes: false, reason: 'post-copy' },
      { host: 'kvm2', executes: true, reason: 'post-copy' },
    ]);
    await finish('busy', await across, flags);
    expect(sim.where('busy')).toMatchObject([{ host: 'kvm2', state: 'running', reason: 'migrated' }]);
    const of = (host: string) => seen.filter((line) => line.startsWith(host));
    await expect.poll(() => of('source')).toEqual(['source suspended: post-copy', 'source stopped: migrated']);
    await expect
      .poll(() => of('target'))
      .toEqual([
        'target started: migrated',
        'target resumed: post-copy',
        'target defined: added',
        'target resumed: migrated',
      ]);
  });
  it('is refused where it was not asked for', async () => {
    const across = perform('busy').catch((error: unknown) => error);
    await expect.poll(async () => Number((await stats('busy'))['memory_iteration'])).toBeGreaterThan(0);
    const started = source.call('domain_migrate_start_post_copy', { dom: dom('busy') });
    await expect(started).rejects.toMatchObject({ code: 55 });
    await source.call('domain_abort_job', { dom: dom('busy') });
    expect(await across).toBeInstanceOf(LibvirtError);
  });
});

describe('peer to peer', () => {
  const peer = (to: string, name = 'calm') =>
    source.call('domain_migrate_perform3_params', {
      dom: dom(name),
      dconnuri: to,
      params: [],
      cookie: Buffer.alloc(0),
      flags: move | flag.peer2peer,
    });

  it('is driven by the source, to its end', async () => {
    await peer('qemu+ssh://root@kvm2/system');
    expect(sim.where('calm')).toMatchObject([{ host: 'kvm2', state: 'running', executes: true }]);
  });
  it('outlives who asked for it', async () => {
    const lost = peer(sim.host('kvm2').uri()).catch((error: unknown) => error);
    await expect.poll(() => sim.where('calm').length).toBe(2);
    source.destroy();
    await lost;
    await expect.poll(() => sim.where('calm')).toMatchObject([{ host: 'kvm2', state: 'running' }]);
  });
  it('fails at once where the source cannot reach the target', async () => {
    await expect(peer('qemu+ssh://root@nowhere/system')).rejects.toMatchObject({ code: 38, domain: 7 });
    sim.faults.set({ kind: 'down', host: 'kvm2' });
    await expect(peer('qemu+ssh://root@kvm2/system')).rejects.toMatchObject({ code: 38, domain: 7 });
    expect(sim.where('calm')).toMatchObject([{ host: 'kvm1', state: 'running', reason: 'booted' }]);
  });
  it('is refused to the host itself', async () => {
    await expect(peer('qemu+ssh://root@kvm1/system')).rejects.toMatchObject({ code: 1, domain: 10 });
  });
});
