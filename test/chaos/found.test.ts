// What chaos has found, by name: each was wrong once.
import { afterEach, describe, expect, it } from 'vitest';
import { dies, moved, Rig, stayed, twoHosts, until } from '../migration/rig.ts';

const hurry = 10;
const disk = '/var/lib/libvirt/images/web01.qcow2';
let rig: Rig;
afterEach(async () => {
  const { problems, twins } = rig.sim;
  await rig.close();
  expect(problems).toEqual([]);
  expect(twins).toEqual([]);
});

/** Killed when that is on disk, and not yet taken. */
async function killedBefore(step: string, options: object): Promise<string> {
  const reached = new Promise<void>((resolve) => {
    rig.onStep = (told) => {
      if (told !== step) return undefined;
      rig.onStep = () => {};
      resolve();
      return new Promise(() => {});
    };
  });
  const { id } = await rig.start('web01', 'kvm1', 'kvm2', options);
  await reached;
  await rig.kill();
  return id;
}

const ofItsOwn = (seed: string) => {
  const fleet = twoHosts(seed);
  return { ...fleet, domains: [{ name: 'web01', host: 'kvm1', memoryMiB: 512, disks: [{ path: disk, gib: 1 }] }] };
};
const fileOn = (host: string) => rig.sim.storage.file(host, disk);

describe('a volume that was made for a copied disk', () => {
  const copying = { transport: 'direct', storage: 'copy' };

  it.each(['making', 'made', 'begin', 'perform', 'finish'])('goes again where Drover is killed at %s', async (step) => {
    rig = await Rig.start(ofItsOwn(`killed at ${step}`), { hurry });
    const id = await killedBefore(step, copying);
    expect((await rig.ended(id)).state).toBe('failed');
    expect(rig.where('web01')).toEqual(stayed);
    expect(fileOn('kvm2')).toBeNull();
    expect(fileOn('kvm1')?.holds).toBe(`web01 ${disk}`);
  });

  it('stays where Drover was killed before it made it, and another made one of that name since', async () => {
    rig = await Rig.start(ofItsOwn('another’s'), { hurry });
    const reached = new Promise<void>((resolve) => {
      rig.onStep = (step) => {
        if (step !== 'making') return undefined;
        resolve();
        return new Promise(() => {});
      };
    });
    const { id } = await rig.start('web01', 'kvm1', 'kvm2', copying);
    await reached;
    const others = rig.sim.storage.put('kvm2', disk, 2 ** 30, 300 * 2 ** 20);
    if (others) others.holds = 'another’s data';
    await rig.kill();
    const ended = await rig.ended(id);
    expect(fileOn('kvm2')?.holds).toBe('another’s data');
    expect(ended.notices?.join()).toContain('another’s');
  });

  it.each([
    ['goes when it answers', 0],
    ['goes when it answers, even if it first refuses', 1],
  ])('is waited for where the target is away, and %s', async (_name, refusals) => {
    rig = await Rig.start(ofItsOwn('away'), { hurry });
    if (refusals > 0) {
      const refusal = { code: 38, domain: 18, message: 'made to fail', times: refusals };
      rig.sim.faults.set({ kind: 'fails', call: 'storage_vol_delete', ...refusal });
    }
    rig.onStep = (step) => {
      if (step !== 'perform') return;
      rig.onStep = () => {};
      rig.sim.faults.set({ kind: 'auth-refused', host: 'kvm2' });
      rig.sim.host('kvm2').cutSsh();
    };
    const { id } = await rig.start('web01', 'kvm1', 'kvm2', copying);
    const waits = await until('it waits', () => {
      const view = rig.migrations.get(id).view();
      return view.state === 'needs-attention' && view;
    });
    expect(waits.error?.message).toContain('web01.qcow2 in default');
    expect(waits.actions).toMatchObject([{ id: 'leave', destroys: false }]);
    expect(rig.where('web01').runs).toEqual(['kvm1']);
    rig.sim.faults.clear('auth-refused');
    rig.host('kvm2').connect();
    expect((await rig.ended(id)).state).toBe('failed');
    expect(fileOn('kvm2')).toBeNull();
  });

  it('goes in spite of a first refusal', async () => {
    rig = await Rig.start(ofItsOwn('refused'), { hurry });
    const once = { code: 38, domain: 18, message: 'made to fail', times: 1 };
    rig.sim.faults.set({ kind: 'fails', call: 'storage_vol_delete', ...once });
    rig.sim.faults.set({ kind: 'fails', call: 'domain_migrate_perform3_params', ...once });
    const { id } = await rig.start('web01', 'kvm1', 'kvm2', copying);
    await rig.ended(id);
    expect(fileOn('kvm2')).toBeNull();
  });
});

