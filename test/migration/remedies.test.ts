// What a check offers, applied: on the host or to the options; and what is only said.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Check } from '../../contract/model.ts';
import { Rig } from './rig.ts';

let rig: Rig;
const lan = { name: 'lan', bridge: 'virbr1', mode: 'bridge' } as const;
const disk = (path: string) => ({ path, gib: 1 });

beforeAll(async () => {
  rig = await Rig.start({
    seed: 'remedies',
    hosts: [
      { name: 'a', bridges: ['br0', 'br7'], networks: [lan, { name: 'own', bridge: 'virbr2' }], lacks: [] },
      { name: 'b', bridges: ['br0'], networks: [lan], libvirt: 8_000_000 },
    ],
    domains: [
      { name: 'web', host: 'a', running: true, nics: ['lan'], disks: [disk('/srv/shared/web.qcow2')] },
      { name: 'wide', host: 'a', running: true, nics: [], features: ['avx512f', 'aes'] },
      { name: 'lost', host: 'a', running: true, nics: ['own', 'bridge:br7'] },
      { name: 'files', host: 'a', running: true, nics: [], disks: [disk('/var/lib/libvirt/images/files.qcow2')] },
    ],
  });
});
afterAll(() => rig.close());

const ref = (name: string) => ({ hostId: rig.host('a').id, uuid: rig.sim.uuid(name) });
const preflight = (name: string, options = {}) => rig.migrations.preflight(ref(name), rig.host('b').id, options);
const remedy = (name: string, id: string, options = {}) =>
  rig.migrations.remedy(ref(name), rig.host('b').id, options, id);
const errors = (checks: Check[]) => checks.filter(({ level }) => level === 'error');
const network = () => rig.sim.host('b').daemon.networks.find(({ name }) => name === 'lan');

describe('on the host', () => {
  it('a network is started, once it is said so', async () => {
    const there = network();
    if (there) there.active = false;
    const [check] = errors((await preflight('web')).checks);
    expect(check).toMatchObject({
      id: 'network-lan',
      remedies: [
        {
          id: 'start-network-lan',
          preview: { kind: 'command', text: expect.stringContaining('net-start lan') as string },
        },
      ],
    });
    expect(network()?.active).toBe(false);
    const { options, preflight: after } = await remedy('web', 'start-network-lan');
    expect(options).toEqual({});
    expect(errors(after.checks)).toEqual([]);
    expect(network()?.active).toBe(true);
  });

  it('nothing is done that is not offered (any more)', async () => {
    await expect(remedy('web', 'start-network-lan')).rejects.toMatchObject({ code: 'conflict' });
    await expect(remedy('web', 'eject-vda')).rejects.toMatchObject({ code: 'conflict' });
  });
});

describe('to the options', () => {
  it('disks are copied along', async () => {
    const [check] = errors((await preflight('files')).checks);
    expect(check).toMatchObject({ id: 'disk-vda', remedies: [{ id: 'copy-disks', preview: { kind: 'options' } }] });
    const { options, preflight: after } = await remedy('files', 'copy-disks', { bandwidthMiBps: 5 });
    expect(options).toEqual({ bandwidthMiBps: 5, storage: 'copy' });
    expect(errors(after.checks)).toEqual([]);
  });

  it('another network by edited XML, of which only what changes is shown', async () => {
    const checks = errors((await preflight('lost')).checks);
    expect(checks.map(({ id }) => id)).toEqual(['network-own', 'bridge-br7']);
    const other = checks[0]?.remedies?.[0];
    expect(other?.id).toBe('network-own-lan');
    expect(other?.preview.text.split('\n').filter((line) => /^[-+]/.test(line))).toEqual([
      expect.stringMatching(/^-\s+<source network='own'/),
      expect.stringMatching(/^\+\s+<source network='lan'/),
    ]);
    const { options, preflight: after } = await remedy('lost', 'network-own-lan');
    expect(options.destXml).toContain("<source network='lan'");
    expect(errors(after.checks).map(({ id }) => id)).toEqual(['bridge-br7']);
  });
});

it('a processor with features that the target lacks is named, and the start refused', async () => {
  const [check] = errors((await preflight('wide')).checks);
  expect(check?.id).toBe('cpu');
  expect(check?.message).toMatch(/features: avx512f/);
  await expect(rig.migrations.start(ref('wide'), rig.host('b').id, {})).rejects.toMatchObject({ code: 'refused' });
  const forced = await rig.migrations.start(ref('wide'), rig.host('b').id, { force: true });
  const ended = await rig.ended(forced.id);
  expect(ended).toMatchObject({ state: 'failed', error: { message: expect.stringContaining('avx512f') as string } });
  expect(rig.where('wide').runs).toEqual(['a']);
});

it('an older libvirt is a warning, with both numbers', async () => {
  const check = (await preflight('web')).checks.find(({ id }) => id === 'versions');
  expect(check).toMatchObject({ level: 'warn', message: expect.stringMatching(/8\.0\.0.*9\.0\.0/) as string });
});
