// A migration that is interrupted in any way leaves the VM running on exactly one host.
import { afterEach, describe, expect, it } from 'vitest';
import type { Fault } from '../../src-sim/index.ts';
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

describe('a lost connection', () => {
  const cases: [string, Fault, typeof moved, string][] = [
    ['A: both during perform', dies('perform', 'midway', 'both'), stayed, 'failed'],
    ['B: the target’s during perform', dies('perform', 'midway', 'target'), stayed, 'failed'],
    ['C: the source’s during perform', dies('perform', 'midway', 'source'), stayed, 'failed'],
    ['D: both after perform', dies('perform', 'reply', 'both'), stayed, 'failed'],
    ['E: the source’s when finish is asked', dies('finish', 'request', 'source'), moved, 'completed'],
    ['F: the target’s after perform', dies('perform', 'reply', 'target'), stayed, 'failed'],
    ['G: the source’s when confirm is asked', dies('confirm', 'request', 'source'), moved, 'completed'],
    ['H: the target’s after prepare', dies('prepare', 'reply', 'target'), stayed, 'failed'],
    ['I: both after prepare', dies('prepare', 'reply', 'both'), stayed, 'failed'],
    ['J: the reply to finish', dies('finish', 'reply', 'target'), moved, 'completed'],
    ['the request of finish', dies('finish', 'request', 'target'), stayed, 'failed'],
    ['the reply to begin', dies('begin', 'reply', 'source'), stayed, 'failed'],
    ['the reply to confirm', dies('confirm', 'reply', 'source'), moved, 'completed'],
  ];
  it.each(cases)('%s: the VM runs on exactly one host', async (_name, fault, expected, state) => {
    await begin(_name);
    rig.sim.faults.set(fault);
    const { id } = await rig.start('web01', 'kvm1', 'kvm2');
    const ended = await rig.ended(id);
    expect(rig.where('web01')).toEqual(expected);
    expect(ended.state).toBe(state);
    if (state === 'failed') expect(ended.error?.message).toMatch(/kvm[12]/);
  });
});

describe('the admin’s link silent', () => {
  const silentAt = async (seed: string) => {
    await begin(seed);
    rig.sim.faults.set(dies('perform', 'reply', 'both', 'silence'));
    const { id } = await rig.start('web01', 'kvm1', 'kvm2', { transport: 'direct' });
    await until('it is silent, and the memory across', () => rig.sim.faults.list.length === 2);
    expect(rig.where('web01').runs).toEqual([]);
    return id;
  };

  it('K0: for a while, after perform: it is waited out, and the VM moves', async () => {
    const id = await silentAt('K0');
    rig.sim.faults.clear('silent');
    expect((await rig.ended(id)).state).toBe('completed');
    expect(rig.where('web01')).toEqual(moved);
  });

  it('K1: until both hosts give its connections up: the VM waits, paused, and is woken at its source', async () => {
    const id = await silentAt('K1');
    for (const host of rig.sim.hosts) host.cutSsh();
    await until('libvirt has ended the target’s half', () => rig.where('web01').held.join() === 'kvm1');
    expect(rig.where('web01').runs).toEqual([]);
    rig.sim.faults.clear('silent');
    expect((await rig.ended(id)).state).toBe('failed');
    expect(rig.where('web01')).toEqual(stayed);
  });
});

it('a target that does not say whether the VM starts there is waited for, and that is told', async () => {
  await begin('finish unanswered');
  const call = 'domain_migrate_finish3_params' as const;
  rig.sim.faults.set({ kind: 'never-answers', host: 'kvm2', call });
  const { id } = await rig.start('web01', 'kvm1', 'kvm2', { transport: 'direct' });
  const notices = () => rig.migrations.get(id).view().notices?.join(' ') ?? '';
  await until('it is told', () => /kvm2 has not said for 20 s whether web01 starts there/.test(notices()));
  // Its daemon is restarted.
  rig.sim.faults.clear('never-answers');
  rig.sim.faults.set({ kind: 'down', host: 'kvm2' });
  await until('it is away', () => rig.host('kvm2').state !== 'online');
  rig.sim.faults.clear('down');
  expect((await rig.ended(id)).state).toBe('failed');
  expect(rig.where('web01')).toEqual(stayed);
});

describe('a host that goes away', () => {
  const phases = ['begin', 'prepare', 'perform', 'finish', 'confirm'] as const;
  const all = phases.flatMap((phase) =>
    ['source', 'target'].flatMap((side) =>
      ['ssh', 'daemon'].flatMap((what) =>
        (phase === 'perform' ? ['request', 'midway', 'reply'] : ['request', 'reply']).map((when) => ({
          phase,
          when,
          side,
          what,
        })),
      ),
    ),
  );
  it.each(all)('in $phase, at its $when, on the $side: its $what', async ({ phase, when, side, what }) => {
    await begin(`${phase} ${when} ${side} ${what}`);
    rig.sim.faults.set(dies(phase, when, side, what));
    const { id } = await rig.start('web01', 'kvm1', 'kvm2');
    await rig.ended(id);
    const { runs, held } = rig.where('web01');
    expect(runs).toHaveLength(1);
    expect(held).toEqual(runs);
  });
});

it('an error in any step leaves the VM at its source', async () => {
  await begin('errors');
  for (const call of ['begin3', 'prepare3', 'perform3', 'finish3'].map((step) => `domain_migrate_${step}_params`)) {
    const fault = { kind: 'fails', call, code: 9, domain: 10, message: 'made to fail' } as Fault;
    const undo = rig.sim.faults.set(fault);
    // The preflight asks begin, too, and would have it fail there.
    const { id } = await rig.start('web01', 'kvm1', 'kvm2', { force: call.includes('begin3') });
    const ended = await rig.ended(id);
    undo();
    expect([call, ended.state]).toEqual([call, 'failed']);
    expect(ended.error).toMatchObject({ code: 'libvirt', detail: { number: 9 } });
    expect(rig.where('web01')).toEqual(stayed);
  }
});

it('silence of the target after finish was sent holds the source, and goes on by itself when it answers', async () => {
  await begin('silence');
  rig.sim.faults.set(dies('finish', 'reply', 'target', 'silence'));
  const { id } = await rig.start('web01', 'kvm1', 'kvm2');
  await until('the target runs it', () => rig.where('web01').runs.includes('kvm2'));
  expect(rig.where('web01').runs).toEqual(['kvm2']);
  rig.sim.faults.clear('silent');
  const ended = await rig.ended(id);
  expect(ended.state).toBe('completed');
  expect(rig.where('web01')).toEqual(moved);
});

it('a target that stays away keeps the source paused, and says so', async () => {
  await begin('away');
  rig.sim.faults.set(dies('finish', 'reply', 'target', 'ssh'));
  const { id } = await rig.start('web01', 'kvm1', 'kvm2');
  rig.sim.faults.set({ kind: 'auth-refused', host: 'kvm2' });
  await until('it needs attention', () => rig.migrations.get(id).view().state === 'needs-attention');
  expect(rig.where('web01').runs).toEqual(['kvm2']);
  expect(rig.migrations.get(id).view().error?.message).toContain('interrupted');
  rig.sim.faults.clear('auth-refused');
  rig.host('kvm2').connect();
  expect((await rig.ended(id)).state).toBe('completed');
  expect(rig.where('web01')).toEqual(moved);
});
