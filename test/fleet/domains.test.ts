// The order of reads: what is older never lands on what is newer.
import { beforeEach, describe, expect, it, test } from 'vitest';
import type { Delta } from '../../contract/events.ts';
import { HostDomains } from '../../src-main/fleet/domains.ts';
import { type Connection, ConnectionLost, domainState, LibvirtError } from '../../src-main/libvirt/index.ts';
import { connected, type Peer, settled, web01 } from '../libvirt/peer.ts';

const { uuid } = web01;
const xml = `<domain type='kvm'><name>web01</name><devices><serial type='pty'/></devices></domain>`;

let peer: Peer;
let connection: Connection;
let told: Delta[];
let changes: number;
let domains: HostDomains;

const nextTurn = () => new Promise((resolve) => setImmediate(resolve));

beforeEach(async () => {
  ({ connection, peer } = await connected());
  told = [];
  changes = 0;
  domains = new HostDomains({
    hostId: 'a',
    connection: () => connection,
    tell: (delta) => told.push(delta),
    changed: () => (changes += 1),
  });
});

/** The five questions of a read, to be answered whenever the test wants. */
async function asked() {
  const lookup = await peer.call('domain_lookup_by_uuid');
  const state = await peer.call('domain_get_state');
  const info = await peer.call('domain_get_info');
  const persistent = await peer.call('domain_is_persistent');
  const autostart = await peer.call('domain_get_autostart');
  return {
    lookup,
    answer: async (state_: number, reason = 1) => {
      lookup.answer({ dom: { ...web01, id: state_ === domainState.shutoff ? -1 : 3 } });
      state.answer({ state: state_, reason });
      info.answer({ state: state_, max_memory: 2048, memory: 1024, vcpus: 2, cpu_time: 0n });
      persistent.answer({ persistent: 1 });
      autostart.answer({ autostart: 0 });
      (await peer.call('domain_get_xml_desc')).answer({ xml });
    },
    refuse: (code: number) => {
      for (const call of [lookup, state, info, persistent, autostart]) call.refuse(code, 10);
    },
  };
}

const threeLists = async () => [
  await peer.call('connect_list_all_domains'),
  await peer.call('connect_list_all_domains'),
  await peer.call('connect_list_all_domains'),
];

/** The questions of a list, likewise. */
async function askedAll() {
  const lists = await threeLists();
  const stats = await peer.call('connect_get_all_domain_stats');
  return {
    answer: async (state: number | null) => {
      const all = state === null ? [] : [{ ...web01, id: state === domainState.shutoff ? -1 : 3 }];
      for (const list of lists) list.answer({ domains: all, total: all.length });
      stats.answer({
        records: all.map((dom) => ({
          dom,
          params: [
            { name: 'state.state', kind: 'i32' as const, value: state ?? 0 },
            { name: 'state.reason', kind: 'i32' as const, value: 1 },
            { name: 'balloon.maximum', kind: 'u64' as const, value: 2048 },
          ],
        })),
      });
      if (state !== null) (await peer.call('domain_get_xml_desc')).answer({ xml });
    },
  };
}

const shown = () => domains.get(uuid)?.state;

