import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { beforeEach, describe, expect, it } from 'vitest';
import type { Failure } from '../../contract/failure.ts';
import type { Target } from '../../src-main/discovery/dial.ts';
import { Pace } from '../../src-main/discovery/pace.ts';
import { parseRange } from '../../src-main/discovery/range.ts';
import { Sockets } from '../../src-main/discovery/sockets.ts';
import { sweep, type Answer, type SweepOptions } from '../../src-main/discovery/sweep.ts';
import { FakeNetwork, VirtualClock } from './fake-network.ts';
import { random, seed } from './random.ts';

let clock: VirtualClock;
let network: FakeNetwork;
let answers: Map<string, Answer>;

beforeEach(() => {
  clock = new VirtualClock();
  network = new FakeNetwork(clock);
  answers = new Map();
});

const targetsOf = (cidr: string, port = 22): Iterable<Target> => ({
  *[Symbol.iterator]() {
    for (const address of parseRange(cidr, true).addresses()) yield { address, port };
  },
});

const start = (targets: Iterable<Target>, options: Partial<SweepOptions> = {}) =>
  sweep({
    targets,
    pace: new Pace(clock, { rate: 3000 }),
    timeoutMs: null,
    sockets: new Sockets(),
    dial: network.dial,
    takeKey: async ({ address }) => ({ fingerprint: `SHA256:${address}` }),
    clock,
    signal: new AbortController().signal,
    near: () => true,
    settled: ({ address }, answer) => answers.set(address, answer),
    ...options,
  });

const of = (kind: Answer['kind']) => [...answers].flatMap(([address, answer]) => (answer.kind === kind ? address : []));

