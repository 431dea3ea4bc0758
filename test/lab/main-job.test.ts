// The main job through the API, on real hosts: connect, list, follow events, act, migrate, cancel.
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { Check, DomainView, HostView, MigrationView, Preflight } from '../../contract/model.ts';
import { Lab } from './lab.ts';
import { until } from './run.ts';
import { Served } from './served.ts';

const lab = await Lab.open();
let drover: Served;
let hosts: Record<string, HostView>;
const idOf = (name: string) => hosts[name]?.id as string;
const path = ({ hostId, uuid }: DomainView) => `/hosts/${hostId}/domains/${uuid}`;

async function start(name: string, to: string, options = {}): Promise<MigrationView> {
  const { uuid, hostId } = await drover.domain(name);
  return drover.get('POST', '/migrations', { uuid, from: hostId, to: idOf(to), options });
}

beforeAll(async () => {
  await lab.reset();
  drover = await Served.start();
  hosts = await drover.addLab(lab);
});
afterAll(async () => {
  await drover.remove();
  await lab.reset();
});

describe('what is shown', () => {
  it('equals what virsh lists, host by host', async () => {
    for (const { name } of lab.hosts) {
      const listed = (await lab.virsh(name, 'list', '--all', '--name')).split('\n').filter(Boolean).sort();
      const running = (await lab.virsh(name, 'list', '--name')).split('\n').filter(Boolean);
      const shown = await drover.get<DomainView[]>('GET', `/hosts/${idOf(name)}/domains`);
      expect(shown.map((domain) => domain.name).sort()).toEqual(listed);
      expect(hosts[name]?.domains).toEqual({ running: running.length, total: listed.length });
    }
  });

  it('tells of a host what libvirt tells', async () => {
    const info = hosts['kvm1']?.info;
    expect(info).toMatchObject({ hostname: 'kvm1', hypervisor: 'QEMU', arch: 'x86_64' });
    expect(info?.libvirtVersion).toBe('9.0.0');
    const node = await lab.virsh('kvm1', 'nodeinfo');
    expect(info?.memoryKiB).toBe(Number(/Memory size:\s+(\d+) KiB/.exec(node)?.[1]));
    expect(await lab.virsh('kvm1', 'capabilities')).toContain(`<uuid>${info?.uuid}</uuid>`);
    expect(hosts['kvm1']).toMatchObject({ connections: 1, hostKey: { status: 'trusted' } });
  });

  it('gives a domain’s consoles, memory and XML', async () => {
    const web01 = await drover.domain('web01');
    expect(web01.consoles).toEqual([
      { kind: 'serial', target: 'serial0' },
      { kind: 'vnc', target: 'vnc0' },
    ]);
    expect(web01).toMatchObject({
      memoryKiB: 131072,
      maxMemoryKiB: 131072,
      vcpus: 1,
      persistent: true,
      state: 'running',
    });
    const { xml } = await drover.get<{ xml: string }>('GET', `${path(web01)}/xml?inactive=1`);
    expect(xml.trim()).toBe(await lab.virsh('kvm1', 'dumpxml', '--inactive', 'web01'));
  });

  it('samples a running domain', async () => {
    const stats = await until('web01 has statistics', async () => (await drover.domain('web01')).stats);
    expect(stats.memoryUsedKiB).toBeGreaterThan(0);
    expect(stats.cpuPercent).toBeGreaterThanOrEqual(0);
  });
});

describe('events', () => {
  it('tell of a domain that virsh starts, and of its end', async () => {
    const { told, close } = await drover.events();
    expect(told[0]?.event).toBe('snapshot');
    const saw = (state: string) =>
      until(`an event says mail01 is ${state}`, () =>
        told.some(
          ({ event, data }) =>
            event === 'domain' && (data as DomainView).name === 'mail01' && (data as DomainView).state === state,
        ),
      );
    await lab.virsh('kvm2', 'start', 'mail01');
    await saw('running');
    await lab.virsh('kvm2', 'destroy', 'mail01');
    await saw('shutoff');
    close();
  });

  it('tell of a domain that is defined and undefined behind our back', async () => {
    const { told, close } = await drover.events();
    const xml = (await lab.virsh('kvm2', 'dumpxml', 'mail01'))
      .replace('mail01', 'guest-of-a-day')
      .replace(/<uuid>.*<\/uuid>/, '');
    await lab.define('kvm2', xml);
    const defined = await until('it is told', () =>
      told
        .map(({ data }) => data as DomainView)
        .find(({ name, hostId }) => name === 'guest-of-a-day' && hostId === idOf('kvm2')),
    );
    await lab.virsh('kvm2', 'undefine', 'guest-of-a-day');
    await until('its end is told', () =>
      told.some(({ data }) => (data as { removed?: boolean }).removed && (data as DomainView).uuid === defined.uuid),
    );
    close();
  });
});

