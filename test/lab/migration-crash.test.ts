// Real hosts: Drover is killed by SIGKILL in the middle of a migration, and started again.
import { execFileSync } from 'node:child_process';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { HostView, MigrationView } from '../../contract/model.ts';
import { Lab } from './lab.ts';
import { until } from './run.ts';
import { Served } from './served.ts';

const lab = await Lab.open();
let drover: Served;
let hosts: Record<string, HostView>;

beforeAll(() => lab.reset());
afterAll(() => lab.reset());
beforeEach(async () => {
  drover = await Served.start();
  hosts = await drover.addLab(lab);
});
afterEach(() => drover.remove());

const idOf = (name: string) => hosts[name]?.id ?? '';

async function start(name: string, from: string, to: string, options: object = {}): Promise<MigrationView> {
  const { uuid } = await until(`${name} is seen`, () => drover.domain(name, from).catch(() => null));
  return drover.get('POST', '/migrations', { uuid, from: idOf(from), to: idOf(to), options });
}

async function reached(id: string, phases: string[], more: (view: MigrationView) => boolean = () => true) {
  await until(`it is in ${phases.join(' or ')}`, async () => {
    const view = await drover.get<MigrationView>('GET', `/migrations/${id}`);
    return phases.includes(view.phase) && more(view);
  });
}

async function killAndStartAgain(): Promise<void> {
  const { dataDir, pid } = drover;
  process.kill(pid, 'SIGKILL');
  await until('it is gone', () => {
    try {
      execFileSync('kill', ['-0', String(pid)], { stdio: 'ignore' });
      return false;
    } catch {
      return true;
    }
  });
  drover = await Served.start({ dataDir });
}

describe('Drover killed by SIGKILL', () => {
  it('while memory goes over: the guest runs on at its source', async () => {
    await lab.ensureRunning('busy01', 'kvm1');
    const { id } = await start('busy01', 'kvm1', 'kvm3', { transport: 'direct', bandwidthMiBps: 4 });
    await reached(id, ['perform'], ({ progress }) => progress.percent > 0);
    await killAndStartAgain();
    const ended = await drover.migrated(id);
    expect(ended.state).toBe('failed');
    expect(await lab.whereabouts('busy01')).toEqual([{ host: 'kvm1', state: 'running' }]);
    await lab.waitForTick('busy01');
    expect(ended.verdict).toEqual({ runningOn: [idOf('kvm1')], definedOn: [idOf('kvm1')] });
  });

  it('at the switch-over, at several moments: it runs in exactly one place', async () => {
    for (const [round, to] of ['kvm2', 'kvm1', 'kvm2', 'kvm1'].entries()) {
      const from = to === 'kvm2' ? 'kvm1' : 'kvm2';
      await lab.ensureRunning('web01', from);
      const { id } = await start('web01', from, to, { transport: 'direct' });
      await reached(id, round % 2 === 0 ? ['finish', 'confirm'] : ['perform', 'finish', 'confirm']);
      await killAndStartAgain();
      await drover.migrated(id);
      const places = await lab.whereabouts('web01');
      expect(places).toHaveLength(1);
      expect(places[0]?.state).toBe('running');
      await lab.waitForTick('web01');
    }
  }, 180_000);
});

describe('three that move at once', () => {
  const together = ['web01', 'db01', 'fast01'];

  it.each([
    ['Drover is killed', async () => killAndStartAgain()],
    [
      'Drover is told to end',
      async () => {
        const { dataDir } = drover;
        await drover.stop('SIGTERM');
        drover = await Served.start({ dataDir });
      },
    ],
    ['the source’s SSH server is killed', () => strike('kvm1', 'sshd')],
    ['the target’s SSH server is killed', () => strike('kvm2', 'sshd')],
    ['the source’s daemon is killed', () => strike('kvm1', 'libvirtd')],
    ['the target’s daemon is killed', () => strike('kvm2', 'libvirtd')],
  ])(
    'each run in one place afterwards: %s',
    async (_, blow) => {
      for (const name of together) await lab.ensureRunning(name, 'kvm1');
      await until('all hosts are online', async () =>
        (await drover.get<HostView[]>('GET', '/hosts')).every(({ state }) => state === 'online'),
      );
      const options = { transport: 'direct', bandwidthMiBps: 20 };
      const begun = await Promise.all(together.map((name) => start(name, 'kvm1', 'kvm2', options)));
      await Promise.any(begun.map(({ id }) => reached(id, ['perform', 'finish', 'confirm'])));
      await blow();
      for (const [at, { id }] of begun.entries()) {
        const name = together[at] ?? '';
        const { verdict } = await until(
          `the migration of ${name} has ended`,
          async () => {
            const view = await drover.get<MigrationView>('GET', `/migrations/${id}`).catch(() => null);
            return view?.endedAt ? view : null;
          },
          90_000,
        );
        const places = await lab.whereabouts(name);
        expect(places, name).toHaveLength(1);
        expect(places[0]?.state, name).toBe('running');
        expect(verdict, name).toEqual({
          runningOn: [idOf(places[0]?.host ?? '')],
          definedOn: [idOf(places[0]?.host ?? '')],
        });
        await lab.waitForTick(name);
      }
    },
    180_000,
  );

  async function strike(host: string, program: 'sshd' | 'libvirtd'): Promise<void> {
    await lab.kill(host, program);
    await lab.start(host, program);
  }
});
