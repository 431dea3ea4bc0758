// All hosts: added, found, forgotten; and what was told of them adds up to what they are.
import { afterEach, beforeEach, describe, expect, it, test, vi } from 'vitest';
import type { Delta } from '../../contract/events.ts';
import type { DomainView, HostView } from '../../contract/model.ts';
import { Fleet, type SavedHost } from '../../src-main/fleet/fleet.ts';
import { Questions } from '../../src-main/fleet/questions.ts';
import type { Connection } from '../../src-main/libvirt/index.ts';
import { type KnownHosts, SecretCache } from '../../src-main/ssh/index.ts';
import { SimFleet } from '../../src-sim/index.ts';
import { random, seed } from '../libvirt/random.ts';
import { direct } from '../sim/reach.ts';
import { HandClock } from './hand-clock.ts';
import { SimReaches } from './sim-reach.ts';

const uri = (name: string) => `qemu+ssh://root@${name}/system`;
let sim: SimFleet;
let reaches: SimReaches;
let clock: HandClock;
let told: Delta[];
let saved: SavedHost[];
let fleet: Fleet;

beforeEach(async () => {
  sim = await SimFleet.start({
    seed: 'fleet',
    speed: 50,
    hosts: [{ name: 'kvm1' }, { name: 'kvm2' }],
    domains: [
      { name: 'web01', host: 'kvm1', memoryMiB: 256 },
      { name: 'db01', host: 'kvm1', memoryMiB: 256, running: false },
      { name: 'mail01', host: 'kvm2', memoryMiB: 256 },
    ],
  });
  reaches = new SimReaches(sim);
  clock = new HandClock();
  told = [];
  saved = [];
  const tell = (delta: Delta) => void told.push(structuredClone(delta));
  fleet = new Fleet({
    logins: { knownHosts: {} as KnownHosts, secrets: new SecretCache() },
    questions: new Questions(tell),
    tell,
    save: (hosts) => (saved = hosts),
    openReach: reaches.open,
    clock,
  });
});

afterEach(async () => {
  await fleet.close();
  expect(sim.problems).toEqual([]);
  await sim.close();
});

const allOnline = () =>
  vi.waitFor(() => expect(fleet.hosts.map(({ state }) => state)).toEqual(fleet.hosts.map(() => 'online')), {
    timeout: 10_000,
    interval: 5,
  });

/** As a reader has it that took every delta. */
function replayed() {
  const hosts = new Map<string, HostView>();
  const domains = new Map<string, DomainView>();
  for (const { event, data } of told) {
    if (event === 'host') {
      if ('removed' in data) hosts.delete(data.id);
      else hosts.set(data.id, data);
    } else if (event === 'domain') {
      const key = `${data.hostId} ${data.uuid}`;
      if ('removed' in data) domains.delete(key);
      else domains.set(key, data);
    }
  }
  return { hosts, domains };
}

/** Samples travel apart, in batches of their own. */
const withoutSamples = (all: Iterable<DomainView>) =>
  [...all]
    .map((domain) => ({ ...domain, stats: null }))
    .sort((a, b) => (a.hostId + a.uuid < b.hostId + b.uuid ? -1 : 1));

function expectInStep() {
  const reader = replayed();
  expect(withoutSamples(reader.domains.values())).toEqual(withoutSamples(fleet.domains));
  const without = ({ info: _info, ...view }: HostView) => view;
  expect([...reader.hosts.values()].map(without)).toEqual(fleet.views().map(without));
}

describe('adding', () => {
  it('connects at once, and keeps what has to be kept', async () => {
    const host = fleet.add(` ${uri('kvm1')} `);
    expect(host.view()).toMatchObject({ uri: uri('kvm1'), label: 'kvm1', state: 'connecting' });
    fleet.add(uri('kvm2'), 'the second');
    await allOnline();
    expect(saved.map(({ uri: each, label }) => [each, label])).toEqual([
      [uri('kvm1'), 'kvm1'],
      [uri('kvm2'), 'the second'],
    ]);
    expectInStep();
  });

  it('what is there already is a conflict, however it is written', () => {
    const { id } = fleet.add(uri('kvm1'));
    for (const same of [uri('kvm1'), uri('KVM1'), uri('kvm1:22')]) {
      expect(() => fleet.add(same)).toThrow(expect.objectContaining({ code: 'conflict', detail: { id, hostId: id } }));
    }
    expect(fleet.hosts).toHaveLength(1);
  });

  it('what cannot be is refused, and nothing is kept', () => {
    expect(() => fleet.add('kvm1')).toThrow(expect.objectContaining({ code: 'bad-request' }));
    expect([fleet.hosts, saved, told]).toEqual([[], [], []]);
  });
});

