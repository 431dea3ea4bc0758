// Real hosts: disks that go along, and the way through the admin's machine where the hosts do not reach each other.
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { HostView, MigrationView, Preflight } from '../../contract/model.ts';
import { Lab } from './lab.ts';
import { until } from './run.ts';
import { Served } from './served.ts';

const lab = await Lab.open();
let drover: Served;
let hosts: Record<string, HostView>;
const disk = '/var/lib/libvirt/images/files01.qcow2';

beforeAll(async () => {
  await lab.reset();
  drover = await Served.start();
  hosts = await drover.addLab(lab);
});
afterAll(async () => {
  await drover.remove();
  await lab.reset();
});

const idOf = (name: string) => hosts[name]?.id ?? '';

async function migrate(name: string, from: string, to: string, options: object): Promise<MigrationView> {
  const { uuid } = await until(`${name} is seen`, () => drover.domain(name, from).catch(() => null));
  const { id } = await drover.get<MigrationView>('POST', '/migrations', {
    uuid,
    from: idOf(from),
    to: idOf(to),
    options,
  });
  return drover.migrated(id);
}

it('a relay carries the memory where the hosts have no way to each other', async () => {
  await lab.ensureRunning('web01', 'kvm1');
  const kvm2 = lab.host('kvm2').address;
  await lab.exec('kvm1', ['ip', 'route', 'add', 'unreachable', `${kvm2}/32`]);
  try {
    const { uuid } = await drover.domain('web01', 'kvm1');
    const route = { uuid, from: idOf('kvm1'), to: idOf('kvm2') };
    const direct = await drover.get<Preflight>('POST', '/migrations/preflight', {
      ...route,
      options: { transport: 'direct' },
    });
    expect(direct.checks.find(({ id }) => id === 'path')).toMatchObject({ level: 'error' });
    const ended = await migrate('web01', 'kvm1', 'kvm2', {});
    expect(ended.error).toBeNull();
    expect(ended).toMatchObject({ state: 'completed', options: { transport: 'relay' } });
    expect(ended.notices?.[0]).toContain('relay');
    expect(await lab.whereabouts('web01')).toEqual([{ host: 'kvm2', state: 'running' }]);
    await lab.waitForTick('web01');
    expect(await lab.exec('kvm1', ['sh', '-c', 'ls -d /run/drover-* 2>/dev/null || true'])).toBe('');
  } finally {
    await lab.exec('kvm1', ['ip', 'route', 'del', 'unreachable', `${kvm2}/32`]);
  }
});

it('a disk that only the source has goes along, and is the same there', async () => {
  await lab.exec('kvm2', ['rm', '-f', disk]);
  await lab.exec('kvm1', ['qemu-io', '-f', 'qcow2', '-c', 'write -P 0x5a 1M 3M', disk]);
  const sum = async (host: string) => {
    const raw = await lab.exec(host, [
      'sh',
      '-c',
      `qemu-img convert -U -O raw ${disk} /tmp/$$.raw && sha256sum < /tmp/$$.raw; rm -f /tmp/$$.raw`,
    ]);
    return raw.trim();
  };
  const before = await sum('kvm1');
  await lab.ensureRunning('files01', 'kvm1');
  const ended = await migrate('files01', 'kvm1', 'kvm2', { storage: 'copy' });
  expect(ended.error).toBeNull();
  expect(ended.state).toBe('completed');
  expect(await lab.whereabouts('files01')).toEqual([{ host: 'kvm2', state: 'running' }]);
  await lab.waitForTick('files01');
  expect(await sum('kvm2')).toBe(before);
});

it('a copy that is cancelled leaves no volume behind, and one that would overwrite a file is refused', async () => {
  await lab.exec('kvm1', ['sh', '-c', `test -e ${disk}`]);
  const { uuid } = await drover.domain('files01', 'kvm2');
  const back = { uuid, from: idOf('kvm2'), to: idOf('kvm1'), options: { storage: 'copy' } };
  const { err } = await drover.ask('POST', '/migrations', back);
  expect(err).toMatchObject({ code: 'refused' });
  expect(err?.message).toContain('another file');
  await lab.exec('kvm1', ['rm', '-f', disk]);
  const slow = { ...back, options: { storage: 'copy', bandwidthMiBps: 1, transport: 'direct' } };
  const { id } = await drover.get<MigrationView>('POST', '/migrations', slow);
  await until(
    'it performs',
    async () => (await drover.get<MigrationView>('GET', `/migrations/${id}`)).phase === 'perform',
  );
  await drover.get('POST', `/migrations/${id}/cancel`);
  expect((await drover.migrated(id)).state).toBe('cancelled');
  expect(await lab.whereabouts('files01')).toEqual([{ host: 'kvm2', state: 'running' }]);
  expect(await lab.exec('kvm1', ['sh', '-c', `test -e ${disk} && echo there || echo gone`])).toContain('gone');
});

it('p2p is taken where the source’s root reaches the target, and goes on when Drover is ended in the middle', async () => {
  await lab.ensureRunning('busy01', 'kvm1');
  const { keys, knownHosts } = lab.admin;
  // A folder that only this host sees, in the place of its root's.
  await lab.exec('kvm1', ['mkdir', '-p', '/root/.ssh']);
  await lab.exec('kvm1', ['mount', '-t', 'tmpfs', '-o', 'mode=0700', 'none', '/root/.ssh']);
  try {
    await lab.exec('kvm1', ['install', '-m', '0600', keys.ed25519, '/root/.ssh/id_ed25519']);
    await lab.exec('kvm1', ['install', '-m', '0644', knownHosts, '/root/.ssh/known_hosts']);
    const { uuid } = await drover.domain('busy01', 'kvm1');
    const { id, options } = await drover.get<MigrationView>('POST', '/migrations', {
      uuid,
      from: idOf('kvm1'),
      to: idOf('kvm2'),
      options: { bandwidthMiBps: 8, autoConverge: true },
    });
    expect(options.transport).toBe('p2p');
    await until('memory goes over', async () => {
      const { progress } = await drover.get<MigrationView>('GET', `/migrations/${id}`);
      return progress.percent > 0;
    });
    const { dataDir } = drover;
    await drover.stop();
    drover = await Served.start({ dataDir });
    await until('it is taken up', async () => {
      const { state, progress } = await drover.get<MigrationView>('GET', `/migrations/${id}`);
      return state === 'running' && progress.elapsedMs > 0;
    });
    await drover.get('PATCH', `/migrations/${id}`, { bandwidthMiBps: 1000, maxDowntimeMs: 5000 });
    const ended = await drover.migrated(id);
    expect(ended.error).toBeNull();
    expect(await lab.whereabouts('busy01')).toEqual([{ host: 'kvm2', state: 'running' }]);
    await lab.waitForTick('busy01');
  } finally {
    await lab.exec('kvm1', ['umount', '/root/.ssh']);
  }
}, 90_000);
