// The demo in a process of its own: what it says, what it takes, and that it ends with who started it.
import { spawn, type ChildProcess } from 'node:child_process';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { afterEach, expect, it } from 'vitest';
import type { Command, Line } from '../../src-sim/main.ts';

let child: ChildProcess | null = null;
afterEach(() => child?.kill());

function start() {
  const main = join(import.meta.dirname, '../../src-sim/main.ts');
  const started = spawn(process.execPath, ['--import', 'tsx', main], { stdio: ['pipe', 'pipe', 'inherit'] });
  child = started;
  const lines = createInterface({ input: started.stdout })[Symbol.asyncIterator]();
  const next = async () => JSON.parse(String((await lines.next()).value)) as Line;
  const ask = (command: Command | object) => {
    started.stdin.write(`${JSON.stringify(command)}\n`);
    return next();
  };
  const ended = new Promise((resolve) => started.once('close', resolve));
  return { next, ask, end: () => started.stdin.end(), ended };
}

it('tells its hosts, sets faults, refuses nonsense, and ends with its input', async () => {
  const demo = start();
  const first = await demo.next();
  if (!('hosts' in first)) throw new Error('no hosts');
  expect(first.hosts).toHaveLength(8);
  expect(first.domains).toBeGreaterThanOrEqual(110);
  expect(first.hosts.filter(({ trouble }) => trouble !== null).map(({ trouble }) => trouble)).toEqual([
    'down',
    'key-changed',
  ]);
  for (const { uri, fingerprint } of first.hosts) {
    expect(uri).toMatch(/^qemu\+ssh:\/\/root@127\.[\d.]+:\d+\/system\?keyfile=.+&known_hosts=.+/);
    expect(fingerprint).toMatch(/^SHA256:[\w+/]{43}$/);
  }
  const set = await demo.ask({ id: 7, set: { kind: 'migration-stalls', at: 60 } });
  expect(set).toMatchObject({
    id: 7,
    faults: expect.arrayContaining([{ kind: 'migration-stalls', at: 60 }]) as object,
  });
  expect(await demo.ask({ id: 8, set: { kind: 'nonsense' } })).toMatchObject({
    id: 8,
    error: expect.any(String) as string,
  });
  expect(await demo.ask({ id: 9, clear: null })).toEqual({ id: 9, faults: [] });
  demo.end();
  expect(await demo.ended).toBe(0);
});
