// Drover's fleet and migrations, joined as in main, on simulated hosts over real SSH on loopback.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Delta } from '../../contract/events.ts';
import type { MigrationView } from '../../contract/model.ts';
import { systemClock } from '../../src-main/fleet/clock.ts';
import { Fleet } from '../../src-main/fleet/fleet.ts';
import { Questions } from '../../src-main/fleet/questions.ts';
import { Journal } from '../../src-main/migration/recovery/journal.ts';
import { Migrations } from '../../src-main/migration/migrations.ts';
import { KnownHosts, SecretCache } from '../../src-main/ssh/index.ts';
import { type Fault, SimFleet } from '../../src-sim/index.ts';

export async function until<T>(
  what: string,
  ask: () => T | Promise<T>,
  timeoutMs = 20_000,
): Promise<Exclude<T, false | null | undefined>> {
  const end = performance.now() + timeoutMs;
  for (;;) {
    const answer = await ask();
    if (answer) return answer as Exclude<T, false | null | undefined>;
    if (performance.now() > end) throw new Error(`${what}: not within ${timeoutMs / 1000} s`);
    await new Promise((wake) => setTimeout(wake, 20));
  }
}

/** Two hosts, and a VM on the first whose disk both see. */
export const twoHosts = (seed: string): Parameters<typeof SimFleet.start>[0] => ({
  seed,
  speed: 20,
  hosts: [
    { name: 'kvm1', linkMiBps: 200 },
    { name: 'kvm2', linkMiBps: 200 },
  ],
  domains: [
    {
      name: 'web01',
      host: 'kvm1',
      memoryMiB: 512,
      disks: [{ path: '/srv/shared/web01.qcow2' }],
      profile: { dirtyMiBps: 5 },
    },
  ],
});

/** Where `web01` is, as `Rig.where` tells it. */
export const moved = { runs: ['kvm2'], held: ['kvm2'], defined: ['kvm2'] };
export const stayed = { runs: ['kvm1'], held: ['kvm1'], defined: ['kvm1'] };

export const dies = (phase: string, when: string, side: string, what = 'connection') =>
  ({ kind: 'dies', phase, when, side, what }) as Fault;

/** What Drover's journal is told: a step, or a volume before and after it is made. */
export type Written = string;

export class Rig {
  readonly sim: SimFleet;
  fleet!: Fleet;
  migrations!: Migrations;
  /** Sentences that Drover logged. */
  readonly log: string[] = [];
  readonly told: Delta[] = [];
  /** Called when a step's intent is on disk, before the step is taken; `making` and `made` are those of a volume. */
  onStep: (phase: Written) => Promise<void> | void = () => {};
  readonly #folder: string;
  readonly #hurry: number;
  /** Drover as it runs now: one that was killed writes and does nothing any more. */
  #life = { killed: false };
  #file!: Journal;

  /** @param hurry How much faster Drover's migrations are asked about, and grow impatient, than in the world. */
  static async start(options: Parameters<typeof SimFleet.start>[0], { hurry = 1 } = {}): Promise<Rig> {
    const sim = await SimFleet.start(options);
    const folder = await mkdtemp(join(tmpdir(), 'drover-rig-'));
    await sim.writeFiles(folder);
    const rig = new Rig(sim, folder, hurry);
    await rig.#begin();
    for (const { name } of options.hosts) rig.fleet.add(sim.host(name).uri(), name);
    await rig.online();
    return rig;
  }

  private constructor(sim: SimFleet, folder: string, hurry: number) {
    this.sim = sim;
    this.#folder = folder;
    this.#hurry = hurry;
  }