it('what happened to a VM is told later, wherever it was, until it is gone', async () => {
  const host = fleet.add(uri('kvm1'));
  await allOnline();
  const { uuid = '' } = host.domains.all.find(({ name }) => name === 'db01') ?? {};
  const dom = { name: 'db01', uuid };
  const ref = { hostId: host.id, uuid };
  expect(fleet.happenings(ref)).toEqual([]);
  await host.connection.call('domain_create_with_flags', { dom });
  await host.connection.call('domain_suspend', { dom });
  await vi.waitFor(() => expect(fleet.happenings(ref).map(({ event }) => event)).toContain('suspended'));
  const [last, ...before] = fleet.happenings(ref);
  expect(last).toMatchObject({ hostId: host.id, event: 'suspended', detail: 'paused' });
  expect(before).toContainEqual(expect.objectContaining({ event: 'started', detail: 'booted' }));
  await fleet.remove(host.id);
  expect(() => fleet.happenings(ref)).toThrow(expect.objectContaining({ code: 'not-found' }));
});

describe('what was kept', () => {
  it('is taken up again; what no longer parses is passed over in a sentence', async () => {
    const warnings: string[] = [];
    fleet.restore(
      [
        { id: 'b', uri: 'nonsense', label: 'broken' },
        { id: 'a', uri: uri('kvm1'), label: 'first' },
      ],
      (warning) => warnings.push(warning),
    );
    await allOnline();
    expect(fleet.views()).toMatchObject([{ id: 'a', label: 'first' }]);
    expect(warnings).toHaveLength(1);
    expect(warnings[0]).toMatch(/^The saved host broken is passed over: .*nonsense/);
  });
});

describe('forgetting', () => {
  it('tells that the host and its domains are gone', async () => {
    const host = fleet.add(uri('kvm1'));
    await allOnline();
    await fleet.remove(host.id);
    expect([fleet.hosts, saved, fleet.domains]).toEqual([[], [], []]);
    expect(told.at(-1)).toEqual({ event: 'host', data: { removed: true, id: host.id } });
    expect(replayed()).toEqual({ hosts: new Map(), domains: new Map() });
    expect(reaches.last.isEnded).toBe(true);
    expect(() => fleet.host(host.id)).toThrow(expect.objectContaining({ code: 'not-found' }));
  });

  it('is refused while a migration is under way over it', async () => {
    const host = fleet.add(uri('kvm1'));
    await allOnline();
    const release = host.hold();
    await expect(fleet.remove(host.id)).rejects.toMatchObject({ code: 'conflict' });
    expect(fleet.hosts).toEqual([host]);
    release();
    await fleet.remove(host.id);
  });

  it('is possible while it connects', async () => {
    reaches.first = ({ signal }) =>
      new Promise((_resolve, reject) => signal.addEventListener('abort', () => reject(new Error('called off'))));
    const host = fleet.add(uri('kvm1'));
    await vi.waitFor(() => expect(reaches.attempts).toHaveLength(1));
    await fleet.remove(host.id);
    expect(told.at(-1)).toEqual({ event: 'host', data: { removed: true, id: host.id } });
  });
});

it('keeps hosts in groups', async () => {
  const { id } = fleet.add(uri('kvm1'));
  fleet.update(id, { group: 'Rack A' });
  await allOnline();
  expect(saved).toMatchObject([{ id, label: 'kvm1', group: 'Rack A' }]);
  expectInStep();
  fleet.update(id, { group: null });
  expect(saved[0]).not.toHaveProperty('group');
  expect(fleet.host(id).view().group).toBeNull();
});

it('renames', async () => {
  const { id } = fleet.add(uri('kvm1'));
  fleet.update(id, { label: 'the first' });
  await allOnline();
  expect(saved).toMatchObject([{ id, label: 'the first' }]);
  expectInStep();
  expect(() => fleet.update('nobody', { label: 'x' })).toThrow(expect.objectContaining({ code: 'not-found' }));
});

it('says in a sentence what it does not have', async () => {
  const host = fleet.add(uri('kvm1'));
  await allOnline();
  const uuid = sim.uuid('mail01');
  expect(() => fleet.domain({ hostId: host.id, uuid })).toThrow(/no VM with the UUID .* on kvm1\./);
  expect(() => fleet.domain({ hostId: 'nobody', uuid })).toThrow(/no host with the id “nobody”/);
  expect(fleet.homes(sim.uuid('web01'))).toEqual([host]);
  expect(fleet.homes(uuid)).toEqual([]);
});

