// The main job from a terminal, on real hosts: add, list, a console that follows a migration.
import { spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { DomainView, HostView, MigrationView } from '../../contract/model.ts';
import { Lab } from './lab.ts';
import { until } from './run.ts';

const top = resolve(import.meta.dirname, '../..');
const lab = await Lab.open();
let data: string;

beforeAll(async () => {
  await lab.reset();
  data = await mkdtemp(join(tmpdir(), 'drover-cli-lab-'));
});
afterAll(async () => {
  await rm(data, { recursive: true, force: true });
  await lab.reset();
});

function start(...args: string[]) {
  const child = spawn(process.execPath, ['--import', 'tsx', 'src-main/main.ts', ...args, '--data', data], {
    cwd: top,
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  const run = { child, out: '', err: '', ended: new Promise<number | null>((done) => child.on('close', done)) };
  child.stdout.on('data', (chunk) => (run.out += String(chunk)));
  child.stderr.on('data', (chunk) => (run.err += String(chunk)));
  return run;
}

async function json<T>(...args: string[]): Promise<T> {
  const run = start(...args, '--json');
  expect(await run.ended, run.err).toBe(0);
  return JSON.parse(run.out) as T;
}

it('adds the hosts, lists what virsh lists, and a console goes with a VM that another command moves', async () => {
  for (const { name, uri } of lab.hosts) {
    expect(await json<HostView>('add', uri, '--label', name)).toMatchObject({ label: name, state: 'online' });
  }
  const vms = await json<DomainView[]>('vms', '--host', 'kvm1');
  const listed = (await lab.virsh('kvm1', 'list', '--all', '--name')).split('\n').filter(Boolean);
  expect(vms.map(({ name }) => name).sort()).toEqual(listed.sort());

  const console_ = start('console', 'kvm1/web01');
  const tick = () => Number([...console_.out.matchAll(/tick (\d+)/g)].at(-1)?.[1] ?? 0);
  await until('the console shows ticks', () => tick() > 0);
  const moved = start('migrate', 'web01', 'kvm2', '--json');
  expect(await moved.ended, moved.err).toBe(0);
  const last = JSON.parse(moved.out.trim().split('\n').at(-1) ?? '') as MigrationView;
  expect(last).toMatchObject({ state: 'completed', error: null });
  expect(await lab.whereabouts('web01')).toEqual([{ host: 'kvm2', state: 'running' }]);
  await until('the console says so', () => /\[web01 moved from kvm1 to kvm2/.test(console_.err));
  const before = tick();
  await until('and goes on', () => tick() > before);
  console_.child.kill('SIGINT');
  expect(await console_.ended, console_.err).toBe(0);
});
