// One migration from its start to its verdict: runs the steps, follows the numbers, and, where the steps were
// interrupted, has it settled by what both hosts answer.
import { type Err, Failure, toErr } from '../../contract/failure.ts';
import type {
  DomainRef,
  MigrationAction,
  MigrationOptions,
  MigrationPhase,
  MigrationState,
  MigrationView,
} from '../../contract/model.ts';
import { explain } from '../fleet/explain.ts';
import type { Host } from '../fleet/host.ts';
import { type Connection, ConnectionLost, type Dom, LibvirtError, paramRecord } from '../libvirt/index.ts';
import type { Journal, Made, MigrationRecord, Unfinished } from './journal.ts';
import { look, type Look } from './look.ts';
import { type End, ManagedMove, type Plan } from './managed.ts';
import { flagsFor, paramsFor, virshCommand } from './options.ts';
import { param } from '../libvirt/index.ts';
import { runPeers } from './peers.ts';
import { noProgress, readProgress } from './progress.ts';
import { openRelay, type Relay } from './relay.ts';
import { Settlement } from './settle.ts';
import { makeVolumes, removeVolumes } from './volumes.ts';

export interface MigrationContext {
  /** What is journalled of it: enough to take it up again. */
  record: MigrationRecord;
  source: Host;
  target: Host;
  /** Of the domain, when it started. */
  domain: { id: number | null; paused: boolean };
  journal: Journal;
  /** An earlier Drover began it, and was killed. */
  unfinished: Unfinished | null;
  /** Something changed that is to be told. */
  changed: () => void;
  /** Awaited before the target may run. */
  beforeSwitch: (ref: DomainRef, to: Host) => Promise<void>;
  clock: { sleep(ms: number): Promise<unknown>; now(): number };
}

/** How it ended; told together with the verdict. `left`: it goes on without us, or waits for the next start. */
type Outcome =
  { state: 'completed' | 'cancelled'; error: null } | { state: 'failed'; error: Err } | { state: 'left'; error: null };

type Interrupted = Extract<End, { end: 'unknown' }>;

/** The steps and the connections that they go over. */
interface Ours {
  move: ManagedMove;
  source: Connection;
  target: Connection;
}

const pollMs = 300;

export class Migration {
  readonly id: string;
  readonly source: Host;
  readonly target: Host;
  readonly #context: MigrationContext;
  readonly #beganMs: number;
  #options: MigrationOptions;
  #state: MigrationState = 'queued';
  #phase: MigrationPhase = 'preflight';
  #progress = noProgress;
  #downtimeMs: number | null = null;
  #error: Err | null = null;
  #verdict: MigrationView['verdict'] = null;
  #endedAt: string | null = null;
  #actions: MigrationAction[] = [];
  #notices: string[];
  #settlement: Settlement | null = null;
  #cancelled = false;
  #performing = false;
  #following = false;
  #leaving = false;
  /** The target runs it already, with part of its memory here still. */
  #postCopied = false;
  #leave: (() => void) | null = null;
  #relay: Relay | null = null;
  /** Volumes for the copied disks. */
  #made: Made[];

  constructor(context: MigrationContext) {
    this.id = context.record.id;
    this.source = context.source;
    this.target = context.target;
    this.#context = context;
    this.#options = context.record.options;
    this.#notices = [...context.record.notices];
    this.#phase = context.unfinished?.phase ?? 'preflight';
    this.#made = [...(context.unfinished?.made ?? [])];
    this.#beganMs = context.clock.now();
  }

  get uuid(): string {
    return this.#record.domain.uuid;
  }

