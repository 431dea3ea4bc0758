// Snapshots through the fleet, on a simulated daemon: made, listed, gone back to, deleted, and refused with a reason.
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { Fleet } from '../../src-main/fleet/fleet.ts';
import { Questions } from '../../src-main/fleet/questions.ts';
import { readSnapshot, Snapshots, whyDiskOnly } from '../../src-main/fleet/snapshots.ts';
import { type KnownHosts, SecretCache } from '../../src-main/ssh/index.ts';
import { SimFleet } from '../../src-sim/index.ts';
import { HandClock } from './hand-clock.ts';
import { SimReaches } from './sim-reach.ts';

let sim: SimFleet;
let fleet: Fleet;
let snapshots: Snapshots;
let ref: { hostId: string; uuid: string };

beforeEach(async () => {
  sim = await SimFleet.start({
    seed: 'snapshots',
    speed: 50,
    hosts: [{ name: 'kvm1' }],
    domains: [{ name: 'web01', host: 'kvm1', memoryMiB: 256, disks: [{ path: '/srv/shared/web01.qcow2' }] }],
  });
  fleet = new Fleet({
    logins: { knownHosts: {} as KnownHosts, secrets: new SecretCache() },
    questions: new Questions(() => {}),
    tell: () => {},
    save: () => {},
    openReach: new SimReaches(sim).open,
    clock: new HandClock(),
  });
  const host = fleet.add('qemu+ssh://root@kvm1/system');
  await vi.waitFor(() => expect(host.state).toBe('online'), { timeout: 10_000, interval: 5 });
  snapshots = new Snapshots(fleet);
  ref = { hostId: host.id, uuid: sim.uuid('web01') };
});
afterEach(async () => {
  await fleet.close();
  await sim.close();
});

const make = (name: string, rest = {}) => snapshots.create(ref, { name, description: '', diskOnly: false, ...rest });
const names = async () =>
  (await snapshots.list(ref)).snapshots.map(({ name, current }) => (current ? `*${name}` : name));

describe('snapshots', () => {
  it('are kept with the memory of a VM that runs, each upon the one before', async () => {
    expect(await make('a & b', { description: '<why>' })).toMatchObject({
      name: 'a & b',
      description: '<why>',
      state: 'running',
      memory: true,
      current: true,
      parent: null,
      createdAt: expect.stringMatching(/^\d{4}-/) as string,
    });
    expect(await make('next')).toMatchObject({ parent: 'a & b' });
    expect((await names()).sort()).toEqual(['*next', 'a & b']);
  });

  it('bring a VM back to how it stood, and the fleet knows at once', async () => {
    await make('while it ran');
    const host = fleet.host(ref.hostId);
    await host.connection.call('domain_destroy_flags', { dom: { name: 'web01', uuid: ref.uuid } });
    expect(await snapshots.revert(ref, 'while it ran', false)).toMatchObject({ state: 'running' });
  });

  it('are deleted alone, or with what was made upon them', async () => {
    for (const name of ['one', 'two', 'three']) await make(name);
    await snapshots.delete(ref, 'one', false);
    expect((await names()).sort()).toEqual(['*three', 'two']);
    await snapshots.delete(ref, 'two', true);
    expect(await names()).toEqual([]);
  });

  it('that cannot be are refused in libvirt’s words', async () => {
    await make('one');
    await expect(make('one')).rejects.toMatchObject({
      code: 'libvirt',
      message: expect.stringContaining('making the snapshot one of web01') as string,
    });
    await make('disks', { diskOnly: true });
    await expect(snapshots.revert(ref, 'disks', false)).rejects.toMatchObject({
      message: expect.stringContaining('revert to external snapshot not supported yet') as string,
    });
    await expect(snapshots.delete(ref, 'nothing', false)).rejects.toMatchObject({ code: 'libvirt' });
  });
});

describe('what QEMU can keep', () => {
  const domain = (devices: string, os = '') =>
    `<domain type='kvm'><name>a</name><os><type>hvm</type>${os}</os><devices>${devices}</devices></domain>`;
  const disk = (format: string, rest = '') =>
    `<disk type='file' device='disk'><driver name='qemu' type='${format}'/><source file='/x'/><target dev='vdb'/>${rest}</disk>`;
  const runs = { name: 'web01', id: 3 };

  it('is all of a VM on qcow2, whatever read-only drives it has', () => {
    const drive = `<disk type='file' device='cdrom'><driver type='raw'/><source file='/y'/><target dev='sda'/></disk>`;
    expect(whyDiskOnly(domain(disk('qcow2') + drive + disk('raw', '<readonly/>')), runs)).toBeNull();
  });
  it('is only the disks where one is raw', () => {
    expect(whyDiskOnly(domain(disk('qcow2') + disk('raw')), runs)).toBe(
      'The disk vdb of web01 is raw, which holds no snapshot itself: only qcow2 does.',
    );
  });
  it('is only the disks of what runs with UEFI firmware', () => {
    const xml = domain(disk('qcow2'), "<loader readonly='yes' type='pflash'>/x</loader>");
    expect(whyDiskOnly(xml, runs)).toContain('UEFI');
    expect(whyDiskOnly(xml, { name: 'web01', id: null })).toBeNull();
  });
});

describe('reading a snapshot', () => {
  it('takes what libvirt wrote of one in new files', () => {
    const xml = `<domainsnapshot><name>s2</name><state>disk-snapshot</state><parent><name>s1</name></parent>
      <creationTime>1795376108</creationTime><memory snapshot='no'/>
      <disks><disk name='vda' snapshot='external' type='file'/><disk name='sda' snapshot='no'/></disks></domainsnapshot>`;
    expect(readSnapshot(xml, 's1')).toEqual({
      name: 's2',
      description: '',
      createdAt: '2026-11-22T19:35:08.000Z',
      state: 'disk-snapshot',
      parent: 's1',
      current: false,
      memory: false,
      disks: [{ target: 'vda', kind: 'external' }],
    });
  });
});
