// Real hosts: what is chosen for a migration's way, and what is changed while it runs.
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { HostView, MigrationView, Preflight } from '../../contract/model.ts';
import { Lab } from './lab.ts';
import { until } from './run.ts';
import { Served } from './served.ts';

const lab = await Lab.open();
let drover: Served;
let hosts: Record<string, HostView>;

beforeAll(async () => {
  await lab.reset();
  drover = await Served.start();
  hosts = await drover.addLab(lab);
  // A folder that only this host sees, in the place of its root's.
  const { keys, knownHosts } = lab.admin;
  await lab.exec('kvm1', ['mkdir', '-p', '/root/.ssh']);
  await lab.exec('kvm1', ['mount', '-t', 'tmpfs', '-o', 'mode=0700', 'none', '/root/.ssh']);
  await lab.exec('kvm1', ['install', '-m', '0600', keys.ed25519, '/root/.ssh/id_ed25519']);
  await lab.exec('kvm1', ['install', '-m', '0644', knownHosts, '/root/.ssh/known_hosts']);
});
afterAll(async () => {
  await lab.exec('kvm1', ['umount', '/root/.ssh']);
  await drover.remove();
  await lab.reset();
});

const idOf = (host: string) => hosts[host]?.id ?? '';
const view = (id: string) => drover.get<MigrationView>('GET', `/migrations/${id}`);

async function start(name: string, from: string, to: string, options: object): Promise<string> {
  const { uuid } = await until(`${name} is seen`, () => drover.domain(name, from).catch(() => null));
  const body = { uuid, from: idOf(from), to: idOf(to), options };
  return (await drover.get<MigrationView>('POST', '/migrations', body)).id;
}
const moving = (id: string) => until('memory goes over', async () => (await view(id)).progress.percent > 0);

async function completes(id: string, name: string, on: string): Promise<MigrationView> {
  const ended = await drover.migrated(id);
  expect(ended.error).toBeNull();
  expect(ended.state).toBe('completed');
  expect(await lab.whereabouts(name)).toEqual([{ host: on, state: 'running' }]);
  await lab.waitForTick(name);
  return ended;
}

it('tunnelled: through the two daemons’ own connection', async () => {
  await lab.ensureRunning('web01', 'kvm1');
  const ended = await completes(await start('web01', 'kvm1', 'kvm2', { transport: 'tunnelled' }), 'web01', 'kvm2');
  expect(ended.virsh).toContain('--p2p --tunnelled --live');
});

it('tunnelled is refused beforehand where the source’s root does not reach the target', async () => {
  await lab.ensureRunning('web01', 'kvm2');
  const { uuid } = await until('it is seen', () => drover.domain('web01', 'kvm2').catch(() => null));
  const route = { uuid, from: idOf('kvm2'), to: idOf('kvm1'), options: { transport: 'tunnelled' } };
  const { verdict, checks } = await drover.get<Preflight>('POST', '/migrations/preflight', route);
  expect(verdict).toBe('blocked');
  expect(checks.find(({ id }) => id === 'p2p')).toMatchObject({ level: 'error' });
});

it.each([
  ['compressed', { compressed: true }],
  ['over several connections', { parallel: 3 }],
  ['paused while it moves', { mode: 'suspend' }],
  ['its way given', { migrateUri: null, listenAddress: '0.0.0.0' }],
])('direct: %s', async (_how, options) => {
  await lab.ensureRunning('web01', 'kvm1');
  await completes(await start('web01', 'kvm1', 'kvm2', { transport: 'direct', ...options }), 'web01', 'kvm2');
});

it('one that does not converge is slowed down, or let through by changed limits', async () => {
  await lab.ensureRunning('busy01', 'kvm1');
  const options = { transport: 'direct', autoConverge: true, bandwidthMiBps: 4, maxDowntimeMs: 10 };
  const id = await start('busy01', 'kvm1', 'kvm2', options);
  await moving(id);
  const limits = await drover.get<MigrationView>('PATCH', `/migrations/${id}`, { bandwidthMiBps: 60 });
  expect(limits.options.bandwidthMiBps).toBe(60);
  await until('passes are made', async () => (await view(id)).progress.iteration > 1);
  await drover.get('PATCH', `/migrations/${id}`, { bandwidthMiBps: 2000, maxDowntimeMs: 5000 });
  const ended = await completes(id, 'busy01', 'kvm2');
  expect(ended.virsh).toContain('--auto-converge');
}, 90_000);

it('post-copy: a guest that dirties its memory goes over at once, and goes on there', async () => {
  await lab.ensureRunning('busy01', 'kvm1');
  const id = await start('busy01', 'kvm1', 'kvm2', { transport: 'direct', postCopy: true, bandwidthMiBps: 8 });
  await moving(id);
  await drover.get('POST', `/migrations/${id}/postcopy`);
  const { err } = await drover.ask('POST', `/migrations/${id}/cancel`);
  expect(err).toMatchObject({ code: 'conflict' });
  const ended = await completes(id, 'busy01', 'kvm2');
  expect(ended.notices?.join()).toContain('post-copy');
}, 90_000);

it('post-copy to a host whose kernel forbids it is refused beforehand, and by QEMU where that is overridden', async () => {
  await lab.ensureRunning('web01', 'kvm1');
  const { uuid } = await until('it is seen', () => drover.domain('web01', 'kvm1').catch(() => null));
  const body = { uuid, from: idOf('kvm1'), to: idOf('kvm3'), options: { transport: 'direct', postCopy: true } };
  const { err } = await drover.ask('POST', '/migrations', body);
  expect(err).toMatchObject({ code: 'refused' });
  expect(err?.message).toMatch(/kvm3 forbids post-copy .*unprivileged_userfaultfd is 0/);
  const ended = await drover.migrated(await start('web01', 'kvm1', 'kvm3', { ...body.options, force: true }));
  expect(ended.state).toBe('failed');
  expect(ended.error?.message).toContain('Postcopy is not supported');
  expect(await lab.whereabouts('web01')).toEqual([{ host: 'kvm1', state: 'running' }]);
  await lab.waitForTick('web01');
});

it('TLS is refused beforehand where the hosts have no certificates, and by QEMU where that is overridden', async () => {
  await lab.ensureRunning('web01', 'kvm1');
  const { uuid } = await until('it is seen', () => drover.domain('web01', 'kvm1').catch(() => null));
  const body = { uuid, from: idOf('kvm1'), to: idOf('kvm2'), options: { transport: 'direct', tls: true } };
  const { err } = await drover.ask('POST', '/migrations', body);
  expect(err).toMatchObject({ code: 'refused' });
  expect(err?.message).toContain('kvm2 has no certificates');
  const ended = await drover.migrated(await start('web01', 'kvm1', 'kvm2', { ...body.options, force: true }));
  expect(ended.state).toBe('failed');
  expect(ended.error?.message).toContain('ca-cert.pem');
  expect(await lab.whereabouts('web01')).toEqual([{ host: 'kvm1', state: 'running' }]);
  await lab.waitForTick('web01');
});
