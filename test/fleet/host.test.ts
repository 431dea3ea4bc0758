// One host from its first attempt to its removal, on a simulated daemon: its states, and what is told of them.
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { Delta } from '../../contract/events.ts';
import type { DomainView, HostView } from '../../contract/model.ts';
import { parseHostUri } from '../../contract/uri.ts';
import { Host } from '../../src-main/fleet/host.ts';
import { Questions } from '../../src-main/fleet/questions.ts';
import {
  Gate,
  type HostKeySeen,
  type KnownHosts,
  SecretCache,
  SshError,
  type SshErrorKind,
} from '../../src-main/ssh/index.ts';
import { SimFleet } from '../../src-sim/index.ts';
import { direct } from '../sim/reach.ts';
import { HandClock } from './hand-clock.ts';
import { SimReach, SimReaches } from './sim-reach.ts';

let sim: SimFleet;
let reaches: SimReaches;
let clock: HandClock;
let told: Delta[];
let questions: Questions;
let gate: Gate;
let pinned: [string, number, boolean][];
let host: Host;

const key: HostKeySeen = {
  algorithm: 'ssh-ed25519',
  fingerprint: `SHA256:${'A'.repeat(43)}`,
  key: Buffer.from('a key'),
  status: 'unknown',
  of: { host: 'kvm1', port: 22 },
};
const ssh = (kind: SshErrorKind) => new SshError(kind, 'connect', `kvm1 says ${kind}.`);
/** As a login does that waits for the other end, until it is called off. */
const hangs = ({ signal }: { signal: AbortSignal }) =>
  new Promise((_resolve, reject) => signal.addEventListener('abort', () => reject(ssh('cancelled'))));

const states = () =>
  told
    .filter((delta) => delta.event === 'host')
    .map(({ data }) => (data as HostView).state)
    .filter((state, at, all) => state !== all[at - 1]);
const is = (state: string) => vi.waitFor(() => expect(host.state).toBe(state), { timeout: 10_000, interval: 5 });
/** What is planned, besides the short wait for a host's capabilities. */
const due = () => clock.due.filter((ms) => ms !== 80);
const web01 = () => host.domains.get(sim.uuid('web01'));
const online = async () => {
  host.connect();
  await is('online');
};

function makeHost(name = 'kvm1', fleetSize = 1): Host {
  return new Host({
    id: name,
    uri: parseHostUri(`qemu+ssh://root@${name}/system`),
    label: name,
    logins: {
      knownHosts: {
        pin: async (where: string, port: number, _key: Buffer, { replace = false } = {}) =>
          void pinned.push([where, port, replace]),
      } as unknown as KnownHosts,
      secrets: new SecretCache(),
    },
    questions,
    gate,
    openReach: reaches.open,
    tell: (delta) => told.push(delta),
    clock,
    fleetSize: () => fleetSize,
  });
}

beforeEach(async () => {
  sim = await SimFleet.start({
    seed: 'host',
    speed: 20,
    hosts: [{ name: 'kvm1' }],
    domains: [
      { name: 'web01', host: 'kvm1', memoryMiB: 256 },
      { name: 'db01', host: 'kvm1', memoryMiB: 256, running: false },
    ],
  });
  reaches = new SimReaches(sim);
  clock = new HandClock();
  told = [];
  pinned = [];
  gate = new Gate(32);
  questions = new Questions((delta) => told.push(delta));
  host = makeHost();
});

afterEach(async () => {
  await host.close();
  expect(sim.problems).toEqual([]);
  await sim.close();
});