describe('a read', () => {
  it('brings all of a domain', async () => {
    const read = domains.refreshed(uuid);
    await (await asked()).answer(domainState.running);
    await read;
    const view = {
      hostId: 'a',
      uuid,
      name: 'web01',
      id: 3,
      state: 'running',
      reason: 'booted',
      persistent: true,
      autostart: false,
      vcpus: 2,
      memoryKiB: 1024,
      maxMemoryKiB: 2048,
      consoles: [{ kind: 'serial', target: 'serial0' }],
      tags: [],
      stats: null,
      job: null,
      stale: false,
    };
    expect(domains.all).toEqual([view]);
    expect(told).toEqual([{ event: 'domain', data: view }]);
    expect([changes, domains.counts]).toEqual([1, { running: 1, total: 1 }]);
  });

  it('asked for several times while it is under way, is followed by just one more', async () => {
    domains.refresh(uuid);
    const first = await asked();
    const waiting = [domains.refreshed(uuid), domains.refreshed(uuid), domains.refreshed(uuid)];
    await first.answer(domainState.running);
    const second = await asked();
    expect(shown()).toBe('running');
    expect(await settled(waiting[0] as Promise<void>)).toBe(false);
    await second.answer(domainState.paused);
    await Promise.all(waiting);
    expect(shown()).toBe('paused');
    expect(peer.unseen).toEqual([]);
  });

  it('of the state alone asks for nothing else, and a whole one asked for meanwhile follows it', async () => {
    const read = domains.refreshed(uuid);
    await (await asked()).answer(domainState.running);
    await read;
    await nextTurn();
    const part = domains.refreshed(uuid, 'state');
    const whole = [domains.refreshed(uuid, 'state'), domains.refreshed(uuid)];
    (await peer.call('domain_get_state')).answer({ state: domainState.paused, reason: 1 });
    await part;
    expect(domains.get(uuid)).toMatchObject({ state: 'paused', vcpus: 2, consoles: [{ kind: 'serial' }] });
    await (await asked()).answer(domainState.running);
    await Promise.all(whole);
    expect(shown()).toBe('running');
    expect(peer.unseen).toEqual([]);
  });

  it('of the state alone brings all of a domain that was not known', async () => {
    const read = domains.refreshed(uuid, 'state');
    await (await asked()).answer(domainState.running);
    await read;
    expect(domains.get(uuid)?.vcpus).toBe(2);
  });

  it('that fails is told to who asked for it, and not to who asked later', async () => {
    const first = domains.refreshed(uuid);
    const failing = await asked();
    const later = domains.refreshed(uuid);
    failing.refuse(38);
    await expect(first).rejects.toBeInstanceOf(LibvirtError);
    await (await asked()).answer(domainState.running);
    await later;
    expect(shown()).toBe('running');
  });

  it('that nobody waits for may fail unnoticed', async () => {
    domains.refresh(uuid);
    (await asked()).refuse(38);
    const next = domains.refreshed(uuid);
    await (await asked()).answer(domainState.running);
    await next;
  });

  it('of a domain that is gone removes it, once', async () => {
    const read = domains.refreshed(uuid);
    await (await asked()).answer(domainState.running);
    await read;
    for (let i = 0; i < 2; i++) {
      const again = domains.refreshed(uuid);
      (await asked()).refuse(42);
      await again;
    }
    expect(told.slice(1)).toEqual([{ event: 'domain', data: { removed: true, hostId: 'a', uuid } }]);
    expect(domains.counts).toEqual({ running: 0, total: 0 });
  });

  it('that brings nothing new tells nothing', async () => {
    for (let i = 0; i < 3; i++) {
      const read = domains.refreshed(uuid);
      await (await asked()).answer(domainState.running);
      await read;
    }
    expect([told.length, changes]).toEqual([1, 1]);
  });

  it('ends with its connection, and every waiting one too', async () => {
    const first = domains.refreshed(uuid);
    await asked();
    const second = domains.refreshed(uuid);
    const whys = Promise.allSettled([first, second]);
    connection.destroy();
    for (const one of await whys) {
      expect(one.status).toBe('rejected');
      expect((one as PromiseRejectedResult).reason).toBeInstanceOf(ConnectionLost);
    }
  });
});

