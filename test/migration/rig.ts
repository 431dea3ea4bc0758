// Drover's fleet and migrations, joined as in main, on simulated hosts over real SSH on loopback.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Delta } from '../../contract/events.ts';
import type { MigrationView } from '../../contract/model.ts';
import { Fleet } from '../../src-main/fleet/fleet.ts';
import { Questions } from '../../src-main/fleet/questions.ts';
import { Journal } from '../../src-main/migration/journal.ts';
import { Migrations } from '../../src-main/migration/migrations.ts';
import { KnownHosts, SecretCache } from '../../src-main/ssh/index.ts';
import { SimFleet } from '../../src-sim/index.ts';

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

export class Rig {
  readonly sim: SimFleet;
  fleet!: Fleet;
  migrations!: Migrations;
  /** Sentences that Drover logged. */
  readonly log: string[] = [];
  readonly told: Delta[] = [];
  /** Called when a step's intent is on disk, before the step is taken. */
  onStep: (phase: string) => Promise<void> | void = () => {};
  readonly #folder: string;

  static async start(options: Parameters<typeof SimFleet.start>[0]): Promise<Rig> {
    const sim = await SimFleet.start(options);
    const folder = await mkdtemp(join(tmpdir(), 'drover-rig-'));
    await sim.writeFiles(folder);
    const rig = new Rig(sim, folder);
    await rig.#begin();
    for (const { name } of options.hosts) rig.fleet.add(sim.host(name).uri(), name);
    await rig.online();
    return rig;
  }

  private constructor(sim: SimFleet, folder: string) {
    this.sim = sim;
    this.#folder = folder;
  }

  async #begin(): Promise<void> {
    const tell = (delta: Delta) => void this.told.push(delta);
    const questions = new Questions(tell);
    const logins = {
      knownHosts: KnownHosts.beside(join(this.#folder, 'own_known_hosts'), this.#folder),
      secrets: new SecretCache(),
    };
    this.fleet = new Fleet({ logins, questions, tell, save: () => {} });
    const journal = await Journal.open(join(this.#folder, 'migrations.log'), (sentence) => this.log.push(sentence));
    const step = journal.step.bind(journal);
    journal.step = async (id, phase) => {
      await step(id, phase);
      await this.onStep(phase);
    };
    this.migrations = new Migrations({ fleet: this.fleet, tell, beforeSwitch: async () => {}, journal });
  }

  /** Drover is gone in this moment, with all its connections, and does nothing any more; another one starts. */
  async kill(): Promise<void> {
    const { fleet, migrations } = this;
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