describe('connecting', () => {
  it('lists its domains before it counts as online', async () => {
    await online();
    expect(states()).toEqual(['connecting', 'online']);
    const first = told.findIndex(({ event, data }) => event === 'host' && (data as HostView).state === 'online');
    const listed = told.slice(0, first).filter(({ event }) => event === 'domain');
    expect(listed.map(({ data }) => (data as DomainView).name).sort()).toEqual(['db01', 'web01']);
    expect(host.view()).toMatchObject({
      id: 'kvm1',
      state: 'online',
      error: null,
      connections: 1,
      retryAt: null,
      domains: { running: 1, total: 2 },
      info: {
        hostname: 'kvm1',
        hypervisor: 'QEMU',
        libvirtVersion: '9.0.0',
        arch: 'x86_64',
        uuid: sim.host('kvm1').uuid,
      },
    });
  });

  it('asked for again meanwhile makes no second attempt', async () => {
    host.connect();
    host.connect();
    await is('online');
    host.connect();
    expect(reaches.attempts).toHaveLength(1);
    expect(states()).toEqual(['connecting', 'online']);
  });

  const kinds: [SshErrorKind, string, boolean][] = [
    ['unresolved', 'unreachable', true],
    ['refused', 'unreachable', true],
    ['timeout', 'unreachable', true],
    ['not-ssh', 'unreachable', true],
    ['no-libvirt', 'not-libvirt', true],
    ['untrusted', 'untrusted', false],
    ['changed', 'untrusted', false],
    ['auth-failed', 'auth-failed', false],
    ['no-permission', 'auth-failed', false],
  ];
  it.each(kinds)('that fails as %s is %s, and tried again by itself: %s', async (kind, state, again) => {
    reaches.first = () => {
      throw ssh(kind);
    };
    host.connect();
    await is(state);
    expect(host.view().error?.message).toBe(`kvm1 says ${kind}.`);
    expect(host.view().retryAt !== null).toBe(again);
    reaches.first = () => {};
    clock.advance(1_300);
    if (again) await is('online');
    else {
      expect(reaches.attempts).toHaveLength(1);
      await online();
    }
    expect(host.view()).toMatchObject({ error: null, retryAt: null });
  });

  it('is tried less and less often, and at once when asked to', async () => {
    reaches.first = () => {
      throw ssh('refused');
    };
    host.connect();
    for (let tries = 1; tries < 5; tries++) {
      await vi.waitFor(() => expect([reaches.attempts.length, due().length]).toEqual([tries, 1]));
      const full = 1_000 * 2 ** (tries - 1);
      expect(due()[0]).toBeGreaterThanOrEqual(full * 0.75);
      expect(due()[0]).toBeLessThanOrEqual(full * 1.25);
      clock.advance(full * 1.25);
    }
    await vi.waitFor(() => expect(reaches.attempts.length).toBe(5));
    reaches.first = () => {};
    await is('unreachable');
    await vi.waitFor(() => expect(host.view().retryAt).not.toBeNull());
    await online();
    expect(clock.now()).toBeLessThan(20_000);
  });

  it('to a daemon that refuses the driver says what libvirt says', async () => {
    sim.faults.set({ kind: 'fails', call: 'connect_open', code: 38, domain: 7, message: 'no socket of a daemon' });
    host.connect();
    await is('not-libvirt');
    expect(host.view().error).toMatchObject({ detail: { number: 38 } });
    expect(host.view().error?.message).toContain('kvm1');
    expect(host.view().error?.message).toContain('no socket of a daemon');
  });

  it.each(['garbage', 'hangup-mid-packet'] as const)(
    'to a daemon that answers with %s closes that connection alone',
    async (kind) => {
      sim.faults.set({ kind, call: 'connect_list_all_domains', times: 1 });
      host.connect();
      await vi.waitFor(() => expect(host.view().retryAt).not.toBeNull());
      expect(host.view().error?.message).toMatch(/kvm1.*\.$/);
      expect(reaches.last.carried).toBe(0);
      await online();
      expect(reaches.attempts).toHaveLength(1);
    },
  );
});

