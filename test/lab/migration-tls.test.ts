// Real hosts with certificates: a migration's memory encrypted by QEMU itself, and certificates that will not do.
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { HostView, MigrationView, Preflight } from '../../contract/model.ts';
import { Authority } from './certificates.ts';
import { Lab } from './lab.ts';
import { until } from './run.ts';
import { Served } from './served.ts';

const lab = await Lab.open();
let drover: Served;
let hosts: Record<string, HostView>;
let authority: Authority;

beforeAll(async () => {
  await lab.reset();
  drover = await Served.start();
  hosts = await drover.addLab(lab);
  authority = await Authority.make();
  await authority.equip(lab, 'kvm1', { names: 'DNS:kvm1' });
  // A QEMU that runs already has the mounts of its start.
  await lab.virsh('kvm1', 'destroy', 'web01');
  // A folder that only this host sees, in the place of its root's.
  const { keys, knownHosts } = lab.admin;
  await lab.exec('kvm1', ['mkdir', '-p', '/root/.ssh']);
  await lab.exec('kvm1', ['mount', '-t', 'tmpfs', '-o', 'mode=0700', 'none', '/root/.ssh']);
  await lab.exec('kvm1', ['install', '-m', '0600', keys.ed25519, '/root/.ssh/id_ed25519']);
  await lab.exec('kvm1', ['install', '-m', '0644', knownHosts, '/root/.ssh/known_hosts']);
});
afterAll(async () => {
  await lab.exec('kvm1', ['umount', '/root/.ssh']);
  for (const host of ['kvm1', 'kvm2']) await Authority.strip(lab, host);
  await authority.remove();
  await drover.remove();
  await lab.reset();
});

const idOf = (host: string) => hosts[host]?.id ?? '';

async function body(options: object) {
  const { uuid } = await until('web01 is seen', async () => {
    const domain = await drover.domain('web01', 'kvm1').catch(() => null);
    return domain?.state === 'running' && domain;
  });
  return { uuid, from: idOf('kvm1'), to: idOf('kvm2'), options: { transport: 'direct', tls: true, ...options } };
}
const tlsChecks = async (options: object = {}) => {
  const { checks } = await drover.get<Preflight>('POST', '/migrations/preflight', await body(options));
  return checks.filter(({ id }) => id === 'tls');
};
async function migrate(options: object): Promise<MigrationView> {
  const { id } = await drover.get<MigrationView>('POST', '/migrations', await body(options));
  return drover.migrated(id);
}

async function moves(options: object): Promise<MigrationView> {
  await lab.ensureRunning('web01', 'kvm1');
  const ended = await migrate(options);
  expect(ended.error).toBeNull();
  expect(await lab.whereabouts('web01')).toEqual([{ host: 'kvm2', state: 'running' }]);
  const ticks = await lab.ticks('web01');
  await lab.waitForTick('web01');
  expect(ticks).toEqual(ticks.map((_, at) => (ticks[0] ?? 0) + at));
  return ended;
}

it('directly, by a certificate for the target’s name: the source is told to expect that', async () => {
  await authority.equip(lab, 'kvm2', { names: 'DNS:kvm2' });
  const ended = await moves({});
  expect(ended.virsh).toContain('--tls --tls-destination kvm2');
  expect(ended.downtimeMs).not.toBeNull();
});

it('directly, by a certificate for the target’s address', async () => {
  await authority.equip(lab, 'kvm2', { names: `IP:${lab.host('kvm2').address}` });
  expect((await moves({})).virsh).not.toContain('--tls-destination');
});

it('by the daemons, peer to peer', async () => {
  await authority.equip(lab, 'kvm2', { names: 'DNS:kvm2' });
  const ended = await moves({ transport: 'p2p' });
  expect(ended.virsh).toMatch(/--p2p .*--tls-destination kvm2/);
});

/** The preflight says why not; QEMU says so, too, where that is overridden; the VM runs on. */
async function refused(sentence: RegExp, qemu: RegExp): Promise<void> {
  await lab.ensureRunning('web01', 'kvm1');
  expect(await tlsChecks()).toMatchObject([{ level: 'error', message: expect.stringMatching(sentence) as string }]);
  const { err } = await drover.ask('POST', '/migrations', await body({}));
  expect(err).toMatchObject({ code: 'refused' });
  const ended = await migrate({ force: true });
  expect(ended.state).toBe('failed');
  expect(ended.error?.message).toMatch(qemu);
  expect(await lab.whereabouts('web01')).toEqual([{ host: 'kvm1', state: 'running' }]);
  await lab.waitForTick('web01');
}

it('a certificate that ran out is refused', async () => {
  await authority.equip(lab, 'kvm2', { names: 'DNS:kvm2', expired: true });
  await refused(/kvm2 \(server-cert.pem\) ran out on 2020-02-01/, /expired/);
});

it('a certificate for another name is refused', async () => {
  await authority.equip(lab, 'kvm2', { names: 'DNS:elsewhere.example' });
  await refused(/kvm2 .* is for DNS:elsewhere.example, and not for .*kvm2/, /does not match/);
});

it('a certificate of an authority that the source does not know is refused', async () => {
  const other = await Authority.make();
  try {
    await other.equip(lab, 'kvm2', { names: 'DNS:kvm2' });
    await lab.ensureRunning('web01', 'kvm1');
    const said = await tlsChecks();
    expect(said.map(({ message }) => message).join()).toMatch(
      /kvm2 .* was not issued by the authority that kvm1 knows/,
    );
    const ended = await migrate({ force: true });
    expect(ended.state).toBe('failed');
    expect(await lab.whereabouts('web01')).toEqual([{ host: 'kvm1', state: 'running' }]);
  } finally {
    await other.remove();
  }
});
