import { beforeEach, describe, expect, it } from 'vitest';
import type { HostView, ScanView } from '../../contract/model.ts';
import { Failure } from '../../contract/failure.ts';
import {
  openDiscovery,
  type AddHost,
  type Discovery,
  type FleetHost,
  type Identify,
  type ScanArgs,
} from '../../src-main/discovery/index.ts';
import { FakeNetwork, VirtualClock } from './fake-network.ts';

let clock: VirtualClock;
let network: FakeNetwork;
let fleet: FleetHost[];
let kept: unknown;
let keys: Map<string, string>;

beforeEach(() => {
  clock = new VirtualClock();
  network = new FakeNetwork(clock);
  fleet = [];
  kept = undefined;
  keys = new Map();
});

const fingerprintOf = (address: string) => `SHA256:${address.replaceAll(/\D/g, '').padEnd(43, 'x')}`;

function open(options: { identify?: Identify; addHost?: AddHost } = {}): Promise<Discovery> {
  return openDiscovery({
    store: {
      load: async () => kept,
      save: async (data) => {
        kept = JSON.parse(JSON.stringify(data)); // as a disk would
      },
    },
    fleet: () => fleet,
    addHost: () => Promise.reject(new Error('nothing is added here')),
    dial: network.dial,
    takeKey: async ({ address }) => ({ fingerprint: keys.get(address) ?? fingerprintOf(address) }),
    clock,
    ...options,
  });
}

/** Runs one to its end. */
async function run({ scans }: Discovery, args: ScanArgs): Promise<ScanView> {
  const { id } = scans.start(args);
  await clock.until(
    new Promise<void>((resolve) => {
      if (scans.get(id).state !== 'running') return resolve();
      const undo = scans.onChange((change) => {
        if (change.id !== id || 'removed' in change || change.state === 'running') return;
        undo();
        resolve();
      });
    }),
  );
  return scans.get(id);
}

const called = () => [...new Set(network.calls.splice(0).map(({ address }) => address))].sort();
const range = '10.0.0.0/28';

