// Graphical consoles of a fleet of simulated hosts: their VNC servers reached, shared, slow, and going with a VM.
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { ConsoleNote } from '../../contract/events.ts';
import { Consoles } from '../../src-main/consoles/consoles.ts';
import { Fleet } from '../../src-main/fleet/fleet.ts';
import { Questions } from '../../src-main/fleet/questions.ts';
import { type KnownHosts, SecretCache } from '../../src-main/ssh/index.ts';
import { SimFleet } from '../../src-sim/index.ts';
import { HandClock } from '../fleet/hand-clock.ts';
import { SimReaches } from '../fleet/sim-reach.ts';
import { direct } from '../sim/reach.ts';
import { migrateBehind } from './migrate-behind.ts';
import { RfbViewer } from './rfb-viewer.ts';

let sim: SimFleet;
let reaches: SimReaches;
let fleet: Fleet;
let consoles: Consoles;

const host = (name: string) => {
  const found = fleet.hosts.find(({ label }) => label === name);
  if (!found) throw new Error(`no host ${name}`);
  return found;
};
const ref = (name: string, on = 'kvm1') => ({ hostId: host(on).id, uuid: sim.uuid(name) });

/** A viewer that takes what comes at once, unless it is told to be slow. */
class Watched {
  id = '';
  bytes = 0;
  slow = false;
  readonly notes: ConsoleNote[] = [];
  readonly viewer = new RfbViewer((bytes) => {
    void consoles.write(this.id, bytes);
  });
  #early: (() => void)[] | null = [];