describe('lifecycle', () => {
  it('starts, pauses, resumes and forces off, each as virsh then sees it', async () => {
    const mail01 = await drover.domain('mail01');
    const steps = [
      ['start', 'running'],
      ['suspend', 'paused'],
      ['resume', 'running'],
      ['reset', 'running'],
      ['destroy', 'shut off'],
    ] as const;
    for (const [action, state] of steps) {
      const after = await drover.get<DomainView>('POST', `${path(mail01)}/${action}`);
      expect(after.state).toBe(state.replace(' ', ''));
      expect(await lab.virsh('kvm2', 'domstate', 'mail01')).toBe(state);
    }
  });

  it('shuts a guest down by its own means', async () => {
    const mail01 = await drover.domain('mail01');
    await drover.get('POST', `${path(mail01)}/start`);
    await lab.waitForTick('mail01');
    // A guest that is still booting does not hear it: then it is asked again.
    const askToEnd = async () => {
      await drover.ask('POST', `${path(mail01)}/shutdown`);
      return (await drover.domain('mail01')).state === 'shutoff';
    };
    await until('mail01 is off', askToEnd, 45_000, 1_000);
  });

  it('says in libvirt’s words what cannot be done', async () => {
    const web01 = await drover.domain('web01');
    const { err, status } = await drover.ask('POST', `${path(web01)}/start`);
    expect(err).toMatchObject({ code: 'libvirt', detail: { number: 55 } });
    expect(err?.message).toContain('kvm1');
    expect(err?.message).toContain('web01');
    expect(status).toBe(502);
  });

  it('sets autostart', async () => {
    const mail01 = await drover.domain('mail01');
    expect(await drover.get<DomainView>('PATCH', path(mail01), { autostart: true })).toMatchObject({ autostart: true });
    expect(await lab.virsh('kvm2', 'dominfo', 'mail01')).toMatch(/Autostart:\s+enable/);
    expect(await drover.get<DomainView>('PATCH', path(mail01), { autostart: false })).toMatchObject({
      autostart: false,
    });
  });

  it('defines a VM from XML, refuses to delete it while it runs, and then deletes it', async () => {
    const xml = (await lab.virsh('kvm2', 'dumpxml', 'mail01'))
      .replace('mail01', 'new01')
      .replace(/<uuid>.*<\/uuid>/, '');
    const new01 = await drover.get<DomainView>('POST', `/hosts/${idOf('kvm2')}/domains`, { xml });
    expect(new01).toMatchObject({ name: 'new01', state: 'shutoff' });
    await drover.get('POST', `${path(new01)}/start`);
    expect((await drover.ask('DELETE', path(new01))).err).toMatchObject({ code: 'conflict' });
    await drover.get('POST', `${path(new01)}/destroy`);
    await drover.get('DELETE', path(new01));
    expect(await lab.virsh('kvm2', 'list', '--all', '--name')).not.toContain('new01');
    expect((await drover.ask('GET', path(new01))).err).toMatchObject({ code: 'not-found' });
  });
});