describe('a scan', () => {
  it('says what it found, with banner and fingerprint, lower addresses first', async () => {
    network.hosts.set('10.0.0.9', { says: 'hello\r\n' });
    network.hosts.set('10.0.0.2', {});
    const scan = await run(await open(), { cidr: '10.0.0.3/28' });
    expect(scan).toMatchObject({
      cidr: range,
      pass: 'full',
      state: 'completed',
      probed: 14,
      total: 14,
      error: null,
      notes: ['10.0.0.3/28 has host bits set; what is swept is 10.0.0.0/28.'],
      found: [
        { address: '10.0.0.2', port: 22, kind: 'ssh', banner: 'SSH-2.0-Fake', fingerprint: fingerprintOf('10.0.0.2') },
        { address: '10.0.0.9', port: 22, kind: 'open', banner: 'hello' },
      ],
    });
    expect(scan.endedAt! > scan.startedAt).toBe(true);
  });

  it('is told as it goes: counts, each find once, at most some ten times a second', async () => {
    for (let last = 1; last <= 200; last += 1) network.hosts.set(`10.0.0.${last}`, {});
    const discovery = await open();
    const told: { at: number; change: ScanView }[] = [];
    discovery.scans.onChange((change) => {
      if (!('removed' in change)) told.push({ at: clock.now(), change });
    });
    await run(discovery, { cidr: '10.0.0.0/24', rate: 100 });
    const finds = told.flatMap(({ change }) => change.found.map(({ address }) => address));
    expect(finds).toHaveLength(200);
    expect(new Set(finds).size).toBe(200);
    const probed = told.map(({ change }) => change.probed);
    expect(probed).toEqual(probed.toSorted((a, b) => a - b));
    expect(told[0]!.change).toMatchObject({ state: 'running', probed: 0, total: 254 });
    expect(told.at(-1)!.change).toMatchObject({ state: 'completed', probed: 254 });
    expect(told.length).toBeGreaterThan(20);
    for (let n = 1; n + 1 < told.length; n += 1) expect(told[n]!.at - told[n - 1]!.at).toBeGreaterThanOrEqual(100);
  });

  it('calls every port that was asked for', async () => {
    network.hosts.set('10.0.0.2', {});
    const scan = await run(await open(), { cidr: range, ports: [22, 16509, 22] });
    expect(scan.total).toBe(28);
    expect(scan.found.map(({ port }) => port)).toEqual([22, 16509]);
  });

  it('keeps what it found when it is cancelled', async () => {
    network.hosts.set('10.0.0.2', {});
    const discovery = await open();
    const { id } = discovery.scans.start({ cidr: '10.0.0.0/24', rate: 20 });
    while (discovery.scans.get(id).found.length === 0) {
      clock.step();
      await new Promise(setImmediate);
    }
    expect(discovery.scans.cancel(id)).toMatchObject({ state: 'cancelled', found: [{ address: '10.0.0.2' }] });
    expect(discovery.scans.cancel(id).state).toBe('cancelled');
    expect(network.open).toBe(0);
    await discovery.close();
    expect(discovery.neighbours()).toHaveLength(1);
    expect((await open()).neighbours()).toHaveLength(1);
  });

  it('fails with a sentence where this machine has no way to the range', async () => {
    network.fails = () => 'ENETUNREACH';
    const scan = await run(await open(), { cidr: '10.0.0.1-10.0.0.4' });
    expect(scan.state).toBe('failed');
    expect(scan.error).toEqual({
      code: 'unreachable',
      message:
        'This machine has no way to 10.0.0.1-10.0.0.4 (ENETUNREACH): check its network, VPN and firewall, and sweep again.',
    });
  });

  it('of a part that cannot be called says so in a note', async () => {
    network.fails = ({ address }) => (address === '10.0.0.5' ? 'ENETUNREACH' : null);
    const { state, notes } = await run(await open(), { cidr: range });
    expect(state).toBe('completed');
    expect(notes).toEqual(['1 of 14 could not be called: this machine has no way there (ENETUNREACH).']);
  });

  it('may run beside another of the same range', async () => {
    network.hosts.set('10.0.0.2', {});
    const discovery = await open();
    const [one, two] = await Promise.all([run(discovery, { cidr: range }), run(discovery, { cidr: range })]);
    expect([one.found.length, two.found.length]).toEqual([1, 1]);
    expect(discovery.neighbours()).toHaveLength(1);
  });

  it('that is unknown is not found, in a sentence', async () => {
    const { scans } = await open();
    expect(() => scans.get('x')).toThrow(/There is no scan x/);
    expect(() => scans.cancel('x')).toThrow(Failure);
  });

  it('is forgotten when many came after it', async () => {
    const discovery = await open();
    const removed: string[] = [];
    discovery.scans.onChange((change) => 'removed' in change && removed.push(change.id));
    const first = await run(discovery, { cidr: '10.0.0.1' });
    for (let n = 0; n < 25; n += 1) await run(discovery, { cidr: '10.0.0.1' });
    expect(removed).toContain(first.id);
    expect(discovery.scans.list().length).toBeLessThan(25);
  });

  it('tells nobody any more who let go', async () => {
    const discovery = await open();
    let told = 0;
    const undo = discovery.scans.onChange(() => (told += 1));
    undo();
    undo();
    await run(discovery, { cidr: '10.0.0.1' });
    expect(told).toBe(0);
  });
});