describe('a host key', () => {
  const shows = (status: HostKeySeen['status']) => (options: { onHostKey: (seen: HostKeySeen) => void }) => {
    options.onHostKey({ ...key, status });
    if (status !== 'trusted') throw ssh(status === 'unknown' ? 'untrusted' : status);
  };

  it('that is unknown is shown, and connected to once it is trusted', async () => {
    reaches.first = shows('unknown');
    host.connect();
    await is('untrusted');
    expect(host.view().hostKey).toEqual({ algorithm: 'ssh-ed25519', fingerprint: key.fingerprint, status: 'unknown' });
    reaches.first = shows('trusted');
    await host.trust(key.fingerprint, false);
    await is('online');
    expect(pinned).toEqual([['kvm1', 22, false]]);
    expect(host.view().hostKey?.status).toBe('trusted');
  });

  it('is not trusted by another fingerprint, nor before it was shown', async () => {
    await expect(host.trust(key.fingerprint, false)).rejects.toMatchObject({ code: 'conflict' });
    reaches.first = shows('unknown');
    host.connect();
    await is('untrusted');
    await expect(host.trust(`SHA256:${'B'.repeat(43)}`, true)).rejects.toMatchObject({
      code: 'conflict',
      detail: { fingerprint: key.fingerprint },
    });
    expect(pinned).toEqual([]);
  });

  it('that has changed is replaced only explicitly', async () => {
    reaches.first = shows('changed');
    host.connect();
    await is('untrusted');
    await expect(host.trust(key.fingerprint, false)).rejects.toMatchObject({ code: 'conflict' });
    expect(pinned).toEqual([]);
    reaches.first = shows('trusted');
    await host.trust(key.fingerprint, true);
    await is('online');
    expect(pinned).toEqual([['kvm1', 22, true]]);
  });

  it('that is revoked is never taken, and shown as changed', async () => {
    reaches.first = shows('revoked');
    host.connect();
    await is('untrusted');
    await expect(host.trust(key.fingerprint, true)).rejects.toMatchObject({ code: 'conflict' });
    expect(host.view().hostKey?.status).toBe('changed');
  });

  it('trusted while an attempt is under way that began before, counts: another attempt follows at once', async () => {
    let refuse = () => {};
    reaches.first = (options) => {
      options.onHostKey(key);
      return new Promise((_resolve, reject) => (refuse = () => reject(ssh('untrusted'))));
    };
    host.connect();
    await vi.waitFor(() => expect(host.view().hostKey).not.toBeNull());
    await host.trust(key.fingerprint, false);
    reaches.first = shows('trusted');
    refuse();
    await is('online');
    expect(states()).toEqual(['connecting', 'online']);
  });

  it('that is not verified is not called trusted', async () => {
    reaches.first = ({ onHostKey }) => onHostKey(key);
    await online();
    expect(host.view().hostKey?.status).toBe('unknown');
  });
});

describe('disconnecting', () => {
  it('greys what was known, and stays so', async () => {
    await online();
    await host.disconnect();
    expect(host.view()).toMatchObject({ state: 'disconnected', error: null, connections: 0, retryAt: null });
    expect(web01()).toMatchObject({ stale: true, state: 'running' });
    clock.advance(600_000);
    expect(reaches.attempts).toHaveLength(1);
    expect(due()).toEqual([]);
    await online();
    expect(web01()?.stale).toBe(false);
  });

  it('ends an attempt that hangs', async () => {
    reaches.first = hangs;
    host.connect();
    await vi.waitFor(() => expect(reaches.attempts).toHaveLength(1));
    await host.disconnect();
    expect(states()).toEqual(['connecting', 'disconnected']);
  });

  it('ends the wait for a daemon that never answers', async () => {
    sim.faults.set({ kind: 'never-answers', call: 'connect_list_all_domains' });
    host.connect();
    await vi.waitFor(() => expect(sim.host('kvm1').daemon.clients.size).toBe(1));
    await host.disconnect();
    expect(host.state).toBe('disconnected');
    await vi.waitFor(() => expect(sim.host('kvm1').daemon.clients.size).toBe(0));
  });

  it('and connecting in the same breath ends connected', async () => {
    await online();
    const over = host.disconnect();
    host.connect();
    await over;
    await is('online');
    expect(reaches.made).toHaveLength(2);
    expect(reaches.made.map(({ connections }) => connections)).toEqual([0, 1]);
    expect(web01()?.stale).toBe(false);
  });

  it('twice is once', async () => {
    await online();
    await Promise.all([host.disconnect(), host.disconnect()]);
    expect(states()).toEqual(['connecting', 'online', 'disconnected']);
  });

  it('is refused while a migration is under way over it', async () => {
    await online();
    const release = host.hold();
    expect(reaches.last.holds).toBe(1);
    await expect(host.disconnect()).rejects.toMatchObject({ code: 'conflict' });
    expect(host.state).toBe('online');
    release();
    release();
    expect(reaches.last.holds).toBe(0);
    await host.disconnect();
  });

  it('ends the connections that others opened over it', async () => {
    await online();
    const [one, work] = await Promise.all([host.open({ keepalive: false }), host.work()]);
    await host.disconnect();
    await Promise.all([one.ended, work.ended]);
    await expect(host.work()).rejects.toMatchObject({ code: 'unreachable' });
    await expect(host.open({ keepalive: false })).rejects.toMatchObject({ code: 'unreachable' });
    expect(() => host.connection).toThrow(/kvm1 is not connected/);
  });
});

