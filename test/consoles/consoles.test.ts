// Consoles of a fleet of simulated hosts: shared, contested, going with a VM, and ended with their host.
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { ConsoleNote, Delta } from '../../contract/events.ts';
import { Consoles } from '../../src-main/consoles/consoles.ts';
import { Fleet } from '../../src-main/fleet/fleet.ts';
import { Questions } from '../../src-main/fleet/questions.ts';
import { type Connection, consoleFlags } from '../../src-main/libvirt/index.ts';
import { type KnownHosts, SecretCache } from '../../src-main/ssh/index.ts';
import { Client } from '../../src-sim/client.ts';
import { SimFleet } from '../../src-sim/index.ts';
import { HandClock } from '../fleet/hand-clock.ts';
import { SimReaches } from '../fleet/sim-reach.ts';
import { direct } from '../sim/reach.ts';
import { migrateBehind } from './migrate-behind.ts';

let sim: SimFleet;
let reaches: SimReaches;
let fleet: Fleet;
let consoles: Consoles;

const host = (name: string) => {
  const found = fleet.hosts.find(({ label }) => label === name);
  if (!found) throw new Error(`no host ${name}`);
  return found;
};
const ref = (name = 'web01', on = 'kvm1') => ({ hostId: host(on).id, uuid: sim.uuid(name) });
const dom = (name = 'web01') => ({ name, uuid: sim.uuid(name) });

class Watched {
  id = '';
  text = '';
  readonly notes: ConsoleNote[] = [];

  static async open(options: Parameters<Consoles['open']>[1] = {}, of = ref()): Promise<Watched> {
    const watched = new Watched();
    watched.id = await consoles.open(of, options, () => ({
      data: (bytes) => (watched.text += Buffer.from(bytes).toString()),
      note: (note) => watched.notes.push(note),
    }));
    return watched;
  }
  get ticks(): number[] {
    return [...this.text.matchAll(/tick (\d+)\D/g)].map(([, tick]) => Number(tick));
  }
  get kinds(): string[] {
    return this.notes.map(({ type }) => type);
  }
  async ticksOn(): Promise<void> {
    const before = this.ticks.length;
    await vi.waitFor(() => expect(this.ticks.length).toBeGreaterThan(before + 1), { timeout: 5_000, interval: 5 });
  }
  async closed(): Promise<ConsoleNote & { type: 'closed' }> {
    await vi.waitFor(() => expect(this.kinds).toContain('closed'), { timeout: 5_000, interval: 5 });
    return this.notes.find((note) => note.type === 'closed') as ConsoleNote & { type: 'closed' };
  }
}

/** As virsh would, behind our back. */
const migrate = (from: string, to: string, before?: () => Promise<void>) =>
  migrateBehind(sim, 'web01', from, to, before);

beforeEach(async () => {
  sim = await SimFleet.start({
    seed: 'consoles',
    speed: 5,
    hosts: [{ name: 'kvm1' }, { name: 'kvm2' }],
    domains: [
      { name: 'web01', host: 'kvm1', memoryMiB: 64, profile: { tickMs: 50 } },
      { name: 'db01', host: 'kvm1', memoryMiB: 64, running: false },
    ],
  });
  reaches = new SimReaches(sim);
  const tell = (_delta: Delta) => {};
  fleet = new Fleet({
    logins: { knownHosts: {} as KnownHosts, secrets: new SecretCache() },
    questions: new Questions(tell),
    tell,
    save: () => {},
    openReach: reaches.open,
    clock: new HandClock(),
  });
  consoles = new Consoles(fleet);
  for (const name of ['kvm1', 'kvm2']) fleet.add(`qemu+ssh://root@${name}/system`);
  await vi.waitFor(() => expect(fleet.hosts.map(({ state }) => state)).toEqual(['online', 'online']), {
    timeout: 10_000,
  });
});

afterEach(async () => {
  vi.restoreAllMocks();
  consoles.closeAll();
  await fleet.close();
  expect(sim.problems).toEqual([]);
  await sim.close();
});

