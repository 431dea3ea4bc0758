// What becomes of a migration when connections are lost, as it was seen on real hosts.
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type Connection, jobType, LibvirtError, migrateFlags as flag, param } from '../../src-main/libvirt/index.ts';
import { type Fault, SimFleet } from '../../src-sim/index.ts';
import { direct } from './reach.ts';

const move = flag.live | flag.persist_dest | flag.undefine_source;

let sim: SimFleet;
let source: Connection;
let target: Connection;
const dom = () => ({ name: 'web01', uuid: sim.uuid('web01') });

beforeEach(async () => {
  sim = await SimFleet.start({
    seed: 'lost',
    speed: 10,
    hosts: [{ name: 'kvm1' }, { name: 'kvm2' }],
    domains: [{ name: 'web01', host: 'kvm1', memoryMiB: 512 }],
  });
  [source, target] = await Promise.all([direct(sim.host('kvm1')), direct(sim.host('kvm2'))]);
});

afterEach(async () => {
  expect(sim.where('web01').filter(({ executes }) => executes).length).toBeLessThanOrEqual(1);
  expect(sim.problems).toEqual([]);
  await sim.close();
});

const steps = {
  begin: () => source.call('domain_migrate_begin3_params', { dom: dom(), params: [], flags: move | 256 }),
  prepare: (begun: { xml: string; cookie: Buffer }) =>
    target.call('domain_migrate_prepare3_params', {
      params: [param.str('destination_xml', begun.xml)],
      cookie: begun.cookie,
      flags: move,
    }),
  perform: ({ uri, cookie }: { uri: string | null; cookie: Buffer }) =>
    source.call('domain_migrate_perform3_params', {
      dom: dom(),
      params: [param.str('migrate_uri', uri ?? '')],
      cookie,
      flags: move | 256,
    }),
  finish: ({ cookie }: { cookie: Buffer }, cancelled = 0) =>
    target.call('domain_migrate_finish3_params', {
      params: [param.str('destination_name', 'web01')],
      cookie,
      flags: move,
      cancelled,
    }),
  confirm: ({ cookie }: { cookie: Buffer }, cancelled = 0, on = source) =>
    on.call('domain_migrate_confirm3_params', { dom: dom(), params: [], cookie, flags: move | 256, cancelled }),
};

const begun = () => steps.begin();
const prepared = async () => steps.prepare(await begun());
const performed = async () => steps.perform(await prepared());
const finished = async () => steps.finish(await performed());

/** `kvm1: running (booted)` and the like, of each host that has it. */
const places = () => sim.where('web01').map(({ host, state, reason }) => `${host}: ${state} (${reason})`);
const becomes = (...wanted: string[]) => expect.poll(places).toEqual(wanted);
const dies = (fault: Omit<Extract<Fault, { kind: 'dies' }>, 'kind'>) => sim.faults.set({ kind: 'dies', ...fault });
const jobOf = async (connection: Connection) => (await connection.call('domain_get_job_stats', { dom: dom() })).type;
const code = (promise: Promise<unknown>) =>
  promise.then(
    () => 'done',
    (error: unknown) => (error instanceof LibvirtError ? `${error.code}/${error.domain}` : (error as Error).name),
  );

