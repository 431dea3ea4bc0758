// Recent tasks: every migration and sweep of Drover's, whoever began it, and what this window was asked to do.
import { toErr, type Err } from '../../contract/failure.ts';
import type { HostId, MigrationBatch, MigrationView, ScanView, Time } from '../../contract/model.ts';
import { tasks as words } from '../words/batches.ts';
import { gather, isUnderWay } from './batches.ts';
import type { FleetStore } from './fleet.svelte.ts';

export type TaskState = 'queued' | 'running' | 'completed' | 'failed' | 'cancelled' | 'needs-attention';

export interface Task {
  id: string;
  kind: 'migration' | 'scan' | 'action' | 'batch';
  /** What is done, e.g. `Migrate`, `Start`. */
  what: string;
  /** To what: a VM's or a host's name, a range. */
  target: string;
  /** The hosts that it concerns: one, or from and to. */
  hosts: HostId[];
  state: TaskState;
  /** 0–100; null where it cannot be told. */
  percent: number | null;
  startedAt: Time;
  endedAt: Time | null;
  err: Err | null;
  migration?: MigrationView;
  scan?: ScanView;
  /** What was asked for together with it. */
  batch?: MigrationBatch | undefined;
  /** Of a batch: those of it that were begun, the newest first. */
  parts?: readonly Task[];
}

/** What this window did; as many are kept. */
const kept = 200;

export class Tasks {
  readonly #fleet: FleetStore;
  #actions: Task[] = $state.raw([]);
  #next = 1;
  readonly #now: () => Time;

  constructor(fleet: FleetStore, now: () => Time = () => new Date().toISOString()) {
    this.#fleet = fleet;
    this.#now = now;
  }

  /** Each by itself, the newest first. */
  readonly each: readonly Task[] = $derived.by(() => {
    const all = [...this.#actions];
    for (const migration of this.#fleet.migrations.values()) all.push(ofMigration(migration));
    for (const scan of this.#fleet.scans.values()) if (!isRoutine(scan)) all.push(ofScan(scan));
    return all.sort((a, b) => (a.startedAt < b.startedAt ? 1 : a.startedAt > b.startedAt ? -1 : 0));
  });

  /** The newest first; what was asked for together is one of them. */
  readonly list: readonly Task[] = $derived(gather(this.each));

  readonly running: number = $derived.by(() => this.each.filter((task) => isUnderWay(task)).length);

  /** Runs what answers when it is done, and keeps what became of it. Answers the error, if there was one. */
  async run(
    about: Pick<Task, 'what' | 'target' | 'hosts' | 'batch'>,
    work: () => Promise<unknown>,
  ): Promise<Err | null> {
    const id = `action-${this.#next}`;
    this.#next += 1;
    const task: Task = {
      ...about,
      id,
      kind: 'action',
      state: 'running',
      percent: null,
      startedAt: this.#now(),
      endedAt: null,
      err: null,
    };
    this.#actions = [task, ...this.#actions].slice(0, kept);
    const err = await work().then(
      () => null,
      (thrown: unknown) => toErr(thrown),
    );
    const ended: Task = { ...task, state: err ? 'failed' : 'completed', endedAt: this.#now(), err };
    this.#actions = this.#actions.map((one) => (one.id === id ? ended : one));
    return err;
  }

  /** Takes what is over of this window's own off the list. */
  clear(): void {
    this.#actions = this.#actions.filter((task) => task.endedAt === null);
  }
}

export { isUnderWay };

function ofMigration(migration: MigrationView): Task {
  return {
    id: migration.id,
    kind: 'migration',
    what: words.migrate,
    target: migration.name,
    hosts: [migration.from, migration.to],
    state: migration.state,
    percent: migration.progress.percent,
    startedAt: migration.startedAt,
    endedAt: migration.endedAt,
    err: migration.error,
    migration,
    batch: migration.batch,
  };
}

/** A scheduled pass that is over: what it found new is told by a notice, and nobody asked for more. */
const isRoutine = ({ scheduled, state }: ScanView) => scheduled && (state === 'completed' || state === 'cancelled');

function ofScan(scan: ScanView): Task {
  return {
    id: scan.id,
    kind: 'scan',
    what: words.scan,
    target: scan.cidr,
    hosts: [],
    state: scan.state,
    percent: scan.total > 0 ? (100 * scan.probed) / scan.total : null,
    startedAt: scan.startedAt,
    endedAt: scan.endedAt,
    err: scan.error,
    scan,
  };
}