describe('a connection that is lost', () => {
  it('greys its domains, says why, and comes back by itself', async () => {
    await online();
    reaches.last.lose();
    await is('unreachable');
    expect(host.view()).toMatchObject({ connections: 0, error: { message: 'kvm1 has not answered for 14 s.' } });
    expect(web01()).toMatchObject({ stale: true, state: 'running' });
    expect(due()).toHaveLength(1);
    clock.advance(2_000);
    await is('online');
    expect(web01()?.stale).toBe(false);
    expect(states()).toEqual(['connecting', 'online', 'unreachable', 'online']);
  });

  it('shows what changed meanwhile', async () => {
    await online();
    reaches.last.lose();
    await is('unreachable');
    const other = await direct(sim.host('kvm1'));
    await other.call('domain_destroy_flags', { dom: { name: 'web01', uuid: sim.uuid('web01') } });
    await other.call('domain_undefine_flags', { dom: { name: 'db01', uuid: sim.uuid('db01') } });
    clock.advance(2_000);
    await is('online');
    expect(host.domains.all.map(({ name, state }) => [name, state])).toEqual([['web01', 'shutoff']]);
  });

  it('was the daemon’s: the SSH connection is kept', async () => {
    await online();
    sim.host('kvm1').daemon.restart();
    await is('unreachable');
    expect(host.view()).toMatchObject({ connections: 1 });
    expect(host.view().error?.message).toMatch(/^The connection to libvirt on kvm1 ended: .*\.$/);
    clock.advance(2_000);
    await is('online');
    expect(reaches.attempts).toHaveLength(1);
  });

  it('is only silent: greyed, waited for, and read again when it is heard', async () => {
    await online();
    reaches.last.tell('silent');
    expect(host.view()).toMatchObject({ state: 'unreachable', connections: 1 });
    expect(web01()?.stale).toBe(true);
    host.connect();
    expect(host.state).toBe('unreachable');
    reaches.last.tell('heard');
    await is('online');
    expect(web01()?.stale).toBe(false);
    expect(reaches.attempts).toHaveLength(1);
  });

  it('is asked at once whether it lives when this machine wakes up', async () => {
    await online();
    host.woke();
    expect(reaches.last.asked).toBe(1);
    reaches.last.lose();
    await is('unreachable');
    await vi.waitFor(() => expect(host.view().retryAt).not.toBeNull());
    // Asleep again while it waits for its next turn: that is now.
    host.woke();
    await is('online');
    expect(reaches.attempts).toHaveLength(2);
  });

  it('is heard again twice in a row, and lost in between', async () => {
    await online();
    for (const event of ['silent', 'heard', 'silent', 'heard'] as const) reaches.last.tell(event);
    await is('online');
    reaches.last.tell('silent');
    reaches.last.tell('heard');
    reaches.last.lose();
    await vi.waitFor(() => expect(host.view().retryAt).not.toBeNull());
    expect(host.state).toBe('unreachable');
    expect(web01()?.stale).toBe(true);
  });
});