describe('a migration whose connections are lost', () => {
  it('moves when nothing is lost', async () => {
    await steps.confirm(await finished());
    expect(places()).toEqual(['kvm2: running (migrated)']);
  });

  it('I: both after prepare: it stays, and the target is clean', async () => {
    await prepared();
    source.destroy();
    target.destroy();
    await becomes('kvm1: running (booted)');
  });

  it('H: the target after prepare: perform fails, and it stays', async () => {
    const ready = await prepared();
    target.destroy();
    await becomes('kvm1: running (booted)');
    expect(await code(steps.perform(ready))).toBe('38/7');
    await becomes('kvm1: running (booted)');
  });

  it.each(['both', 'target'] as const)('A, B: %s during perform: the copy fails, and it stays', async (side) => {
    dies({ phase: 'perform', when: 'midway', side, what: 'connection' });
    expect(await code(performed())).toBe(side === 'both' ? 'ConnectionLost' : '9/10');
    await becomes('kvm1: running (booted)');
    expect(await jobOf(await direct(sim.host('kvm1')))).toBe(jobType.none);
  });

  it('C: the source during perform: it goes on, and finish(cancelled) brings it back', async () => {
    dies({ phase: 'perform', when: 'midway', side: 'source', what: 'connection' });
    expect(await code(performed())).toBe('ConnectionLost');
    expect(await code(steps.finish({ cookie: Buffer.alloc(0) }, 1))).toBe('93/10');
    await becomes('kvm1: running (booted)');
  });

  it('D: both after perform: the source stays paused, without a job', async () => {
    dies({ phase: 'perform', when: 'reply', side: 'both', what: 'connection' });
    expect(await code(performed())).toBe('ConnectionLost');
    await becomes('kvm1: paused (migration)');
    const again = await direct(sim.host('kvm1'));
    expect(await jobOf(again)).toBe(jobType.none);
    expect(await code(steps.confirm({ cookie: Buffer.alloc(0) }, 1, again))).toBe('55/10');
    await again.call('domain_resume', { dom: dom() });
    await becomes('kvm1: running (unpaused)');
  });

  it('E, G: the source after perform, and finish: it runs over there, and is left paused here', async () => {
    const across = await performed();
    source.destroy();
    await steps.finish(across);
    await becomes('kvm1: paused (migration)', 'kvm2: running (migrated)');
    expect(await jobOf(await direct(sim.host('kvm1')))).toBe(jobType.none);
  });

  it('F: the target before finish: confirm(cancelled) wakes the source', async () => {
    await performed();
    target.destroy();
    await becomes('kvm1: paused (migration)');
    await steps.confirm({ cookie: Buffer.alloc(0) }, 1);
    await becomes('kvm1: running (migration cancelled)');
  });

  it('J: the reply to finish: it runs over there, and the source still holds its job', async () => {
    dies({ phase: 'finish', when: 'reply', side: 'target', what: 'connection' });
    expect(await code(finished())).toBe('ConnectionLost');
    await becomes('kvm1: paused (migration)', 'kvm2: running (migrated)');
    expect(await jobOf(await direct(sim.host('kvm1')))).toBe(jobType.unbounded);
    await steps.confirm({ cookie: Buffer.alloc(0) });
    await becomes('kvm2: running (migrated)');
  });

  it('the request of finish: the target is dropped, and confirm(cancelled) wakes the source', async () => {
    dies({ phase: 'finish', when: 'request', side: 'target', what: 'connection' });
    expect(await code(finished())).toBe('ConnectionLost');
    await becomes('kvm1: paused (migration)');
    await steps.confirm({ cookie: Buffer.alloc(0) }, 1);
    await becomes('kvm1: running (migration cancelled)');
  });

  it('the reply to confirm: it has moved', async () => {
    const done = await finished();
    dies({ phase: 'confirm', when: 'reply', side: 'source', what: 'connection' });
    expect(await code(steps.confirm(done))).toBe('ConnectionLost');
    await becomes('kvm2: running (migrated)');
  });

  it('K0: a silence without keepalive is waited out', async () => {
    const quiet = { keepalive: false } as const;
    [source, target] = await Promise.all([direct(sim.host('kvm1'), quiet), direct(sim.host('kvm2'), quiet)]);
    dies({ phase: 'finish', when: 'request', side: 'both', what: 'silence' });
    const done = finished();
    await becomes('kvm1: paused (migration)', 'kvm2: paused (migration)');
    await expect.poll(() => sim.faults.list.length).toBe(2);
    sim.faults.clear('silent');
    await steps.confirm(await done);
    expect(places()).toEqual(['kvm2: running (migrated)']);
  });

  it('a resume waits for the job, and is refused after 30 s', async () => {
    await performed();
    const other = await direct(sim.host('kvm1'));
    expect(await code(other.call('domain_resume', { dom: dom() }))).toBe('68/0');
    expect(places()[0]).toBe('kvm1: paused (migration)');
  });

  it('a resume that waited runs once the job is lost', async () => {
    await performed();
    const other = await direct(sim.host('kvm1'));
    const resumed = other.call('domain_resume', { dom: dom() });
    target.destroy();
    source.destroy();
    await resumed;
    await becomes('kvm1: running (unpaused)');
  });

  it('is cancelled by abort_job, and the target is dropped by finish(cancelled)', async () => {
    sim.faults.set({ kind: 'migration-stalls', at: 40 });
    const across = code(performed());
    const other = await direct(sim.host('kvm1'));
    await expect.poll(() => jobOf(other)).toBe(jobType.unbounded);
    await expect
      .poll(() => other.call('domain_get_job_info', { dom: dom() }).then((job) => job.data_remaining / job.data_total))
      .toBeCloseTo(0.6, 2);
    await other.call('domain_abort_job', { dom: dom() });
    expect(await across).toBe('78/10');
    expect(await code(steps.finish({ cookie: Buffer.alloc(0) }, 1))).toBe('93/10');
    expect(places()).toEqual(['kvm1: running (booted)']);
  });

  it('loses the target host: the copy fails, and it stays', async () => {
    dies({ phase: 'perform', when: 'midway', side: 'target', what: 'host' });
    expect(await code(performed())).toBe('9/10');
    await becomes('kvm1: running (booted)');
    await sim.host('kvm2').boot();
    expect(sim.host('kvm2').down).toBe(false);
  });

  it('outlives a restart of the source daemon before perform', async () => {
    await prepared();
    sim.host('kvm1').daemon.restart();
    await becomes('kvm1: running (booted)', 'kvm2: paused (migration)');
    expect(await jobOf(await direct(sim.host('kvm1')))).toBe(jobType.none);
  });
});
