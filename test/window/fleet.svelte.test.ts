import { flushSync } from 'svelte';
import { describe, expect, it } from 'vitest';
import { Failure } from '../../contract/failure.ts';
import type { Delta, NumberedDelta, Snapshot } from '../../contract/events.ts';
import type { DomainView, MigrationView } from '../../contract/model.ts';
import { keyOf } from '../../src-renderer/stores/domain.svelte.ts';
import { FleetStore } from '../../src-renderer/stores/fleet.svelte.ts';
import { madeUpDomain, madeUpFleet, madeUpHost, pick, random, type Random } from './made-up-fleet.ts';
import { ScriptedLink } from './scripted-link.ts';

/** A main side in miniature: it holds the truth, and numbers what it changes. */
class Truth {
  readonly now: Snapshot;
  #count = 0;

  constructor(size: { hosts: number; each: number; seed: number }) {
    this.now = madeUpFleet(size);
  }

  /** One change of any kind, chosen by chance. */
  change(next: Random): NumberedDelta {
    const delta = this.#any(next);
    this.now.seq += 1;
    return structuredClone({ ...delta, seq: this.now.seq });
  }

  #any(next: Random): Delta {
    const { hosts, domains, migrations } = this.now;
    const roll = next();
    this.#count += 1;
    if (roll < 0.08 || hosts.length === 0) {
      const view = madeUpHost(next, 100 + this.#count);
      hosts.push(view);
      return { event: 'host', data: view };
    }
    const host = pick(next, hosts);
    if (roll < 0.11) {
      hosts.splice(hosts.indexOf(host), 1);
      this.now.domains = domains.filter(({ hostId }) => hostId !== host.id);
      return { event: 'host', data: { removed: true, id: host.id } };
    }
    if (roll < 0.2) {
      Object.assign(host, {
        state: pick(next, ['online', 'unreachable', 'connecting']),
        label: `h${Math.floor(next() * 99)}`,
      });
      return { event: 'host', data: host };
    }
    const domain = domains.length > 0 ? pick(next, domains) : null;
    if (roll < 0.4 || !domain) {
      const view = madeUpDomain(next, host.id, `vm${this.#count}`);
      domains.push(view);
      return { event: 'domain', data: view };
    }
    if (roll < 0.5) {
      domains.splice(domains.indexOf(domain), 1);
      return { event: 'domain', data: { removed: true, hostId: domain.hostId, uuid: domain.uuid } };
    }
    if (roll < 0.75) {
      const changed: DomainView = { ...domain, name: `vm${Math.floor(next() * 99)}`, stale: next() < 0.3 };
      domains[domains.indexOf(domain)] = changed;
      return { event: 'domain', data: changed };
    }
    if (roll < 0.9) {
      const at = new Date(1e12 + this.#count * 1000).toISOString();
      const stats = {
        cpuPercent: 100 * next(),
        memoryUsedKiB: 1,
        diskReadBps: 2,
        diskWriteBps: 3,
        netRxBps: 4,
        netTxBps: 5,
        at,
      };
      domains[domains.indexOf(domain)] = { ...domain, stats };
      return { event: 'stats', data: [{ hostId: domain.hostId, uuid: domain.uuid, ...stats }] };
    }
    const migration = {
      id: `m${this.#count}`,
      uuid: domain.uuid,
      name: domain.name,
      from: host.id,
      to: host.id,
    } as MigrationView;
    migrations.push(migration);
    return { event: 'migration', data: migration };
  }
}

/** What a store shows, in a form that can be compared. */
function shown(store: FleetStore) {
  return {
    hosts: store.hostList.map(({ view }) => view).sort(by((view) => view.id)),
    domains: store.domainList.map(({ view, stats }) => ({ ...view, stats })).sort(by(keyOf)),
    byHost: Object.fromEntries(
      store.hostList.map((host) => [host.id, host.domains.map(({ view }) => view.uuid).sort()]),
    ),
    homes: store.domainList.map(({ view }) => store.homes(view.uuid).length),
    migrations: [...store.migrations.keys()].sort(),
  };
}
const by =
  <T>(key: (item: T) => string) =>
  (a: T, b: T) =>
    key(a) < key(b) ? -1 : 1;

function opened(truth: Truth) {
  const link = new ScriptedLink();
  link.answer('fleet.snapshot', () => structuredClone(truth.now));
  const waiting: (() => void)[] = [];
  const store = new FleetStore(link, { later: (retry) => waiting.push(retry), rest: (over) => over() });
  store.start();
  return { link, store, waiting };
}

const settled = () => new Promise<void>((resolve) => setTimeout(resolve));

describe('the fleet, told by deltas', () => {
  it.each([1, 2, 3, 4, 5, 6, 7, 8])(
    'equals a fresh snapshot after any changes, losses and repeats (seed %i)',
    async (seed) => {
      const next = random(seed);
      const truth = new Truth({ hosts: 4, each: 5, seed });
      const { link, store } = opened(truth);
      link.emit('up', true);
      await settled();
      for (let round = 0; round < 40; round += 1) {
        const deltas = Array.from({ length: Math.floor(next() * 6) }, () => truth.change(next));
        const fate = next();
        if (fate < 0.1) continue; // lost on the way: the next one shows it
        if (fate < 0.2) link.emit('deltas', { epoch: 'made-up', deltas }); // told twice
        if (fate < 0.3) {
          link.emit('up', false);
          link.emit('up', true);
        }
        link.emit('deltas', { epoch: 'made-up', deltas });
        if (next() < 0.5) await settled();
      }
      link.emit('deltas', { epoch: 'made-up', deltas: [truth.change(next)] });
      await settled();
      await settled();
      expect(store.inStep).toBe(true);
      const fresh = opened(truth);
      fresh.link.emit('up', true);
      await settled();
      expect(shown(store)).toEqual(shown(fresh.store));
    },
  );

  it('knows while it is down why the main side lets nobody in', async () => {
    const truth = new Truth({ hosts: 1, each: 1, seed: 9 });
    const { link, store, waiting } = opened(truth);
    for (const message of ['The token is another one’s.', 'The proxy asks for a login.']) {
      const held = link.hold('fleet.snapshot');
      if (waiting.length === 0) link.emit('up', false);
      else waiting.shift()?.();
      held.reject(new Failure('unauthorized', message));
      await settled();
      expect(store.trouble).toMatchObject({ code: 'unauthorized', message });
    }
    link.emit('up', true);
    await settled();
    expect([store.inStep, store.trouble]).toEqual([true, null]);
  });

  it('takes what comes before its snapshot only where the snapshot does not hold it', async () => {
    const truth = new Truth({ hosts: 1, each: 1, seed: 9 });
    const { link, store } = opened(truth);
    const held = link.hold('fleet.snapshot');
    link.emit('up', true);
    const domain = truth.now.domains[0] as DomainView;
    const renamed = (seq: number, name: string): NumberedDelta => ({ event: 'domain', data: { ...domain, name }, seq });
    link.emit('deltas', { epoch: 'made-up', deltas: [renamed(1, 'old'), renamed(2, 'new')] });
    held.resolve({ ...structuredClone(truth.now), seq: 1, domains: [{ ...domain, name: 'as of 1' }] });
    await settled();
    expect(store.domainList.map(({ view }) => view.name)).toEqual(['new']);
  });

  it('asks for a snapshot when a number is missing, and shows meanwhile that it is out of step', async () => {
    const truth = new Truth({ hosts: 1, each: 1, seed: 9 });
    const { link, store } = opened(truth);
    link.emit('up', true);
    await settled();
    const held = link.hold('fleet.snapshot');
    link.emit('deltas', {
      epoch: 'made-up',
      deltas: [{ event: 'notice', data: { level: 'info', message: '', at: '' }, seq: 7 }],
    });
    expect(store.inStep).toBe(false);
    expect(store.hosts.size).toBe(1);
    held.resolve({ ...structuredClone(truth.now), seq: 7 });
    await settled();
    expect(store.inStep).toBe(true);
    expect(link.said('fleet.snapshot')).toHaveLength(2);
  });

  it('starts anew when the main side is another process', async () => {
    const truth = new Truth({ hosts: 2, each: 2, seed: 9 });
    const { link, store } = opened(truth);
    link.emit('up', true);
    await settled();
    link.answer('fleet.snapshot', () => ({ ...structuredClone(truth.now), epoch: 'another', seq: 3, domains: [] }));
    link.emit('deltas', {
      epoch: 'another',
      deltas: [{ event: 'notice', data: { level: 'info', message: '', at: '' }, seq: 1 }],
    });
    await settled();
    expect(store.domainList).toEqual([]);
    expect(store.inStep).toBe(true);
  });

  it('says why when the snapshot cannot be had, and asks again', async () => {
    const truth = new Truth({ hosts: 1, each: 1, seed: 9 });
    const { link, store, waiting } = opened(truth);
    const held = link.hold('fleet.snapshot');
    link.emit('up', true);
    held.reject(new Error('no'));
    await settled();
    expect(store.trouble?.message).toMatch(/no/);
    waiting.shift()?.();
    await settled();
    expect(store.trouble).toBeNull();
    expect(store.known).toBe(true);
  });

  it('keeps the same VM object through a snapshot, so that rows and trends stay', async () => {
    const truth = new Truth({ hosts: 2, each: 3, seed: 9 });
    const { link, store } = opened(truth);
    link.emit('up', true);
    await settled();
    const before = [...store.domainList];
    link.emit('up', false);
    link.emit('up', true);
    await settled();
    expect([...store.domainList]).toEqual(before);
    store.domainList.forEach((domain, index) => expect(domain).toBe(before[index]));
  });
});

describe('what is drawn again', () => {
  it('only the VM whose figures came, and no list', async () => {
    const truth = new Truth({ hosts: 2, each: 3, seed: 9 });
    const { link, store } = opened(truth);
    link.emit('up', true);
    await settled();
    const [first, second] = store.domainList;
    const drawn = { first: 0, second: 0, list: 0, host: 0 };
    const end = $effect.root(() => {
      $effect(() => {
        void first?.stats;
        drawn.first += 1;
      });
      $effect(() => {
        void second?.stats;
        drawn.second += 1;
      });
      $effect(() => {
        void store.domainList;
        drawn.list += 1;
      });
      $effect(() => {
        void store.hostList[0]?.domains;
        drawn.host += 1;
      });
    });
    flushSync();
    const { hostId, uuid } = first?.view as DomainView;
    const stats = {
      cpuPercent: 5,
      memoryUsedKiB: 1,
      diskReadBps: 2,
      diskWriteBps: 3,
      netRxBps: 4,
      netTxBps: 5,
      at: '2026-01-01T00:00:00Z',
    };
    link.emit('deltas', { epoch: 'made-up', deltas: [{ event: 'stats', data: [{ hostId, uuid, ...stats }], seq: 1 }] });
    flushSync();
    expect(drawn).toEqual({ first: 2, second: 1, list: 1, host: 1 });
    end();
  });
});
