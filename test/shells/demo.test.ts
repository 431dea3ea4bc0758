// The demo fleet as a person meets it: started with the server, marked, given faults, and gone with a call.
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, expect, it } from 'vitest';
import type { DomainView, HostView } from '../../contract/model.ts';
import { Served } from '../lab/served.ts';
import { until } from '../lab/run.ts';

let drover: Served;
let dir: string;
afterEach(async () => {
  await drover.stop();
  await rm(dir, { recursive: true });
});

// It is asked to end in order, which Windows asks of no process.
it.skipIf(process.platform === 'win32')('comes, shows its troubles, takes faults, is not kept, and goes', async () => {
  dir = await mkdtemp(join(tmpdir(), 'drover-demo-test-'));
  drover = await Served.start({ dataDir: dir });
  expect(await drover.get('POST', '/demo')).toEqual({ hosts: 8 });
  const settled = await until('the hosts have settled', async () => {
    const hosts = await drover.get<HostView[]>('GET', '/hosts');
    return hosts.every(({ state }) => state !== 'connecting') && hosts;
  });
  expect(settled.every(({ simulated }) => simulated)).toBe(true);
  expect(settled.filter(({ state }) => state === 'online')).toHaveLength(6);
  expect(settled.find(({ state }) => state === 'untrusted')?.hostKey?.status).toBe('changed');
  expect((await drover.get<DomainView[]>('GET', '/domains')).length).toBeGreaterThan(100);

  const host = settled.find(({ state }) => state === 'online') as HostView;
  expect(await drover.get('POST', '/demo/faults', { kind: 'down', host: host.label })).toMatchObject({
    faults: expect.arrayContaining([expect.objectContaining({ kind: 'down', host: host.label })]) as unknown,
  });
  await until(
    'it is lost',
    async () => (await drover.get<HostView>('GET', `/hosts/${host.id}`)).state === 'unreachable',
  );
  expect((await drover.ask('POST', '/demo/faults', { kind: 'nonsense' })).err?.code).toBe('bad-request');

  await drover.get('DELETE', '/demo');
  expect(await drover.get('GET', '/hosts')).toEqual([]);
  expect((await drover.ask('GET', '/demo/faults')).err?.code).toBe('conflict');
  await drover.stop();
  expect(JSON.parse(await readFile(join(dir, 'hosts.json'), 'utf8'))).toMatchObject({ data: [] });
  expect(drover.log.filter((line) => !line.includes('stopping'))).toEqual([]);
});