describe('the passes', () => {
  /** 2: libvirt, in the fleet · 3: SSH · 4: open · 5: refuses · the rest silent. */
  async function swept(): Promise<Discovery> {
    for (const last of [2, 3]) network.hosts.set(`10.0.0.${last}`, {});
    network.hosts.set('10.0.0.4', { says: 'hello\r\n' });
    network.hosts.set('10.0.0.5', { says: 'closed' });
    fleet = [{ id: 'h2', address: '10.0.0.2', port: 22, libvirtVersion: '9.0.0' }];
    const discovery = await open();
    await run(discovery, { cidr: range });
    network.calls.length = 0;
    return discovery;
  }

  it('full calls everything', async () => {
    const discovery = await swept();
    const { total } = await run(discovery, { cidr: range });
    expect(total).toBe(14);
    expect(called()).toHaveLength(14);
  });

  it('silent calls only what never answered', async () => {
    const discovery = await swept();
    const { total } = await run(discovery, { cidr: range, pass: 'silent' });
    expect(total).toBe(10);
    expect(called()).toEqual([1, 6, 7, 8, 9, 10, 11, 12, 13, 14].map((last) => `10.0.0.${last}`).sort());
  });

  it('non-libvirt calls only what answered and had none', async () => {
    const discovery = await swept();
    await run(discovery, { cidr: range, pass: 'non-libvirt' });
    expect(called()).toEqual(['10.0.0.3', '10.0.0.4', '10.0.0.5']);
  });

  it('known calls only libvirt hosts, once each while they answer', async () => {
    const discovery = await swept();
    const scan = await run(discovery, { cidr: range, pass: 'known' });
    expect(network.calls).toHaveLength(1);
    expect(scan).toMatchObject({
      total: 1,
      found: [{ address: '10.0.0.2', kind: 'libvirt', libvirtVersion: '9.0.0', hostId: 'h2' }],
    });
  });

  it('known calls hosts of the fleet that no sweep has met, by their own ports', async () => {
    fleet = [
      { id: 'h', address: '10.0.0.8', port: 2222, libvirtVersion: '9.0.0' },
      { id: 'never online', address: '10.0.0.9', port: 22, libvirtVersion: null },
      { id: 'elsewhere', address: '10.0.1.9', port: 22, libvirtVersion: '9.0.0' },
    ];
    await run(await open(), { cidr: range, pass: 'known' });
    expect(new Set(network.calls.map(({ address, port }) => `${address}:${port}`))).toEqual(new Set(['10.0.0.8:2222']));
  });

  it('tell of a known host that is gone, and of its coming back', async () => {
    const discovery = await swept();
    network.hosts.delete('10.0.0.2');
    const gone = await run(discovery, { cidr: range, pass: 'known' });
    expect(gone.found).toMatchObject([{ address: '10.0.0.2', kind: 'silent', hostId: 'h2' }]);
    expect(discovery.neighbours()[0]).toMatchObject({ kind: 'silent', change: 'gone' });
    network.hosts.set('10.0.0.2', { says: 'closed' });
    await run(discovery, { cidr: range, pass: 'known' });
    expect(discovery.neighbours()[0]).toMatchObject({ kind: 'silent', change: null });
    network.hosts.set('10.0.0.2', {});
    await run(discovery, { cidr: range, pass: 'known' });
    expect(discovery.neighbours()[0]).toMatchObject({ kind: 'libvirt', change: 'back' });
    expect(network.calls.every(({ address }) => address === '10.0.0.2')).toBe(true);
  });

  it('with nothing to call end at once, and say why', async () => {
    const { state, total, notes } = await run(await open(), { cidr: range, pass: 'known' });
    expect({ state, total }).toEqual({ state: 'completed', total: 0 });
    expect(notes[0]).toMatch(/No libvirt host is known in 10\.0\.0\.0\/28; the full pass finds them/);
    expect(network.calls).toHaveLength(0);
  });

  it('go on in the next run with what the last one knew', async () => {
    await swept();
    const discovery = await open();
    await run(discovery, { cidr: range, pass: 'silent' });
    expect(called()).toHaveLength(10);
    fleet = [];
    await run(discovery, { cidr: range, pass: 'known' });
    expect(called()).toEqual(['10.0.0.2']);
  });
});