describe('migration', () => {
  beforeEach(() => lab.reset());

  it('moves a running VM, which ends on exactly one host', async () => {
    const migration = await drover.migrated((await start('web01', 'kvm2')).id);
    expect(migration).toMatchObject({
      state: 'completed',
      phase: 'confirm',
      error: null,
      options: { mode: 'live', transport: 'direct', persistent: true, undefineSource: true },
      verdict: { runningOn: [idOf('kvm2')], definedOn: [idOf('kvm2')] },
    });
    expect(migration.downtimeMs).toBeGreaterThan(0);
    expect(migration.progress.percent).toBe(100);
    expect(migration.virsh).toContain('migrate --live --persistent --undefinesource web01');
    expect(await lab.whereabouts('web01')).toEqual([{ host: 'kvm2', state: 'running' }]);
    expect((await drover.domain('web01')).hostId).toBe(idOf('kvm2'));
  });

  it('moves a VM with a shared disk to a host where neither QEMU nor the login is root', async () => {
    expect((await drover.migrated((await start('db01', 'kvm3')).id)).state).toBe('completed');
    expect(await lab.whereabouts('db01')).toEqual([{ host: 'kvm3', state: 'running' }]);
    expect((await drover.migrated((await start('db01', 'kvm1')).id)).state).toBe('completed');
    expect(await lab.whereabouts('db01')).toEqual([{ host: 'kvm1', state: 'running' }]);
  });

  it('moves it paused and resumes it there (suspend)', async () => {
    expect((await drover.migrated((await start('web01', 'kvm2', { mode: 'suspend' })).id)).state).toBe('completed');
    expect(await lab.whereabouts('web01')).toEqual([{ host: 'kvm2', state: 'running' }]);
  });

  it('leaves a paused VM paused', async () => {
    await lab.virsh('kvm1', 'suspend', 'web01');
    await until('it is seen', async () => (await drover.domain('web01')).state === 'paused');
    expect((await drover.migrated((await start('web01', 'kvm2')).id)).state).toBe('completed');
    expect(await lab.whereabouts('web01')).toEqual([{ host: 'kvm2', state: 'paused' }]);
  });

  it('moves the definition of a VM that is off', async () => {
    const migration = await drover.migrated((await start('mail01', 'kvm3')).id);
    expect(migration).toMatchObject({ state: 'completed', options: { mode: 'offline' } });
    expect(await lab.whereabouts('mail01')).toEqual([{ host: 'kvm3', state: 'shut off' }]);
  });

  it('is cancelled while memory goes over: the VM runs on where it was, and the other side is clean', async () => {
    await lab.ensureRunning('busy01', 'kvm1');
    await until('it is seen', async () => (await drover.domain('busy01')).state === 'running');
    const { id } = await start('busy01', 'kvm2', { bandwidthMiBps: 8 });
    await until('it has begun to move', async () => {
      const { phase, progress } = await drover.get<MigrationView>('GET', `/migrations/${id}`);
      return phase === 'perform' && progress.dataProcessedBytes > 0;
    });
    const during = await drover.domain('busy01', 'kvm1');
    expect(during.job).toMatchObject({ migrationId: id, side: 'source' });
    const shutdown = await drover.ask('POST', `${path(during)}/shutdown`);
    expect(shutdown.err).toMatchObject({ code: 'conflict' });
    await drover.get('POST', `/migrations/${id}/cancel`);
    expect(await drover.migrated(id)).toMatchObject({
      state: 'cancelled',
      verdict: { runningOn: [idOf('kvm1')], definedOn: [idOf('kvm1')] },
    });
    expect(await lab.whereabouts('busy01')).toEqual([{ host: 'kvm1', state: 'running' }]);
    const tick = await lab.waitForTick('busy01');
    await lab.waitForTick('busy01', tick);
  });

  it('takes a new limit while it runs', async () => {
    await lab.ensureRunning('busy01', 'kvm1');
    await until('it is seen', async () => (await drover.domain('busy01')).state === 'running');
    const { id } = await start('busy01', 'kvm2', { bandwidthMiBps: 4 });
    await until(
      'it moves',
      async () => (await drover.get<MigrationView>('GET', `/migrations/${id}`)).phase === 'perform',
    );
    const changed = await drover.get<MigrationView>('PATCH', `/migrations/${id}`, {
      bandwidthMiBps: 4000,
      maxDowntimeMs: 20_000,
    });
    expect(changed.options).toMatchObject({ bandwidthMiBps: 4000, maxDowntimeMs: 20_000 });
    expect((await drover.migrated(id)).state).toBe('completed');
  });

  it('goes to the host it is on, nowhere: refused', async () => {
    const { uuid, hostId } = await drover.domain('web01');
    const { err, status } = await drover.ask('POST', '/migrations', { uuid, from: hostId, to: hostId });
    expect(err).toMatchObject({ code: 'refused', detail: { checks: [{ id: 'same-host', level: 'error' }] } });
    expect(status).toBe(422);
  });

  it('is refused where the disk is not shared, and says which', async () => {
    await lab.ensureRunning('files01', 'kvm1');
    const { uuid, hostId } = await drover.domain('files01');
    await until('it is seen', async () => (await drover.domain('files01')).state === 'running');
    const { err } = await drover.ask('POST', '/migrations', { uuid, from: hostId, to: idOf('kvm2') });
    expect(err).toMatchObject({ code: 'refused' });
    const failed = (err?.detail?.checks as Check[]).filter(({ level }) => level === 'error');
    expect(failed.map(({ id }) => id)).toEqual(['disk-vda']);
    expect(failed[0]?.message).toContain('files01.qcow2');
    expect(await lab.whereabouts('files01')).toEqual([{ host: 'kvm1', state: 'running' }]);
  });

  it('is refused where the name is taken by another VM', async () => {
    const xml = (await lab.virsh('kvm2', 'dumpxml', 'mail01'))
      .replace('mail01', 'web01')
      .replace(/<uuid>.*<\/uuid>/, '');
    await lab.define('kvm2', xml);
    try {
      await until(
        'both are seen',
        async () => (await drover.get<DomainView[]>('GET', '/domains?q=web01')).length === 2,
      );
      const { uuid, hostId } = await drover.domain('web01', 'kvm1');
      const body = { uuid, from: hostId, to: idOf('kvm2') };
      const { err } = await drover.ask('POST', '/migrations', body);
      expect(err).toMatchObject({ code: 'refused' });
      expect(err?.message).toContain('another VM named web01');
      // libvirt refuses as well; forced, it fails with libvirt’s own words and the VM stays.
      const forced = await drover.get<MigrationView>('POST', '/migrations', { ...body, options: { force: true } });
      const ended = await drover.migrated(forced.id);
      expect(ended).toMatchObject({
        state: 'failed',
        error: { code: 'libvirt' },
        verdict: { runningOn: [idOf('kvm1')] },
      });
    } finally {
      await lab.virsh('kvm2', 'undefine', 'web01');
    }
  });

  it('is judged beforehand for every other host', async () => {
    const { uuid, hostId } = await drover.domain('db01');
    const verdicts = await drover.get<Record<string, Preflight>>('POST', '/migrations/preflight', {
      uuid,
      from: hostId,
    });
    expect(Object.keys(verdicts).sort()).toEqual([idOf('kvm2'), idOf('kvm3')].sort());
    for (const { verdict, checks } of Object.values(verdicts)) {
      expect(verdict).toBe('ok');
      expect(checks.map(({ id }) => id)).toContain('disk-vda');
    }
  });

  it('of a running VM is refused in the kinds that are for one that is shut off', async () => {
    const { uuid, hostId } = await drover.domain('web01');
    for (const mode of ['cold', 'offline']) {
      const { err, status } = await drover.ask('POST', '/migrations', {
        uuid,
        from: hostId,
        to: idOf('kvm2'),
        options: { mode },
      });
      expect([err?.code, status]).toEqual(['refused', 422]);
      expect(err?.detail?.['checks']).toContainEqual(expect.objectContaining({ id: 'state', level: 'error' }));
    }
  });

  it('is not started twice for the same VM', async () => {
    const { uuid, hostId } = await drover.domain('web01');
    const body = { uuid, from: hostId, to: idOf('kvm2'), options: { bandwidthMiBps: 16 } };
    const answers = await Promise.all([
      drover.ask('POST', '/migrations', body),
      drover.ask('POST', '/migrations', body),
    ]);
    const codes = answers.map(({ err }) => err?.code ?? 'started').sort();
    expect(codes).toEqual(['conflict', 'started']);
    const started = answers.find(({ data }) => data)?.data as MigrationView;
    expect((await drover.migrated(started.id)).state).toBe('completed');
  });
});