  static async open(name: string, target?: string): Promise<Watched> {
    const watched = new Watched();
    watched.id = await consoles.openGraphics(ref(name), target, (id) => ({
      data: (bytes) => {
        watched.bytes += bytes.length;
        watched.#soon(() => watched.viewer.take(bytes));
        if (!watched.slow) consoles.shown(id, bytes.length);
      },
      note: (note) => {
        watched.notes.push(note);
        if (note.type === 'moved') watched.#soon(() => watched.viewer.anew());
      },
    }));
    for (const run of watched.#early ?? []) run();
    watched.#early = null;
    return watched;
  }
  #soon(run: () => void) {
    if (this.#early) this.#early.push(run);
    else run();
  }
  get kinds(): string[] {
    return this.notes.map(({ type }) => type);
  }
  async shows(): Promise<void> {
    await vi.waitFor(() => expect(this.viewer.rectangles).toBeGreaterThan(0), { timeout: 5_000, interval: 5 });
  }
  async closed(): Promise<ConsoleNote & { type: 'closed' }> {
    await vi.waitFor(() => expect(this.kinds).toContain('closed'), { timeout: 8_000, interval: 5 });
    return this.notes.find((note) => note.type === 'closed') as ConsoleNote & { type: 'closed' };
  }
}

beforeEach(async () => {
  sim = await SimFleet.start({
    seed: 'graphics',
    speed: 5,
    hosts: [{ name: 'kvm1' }, { name: 'kvm2' }],
    domains: [
      { name: 'web01', host: 'kvm1', memoryMiB: 64, vnc: true },
      { name: 'safe01', host: 'kvm1', memoryMiB: 64, vnc: { password: 'se<cret' } },
      { name: 'sock01', host: 'kvm1', memoryMiB: 64, vnc: { socket: '/var/lib/libvirt/qemu/sock01.vnc' } },
      { name: 'blind01', host: 'kvm1', memoryMiB: 64 },
      { name: 'off01', host: 'kvm1', memoryMiB: 64, vnc: true, running: false },
    ],
  });
  reaches = new SimReaches(sim);
  const tell = () => {};
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
  consoles.closeAll();
  await fleet.close();
  expect(sim.problems).toEqual([]);
  await sim.close();
});

const shellOf = (name: string, on = 'kvm1') => sim.host(on).daemon.byName(name)?.guest?.shell;

describe('opening', () => {
  it.each(['web01', 'sock01'])('shows the screen of %s, and types into it', async (name) => {
    const watched = await Watched.open(name);
    await watched.shows();
    expect(watched.viewer.name).toBe(`QEMU (${name})`);
    expect(watched.viewer.drawn).toBeGreaterThan(1_000);
    watched.viewer.type('hello');
    await vi.waitFor(() => expect(shellOf(name)?.line).toBe('hello'));
    expect(watched.kinds).toEqual(['open']);
  });

  it('is each viewer’s own, and the one leaves the other’s alone', async () => {
    const [one, two] = await Promise.all([Watched.open('web01'), Watched.open('web01', 'vnc0')]);
    await Promise.all([one.shows(), two.shows()]);
    consoles.close(one.id);
    expect(() => consoles.write(one.id, Buffer.from('x'))).toThrow(expect.objectContaining({ code: 'not-found' }));
    const before = two.viewer.rectangles;
    two.viewer.ask(false);
    await vi.waitFor(() => expect(two.viewer.rectangles).toBeGreaterThan(before));
    expect(two.kinds).toEqual(['open']);
  });

  it('one with a password asks its viewer, and takes the right one only', async () => {
    const wrong = await Watched.open('safe01');
    await vi.waitFor(() => expect(wrong.viewer.state).toBe('refused'));
    const right = new Watched();
    right.viewer.password = 'se<cret';
    right.id = await consoles.openGraphics(ref('safe01'), undefined, () => ({
      data: (bytes) => setImmediate(() => right.viewer.take(bytes)),
      note: () => {},
    }));
    await right.shows();
  });

  it('says what there is not, and what would help', async () => {
    await expect(Watched.open('blind01')).rejects.toMatchObject({
      code: 'not-found',
      message: expect.stringContaining('Add a VNC graphics device') as string,
    });
    await expect(Watched.open('web01', 'vnc7')).rejects.toMatchObject({
      code: 'not-found',
      message: expect.stringContaining('only vnc0') as string,
    });
    await expect(Watched.open('off01')).rejects.toMatchObject({
      code: 'not-found',
      message: 'off01 does not run on kvm1, so it shows nothing now. Run it first.',
    });
  });
});

describe('a slow viewer', () => {
  it('holds its own server back, and has lost nothing when it goes on', async () => {
    const watched = await Watched.open('web01');
    await watched.shows();
    watched.slow = true;
    const before = watched.bytes;
    // The whole picture again and again: each is over a MiB.
    for (let at = 0; at < 20; at += 1) watched.viewer.ask(false);
    const other = await Watched.open('web01');
    await other.shows();
    const held = watched.bytes - before;
    expect(held).toBeLessThan(6 << 20);
    const rectangles = watched.viewer.rectangles;
    watched.slow = false;
    consoles.shown(watched.id, held);
    await vi.waitFor(() => expect(watched.viewer.rectangles).toBe(rectangles + 20 - Math.floor(held / 1_152_000)), {
      timeout: 5_000,
    });
  });
});

describe('a VM that moves', () => {
  it('is shown from where it has come up; what was meant for the old server does not reach the new one', async () => {
    const watched = await Watched.open('web01');
    await watched.shows();
    watched.viewer.type('before');
    await vi.waitFor(() => expect(shellOf('web01')?.line).toBe('before'));
    const late = Buffer.from([4, 1, 0, 0, 0, 0, 0, 0x78]);
    const seen = watched.notes.push.bind(watched.notes);
    // Sent the very moment that it moves, as by somebody who types on.
    watched.notes.push = (note) => {
      if (note.type === 'moved') void consoles.write(watched.id, late);
      return seen(note);
    };
    await migrateBehind(sim, 'web01', 'kvm1', 'kvm2');
    await vi.waitFor(() => expect(watched.kinds).toEqual(['open', 'moved']), { timeout: 5_000 });
    expect(watched.notes.at(-1)).toEqual({ type: 'moved', from: host('kvm1').id, to: host('kvm2').id });
    await watched.shows();
    expect(watched.viewer.begun).toBe(2);
    watched.viewer.type(' after');
    await vi.waitFor(() => expect(shellOf('web01', 'kvm2')?.line).toBe('before after'));
  });

  it('asks for the password again there', async () => {
    const watched = new Watched();
    watched.viewer.password = 'se<cret';
    watched.id = await consoles.openGraphics(ref('safe01'), undefined, () => ({
      data: (bytes) => setImmediate(() => watched.viewer.take(bytes)),
      note: (note) => {
        watched.notes.push(note);
        if (note.type === 'moved') setImmediate(() => watched.viewer.anew());
      },
    }));
    await watched.shows();
    await migrateBehind(sim, 'safe01', 'kvm1', 'kvm2');
    await vi.waitFor(() => expect(watched.kinds).toContain('moved'), { timeout: 5_000 });
    await watched.shows();
    expect(watched.viewer.begun).toBe(2);
  });
});

describe('the end', () => {
  it('of the guest closes it, which is no failure', async () => {
    const watched = await Watched.open('web01');
    await watched.shows();
    const other = await direct(sim.host('kvm1'));
    await other.call('domain_destroy_flags', { dom: { name: 'web01', uuid: sim.uuid('web01') } });
    expect((await watched.closed()).err).toBeNull();
  });

  it('of the connection is told, naming VM and host', async () => {
    const watched = await Watched.open('web01');
    await watched.shows();
    reaches.made.find((reach) => reach.host.name === 'kvm1')?.lose();
    const { err } = await watched.closed();
    expect(err).toMatchObject({ code: 'unreachable' });
    expect(err?.message).toMatch(/web01 on kvm1.*\.$/);
  });

  it('of Drover is told', async () => {
    const watched = await Watched.open('web01');
    consoles.closeAll();
    expect((await watched.closed()).err).toMatchObject({ message: 'Drover is ending.' });
  });
});