describe('neighbours', () => {
  it('are what all sweeps know, with when and what changed', async () => {
    network.hosts.set('10.0.0.2', {});
    const discovery = await open();
    await run(discovery, { cidr: range });
    const [first] = discovery.neighbours();
    expect(first).toMatchObject({ address: '10.0.0.2', port: 22, kind: 'ssh', change: 'new' });
    expect(first!.firstSeen).toBe(first!.lastSeen);
    await run(discovery, { cidr: range });
    const [second] = discovery.neighbours();
    expect(second).toMatchObject({ change: null, firstSeen: first!.firstSeen });
    expect(second!.lastSeen > first!.lastSeen).toBe(true);
  });

  it('whose key changed are told so, and are not taken for libvirt any more', async () => {
    network.hosts.set('10.0.0.2', {});
    fleet = [{ id: 'h2', address: '10.0.0.2', port: 22, libvirtVersion: '9.0.0' }];
    const discovery = await open();
    await run(discovery, { cidr: range });
    fleet = [];
    expect(discovery.neighbours()[0]).toMatchObject({ kind: 'libvirt', libvirtVersion: '9.0.0' });
    keys.set('10.0.0.2', fingerprintOf('another'));
    await run(discovery, { cidr: range });
    const [changed] = discovery.neighbours();
    expect(changed).toMatchObject({ kind: 'ssh', change: 'host key changed', fingerprint: fingerprintOf('another') });
    expect(changed).not.toHaveProperty('libvirtVersion');
    expect(changed).not.toHaveProperty('hostId');
  });

  it('survive a store that holds rubbish', async () => {
    kept = { neighbours: [{ address: 7 }, null], closed: ['x'] };
    expect((await open()).neighbours()).toEqual([]);
    kept = 'rubbish';
    expect((await open()).neighbours()).toEqual([]);
  });
});

describe('identifying', () => {
  it('tells libvirt hosts from others by logging in where that may be', async () => {
    for (const last of [2, 3, 4, 5]) network.hosts.set(`10.0.0.${last}`, {});
    const asked: unknown[] = [];
    const discovery = await open({
      identify: async (host, login) => {
        asked.push([host.address, host.fingerprint, login.user]);
        if (host.address === '10.0.0.5') throw new Error('the login failed');
        if (host.address === '10.0.0.4') return null; // its key is not trusted
        return { libvirtVersion: host.address === '10.0.0.2' ? '9.0.0' : null };
      },
    });
    const { found } = await run(discovery, { cidr: range, identify: { user: 'root' } });
    expect(found.map(({ kind }) => kind)).toEqual(['libvirt', 'ssh', 'ssh', 'ssh']);
    expect(found[0]!.libvirtVersion).toBe('9.0.0');
    expect(asked).toContainEqual(['10.0.0.2', fingerprintOf('10.0.0.2'), 'root']);
    expect(asked).toHaveLength(4);
  });

  it('logs in nowhere unless it is asked to', async () => {
    network.hosts.set('10.0.0.2', {});
    let asked = 0;
    const discovery = await open({ identify: async () => ((asked += 1), null) });
    await run(discovery, { cidr: range });
    expect(asked).toBe(0);
  });

  it('does not hold up a scan that is cancelled', async () => {
    network.hosts.set('10.0.0.2', {});
    const discovery = await open({ identify: () => new Promise(() => {}) });
    const { id } = discovery.scans.start({ cidr: range, identify: {} });
    while (discovery.scans.get(id).probed < 14) {
      clock.step();
      await new Promise(setImmediate);
    }
    expect(discovery.scans.get(id).state).toBe('running');
    discovery.scans.cancel(id);
    await discovery.close();
    expect(discovery.scans.get(id).state).toBe('cancelled');
  });
});