describe('a sweep', () => {
  it('tells silent, closed, open and SSH apart, each port once', async () => {
    network.hosts.set('10.0.0.1', {});
    network.hosts.set('10.0.0.2', { says: 'closed' });
    network.hosts.set('10.0.0.3', { says: '220 mail\r\n' });
    network.hosts.set('10.0.0.4', { says: 'hangs' });
    network.hosts.set('10.0.0.5', { says: 'slams' });
    await clock.until(start(targetsOf('10.0.0.0/29')));
    expect(Object.fromEntries(answers)).toEqual({
      '10.0.0.1': { kind: 'ssh', banner: 'SSH-2.0-Fake', fingerprint: 'SHA256:10.0.0.1' },
      '10.0.0.2': { kind: 'closed' },
      '10.0.0.3': { kind: 'open', banner: '220 mail' },
      '10.0.0.4': { kind: 'open', banner: null },
      '10.0.0.5': { kind: 'open', banner: null },
      '10.0.0.6': { kind: 'silent' },
    });
    expect(network.open).toBe(0);
    expect(clock.pending).toBe(0);
  });

  it('takes a port that resets the call before it is through for an open one: what is closed refuses', async () => {
    network.hosts.set('10.0.0.1', { fails: 'ECONNRESET' });
    network.hosts.set('10.0.0.2', { fails: 'ECONNREFUSED' });
    await clock.until(start(targetsOf('10.0.0.0/30')));
    expect(Object.fromEntries(answers)).toEqual({
      '10.0.0.1': { kind: 'open', banner: null },
      '10.0.0.2': { kind: 'closed' },
    });
    expect(network.calls.filter(({ address }) => address === '10.0.0.1')).toHaveLength(2);
    expect(network.open).toBe(0);
  });

  it('calls once more who hangs up without a word, or with too many logins under way, after all others', async () => {
    const first = (then: string | undefined, word: string) => {
      let calls = 0;
      return {
        get says() {
          return (calls += 1) === 1 ? word : then;
        },
      };
    };
    network.hosts.set('10.0.0.1', first(undefined, 'slams'));
    network.hosts.set('10.0.0.2', first(undefined, 'Exceeded MaxStartups\r\n'));
    network.hosts.set('10.0.0.3', { says: 'slams' });
    const { connections } = await clock.until(start(targetsOf('10.0.0.0/29')));
    expect(of('ssh')).toEqual(['10.0.0.1', '10.0.0.2']);
    expect(of('open')).toEqual(['10.0.0.3']);
    expect(connections).toBe(3 * 2 + 3 * 2);
    expect(new Set(network.calls.slice(-3).map(({ address }) => address)).size).toBe(3);
  });

  it('goes at the full rate to addresses behind a router, and in portions to those of an own network', async () => {
    const took = async (near: boolean) => {
      const began = clock.now();
      const pace = new Pace(clock, { rate: 3000, first: { count: 200, withinMs: 3000 } });
      await clock.until(start(targetsOf('10.0.0.0/22'), { near: () => near, pace }));
      return clock.now() - began;
    };
    expect(await took(true)).toBeGreaterThan(15_000);
    expect(await took(false)).toBeLessThan(4_000);
  });

  it('of a local /24 with four hosts takes well under a second', async () => {
    for (const last of [1, 11, 12, 13]) network.hosts.set(`10.0.0.${last}`, { roundTripMs: 0.3 });
    await clock.until(start(targetsOf('10.0.0.0/24')));
    expect(of('ssh')).toHaveLength(4);
    expect(clock.now()).toBeLessThan(600);
  });

  it('calls a silent address twice, a host that answers once', async () => {
    for (const last of [1, 11, 12, 13]) network.hosts.set(`10.0.0.${last}`, {});
    const { connections } = await clock.until(start(targetsOf('10.0.0.0/24')));
    expect(connections).toBe(4 + 250 * 2);
    expect(network.calls).toHaveLength(connections);
  });

  it('keeps to its rate', async () => {
    await clock.until(start(targetsOf('10.0.0.0/24'), { pace: new Pace(clock, { rate: 50 }) }));
    const inSecond = new Map<number, number>();
    for (const { at } of network.calls) {
      const second = Math.floor(at / 1000);
      inSecond.set(second, (inSecond.get(second) ?? 0) + 1);
    }
    expect(Math.max(...inSecond.values())).toBeLessThanOrEqual(51);
    expect(clock.now()).toBeGreaterThan((508 / 50) * 1000 - 200);
  });

  it('may share a pace with others, that lets only so many new addresses be called within a while', async () => {
    const pace = new Pace(clock, { rate: 3000, first: { count: 850, withinMs: 3100 } });
    for (const address of ['10.0.0.7', '10.0.8.7']) network.hosts.set(address, { roundTripMs: 0.3 });
    await clock.until(
      Promise.all([start(targetsOf('10.0.0.0/24'), { pace }), start(targetsOf('10.0.8.0/21'), { pace })]),
    );
    const first = new Map<string, number>();
    for (const { address, at } of network.calls) if (!first.has(address)) first.set(address, at);
    const times = [...first.values()];
    expect(times).toHaveLength(254 + 2046);
    expect(times[849]).toBeLessThan(2000);
    for (let n = 850; n < times.length; n += 1) expect(times[n]! - times[n - 850]!).toBeGreaterThanOrEqual(3100);
  });

  it(`misses no host though packets are lost (seed ${seed})`, async () => {
    const next = random(seed);
    network.loses = () => next() < 0.1;
    for (let last = 1; last <= 100; last += 1) network.hosts.set(`10.0.0.${last}`, { roundTripMs: 20 });
    await clock.until(start(targetsOf('10.0.0.0/24')));
    expect(of('ssh').length).toBeGreaterThanOrEqual(99);
  });

  it('finds hosts that are slower than the others', async () => {
    for (let last = 1; last <= 20; last += 1) network.hosts.set(`10.0.0.${last}`, { roundTripMs: 1 });
    network.hosts.set('10.0.0.200', { roundTripMs: 150 });
    await clock.until(start(targetsOf('10.0.0.0/24')));
    expect(of('ssh')).toContain('10.0.0.200');
  });

  it('never has more sockets open than all sweeps together may', async () => {
    const sockets = new Sockets(20);
    await clock.until(
      Promise.all([start(targetsOf('10.0.0.0/24'), { sockets }), start(targetsOf('10.0.1.0/24'), { sockets })]),
    );
    expect(network.mostOpen).toBe(20);
    expect(sockets.open).toBe(0);
    expect(answers.size).toBe(508);
  });

  it('needs no more memory for a /16 than for a /24', { timeout: 60_000 }, async () => {
    setFlagsFromString('--expose-gc');
    const gc = runInNewContext('gc') as () => void;
    const heap = () => (gc(), process.memoryUsage().heapUsed);
    /** Bytes of heap at its last address, and connections. */
    const measure = async (cidr: string) => {
      network.calls.push = () => 0;
      let used = 0;
      let seen = 0;
      const { count } = parseRange(cidr);
      const settled = () => {
        seen += 1;
        if (seen === Math.floor(count * 0.9)) used = heap();
      };
      await clock.until(start(targetsOf(cidr), { settled, pace: new Pace(clock, { rate: 100_000 }) }));
      expect(seen).toBe(count);
      return used;
    };
    const small = await measure('10.0.0.0/24');
    const large = await measure('10.0.0.0/16');
    expect(network.mostOpen).toBeLessThanOrEqual(512);
    expect(large - small).toBeLessThan(1_000_000);
  });

  it('takes keys of a few hosts at a time', async () => {
    for (let last = 1; last <= 60; last += 1) network.hosts.set(`10.0.0.${last}`, {});
    let now = 0;
    let most = 0;
    const takeKey = async () => {
      most = Math.max(most, (now += 1));
      await new Promise<void>((resolve) => clock.after(30, resolve));
      now -= 1;
      return { fingerprint: 'SHA256:x' };
    };
    await clock.until(start(targetsOf('10.0.0.0/24'), { takeKey }));
    expect(of('ssh')).toHaveLength(60);
    expect(most).toBe(8);
  });

  it('tells SSH without a fingerprint where the key exchange fails or never ends', async () => {
    network.hosts.set('10.0.0.1', {});
    network.hosts.set('10.0.0.2', {});
    const takeKey: SweepOptions['takeKey'] = ({ address }) =>
      address === '10.0.0.1' ? Promise.reject(new Error('no')) : new Promise(() => {});
    await clock.until(start(targetsOf('10.0.0.0/30'), { takeKey }));
    const ssh = { kind: 'ssh', banner: 'SSH-2.0-Fake', fingerprint: null };
    expect([answers.get('10.0.0.1'), answers.get('10.0.0.2')]).toEqual([ssh, ssh]);
  });

  it('stops at once when it is told to, and leaves nothing open', async () => {
    network.hosts.set('10.0.0.9', {});
    const controller = new AbortController();
    let seen = 0;
    const settled = () => {
      seen += 1;
      if (seen === 3) controller.abort(new Error('enough'));
    };
    const sockets = new Sockets();
    const run = start(targetsOf('10.0.0.0/16'), { signal: controller.signal, settled, sockets });
    await expect(clock.until(run)).rejects.toThrow('enough');
    expect([network.open, sockets.open, clock.pending]).toEqual([0, 0, 0]);
    expect(seen).toBe(3);
  });

  it('is not begun when it was told to stop before', async () => {
    await expect(start(targetsOf('10.0.0.0/24'), { signal: AbortSignal.abort(new Error('no')) })).rejects.toThrow('no');
    expect(network.calls).toHaveLength(0);
  });
});

