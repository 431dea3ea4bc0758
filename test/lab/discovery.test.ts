// A sweep of the lab's own subnet: finds its hosts and nobody else, and how long that takes beside nmap.
import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import { openDiscovery, type Discovery, type FleetHost, type ScanArgs } from '../../src-main/discovery/index.ts';
import type { ScanView } from '../../contract/model.ts';
import { Lab } from './lab.ts';

const names = ['kvm1', 'kvm2', 'kvm3'];
let lab: Lab;
let fleet: FleetHost[] = [];
let discovery: Discovery;

beforeAll(async () => {
  lab = await Lab.open();
  await lab.reset();
});

async function open(): Promise<void> {
  discovery = await openDiscovery({
    store: { load: async () => undefined, save: async () => {} },
    fleet: () => fleet,
    addHost: () => Promise.reject(new Error('nothing is added here')),
  });
}

afterEach(async () => {
  fleet = [];
  await discovery.close();
});

function finished({ scans }: Discovery, args: ScanArgs): Promise<ScanView> {
  return new Promise((resolve) => {
    const undo = scans.onChange((change) => {
      if ('removed' in change || change.state === 'running') return;
      undo();
      resolve(scans.get(change.id));
    });
    scans.start(args);
  });
}

describe('a sweep of the lab', () => {
  it('finds exactly its hosts, each with the fingerprint of its own key', async () => {
    await open();
    const { state, probed, found } = await finished(discovery, { cidr: lab.state.subnet });
    expect({ state, probed }).toEqual({ state: 'completed', probed: 254 });
    expect(found).toEqual(
      names.map((name) => ({
        address: lab.host(name).address,
        port: 22,
        kind: 'ssh',
        banner: expect.stringMatching(/^SSH-2\.0-OpenSSH_/) as string,
        fingerprint: lab.host(name).fingerprints.ed25519,
      })),
    );
  });

  it('says beforehand what it costs; a second run of a pass calls only what the pass is about', async () => {
    await open();
    fleet = [{ id: 'kvm1', address: lab.host('kvm1').address, port: 22, libvirtVersion: '9.0.0' }];
    const { connections } = discovery.scans.forecast({ cidr: lab.state.subnet });
    const full = await finished(discovery, { cidr: lab.state.subnet });
    expect(full.connections).toBeGreaterThanOrEqual(connections.least);
    expect(full.connections).toBeLessThanOrEqual(connections.most);
    expect([...full.map].filter((mark) => mark === '9')).toHaveLength(254 - [...full.map.matchAll(/[cosl]/g)].length);
    const again = async (pass: ScanArgs['pass']) => (await finished(discovery, { cidr: lab.state.subnet, pass })).total;
    const answered = [...full.map.matchAll(/[cosl]/g)].length;
    expect(await again('known')).toBe(1);
    expect(await again('non-libvirt')).toBe(answered - 1);
    expect(await again('silent')).toBe(254 - answered);
  });

  it('calls in each pass exactly the hosts that it is about, each once, as counted at the hosts', async () => {
    await open();
    fleet = [{ id: 'kvm1', address: lab.host('kvm1').address, port: 22, libvirtVersion: '9.0.0' }];
    const counter = ['PREROUTING', '-p', 'tcp', '--syn', '--dport', '22'];
    const counted = async () => {
      const said = await Promise.all(
        names.map((name) => lab.exec(name, 'iptables -t raw -vnxL PREROUTING -Z'.split(' '))),
      );
      return said.map((text) => Number(/^ *(\d+) .*dpt:22/m.exec(text)?.[1]));
    };
    // So long that a busy machine is not called twice.
    const pass = async (name: ScanArgs['pass']) => {
      await finished(discovery, { cidr: names.map((one) => lab.host(one).address), pass: name, timeoutMs: 30_000 });
      return counted();
    };
    for (const name of names) await lab.exec(name, ['iptables', '-t', 'raw', '-I', ...counter]);
    try {
      expect(await pass('full')).toEqual([1, 1, 1]);
      expect(await pass('silent')).toEqual([0, 0, 0]);
      expect(await pass('non-libvirt')).toEqual([0, 1, 1]);
      expect(await pass('known')).toEqual([1, 0, 0]);
    } finally {
      for (const name of names) await lab.exec(name, ['iptables', '-t', 'raw', '-D', ...counter]);
    }
  });

  it('sees that a known host fell silent, and that it is back', async () => {
    await open();
    fleet = names.map((name) => ({ id: name, address: lab.host(name).address, port: 22, libvirtVersion: '9.0.0' }));
    const known = async () =>
      (await finished(discovery, { cidr: lab.state.subnet, pass: 'known' })).found.map(({ hostId, kind }) => [
        hostId,
        kind,
      ]);
    await finished(discovery, { cidr: lab.state.subnet });
    await lab.link('kvm2', 'down');
    try {
      expect(await known()).toEqual([
        ['kvm1', 'libvirt'],
        ['kvm2', 'silent'],
        ['kvm3', 'libvirt'],
      ]);
    } finally {
      await lab.link('kvm2', 'up');
    }
    await expect.poll(known, { timeout: 10_000 }).toContainEqual(['kvm2', 'libvirt']);
    expect(discovery.neighbours().find(({ hostId }) => hostId === 'kvm2')).toMatchObject({ change: 'back' });
  });
});