it('tells who asks of each host, those that are there and those that come', () => {
  const seen: string[] = [];
  fleet.add(uri('kvm1'));
  const undo = fleet.onHost(({ label }) => seen.push(label));
  fleet.add(uri('kvm2'));
  undo();
  undo();
  fleet.add(uri('kvm2:2222'));
  expect(seen).toEqual(['kvm1', 'kvm2']);
});

test(`after any steps and losses, a reader that took deltas has what a snapshot has (seed ${seed})`, async () => {
  const chance = random(seed);
  const pick = <T>(from: readonly T[]) => from[Math.floor(chance() * from.length)] as T;
  const names = ['kvm1', 'kvm2'] as const;
  for (const name of names) fleet.add(uri(name));
  await allOnline();
  const others = new Map<string, Connection>();
  for (const name of names) others.set(name, await direct(sim.host(name)));
  const domainNames = ['web01', 'db01', 'mail01'];
  const steps: string[] = [];

  for (let step = 0; step < 120; step++) {
    const name = pick(names);
    const host = fleet.hosts.find(({ label }) => label === name);
    const other = others.get(name) as Connection;
    const dice = chance();
    if (dice < 0.7) {
      const domain = pick(domainNames);
      const dom = { name: domain, uuid: sim.where(domain).length > 0 ? sim.uuid(domain) : sim.host(name).uuid };
      const call = pick([
        'domain_create_with_flags',
        'domain_destroy_flags',
        'domain_suspend',
        'domain_resume',
        'domain_reset',
      ] as const);
      steps.push(`${name}: ${call} ${domain}`);
      // Half of them cannot be done now: that is refused, and changes nothing.
      await other.call(call, { dom }).catch(() => {});
    } else if (dice < 0.8) {
      steps.push(`${name}: lost`);
      reaches.made
        .filter((reach) => reach.host.name === name)
        .at(-1)
        ?.lose();
    } else if (dice < 0.87) {
      steps.push(`${name}: disconnect`);
      await host?.disconnect();
    } else if (dice < 0.94) {
      steps.push(`${name}: silent, heard`);
      const reach = reaches.made.filter((each) => each.host.name === name).at(-1);
      if (reach && !reach.isEnded) for (const event of ['silent', 'heard'] as const) reach.tell(event);
    } else {
      steps.push(`${name}: connect`);
      host?.connect();
    }
    if (chance() < 0.3) clock.advance(chance() * 3_000);
  }

  for (const host of fleet.hosts) host.connect();
  await vi.waitFor(
    () => {
      // A loss that was noticed only now has its own pause.
      clock.advance(60_000);
      expect(fleet.hosts.map(({ state }) => state)).toEqual(['online', 'online']);
      for (const { hostId, uuid, state, stale } of fleet.domains) {
        const label = fleet.host(hostId).label;
        const truth = sim.where(uuid).find(({ host }) => host === label);
        expect([state, stale], steps.join('\n')).toEqual([truth?.state, false]);
      }
    },
    { timeout: 10_000 },
  );
  // What is told of a host is told once a turn.
  await new Promise((resolve) => setImmediate(resolve));
  expectInStep();
  expect(fleet.domains).toHaveLength(3);
  for (const other of others.values()) other.destroy();
}, 60_000);

describe('what a VM used', () => {
  it('is kept a point a minute, as the samples come', async () => {
    const host = fleet.add(uri('kvm1'));
    await allOnline();
    fleet.look({}, [host.id]);
    const ref = { hostId: host.id, uuid: sim.uuid('web01') };
    const sampled = () => {
      clock.advance(1_000);
      return fleet.history(ref).cpuPercent.length;
    };
    await vi.waitFor(() => expect(sampled()).toBeGreaterThan(0), { timeout: 10_000, interval: 5 });
    const { from, stepMs, memoryUsedKiB, diskBps, netBps } = fleet.history(ref);
    expect(Date.parse(from ?? '') % stepMs).toBe(0);
    expect(memoryUsedKiB[0]).toBeGreaterThan(0);
    expect([diskBps.length, netBps.length]).toEqual([memoryUsedKiB.length, memoryUsedKiB.length]);
    expect(fleet.history({ hostId: host.id, uuid: sim.uuid('db01') })).toMatchObject({ from: null, cpuPercent: [] });
  });
});