describe('a daemon that goes away', () => {
  beforeAll(() => lab.reset());

  it('greys the host and its VMs, says why, and all comes back by itself', async () => {
    const { told, close } = await drover.events();
    await lab.kill('kvm3', 'libvirtd');
    const lost = await until('kvm3 is lost', async () => {
      const host = await drover.get<HostView>('GET', `/hosts/${idOf('kvm3')}`);
      return host.state !== 'online' && host;
    });
    expect(lost.error?.message).toContain('kvm3');
    expect((await drover.domain('build01')).stale).toBe(true);
    await lab.start('kvm3', 'libvirtd');
    await until(
      'kvm3 is back',
      async () => (await drover.get<HostView>('GET', `/hosts/${idOf('kvm3')}`)).state === 'online',
    );
    expect(await drover.domain('build01')).toMatchObject({ stale: false, state: 'running' });
    expect(told.some(({ event, data }) => event === 'host' && (data as HostView).state !== 'online')).toBe(true);
    close();
  });

  it('during a migration, leaves the VM running at its source', async () => {
    await lab.ensureRunning('busy01', 'kvm1');
    await until('it is seen', async () => (await drover.domain('busy01')).state === 'running');
    const { id } = await start('busy01', 'kvm2', { bandwidthMiBps: 8 });
    await until('it moves', async () => {
      const { phase, progress } = await drover.get<MigrationView>('GET', `/migrations/${id}`);
      return phase === 'perform' && progress.dataProcessedBytes > 0;
    });
    await lab.kill('kvm2', 'libvirtd');
    await lab.start('kvm2', 'libvirtd');
    const ended = await drover.migrated(id);
    expect(ended).toMatchObject({ state: 'failed', verdict: { runningOn: [idOf('kvm1')], definedOn: [idOf('kvm1')] } });
    await until('kvm2 is clean', async () => !(await lab.virsh('kvm2', 'list', '--all', '--name')).includes('busy01'));
    expect(await lab.whereabouts('busy01')).toEqual([{ host: 'kvm1', state: 'running' }]);
  });
});

it('complained of nothing meanwhile', () => {
  expect(drover.log).toEqual([]);
});