describe('adopting', () => {
  const added: [uri: string, trust: string][] = [];
  const addHost: AddHost = (uri, trust) => {
    if (uri.includes('10.0.0.99')) throw new Failure('conflict', '10.0.0.99 is there already.', { id: 'h99' });
    added.push([uri, trust]);
    return { id: `h${added.length}`, uri } as HostView;
  };
  beforeEach(() => added.splice(0));

  it('adds what was found, by the port it was found at', async () => {
    network.hosts.set('10.0.0.2', {});
    const discovery = await open({ addHost });
    await run(discovery, { cidr: '10.0.0.2', ports: [2222] });
    const trust = { '10.0.0.2': fingerprintOf('10.0.0.2') };
    const { hosts, failed } = await discovery.adopt({ addresses: ['10.0.0.2', '10.0.0.2'], user: 'ops', trust });
    expect(failed).toEqual([]);
    expect(hosts).toHaveLength(1);
    expect(added).toEqual([['qemu+ssh://ops@10.0.0.2:2222/system', fingerprintOf('10.0.0.2')]]);
  });

  it('adds no host of the fleet a second time, under whatever name it is there', async () => {
    network.hosts.set('10.0.0.2', {});
    fleet = [{ id: 'h7', address: '10.0.0.2', port: 22, libvirtVersion: '9.0.0' }];
    const discovery = await open({ addHost });
    await run(discovery, { cidr: '10.0.0.2' });
    const { failed } = await discovery.adopt({
      addresses: ['10.0.0.2'],
      trust: { '10.0.0.2': fingerprintOf('10.0.0.2') },
    });
    expect(failed).toMatchObject([{ err: { code: 'conflict', detail: { id: 'h7' } } }]);
    expect(added).toEqual([]);
  });

  it('adds what no sweep has seen where its fingerprint is given, of either family', async () => {
    const discovery = await open({ addHost });
    const trust = Object.fromEntries(
      ['10.0.0.7', 'fd00::7', '[fd00::8]:2200', '10.0.0.8:2201'].map((name) => [name, fingerprintOf('10.0.0.7')]),
    );
    const { failed } = await discovery.adopt({ addresses: Object.keys(trust), trust });
    expect(failed).toEqual([]);
    expect(added.map(([uri]) => uri)).toEqual([
      'qemu+ssh://10.0.0.7/system',
      'qemu+ssh://[fd00::7]/system',
      'qemu+ssh://[fd00::8]:2200/system',
      'qemu+ssh://10.0.0.8:2201/system',
    ]);
  });

  it('fails each on its own, with a sentence, and goes on', async () => {
    for (const last of [2, 3]) network.hosts.set(`10.0.0.${last}`, {});
    const discovery = await open({ addHost });
    await run(discovery, { cidr: range });
    const { hosts, failed } = await discovery.adopt({
      addresses: ['10.0.0.2', '10.0.0.3', '10.0.0.99', 'evil/system?no_verify=1', '10.0.0.4', '10.0.0.5:0', '10.0.0.6'],
      trust: {
        '10.0.0.3': fingerprintOf('another'),
        '10.0.0.99': fingerprintOf('x'),
        'evil/system?no_verify=1': fingerprintOf('x'),
        '10.0.0.5:0': fingerprintOf('x'),
        '10.0.0.6': `${fingerprintOf('x')}=`,
      },
    });
    expect(hosts).toHaveLength(1);
    expect(failed.map(({ address, err }) => [address, err.code])).toEqual([
      ['10.0.0.2', 'untrusted-host-key'],
      ['10.0.0.3', 'conflict'],
      ['10.0.0.99', 'conflict'],
      ['evil/system?no_verify=1', 'bad-request'],
      ['10.0.0.4', 'untrusted-host-key'],
      ['10.0.0.5:0', 'bad-request'],
    ]);
    expect(failed[0]!.err).toMatchObject({ detail: { fingerprint: fingerprintOf('10.0.0.2') } });
    expect(failed[0]!.err.message).toContain(fingerprintOf('10.0.0.2'));
    expect(failed[4]!.err.message).toMatch(/no sweep has seen its key yet/);
    expect(added).toEqual([['qemu+ssh://10.0.0.6/system', fingerprintOf('x')]]);
  });
});