describe('a machine in trouble', () => {
  const failure = (run: Promise<unknown>) =>
    clock.until(run).then(
      () => null,
      (error: Failure) => error,
    );

  it('ends the sweep with a sentence when the network goes away in the middle, and keeps what was found', async () => {
    for (let last = 1; last <= 200; last += 1) network.hosts.set(`10.0.0.${last}`, {});
    network.fails = () => (clock.now() > 40 ? 'ENETUNREACH' : null);
    const failed = await failure(start(targetsOf('10.0.0.0/24')));
    expect(failed?.code).toBe('unreachable');
    expect(failed?.message).toMatch(/no way there for 3 seconds \(ENETUNREACH\)/);
    expect(of('ssh').length).toBeGreaterThan(20);
    expect(clock.now()).toBeLessThan(6000);
    // Feels for the network, and does not beat on it.
    expect(network.calls.filter(({ at }) => at > 600).length).toBeLessThan(20);
  });

  it('goes on when the network comes back in time', async () => {
    for (let last = 1; last <= 200; last += 1) network.hosts.set(`10.0.0.${last}`, {});
    network.fails = () => (clock.now() > 40 && clock.now() < 1500 ? 'ENETUNREACH' : null);
    await clock.until(start(targetsOf('10.0.0.0/24')));
    expect(of('ssh').length).toBeGreaterThan(190);
  });

  it('passes over a part of the range that it has no way to', async () => {
    network.hosts.set('10.0.0.9', {});
    network.fails = ({ address }) => (address.startsWith('192.168.') ? 'ENETUNREACH' : null);
    const end = await clock.until(start(targetsOf('10.0.0.0/24, 192.168.0.1-192.168.0.100')));
    expect(end).toMatchObject({ uncalled: 100, code: 'ENETUNREACH' });
    expect(of('uncalled')).toHaveLength(100);
    expect(of('ssh')).toEqual(['10.0.0.9']);
  });

  it('with few sockets does with those it gets', async () => {
    for (let last = 1; last <= 50; last += 1) network.hosts.set(`10.0.0.${last}`, {});
    network.fails = () => (network.open > 30 ? 'EMFILE' : null);
    const sockets = new Sockets();
    await clock.until(start(targetsOf('10.0.0.0/24'), { sockets }));
    expect(of('ssh')).toHaveLength(50);
    expect(answers.size).toBe(254);
    expect(sockets.open).toBe(0);
  });

  it('with no sockets at all says so', async () => {
    network.fails = () => 'EMFILE';
    const failed = await failure(start(targetsOf('10.0.0.0/24')));
    expect(failed?.message).toMatch(/no free sockets for 10 seconds \(EMFILE\)/);
    expect(network.open).toBe(0);
  });

  it('without IPv6 passes over an IPv6 address', async () => {
    network.hosts.set('fd00::1', { fails: 'EADDRNOTAVAIL' });
    const end = await clock.until(start([{ address: 'fd00::1', port: 22 }]));
    expect(end.uncalled).toBe(1);
  });
});