describe('opening', () => {
  it('shows what the guest says; two viewers share one stream', async () => {
    const before = sim.host('kvm1').daemon.clients.size;
    const [one, two] = await Promise.all([Watched.open(), Watched.open()]);
    await Promise.all([one.ticksOn(), two.ticksOn()]);
    expect(sim.host('kvm1').daemon.clients.size).toBe(before + 1);
    consoles.close(one.id);
    await two.ticksOn();
    consoles.close(two.id);
    consoles.close(two.id);
    await vi.waitFor(() => expect(sim.host('kvm1').daemon.clients.size).toBe(before));
  });

  it('and leaving in the same breath leaves the next one a stream of its own', async () => {
    const gone = Watched.open().then((one) => consoles.close(one.id));
    const two = await Watched.open();
    await gone;
    await two.ticksOn();
    expect(two.kinds).toEqual(['open']);
  });

  it('one that another program has is a conflict, until it is taken over', async () => {
    const other = await direct(sim.host('kvm1'), { keepalive: false });
    const stream = await other.openStream('domain_open_console', { dom: dom() });
    const lost = new Promise((resolve) => stream.on('error', resolve));
    await expect(Watched.open()).rejects.toMatchObject({ code: 'conflict' });
    const mine = await Watched.open({ takeover: true });
    await lost;
    await mine.ticksOn();
  });

  it('what is not there is said', async () => {
    await expect(Watched.open({ target: 'serial7' })).rejects.toMatchObject({ code: 'not-found' });
    await expect(Watched.open({}, { ...ref(), uuid: sim.host('kvm1').uuid })).rejects.toMatchObject({
      code: 'not-found',
    });
    await expect(Watched.open({}, ref('db01'))).rejects.toMatchObject({ code: 'libvirt' });
    expect(() => consoles.write('nothing', Buffer.from('x'))).toThrow(expect.objectContaining({ code: 'not-found' }));
    consoles.shown('nothing', 5);
    consoles.close('nothing');
  });

  it('one that never answers holds up no other', async () => {
    const undo = sim.faults.set({ kind: 'never-answers', call: 'domain_open_console', host: 'kvm1', times: 1 });
    const stuck = Watched.open();
    stuck.catch(() => {});
    undo();
    const started = performance.now();
    await consoles.beforeSwitch(ref(), host('kvm2'));
    expect(performance.now() - started).toBeLessThan(1_000);
  });
});

describe('the end', () => {
  it('of the guest closes it', async () => {
    const watched = await Watched.open();
    await watched.ticksOn();
    const other: Connection = await direct(sim.host('kvm1'));
    await other.call('domain_destroy_flags', { dom: dom() });
    expect((await watched.closed()).err).toBeNull();
    await expect(Watched.open()).rejects.toMatchObject({ code: 'libvirt' });
  });

  it('by another program that takes it over is said', async () => {
    const watched = await Watched.open();
    const other = await direct(sim.host('kvm1'), { keepalive: false });
    const stream = await other.openStream('domain_open_console', { dom: dom(), flags: consoleFlags.force });
    stream.resume().on('error', () => {});
    expect((await watched.closed()).err).toMatchObject({ code: 'conflict' });
  });

  it.each(['disconnected', 'removed', 'lost'])('of the connection closes it: the host is %s', async (how) => {
    const watched = await Watched.open();
    await watched.ticksOn();
    const { id } = host('kvm1');
    if (how === 'disconnected') await host('kvm1').disconnect();
    else if (how === 'removed') await fleet.remove(id);
    else reaches.made.find((reach) => reach.host.name === 'kvm1')?.lose();
    const { err } = await watched.closed();
    expect(err?.code).toBe('unreachable');
    expect(err?.message).toMatch(/kvm1.*\.$/);
    expect(() => consoles.write(watched.id, Buffer.from('x'))).toThrow(expect.objectContaining({ code: 'not-found' }));
  });

  it('of Drover is told to every viewer', async () => {
    const [one, two] = await Promise.all([Watched.open(), Watched.open()]);
    consoles.closeAll();
    for (const { notes } of [one, two]) {
      expect(notes.at(-1)).toMatchObject({ type: 'closed', err: { message: 'Drover is ending.' } });
    }
  });
});

describe('a VM that moves', () => {
  it('takes its console along, opened beforehand; all that the guest said is there, in its order', async () => {
    const said = vi.spyOn(Client.prototype, 'streamData');
    const watched = await Watched.open();
    await watched.ticksOn();
    await migrate('kvm1', 'kvm2', () => consoles.beforeSwitch(ref(), host('kvm2')));
    await vi.waitFor(() => expect(watched.kinds).toEqual(['open', 'moved']), { timeout: 5_000 });
    expect(watched.notes.at(-1)).toEqual({ type: 'moved', from: host('kvm1').id, to: host('kvm2').id });
    await watched.ticksOn();
    const all = said.mock.calls.map(([, bytes]) => bytes.toString()).join('');
    await vi.waitFor(() => expect(watched.text.startsWith(all)).toBe(true));
    await consoles.write(watched.id, Buffer.from('echo typed-there\r'));
    await watched.ticksOn();
    // Who opens it now, by its new home, shares the stream.
    const other = await Watched.open({}, ref('web01', 'kvm2'));
    await other.ticksOn();
  });

  it('takes it along whoever moves it', async () => {
    const watched = await Watched.open();
    await watched.ticksOn();
    await migrate('kvm1', 'kvm2');
    await vi.waitFor(() => expect(watched.kinds).toContain('moved'), { timeout: 5_000 });
    await watched.ticksOn();
  });

  it('takes along one that was opened while it moved', async () => {
    let watched: Watched | undefined;
    await migrate('kvm1', 'kvm2', async () => {
      watched = await Watched.open();
      await consoles.beforeSwitch(ref(), host('kvm2'));
    });
    await vi.waitFor(() => expect(watched?.kinds).toContain('moved'), { timeout: 5_000 });
    await watched?.ticksOn();
  });
});
