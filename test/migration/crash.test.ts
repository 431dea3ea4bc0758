// Drover is killed in the middle of a migration; the next one finds the VM and brings it to an end.
import { afterEach, describe, expect, it } from 'vitest';
import { dies, moved, Rig, stayed, twoHosts, until } from './rig.ts';

let rig: Rig;
afterEach(async () => {
  const { problems } = rig.sim;
  await rig.close();
  expect(problems).toEqual([]);
});

const begin = async (seed: string) => {
  rig = await Rig.start(twoHosts(seed), { hurry: 5 });
};

/** Killed when the intent of that step is on disk, and the step not yet taken. */
async function killedBefore(phase: string): Promise<string> {
  const reached = new Promise<void>((resolve) => {
    rig.onStep = (step) => {
      if (step !== phase) return undefined;
      rig.onStep = () => {};
      resolve();
      return new Promise(() => {}); // it never comes to the step
    };
  });
  const { id } = await rig.start('web01', 'kvm1', 'kvm2', { transport: 'direct' });
  await reached;
  return id;
}

describe('Drover killed', () => {
  it.each([
    ['begin', stayed],
    ['prepare', stayed],
    ['perform', stayed],
    ['finish', stayed],
    ['confirm', moved],
  ] as const)('before %s: the next one brings it to an end', async (phase, expected) => {
    await begin(phase);
    const id = await killedBefore(phase);
    await rig.kill();
    const ended = await rig.ended(id);
    expect(rig.where('web01')).toEqual(expected);
    expect(ended.state).toBe(expected === moved ? 'completed' : 'failed');
    expect(ended.by).toBeTruthy();
    // It is a receipt from then on, also for the one after.
    await rig.kill();
    expect(rig.migrations.get(id).view()).toMatchObject({ id, state: ended.state, verdict: ended.verdict });
    await expect(rig.migrations.get(id).cancel()).rejects.toMatchObject({ code: 'conflict' });
  });
});

it('a target that stays away after the restart keeps the source paused, until an admin says that it is off', async () => {
  await begin('away');
  const id = await killedBefore('finish');
  rig.sim.faults.set({ kind: 'auth-refused', host: 'kvm2' });
  await rig.kill();
  const open = await until('it needs attention', () => {
    const view = rig.migrations.get(id).view();
    return view.state === 'needs-attention' && view.actions.some((one) => one.id === 'resume-source') && view;
  });
  expect(rig.where('web01').runs).toEqual([]);
  expect(open.actions.map((action) => [action.id, action.destroys])).toEqual([
    ['resume-source', true],
    ['leave', false],
  ]);
  await expect(rig.migrations.get(id).resolve('end-target')).rejects.toMatchObject({ code: 'not-found' });
  await rig.migrations.get(id).resolve('resume-source');
  expect(rig.where('web01').runs).toEqual(['kvm1']);
  rig.sim.faults.clear('auth-refused');
  rig.host('kvm2').connect();
  await rig.ended(id);
  expect(rig.where('web01')).toEqual(stayed);
});

it('an end by SIGTERM while a host is away leaves it to the next start', async () => {
  await begin('left');
  rig.sim.faults.set(dies('finish', 'reply', 'target', 'ssh'));
  const { id } = await rig.start('web01', 'kvm1', 'kvm2', { transport: 'direct' });
  rig.sim.faults.set({ kind: 'auth-refused', host: 'kvm2' });
  await until('it needs attention', () => rig.migrations.get(id).view().state === 'needs-attention');
  await rig.restart();
  expect(rig.where('web01').runs).toEqual(['kvm2']);
  rig.sim.faults.clear('auth-refused');
  rig.host('kvm2').connect();
  expect((await rig.ended(id)).state).toBe('completed');
  expect(rig.where('web01')).toEqual(moved);
});

describe('p2p', () => {
  it('L: goes on when Drover is killed, and the next one sees its end', async () => {
    await begin('p2p');
    const { id } = await rig.start('web01', 'kvm1', 'kvm2', { transport: 'p2p', force: true });
    await until('memory goes over', () => rig.migrations.get(id).view().progress.percent > 0);
    await rig.kill();
    const ended = await rig.ended(id);
    expect(rig.where('web01')).toEqual(moved);
    expect(ended).toMatchObject({ state: 'completed', options: { transport: 'p2p' } });
  });

  it('goes on when Drover ends, which does not wait for it', async () => {
    await begin('p2p-term');
    const { id } = await rig.start('web01', 'kvm1', 'kvm2', { transport: 'p2p', force: true });
    await until('memory goes over', () => rig.migrations.get(id).view().progress.percent > 0);
    await rig.restart();
    expect((await rig.ended(id)).state).toBe('completed');
    expect(rig.where('web01')).toEqual(moved);
  });

  it('is cancelled by an abort on the source', async () => {
    await begin('p2p-cancel');
    const { id } = await rig.start('web01', 'kvm1', 'kvm2', { transport: 'p2p', force: true, bandwidthMiBps: 20 });
    await until('memory goes over', () => rig.migrations.get(id).view().progress.percent > 0);
    await rig.migrations.get(id).cancel();
    expect((await rig.ended(id)).state).toBe('cancelled');
    expect(rig.where('web01')).toEqual(stayed);
  });

  it('is refused where the source cannot prove that it reaches the target', async () => {
    await begin('p2p-unproved');
    await expect(rig.start('web01', 'kvm1', 'kvm2', { transport: 'p2p' })).rejects.toMatchObject({ code: 'refused' });
    expect(rig.where('web01')).toEqual(stayed);
  });
});

describe('one that waits for its turn', () => {
  const names = ['web01', 'web02', 'web03', 'web04', 'web05'];

  /** Four go at a time: the fifth waits. */
  async function five(seed: string): Promise<string> {
    const options = twoHosts(seed);
    const [like] = options.domains ?? [];
    if (!like) throw new Error('no domain to copy');
    const domains = names.map((name) => ({ ...like, name, disks: [{ path: `/srv/shared/${name}.qcow2` }] }));
    rig = await Rig.start({ ...options, domains }, { hurry: 5 });
    rig.onStep = (step) => (step === 'perform' ? new Promise(() => {}) : undefined);
    let last = '';
    for (const name of names) last = (await rig.start(name, 'kvm1', 'kvm2', { transport: 'direct' })).id;
    expect(rig.migrations.get(last).view().state).toBe('queued');
    return last;
  }

  it('is not forgotten when Drover is killed', async () => {
    const id = await five('queued');
    await rig.kill();
    const ended = await rig.ended(id);
    expect(ended.state).toBe('failed');
    expect(ended.error?.message).toContain('it is on kvm1, as before');
    expect(rig.where('web05')).toEqual(stayed);
    await rig.kill();
    expect(rig.migrations.get(id).view().state).toBe('failed');
  });

  it('and is cancelled, stays so', async () => {
    const id = await five('queued and cancelled');
    await rig.migrations.get(id).cancel();
    await rig.kill();
    expect(rig.migrations.get(id).view()).toMatchObject({ state: 'cancelled' });
    expect(rig.where('web05')).toEqual(stayed);
  });
});