  /** The journal's file. */
  get journal(): string {
    return join(this.#folder, 'migrations.log');
  }

  async #begin(): Promise<void> {
    const tell = (delta: Delta) => void this.told.push(delta);
    const questions = new Questions(tell);
    const logins = {
      knownHosts: KnownHosts.beside(join(this.#folder, 'own_known_hosts'), this.#folder),
      secrets: new SecretCache(),
    };
    this.fleet = new Fleet({ logins, questions, tell, save: () => {} });
    const journal = await Journal.open(this.journal, (sentence) => this.log.push(sentence));
    this.#file = journal;
    const life = (this.#life = { killed: false });
    // A Drover that was killed writes nothing any more, and never comes to what follows.
    const written = async (write: () => Promise<void>, what: Written | null) => {
      const forever = new Promise<void>(() => {});
      if (life.killed) return forever;
      await write();
      if (what !== null) await this.onStep(what);
      return life.killed ? forever : undefined;
    };
    const { begin, step, made, end } = {
      begin: journal.begin.bind(journal),
      step: journal.step.bind(journal),
      made: journal.made.bind(journal),
      end: journal.end.bind(journal),
    };
    journal.begin = (record) => written(() => begin(record), null);
    journal.step = (id, phase) => written(() => step(id, phase), phase);
    journal.made = (id, one) => written(() => made(id, one), one.created ? 'made' : 'making');
    journal.end = (receipt) => written(() => end(receipt), null);
    const hurry = this.#hurry;
    const clock = {
      ...systemClock,
      now: () => systemClock.now() * hurry,
      sleep: (ms: number) => systemClock.sleep(ms / hurry),
    };
    this.migrations = new Migrations({ fleet: this.fleet, tell, beforeSwitch: async () => {}, journal, clock });
  }

  /** Drover is gone in this moment, with all its connections, and does nothing any more; another one starts. */
  async kill(): Promise<void> {
    const { fleet, migrations } = this;
    this.#life.killed = true;
    await this.#file.close(); // as the system closes what a process had open
    await fleet.close();
    await this.#next(() => void migrations.close().catch(() => {}));
  }

  /** Drover ends as by SIGTERM; another one starts. */
  async restart(): Promise<void> {
    await this.#next(async () => {
      await this.migrations.close();
      await this.fleet.close();
    });
  }

  async #next(end: () => Promise<void> | void): Promise<void> {
    const saved = this.fleet.hosts.map(({ id, uri, label }) => ({ id, uri: uri.text, label }));
    await end();
    await this.#begin();
    this.fleet.restore(saved, (sentence) => this.log.push(sentence));
    this.migrations.recover((sentence) => this.log.push(sentence));
  }

  host(label: string) {
    const host = this.fleet.hosts.find((one) => one.label === label);
    if (!host) throw new Error(`no host ${label}`);
    return host;
  }

  /** All hosts are; one that waits to try again is told to do it now. */
  async online(): Promise<void> {
    await until('all hosts are online', () => {
      for (const host of this.fleet.hosts) if (host.view().retryAt !== null) host.connect();
      return this.fleet.hosts.every(({ state }) => state === 'online');
    });
  }

  async start(name: string, from: string, to: string, options = {}): Promise<MigrationView> {
    const uuid = this.sim.uuid(name);
    await this.online();
    await until(`${name} is seen on ${from}`, () => this.host(from).domains.get(uuid)?.state === 'running');
    return this.migrations.start({ hostId: this.host(from).id, uuid }, this.host(to).id, options);
  }

  /** How it ended; hosts that were lost are connected to at once instead of after their pause. */
  async ended(id: string): Promise<MigrationView> {
    return until(`migration ${id} has ended`, () => {
      for (const host of this.fleet.hosts) if (host.view().retryAt !== null) host.connect();
      const view = this.migrations.get(id).view();
      return view.endedAt !== null && view;
    });
  }

  /** Where it runs and where it is defined, by the simulation's own books. */
  where(name: string) {
    const all = this.sim.where(name);
    return {
      runs: all.filter(({ executes }) => executes).map(({ host }) => host),
      held: all.filter(({ state }) => state !== 'shutoff').map(({ host }) => host),
      defined: all.filter(({ defined }) => defined).map(({ host }) => host),
    };
  }

  async close(): Promise<void> {
    await this.migrations.close();
    await this.fleet.close();
    await this.sim.close();
    await rm(this.#folder, { recursive: true, force: true });
  }
}