  get #record(): MigrationRecord {
    return this.#context.record;
  }

  get #name(): string {
    return this.#record.domain.name;
  }

  /** The daemons drive it between themselves. */
  get #daemons(): boolean {
    return this.#options.transport === 'p2p' || this.#options.transport === 'tunnelled';
  }

  get ended(): boolean {
    return this.#endedAt !== null;
  }

  get running(): boolean {
    return this.#state === 'running' || this.#state === 'needs-attention';
  }

  view(): MigrationView {
    const { domain, migrateUri, peerUri, copied, from, to, by, startedAt, batch } = this.#record;
    return {
      id: this.id,
      uuid: domain.uuid,
      name: domain.name,
      from: this.source.id,
      to: this.target.id,
      options: this.#options,
      state: this.#state,
      phase: this.#phase,
      progress: this.#progress,
      downtimeMs: this.#downtimeMs,
      virsh: virshCommand(this.#options, domain.name, from.uri, peerUri ?? to.uri, migrateUri, copied),
      startedAt,
      endedAt: this.#endedAt,
      error: this.#error,
      verdict: this.#verdict,
      actions: this.#actions,
      by,
      notices: this.#notices,
      ...(this.#postCopied && { postCopied: true }),
      ...(batch && { batch }),
    };
  }

  /** Once. Resolves when it has ended, whichever way, or was left to the next start. Never rejects. */
  async run(): Promise<void> {
    if (this.#state !== 'queued') return;
    this.#state = 'running';
    this.#tell();
    // While either is silent it is waited for: closing a connection could leave the VM paused.
    const releases = [this.source.hold(), this.target.hold()];
    this.#mark();
    const work = this.#context.unfinished ? this.#takeUp() : this.#carryOut();
    const outcome = await work.catch((error: unknown) => this.#failed(error));
    this.#performing = false;
    // Whoever sees a final state sees the verdict with it.
    if (outcome.state !== 'left') {
      this.#verdict = await this.#readVerdict();
      if (outcome.state !== 'completed') await this.#removeVolumes();
    }
    for (const release of releases) release();
    this.#unmark();
    if (outcome.state === 'left') return;
    this.#end(outcome);
    await this.#context.journal.end(this.view()).catch(() => {});
  }

  /** Before it began, or while memory goes over; the VM stays where it is. @throws Failure `conflict` when it is too late */
  async cancel(): Promise<void> {
    const name = this.#name;
    if (this.ended) throw new Failure('conflict', `The migration of ${name} has ended already (${this.#state}).`);
    if (this.#state === 'queued') return this.#end({ state: 'cancelled', error: null });
    if (this.#state === 'needs-attention' || (this.#settlement && !this.#daemons)) {
      throw new Failure(
        'conflict',
        `The migration of ${name} was interrupted, so there is nothing to cancel: it ends as soon as ${this.source.label} and ${this.target.label} tell where the VM is.`,
      );
    }
    if (this.#switching) throw this.#tooLate();
    this.#cancelled = true;
    await this.#abort();
    // All of it was across before the abort came.
    if (this.#switching) throw this.#tooLate();
  }

  /** Carries out one of the actions that the view offers. @throws Failure */
  async resolve(action: string): Promise<void> {
    if (this.ended || !this.#settlement) {
      throw new Failure('not-found', `The migration of ${this.#name} offers no action “${action}” now.`);
    }
    await this.#settlement.resolve(action);
  }

  get #switching(): boolean {
    return this.#postCopied || this.#phase === 'finish' || this.#phase === 'confirm';
  }

  #tooLate(): Failure {
    return new Failure(
      'conflict',
      `${this.#name} is just being switched over to ${this.target.label}; it is too late to cancel. Migrate it back afterwards.`,
    );
  }

  /** While it runs. @throws Failure */
  async update(limits: { bandwidthMiBps?: number | undefined; maxDowntimeMs?: number | undefined }): Promise<void> {
    const name = this.#name;
    if (!this.#performing) {
      throw new Failure('conflict', `${name} is not moving its memory now, so its limits cannot be changed.`);
    }
    const dom = this.#dom;
    try {
      const { connection } = this.source;
      if (limits.bandwidthMiBps !== undefined) {
        await connection.call('domain_migrate_set_max_speed', { dom, bandwidth: BigInt(limits.bandwidthMiBps) });
        this.#options = { ...this.#options, bandwidthMiBps: limits.bandwidthMiBps };
      }
      if (limits.maxDowntimeMs !== undefined) {
        await connection.call('domain_migrate_set_max_downtime', { dom, downtime: limits.maxDowntimeMs });
        this.#options = { ...this.#options, maxDowntimeMs: limits.maxDowntimeMs };
      }
    } catch (error) {
      throw explain(error, this.source.label, `changing the migration of ${name}`);
    }
    this.#tell();
  }

  /**
   * Lets the VM run on the target at once, and fetches the rest of its memory from there. There is no way back: if
   * the way between the hosts breaks then, the VM stands still on both.
   * @throws Failure
   */
  async postCopy(): Promise<void> {
    const name = this.#name;
    if (!this.#options.postCopy) {
      throw new Failure(
        'conflict',
        `The migration of ${name} was started without “postCopy”, so it cannot be switched.`,
      );
    }
    if (!this.#performing) {
      throw new Failure(
        'conflict',
        `${name} is not moving its memory now, so there is nothing to switch to post-copy.`,
      );
    }
    try {
      await this.source.connection.call('domain_migrate_start_post_copy', { dom: this.#dom });
    } catch (error) {
      throw explain(error, this.source.label, `switching ${name} to post-copy`);
    }
    this.#postCopied = true;
    this.#notices.push(
      `Switched to post-copy: ${name} runs on ${this.target.label}, and cannot go back or be cancelled until all of its memory is there.`,
    );
    this.#tell();
  }

  /**
   * Drover is about to end. What the daemons drive goes on without it; else, before the switch-over, the VM stays at
   * its source, and after it the steps are completed.
   */
  async leave(): Promise<void> {
    this.#leaving = true;
    if (this.#daemons && this.running) this.#leave?.();
    else if (!this.#switching) await this.cancel().catch(() => {});
  }

  get #dom(): Dom {
    const { uuid, name } = this.#record.domain;
    return { uuid, name, id: this.#context.domain.id ?? -1 };
  }

  get #plan(): Plan {
    const { migrateUri, domain } = this.#record;
    const offline = this.#options.mode === 'offline';
    return {
      dom: this.#dom,
      flags: flagsFor(this.#options, this.#context.domain.paused && !offline),
      params: [
        ...paramsFor(this.#options, this.#record.copied),
        ...(this.#relay && this.#record.copied.length > 0 ? [param.str('disks_uri', this.#relay.disksUri)] : []),
      ],
      destXml: this.#options.destXml,
      migrateUri: this.#relay?.memoryUri ?? migrateUri,
      destName: this.#options.destName ?? domain.name,
      offline,
    };
  }

  async #carryOut(): Promise<Outcome> {
    await this.#context.journal.begin(this.#record).catch((error: unknown) => {
      const said = error instanceof Error ? error.message : String(error);
      throw new Failure(
        'internal',
        `Drover cannot write its journal (${said}), and without it begins no migration. Make room in its data folder.`,
      );
    });
    const { journal } = this.#context;
    this.#made = await makeVolumes(this.source, this.target, this.#dom, this.#record.copied, (made) =>
      journal.made(this.id, made),
    );
    if (this.#options.transport !== 'relay') return this.#daemons ? this.#byDaemons() : this.#bySteps();
    this.#relay = await openRelay(this.id, this.source, this.target);
    try {
      return await this.#bySteps();
    } finally {
      await this.#relay.close();
    }
  }

  async #bySteps(): Promise<Outcome> {
    // Connections of its own, that never ask whether the other side lives: an outage of the admin's link is waited out.
    const [source, target] = await both(this.source.open({ keepalive: false }), this.target.open({ keepalive: false }));
    try {
      const move = new ManagedMove(source, target, this.#plan, {
        phase: (phase) => this.#enter(phase),
        cancelled: () => this.#cancelled,
        performing: (under) => this.#setPerforming(under),
        postCopied: () => this.#postCopied,
        beforeFinish: () => this.#context.beforeSwitch({ hostId: this.source.id, uuid: this.uuid }, this.target),
      });
      const end = await move.run();
      if (end.end === 'unknown') return await this.#settle(end, { move, source, target });
      return end.end === 'moved' ? await this.#moved() : this.#stayed(end.why);
    } finally {
      void source.close();
      void target.close();
    }
  }

  async #byDaemons(): Promise<Outcome> {
    const { peerUri } = this.#record;
    if (peerUri === null) throw new Error('no address of the target for the source');
    const source = await this.source.open({ keepalive: true });
    const left = new Promise<'left'>((resolve) => {
      this.#leave = () => resolve('left');
    });
    try {
      const plan = { ...this.#plan, peerUri, tunnelled: this.#options.transport === 'tunnelled' };
      const run = runPeers(source, plan, {
        phase: (phase) => this.#enter(phase),
        cancelled: () => this.#cancelled,
        performing: (under) => this.#setPerforming(under),
      });
      const end = await Promise.race([run, left]);
      if (end === 'left') return { state: 'left', error: null };
      if (end.end === 'unknown') return await this.#settle(end, null);
      return end.end === 'moved' ? await this.#moved() : this.#stayed(end.why);
    } finally {
      void source.close();
    }
  }

  /** What an earlier Drover began: neither connection of it lives any more. */
  #takeUp(): Promise<Outcome> {
    const sent = this.#phase === 'finish' || this.#phase === 'confirm';
    const why = new Failure('unreachable', `Drover was ended while ${this.#name} was moving to ${this.target.label}.`);
    return this.#settle({ end: 'unknown', why, performed: sent, finishSent: sent }, null);
  }

  /** The intent is on disk before the step is taken. */
  async #enter(phase: MigrationPhase): Promise<void> {
    this.#phase = phase;
    this.#tell();
    await this.#context.journal.step(this.id, phase);
  }

  #setPerforming(under: boolean): void {
    this.#performing = under;
    if (!under) return;
    if (this.#options.maxDowntimeMs !== null) {
      void this.update({ maxDowntimeMs: this.#options.maxDowntimeMs }).catch(() => {});
    }
    void this.#follow();
    if (this.#cancelled) void this.#abort();
  }

  /** Asks for the numbers, over the connection for reads, until perform is over. */
  async #follow(): Promise<void> {
    if (this.#following) return;
    this.#following = true;
    while (this.#performing) {
      try {
        const { params } = await this.source.connection.call('domain_get_job_stats', { dom: this.#dom });
        if (this.#performing) {
          this.#progress = readProgress(paramRecord(params), this.#progress);
          this.#mark();
          this.#tell();
        }
      } catch {
        // The host is silent, or the job has just ended: the steps themselves will tell.
      }
      await this.#context.clock.sleep(pollMs);
    }
    this.#following = false;
  }

  /** Until perform ends by it: an abort that comes before the job is under way is answered by an error. */
  async #abort(): Promise<void> {
    while (this.#performing) {
      try {
        await this.source.connection.call('domain_abort_job', { dom: this.#dom });
      } catch {
        // Asked again, as long as there is something to abort.
      }
      await this.#context.clock.sleep(pollMs);
    }
  }

  async #moved(): Promise<Outcome> {
    this.#progress = { ...this.#progress, percent: 100, dataRemainingBytes: 0, etaMs: 0 };
    try {
      const { params } = await this.target.connection.call('domain_get_job_stats', { dom: this.#dom, flags: 1 });
      const stats = paramRecord(params);
      const downtime = stats['downtime'];
      if (this.#options.mode !== 'offline' && downtime !== undefined) this.#downtimeMs = Number(downtime);
      this.#progress = { ...readProgress(stats, this.#progress), percent: 100, dataRemainingBytes: 0, etaMs: 0 };
    } catch {
      // Only a figure for the receipt.
    }
    this.#progress = { ...this.#progress, elapsedMs: Math.round(this.#context.clock.now() - this.#beganMs) };
    return { state: 'completed', error: null };
  }

  /** @param why Null: somebody aborted it. */
  #stayed(why: unknown): Outcome {
    if (this.#cancelled) return { state: 'cancelled', error: null };
    return this.#failed(
      why ?? new Failure('libvirt', `The migration was aborted on ${this.source.label} by somebody else.`),
    );
  }

  #failed(error: unknown): Outcome {
    // Two of the steps are the target's.
    const onTarget = error instanceof LibvirtError && /_(prepare|finish)3/.test(error.procedure);
    const host = onTarget ? this.target : this.source;
    const doing = `migrating ${this.#name} ${onTarget ? `from ${this.source.label}` : `to ${this.target.label}`}`;
    return { state: 'failed', error: toErr(explain(error, host.label, doing)) };
  }

  /** The steps were interrupted. @param ours Null: their connections are gone, or were never ours. */
  async #settle({ why, performed, finishSent }: Interrupted, ours: Ours | null): Promise<Outcome> {
    const { options, twin } = this.#record;
    const offline = options.mode === 'offline';
    this.#settlement = new Settlement({
      source: this.source,
      target: this.target,
      dom: this.#dom,
      name: this.#name,
      // Of two definitions, one of which was there before, neither is known to be the one that moved.
      undefineSource: options.undefineSource && !(offline && twin),
      performed,
      finishSent,
      daemons: this.#daemons,
      offline,
      ours,
      clock: this.#context.clock,
      leaving: () => this.#leaving,
      attention: (error, actions) => {
        const same = this.#error?.message === error.message && idsOf(this.#actions) === idsOf(actions);
        if (this.#state === 'needs-attention' && same) return;
        this.#state = 'needs-attention';
        this.#error = error;
        this.#actions = actions;
        this.#performing = false;
        this.#tell();
      },
      underWay: () => {
        if (!this.#performing) this.#setPerforming(true);
        if (this.#state === 'running') return;
        this.#state = 'running';
        this.#error = null;
        this.#actions = [];
        this.#tell();
      },
    });
    const settled = await this.#settlement.run();
    this.#actions = [];
    switch (settled.end) {
      case 'left':
        return { state: 'left', error: null };
      case 'given-up':
        return { state: 'failed', error: settled.error };
      case 'moved':
        return this.#moved();
      case 'stayed':
        if (!(why instanceof ConnectionLost || why instanceof Failure)) return this.#stayed(why);
        return this.#stayed(
          new Failure(
            'unreachable',
            `${why instanceof Failure ? why.message : `A connection was lost while ${this.#name} was moving to ${this.target.label}.`} Both hosts were asked again: it is on ${this.source.label}, as before. Try again.`,
          ),
        );
    }
  }

  /** Only where the target was seen not to have the VM: else they may be its disks. */
  async #removeVolumes(): Promise<void> {
    if (this.#made.length === 0) return;
    const names = this.#made.map(({ pool, volume }) => `${volume} in ${pool}`).join(', ');
    const left = `Volumes that were made on ${this.target.label} for the copied disks are still there: ${names}.`;
    const { seen } = await look(this.target, this.uuid);
    if (seen.at !== 'absent' && seen.at !== 'shutoff') {
      this.#notices.push(left);
      return;
    }
    await removeVolumes(this.target, this.#made).catch(() => this.#notices.push(left));
  }

  #end({ state, error }: Exclude<Outcome, { state: 'left' }>): void {
    this.#state = state;
    this.#error = error;
    this.#endedAt = new Date().toISOString();
    this.#tell();
  }

  /** Read again from both hosts: what is told is what was seen. */
  async #readVerdict(): Promise<MigrationView['verdict']> {
    const hosts = [this.source, this.target];
    const looks = await Promise.all(hosts.map((host) => look(host, this.uuid)));
    const where = (fits: (look: Look) => boolean) =>
      hosts.filter((_, at) => fits(looks[at] as Look)).map(({ id }) => id);
    // The source tells of none of it by an event.
    await Promise.all(hosts.map((host) => host.domains.refreshed(this.uuid).catch(() => {})));
    return {
      runningOn: where(({ seen }) => seen.at !== 'absent' && seen.at !== 'shutoff' && seen.at !== 'unreachable'),
      definedOn: where(({ persistent }) => persistent),
    };
  }

  #mark(): void {
    const { percent } = this.#progress;
    this.source.domains.setJob(this.uuid, { migrationId: this.id, side: 'source', percent });
    this.target.domains.setJob(this.uuid, { migrationId: this.id, side: 'target', percent });
  }

  #unmark(): void {
    this.source.domains.setJob(this.uuid, null);
    this.target.domains.setJob(this.uuid, null);
  }

  #tell(): void {
    this.#context.changed();
  }
}

/** Both, or neither: what was opened is closed where the other could not be. */
async function both(a: Promise<Connection>, b: Promise<Connection>): Promise<[Connection, Connection]> {
  const [first, second] = await Promise.allSettled([a, b]);
  if (first.status === 'fulfilled' && second.status === 'fulfilled') return [first.value, second.value];
  for (const one of [first, second]) if (one.status === 'fulfilled') void one.value.close();
  throw (first.status === 'rejected' ? first.reason : (second as PromiseRejectedResult).reason) as Error;
}

const idsOf = (actions: MigrationAction[]) => actions.map(({ id }) => id).join();