describe('the whole list', () => {
  it('is read in one turn, and what was there and is no more is removed', async () => {
    const listed = domains.list(connection);
    await (await askedAll()).answer(domainState.running);
    await listed;
    expect(domains.get(uuid)).toMatchObject({ state: 'running', persistent: true, autostart: true, memoryKiB: 2048 });
    const again = domains.list(connection);
    await (await askedAll()).answer(null);
    await again;
    expect(domains.all).toEqual([]);
  });

  it('holds back the read that an event asks for meanwhile', async () => {
    const listed = domains.list(connection);
    const all = await askedAll();
    const read = domains.refreshed(uuid);
    expect(await settled(read)).toBe(false);
    expect(peer.unseen).toEqual([]);
    await all.answer(domainState.running);
    await (await asked()).answer(domainState.shutoff);
    await Promise.all([listed, read]);
    expect(shown()).toBe('shutoff');
  });

  it('waits for a read that is under way', async () => {
    const read = domains.refreshed(uuid);
    const first = await asked();
    const listed = domains.list(connection);
    expect(await settled(listed)).toBe(false);
    expect(peer.unseen).toEqual([]);
    await first.answer(domainState.running);
    await read;
    await (await askedAll()).answer(domainState.paused);
    await listed;
    expect(shown()).toBe('paused');
  });

  it('is read twice one after the other when it is asked for twice', async () => {
    const both = [domains.list(connection), domains.list(connection)];
    const first = await askedAll();
    const read = domains.refreshed(uuid);
    await first.answer(domainState.running);
    await (await askedAll()).answer(domainState.paused);
    await Promise.all(both);
    expect(shown()).toBe('paused');
    await (await asked()).answer(domainState.shutoff);
    await read;
    expect(shown()).toBe('shutoff');
  });

  it('that fails holds no later read back', async () => {
    const listed = domains.list(connection);
    (await peer.call('connect_list_all_domains')).refuse(38, 10);
    const read = domains.refreshed(uuid);
    await expect(listed).rejects.toBeInstanceOf(LibvirtError);
    for (let i = 0; i < 2; i++) await peer.call('connect_list_all_domains');
    await peer.call('connect_get_all_domain_stats');
    await (await asked()).answer(domainState.running);
    await read;
    expect(shown()).toBe('running');
  });
});

describe('compared with the list, to see what no event told', () => {
  const compare = async (doms: object[]) => {
    const compared = domains.compare(connection);
    (await peer.call('connect_list_all_domains')).answer({ domains: doms as never, total: doms.length });
    await compared;
  };

  it('only what differs is read', async () => {
    const listed = domains.list(connection);
    await (await askedAll()).answer(domainState.running);
    await listed;
    await compare([web01]);
    expect(peer.unseen).toEqual([]);
    await compare([{ ...web01, id: -1 }]);
    await (await asked()).answer(domainState.shutoff);
    await expect.poll(shown).toBe('shutoff');
  });

  it('what is gone is asked for once more, and then removed', async () => {
    const listed = domains.list(connection);
    await (await askedAll()).answer(domainState.running);
    await listed;
    await compare([]);
    (await asked()).refuse(42);
    await expect.poll(shown).toBeUndefined();
  });
});

test('XML that cannot be read hides no domain', async () => {
  const listed = domains.list(connection);
  const lists = await threeLists();
  const stats = await peer.call('connect_get_all_domain_stats');
  for (const list of lists) list.answer({ domains: [web01], total: 1 });
  stats.answer({ records: [] });
  (await peer.call('domain_get_xml_desc')).answer({ xml: '<!DOCTYPE domain><domain/>' });
  await listed;
  expect(domains.get(uuid)).toMatchObject({ name: 'web01', consoles: [] });
});

test('a host that is lost greys its domains, and takes their figures back; reading them again ends that', async () => {
  const listed = domains.list(connection);
  await (await askedAll()).answer(domainState.running);
  await listed;
  const stats = {
    cpuPercent: 1,
    memoryUsedKiB: 1,
    diskReadBps: 0,
    diskWriteBps: 0,
    netRxBps: 0,
    netTxBps: 0,
    at: '',
  };
  domains.setStats(uuid, stats);
  expect(told).toHaveLength(1);
  domains.setStale(true);
  domains.setStale(true);
  expect(told.slice(1)).toMatchObject([{ data: { stale: true, stats: null, state: 'running' } }]);
  const read = domains.refreshed(uuid);
  await (await asked()).answer(domainState.running);
  await read;
  expect(told.at(-1)).toMatchObject({ data: { stale: false } });
});

test('a job is shown even of a domain that comes later', async () => {
  const job = { migrationId: 'm', side: 'target' as const, percent: 5 };
  domains.setJob(uuid, job);
  expect(told).toEqual([]);
  const read = domains.refreshed(uuid);
  await (await asked()).answer(domainState.paused, 2);
  await read;
  expect(domains.get(uuid)?.job).toEqual(job);
  domains.setJob(uuid, null);
  expect(told.at(-1)).toMatchObject({ data: { job: null } });
});