describe('the connection for work', () => {
  it('is one for all, and another once it has ended', async () => {
    await online();
    const [a, b] = await Promise.all([host.work(), host.work()]);
    expect(a).toBe(b);
    expect(reaches.last.carried).toBe(2);
    a.destroy();
    const c = await host.work();
    expect(c).not.toBe(a);
    expect(await host.work()).toBe(c);
  });

  it('that cannot be opened is told, and tried anew', async () => {
    await online();
    const undo = sim.faults.set({
      kind: 'fails',
      call: 'connect_open',
      code: 38,
      domain: 7,
      message: 'too many clients',
    });
    const both = await Promise.allSettled([host.work(), host.work()]);
    for (const one of both) {
      expect((one as PromiseRejectedResult).reason).toMatchObject({ code: 'libvirt', detail: { number: 38 } });
    }
    undo();
    await host.work();
  });
});

describe('events', () => {
  it('have the domain read again', async () => {
    await online();
    const other = await direct(sim.host('kvm1'));
    await other.call('domain_suspend', { dom: { name: 'web01', uuid: sim.uuid('web01') } });
    await vi.waitFor(() => expect(web01()?.state).toBe('paused'));
    expect(host.domains.counts).toEqual({ running: 1, total: 2 });
  });

  it('are told in words to who follows them, until that ends', async () => {
    await online();
    const seen: string[] = [];
    const undo = host.onLifecycle((_uuid, { event, detail }) => seen.push(`${event}: ${detail}`));
    const other = await direct(sim.host('kvm1'));
    const dom = { name: 'web01', uuid: sim.uuid('web01') };
    await other.call('domain_suspend', { dom });
    await other.call('domain_resume', { dom });
    await vi.waitFor(() => expect(seen).toEqual(['suspended: paused', 'resumed: unpaused']));
    undo();
    undo();
    await other.call('domain_suspend', { dom });
    await vi.waitFor(() => expect(web01()?.state).toBe('paused'));
    expect(seen).toHaveLength(2);
  });
});

describe('a question of its login', () => {
  const asking = (
    { prompts }: { prompts: { ask: (question: never, until: AbortSignal) => Promise<string[] | null> } | null },
    signal: AbortSignal,
  ) =>
    prompts?.ask(
      {
        kind: 'password',
        title: 'root@kvm1',
        instruction: '',
        prompts: [{ text: 'Password:', echo: false }],
        again: false,
      } as never,
      signal,
    );

  it('holds up no other host', async () => {
    gate = new Gate(1);
    questions.windows(1);
    reaches.first = (options) => asking(options, options.signal);
    host = makeHost();
    host.connect();
    await vi.waitFor(() => expect(questions.list).toHaveLength(1));
    const reachesOfOther = reaches.attempts.length;
    const other = makeHost();
    other.connect();
    await vi.waitFor(() => expect(reaches.attempts).toHaveLength(reachesOfOther + 1));
    await other.close();
  });

  it('goes with its host', async () => {
    questions.windows(1);
    reaches.first = async (options) => {
      await asking(options, options.signal);
      throw ssh('cancelled');
    };
    host.connect();
    await vi.waitFor(() => expect(questions.list).toMatchObject([{ hostId: 'kvm1', title: 'root@kvm1' }]));
    await host.remove();
    expect(questions.list).toEqual([]);
  });

  it('is asked when somebody comes who can answer, without a word of theirs', async () => {
    questions.onOpen(() => host.askNow());
    reaches.first = ({ prompts }) => {
      if (!prompts) throw ssh('auth-failed');
    };
    host.connect();
    await vi.waitFor(() => expect(host.state).toBe('auth-failed'));
    questions.windows(1);
    await vi.waitFor(() => expect(host.state).toBe('online'));
  });

  it('is asked at once where somebody came while the login failed for want of that', async () => {
    reaches.first = ({ prompts }) => {
      questions.windows(1);
      if (!prompts) throw ssh('auth-failed');
    };
    host.connect();
    await vi.waitFor(() => expect(host.state).toBe('online'));
  });

  it('is asked by a new login where libvirt itself refused, once', async () => {
    questions.onOpen(() => host.askNow());
    const open = vi.spyOn(SimReach.prototype, 'open').mockImplementation(async () => {
      throw ssh('auth-failed');
    });
    host.connect();
    await vi.waitFor(() => expect(host.state).toBe('auth-failed'));
    questions.windows(1);
    await vi.waitFor(() => expect(reaches.attempts).toHaveLength(2));
    await vi.waitFor(() => expect(host.state).toBe('auth-failed'));
    await fewTurns();
    expect(host.state).toBe('auth-failed');
    expect(reaches.attempts).toHaveLength(2);
    open.mockRestore();
  });

  it('is not asked again because one more window was opened', async () => {
    questions.onOpen(() => host.askNow());
    questions.windows(1);
    reaches.first = () => {
      throw ssh('auth-failed');
    };
    host.connect();
    await vi.waitFor(() => expect(host.state).toBe('auth-failed'));
    questions.windows(2);
    questions.windows(0);
    questions.windows(1);
    await fewTurns();
    expect(host.state).toBe('auth-failed');
    expect(reaches.attempts).toHaveLength(1);
  });

  it('is not asked where nobody could answer', async () => {
    let prompts: unknown;
    reaches.first = (options) => {
      ({ prompts } = options);
    };
    await online();
    expect(prompts).toBeNull();
  });
});