describe('a relay’s sockets', () => {
  it.each(['begin', 'perform', 'confirm'])('go where Drover is killed at %s', async (step) => {
    rig = await Rig.start(twoHosts(`relay ${step}`), { hurry });
    const id = await killedBefore(step, { transport: 'relay' });
    await rig.ended(id);
    for (const host of rig.sim.hosts) expect([...host.unix.folders]).toEqual([]);
  });

  it('go where the target’s SSH server ended at the end', async () => {
    rig = await Rig.start(twoHosts('relay ssh'), { hurry });
    rig.sim.faults.set(dies('confirm', 'reply', 'target', 'ssh'));
    const { id } = await rig.start('web01', 'kvm1', 'kvm2', { transport: 'relay' });
    expect((await rig.ended(id)).state).toBe('completed');
    expect(rig.where('web01')).toEqual(moved);
    for (const host of rig.sim.hosts) expect([...host.unix.folders]).toEqual([]);
  });
});

// Each takes the 10 s for which such an answer is waited for.
describe('a daemon that answers no more', { timeout: 40_000 }, () => {
  const fails = (call: 'domain_migrate_perform3_params' | 'domain_migrate_finish3_params') =>
    rig.sim.faults.set({ kind: 'fails', call, code: 9, domain: 10, message: 'made to fail', times: 1 });

  it('does not hold up a migration that failed', async () => {
    rig = await Rig.start(twoHosts('never drops'), { hurry });
    fails('domain_migrate_perform3_params');
    rig.sim.faults.set({ kind: 'never-answers', call: 'domain_migrate_finish3_params', host: 'kvm2' });
    const { id } = await rig.start('web01', 'kvm1', 'kvm2', { transport: 'direct' });
    expect(await rig.ended(id)).toMatchObject({
      state: 'failed',
      error: { message: expect.stringContaining('made to fail') as string },
    });
    await until('the target lets go', () => rig.where('web01').held.length === 1);
    expect(rig.where('web01')).toEqual(stayed);
  });

  it('does not keep quiet a migration that was interrupted', async () => {
    rig = await Rig.start(twoHosts('never confirms'), { hurry });
    fails('domain_migrate_finish3_params');
    rig.sim.faults.set({ kind: 'never-answers', call: 'domain_migrate_confirm3_params', host: 'kvm1' });
    const { id } = await rig.start('web01', 'kvm1', 'kvm2', { transport: 'direct' });
    const waits = await until(
      'a person is told',
      () => {
        const view = rig.migrations.get(id).view();
        return view.state === 'needs-attention' && view;
      },
      25_000,
    );
    expect(waits.error?.message).toContain('kvm1');
    rig.sim.faults.clear();
    rig.sim.host('kvm1').cutSsh();
    await rig.ended(id);
    await until('one is left', () => rig.where('web01').held.length === 1);
    expect(rig.where('web01')).toEqual(stayed);
  });
});

it('the verdict waits for a host that is just coming back', async () => {
  rig = await Rig.start(twoHosts('verdict'), { hurry });
  rig.sim.faults.set(dies('confirm', 'reply', 'target', 'ssh'));
  const { id } = await rig.start('web01', 'kvm1', 'kvm2', { transport: 'direct' });
  const { verdict, notices } = await rig.ended(id);
  expect(notices?.join()).not.toContain('did not answer');
  expect(verdict?.runningOn).toEqual([rig.host('kvm2').id]);
});

it('a QEMU that ends at the switch-over leaves no definition on the target', async () => {
  rig = await Rig.start(twoHosts('definition'), { hurry });
  rig.onStep = (step) => {
    if (step !== 'finish') return;
    rig.onStep = () => {};
    const { daemon } = rig.sim.host('kvm2');
    const domain = daemon.find(rig.sim.uuid('web01'));
    domain.persistent = domain.live;
  };
  rig.sim.faults.set({
    kind: 'fails',
    call: 'domain_migrate_finish3_params',
    code: 1,
    domain: 10,
    message: 'internal error: QEMU unexpectedly closed the monitor',
    times: 1,
  });
  const { id } = await rig.start('web01', 'kvm1', 'kvm2', { transport: 'direct' });
  expect((await rig.ended(id)).state).toBe('failed');
  await until('it is defined at its source alone', () => rig.where('web01').defined.join() === 'kvm1');
  expect(rig.where('web01')).toEqual(stayed);
});

it('after a switch to post-copy a lost connection never sends the VM back', async () => {
  const fleet = twoHosts('post-copy lost');
  const [domain] = fleet.domains ?? [];
  rig = await Rig.start(
    { ...fleet, domains: domain ? [{ ...domain, memoryMiB: 2048, profile: { dirtyMiBps: 600 } }] : [] },
    { hurry },
  );
  const { id } = await rig.start('web01', 'kvm1', 'kvm2', { transport: 'direct', postCopy: true });
  await until('memory goes over', () => rig.migrations.get(id).view().progress.iteration > 0);
  await rig.migrations.get(id).postCopy();
  rig.sim.host('kvm2').cutSsh();
  const open = await until('it needs attention', () => {
    const view = rig.migrations.get(id).view();
    return view.error?.code === 'conflict' && view;
  });
  expect(open.state).toBe('needs-attention');
  expect(rig.where('web01').runs).toEqual(['kvm2']);
  await rig.migrations.get(id).resolve('leave');
  await rig.ended(id);
});