describe('removing', () => {
  it('while it connects tells nothing more of it', async () => {
    reaches.first = hangs;
    host.connect();
    await vi.waitFor(() => expect(reaches.attempts).toHaveLength(1));
    await host.remove();
    const before = told.length;
    clock.advance(600_000);
    await fewTurns();
    expect(told).toHaveLength(before);
    expect(host.removed).toBe(true);
  });

  it('takes its domains away, and no late read brings one back', async () => {
    await online();
    host.domains.refresh(sim.uuid('web01'));
    host.domains.refresh(sim.uuid('db01'));
    await host.remove();
    expect(host.domains.all).toEqual([]);
    const gone = told.filter(({ event, data }) => event === 'domain' && 'removed' in data);
    expect(gone).toHaveLength(2);
    const before = told.length;
    await fewTurns();
    expect(told).toHaveLength(before);
  });
});

describe('statistics', () => {
  it('are sampled twice at once and then every so often, more often while somebody looks', async () => {
    await online();
    await vi.waitFor(() => expect(due()).toContain(700));
    clock.advance(700);
    await vi.waitFor(() => expect(web01()?.stats).not.toBeNull());
    await vi.waitFor(() => expect(due()).toContain(15_000));
    host.setAttention('elsewhere');
    await vi.waitFor(() => expect(due()).toContain(2_000));
    expect(due().filter((ms) => ms <= 15_000)).toEqual([2_000]);
  });

  it('come often from a host that is looked at, however many others there are', async () => {
    host = makeHost('kvm1', 1_000);
    await online();
    await vi.waitFor(() => expect(due()).toContain(15_000));
    host.setAttention('elsewhere');
    host.setAttention('here');
    await vi.waitFor(() => expect(due()).toEqual([2_000]));
    host.setAttention('elsewhere');
    expect(due()).toEqual([2_000]);
    clock.advance(2_000);
    await vi.waitFor(() => expect(due()).toEqual([60_000]));
  });

  it('are never sampled twice at once, however often somebody looks and looks away', async () => {
    await online();
    await vi.waitFor(() => expect(due()).toContain(700));
    for (let i = 0; i < 5; i++) {
      host.setAttention('elsewhere');
      host.setAttention('none');
    }
    host.setAttention('elsewhere');
    for (let i = 0; i < 5; i++) {
      await vi.waitFor(() => expect(due()).toHaveLength(1));
      clock.advance(2_000);
      await vi.waitFor(() => expect(due()).toHaveLength(1));
    }
  });

  it('end with the connection', async () => {
    await online();
    await vi.waitFor(() => expect(due()).toContain(700));
    await host.disconnect();
    expect(due()).toEqual([]);
    expect(web01()?.stats).toBeNull();
  });
});

/** A few turns in which anything that is still coming comes. */
async function fewTurns(): Promise<void> {
  for (let i = 0; i < 20; i++) await new Promise((resolve) => setImmediate(resolve));
}
