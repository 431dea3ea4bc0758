// One migration from its start to its verdict: runs the steps, follows the numbers, and, where the steps were
// interrupted, has it settled by what both hosts answer.
import { type Err, Failure, toErr } from '../../contract/failure.ts';
import type {
  DomainRef,
  MigrationAction,
  MigrationOptions,
  MigrationPhase,
  MigrationProgress,
  MigrationState,
  MigrationView,
} from '../../contract/model.ts';
import { explain } from '../fleet/explain.ts';
import type { Host } from '../fleet/host.ts';
import { ConnectionLost, type Dom, LibvirtError, paramRecord } from '../libvirt/index.ts';
import { byDaemons, bySteps, type Ours } from './courses.ts';
import { type Cleared, clearLeftovers } from './recovery/leftovers.ts';
import type { Journal, MigrationRecord, Unfinished } from './recovery/journal.ts';
import { Luggage } from './storage/luggage.ts';
import type { End, Plan } from './managed.ts';
import { type Limits, Memory } from './memory.ts';
import { copying, flagsFor, isOff, paramsFor } from './options.ts';
import { readProgress } from './progress.ts';
import { look } from './recovery/look.ts';
import { openRelay, type Relay } from './ways/relay.ts';
import { Settlement } from './recovery/settle.ts';
import { readVerdict } from './recovery/verdict.ts';
import { virshCommand } from './virsh.ts';

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

/** The target’s last step takes a second or two. */
const silentMs = 20_000;

export class Migration {
  readonly id: string;
  readonly source: Host;
  readonly target: Host;
  readonly #context: MigrationContext;
  readonly #beganMs: number;
  #options: MigrationOptions;
  #state: MigrationState = 'queued';
  #phase: MigrationPhase = 'preflight';
  #entering: Promise<void> = Promise.resolve();
  #downtimeMs: number | null = null;
  #error: Err | null = null;
  #verdict: MigrationView['verdict'] = null;
  #endedAt: string | null = null;
  #actions: MigrationAction[] = [];
  #notices: string[];
  #settlement: Settlement | null = null;
  #cancelled = false;
  #leaving = false;
  /** Somebody said that what it left on the hosts stays. */
  #leftAsIs = false;
  #givenUp = false;
  /** When it was over, the target said what it holds. */
  #targetSeen = false;
  readonly #memory: Memory;
  #leave: (() => void) | null = null;
  #relay: Relay | null = null;
  /** Its first entry in the journal, once that is written or about to be. */
  #journalled: Promise<void> | null = null;
  readonly #luggage: Luggage;
  /** The last numbers. */
  #done: MigrationProgress | null = null;

  constructor(context: MigrationContext) {
    this.id = context.record.id;
    this.source = context.source;
    this.target = context.target;
    this.#context = context;
    this.#options = context.record.options;
    this.#notices = [...context.record.notices];
    this.#phase = context.unfinished?.phase ?? 'preflight';
    this.#beganMs = context.clock.now();
    const { record, journal, clock, source, target } = context;
    const changed = () => {
      this.#mark();
      this.#tell();
    };
    this.#memory = new Memory({ source, dom: () => this.#dom, name: this.#name, clock, changed });
    this.#memory.postCopied = context.unfinished?.postCopied ?? false;
    const made = context.unfinished?.made ?? [];
    this.#luggage = new Luggage({ record, source, target, journal, made, clock, changed });
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

  get #progress(): MigrationProgress {
    return this.#done ?? this.#luggage.progress ?? this.#memory.progress;
  }

  get ended(): boolean {
    return this.#endedAt !== null;
  }

  get running(): boolean {
    return this.#state === 'running' || this.#state === 'needs-attention';
  }

  view(): MigrationView {
    const { domain, migrateUri, peerUri, tlsDestination, copied, from, to, by, startedAt, batch } = this.#record;
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
      virsh: virshCommand(this.#options, {
        domain: domain.name,
        from: from.uri,
        to: peerUri ?? to.uri,
        migrateUri,
        tlsDestination,
        copied,
      }),
      startedAt,
      endedAt: this.#endedAt,
      error: this.#error,
      verdict: this.#verdict,
      actions: this.#actions,
      by,
      notices: this.#notices,
      ...(this.#memory.postCopied && { postCopied: true }),
      ...(batch && { batch }),
    };
  }

  /** It waits for its turn: on disk, so that after a crash it is not as if nobody had asked for it. Never rejects. */
  async queue(): Promise<void> {
    // What cannot be written is told when it is to begin.
    if (this.#state === 'queued') await this.#journal().catch(() => {});
  }

  #journal(): Promise<void> {
    if (this.#journalled) return this.#journalled;
    const journalled = this.#context.journal.begin(this.#record);
    this.#journalled = journalled;
    // There may be room for it later.
    journalled.catch(() => (this.#journalled = null));
    return journalled;
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
    let outcome = await work.catch((error: unknown): Outcome => this.#failed(error));
    this.#memory.end();
    // Whoever sees a final state sees the verdict with it.
    if (outcome.state !== 'left') {
      const cleared = await this.#clear(outcome);
      if (cleared.left) outcome = { state: 'left', error: null };
      else this.#notices.push(...cleared.notices);
      if (outcome.state !== 'left') await this.#readVerdict();
    }
    if (outcome.state !== 'completed' && this.#targetSeen) await this.#luggage.unlessThere(this.#verdict);
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
    // One that an earlier Drover began, and that waits to be settled, may be anywhere.
    const interrupted = this.#state === 'queued' && this.#context.unfinished !== null;
    if (this.#state === 'queued' && !interrupted) {
      this.#end({ state: 'cancelled', error: null });
      if (this.#journalled) await this.#context.journal.end(this.view()).catch(() => {});
      return;
    }
    if (interrupted || this.#state === 'needs-attention' || (this.#settlement && !this.#daemons)) {
      throw new Failure(
        'conflict',
        `The migration of ${name} was interrupted, so there is nothing to cancel: it ends as soon as ${this.source.label} and ${this.target.label} tell where the VM is.`,
      );
    }
    if (this.#switching) throw this.#tooLate();
    this.#cancelled = true;
    this.#luggage.cancel();
    await this.#memory.abort();
    // All of it was across before the abort came.
    if (this.#switching) throw this.#tooLate();
  }

  /** Carries out one of the actions that the view offers. @throws Failure */
  async resolve(action: string): Promise<void> {
    if (!this.ended && action === 'leave' && this.#actions.includes(leaveAsIs)) {
      this.#leftAsIs = true;
      return;
    }
    if (this.ended || !this.#settlement) {
      throw new Failure('not-found', `The migration of ${this.#name} offers no action “${action}” now.`);
    }
    await this.#settlement.resolve(action);
  }

  get #switching(): boolean {
    return this.#memory.postCopied || this.#phase === 'finish' || this.#phase === 'confirm';
  }

  #tooLate(): Failure {
    return new Failure(
      'conflict',
      `${this.#name} is just being switched over to ${this.target.label}; it is too late to cancel. Migrate it back afterwards.`,
    );
  }

  /** While it runs. @throws Failure */
  async update(limits: Limits): Promise<void> {
    const { bandwidthMiBps, maxDowntimeMs } = limits;
    await this.#begun();
    if (this.#phase !== 'copy') await this.#memory.limit(limits);
    else if (bandwidthMiBps !== undefined) this.#luggage.limit(bandwidthMiBps);
    this.#options = {
      ...this.#options,
      ...(bandwidthMiBps !== undefined && { bandwidthMiBps }),
      ...(maxDowntimeMs !== undefined && { maxDowntimeMs }),
    };
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
    await this.#begun();
    if (this.#memory.moving) await this.#context.journal.switched(this.id);
    await this.#memory.postCopy();
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
    const offline = isOff(this.#options);
    return {
      dom: this.#dom,
      flags: flagsFor(copying(this.#options, this.#record.copied), this.#context.domain.paused && !offline),
      params: paramsFor(this.#options, this.#record.copied, this.#record.tlsDestination),
      ...(this.#relay && { only: this.#relay.params(this.#record.copied.length > 0) }),
      destXml: this.#options.destXml,
      migrateUri,
      destName: this.#options.destName ?? domain.name,
      offline,
    };
  }

  async #carryOut(): Promise<Outcome> {
    await this.#journal().catch((error: unknown) => {
      const said = error instanceof Error ? error.message : String(error);
      throw new Failure(
        'internal',
        `Drover cannot write its journal (${said}), and without it begins no migration. Make room in its data folder.`,
      );
    });
    try {
      await this.#luggage.carry(this.#options, this.#dom, () => this.#enter('copy'));
      if (isOff(this.#options)) await this.#mustBeOff();
    } catch (error) {
      if (this.#cancelled) return this.#stayed(null);
      if (!(error instanceof ConnectionLost)) throw error;
      return this.#settle({ end: 'unknown', why: error, performed: false, finishSent: false }, null);
    }
    if (this.#options.transport !== 'relay') return this.#daemons ? this.#byDaemons() : this.#bySteps();
    this.#relay = await openRelay(this.id, this.source, this.target);
    try {
      return await this.#bySteps();
    } finally {
      this.#relay.close();
    }
  }

  /** It may have waited for its turn, and libvirt moves the definition of a VM that runs, too. @throws Failure */
  async #mustBeOff(): Promise<void> {
    const { seen } = await look(this.source, this.uuid);
    if (seen.at === 'shutoff' || seen.at === 'unreachable') return;
    const { label } = this.source;
    const message = `${this.#name} is not shut off on ${label} any more, so it was not moved. Shut it down and try again, or migrate it live.`;
    throw new Failure('conflict', message);
  }

  #bySteps(): Promise<Outcome> {
    const watch = {
      phase: (phase: MigrationPhase) => {
        if (phase === 'finish') void this.#tellIfSilent();
        return this.#enter(phase);
      },
      cancelled: () => this.#cancelled,
      performing: (under: boolean) => this.#setPerforming(under),
      postCopied: () => this.#memory.postCopied,
      beforeFinish: () => this.#context.beforeSwitch({ hostId: this.source.id, uuid: this.uuid }, this.target),
    };
    return bySteps(this.source, this.target, this.#plan, watch, (end, ours) => this.#after(end, ours));
  }

  #byDaemons(): Promise<Outcome> {
    const { peerUri } = this.#record;
    if (peerUri === null) throw new Error('no address of the target for the source');
    const left = new Promise<'left'>((resolve) => {
      this.#leave = () => resolve('left');
    });
    const watch = {
      phase: (phase: MigrationPhase) => this.#enter(phase),
      cancelled: () => this.#cancelled,
      performing: (under: boolean) => this.#setPerforming(under),
    };
    const plan = { ...this.#plan, peerUri, tunnelled: this.#options.transport === 'tunnelled' };
    return byDaemons(this.source, plan, watch, left, async (end) =>
      end === 'left' ? { state: 'left', error: null } : this.#after(end, null),
    );
  }

  async #after(end: End, ours: Ours | null): Promise<Outcome> {
    if (end.end === 'unknown') return this.#settle(end, ours);
    return end.end === 'moved' ? this.#moved() : this.#stayed(end.why, end.besides);
  }

  /** What an earlier Drover began: neither connection of it lives any more. */
  async #takeUp(): Promise<Outcome> {
    // Each step is on disk before it is taken.
    if (this.#phase === 'preflight' && this.#context.unfinished?.made.length === 0) {
      const message = `Drover was ended before ${this.#name} began to move to ${this.target.label}: it is on ${this.source.label}, as before. Start the migration again.`;
      return { state: 'failed', error: { code: 'unreachable', message } };
    }
    const sent = this.#phase === 'finish' || this.#phase === 'confirm';
    const why = new Failure('unreachable', `Drover was ended while ${this.#name} was moving to ${this.target.label}.`);
    return this.#settle({ end: 'unknown', why, performed: sent, finishSent: sent }, null);
  }

  /** The intent is on disk before the step is taken. */
  async #enter(phase: MigrationPhase): Promise<void> {
    this.#phase = phase;
    this.#tell();
    this.#entering = this.#context.journal.step(this.id, phase);
    await this.#entering;
  }

  /** Only the target can say whether the VM starts there, so it is waited for without end; but not without a word. */
  async #tellIfSilent(): Promise<void> {
    await this.#context.clock.sleep(silentMs);
    if (this.#phase !== 'finish' || this.ended || this.#settlement) return;
    const { label } = this.target;
    const name = this.#name;
    const still = this.#memory.postCopied ? '' : ` Until then ${name} stands still.`;
    this.#notices.push(
      `${label} has not said for ${silentMs / 1000} s whether ${name} starts there, and only ${label} can say it.${still} Look at the libvirt daemon on ${label}; where it has to be restarted, Drover then finds out where ${name} is.`,
    );
    this.#tell();
  }

  /** A phase that was told may still be on its way to the disk: what it does begins right after. */
  async #begun(): Promise<void> {
    await this.#entering.catch(() => {});
    await new Promise((resolve) => setImmediate(resolve));
  }

  #setPerforming(under: boolean): void {
    if (!under) return this.#memory.end();
    this.#memory.begin();
    const { maxDowntimeMs } = this.#options;
    if (maxDowntimeMs !== null) void this.update({ maxDowntimeMs }).catch(() => {});
  }

  async #moved(): Promise<Outcome> {
    const memory = this.#memory;
    const done = { percent: 100, dataRemainingBytes: 0, etaMs: 0 };
    if (!isOff(this.#options)) {
      try {
        const { params } = await this.target.connection.call('domain_get_job_stats', { dom: this.#dom, flags: 1 });
        const stats = paramRecord(params);
        if (stats['downtime'] !== undefined) this.#downtimeMs = Number(stats['downtime']);
        memory.progress = readProgress(stats, memory.progress);
      } catch {
        // Only a figure for the receipt.
      }
    }
    const elapsedMs = Math.round(this.#context.clock.now() - this.#beganMs);
    this.#done = { ...this.#progress, ...done, elapsedMs };
    const { copied } = this.#record;
    if (copied.length > 0) {
      const paths = copied.map(({ path }) => path).join(', ');
      this.#notices.push(
        `On ${this.source.label} the disks are as they were: ${paths}. Delete them there once you have seen that ${this.#name} is well on ${this.target.label}.`,
      );
    }
    return { state: 'completed', error: null };
  }

  /** @param why Null: somebody aborted it. @param besides What the source said, where the target says why. */
  #stayed(why: unknown, besides?: unknown): Outcome {
    if (this.#cancelled) return { state: 'cancelled', error: null };
    const aborted = `The migration was aborted on ${this.source.label} by somebody else.`;
    return this.#failed(why ?? new Failure('libvirt', aborted), besides);
  }

  #failed(error: unknown, besides?: unknown): Outcome {
    // Two of the steps are the target's.
    const onTarget = error instanceof LibvirtError && /_(prepare|finish)3/.test(error.procedure);
    const host = onTarget ? this.target : this.source;
    const doing = `migrating ${this.#name} ${onTarget ? `from ${this.source.label}` : `to ${this.target.label}`}`;
    const err = toErr(explain(error, host.label, doing));
    // Of the two, either may be the one that knows: a certificate that the source refuses is a broken line to the target.
    const said = besides instanceof LibvirtError ? ` ${this.source.label} says “${besides.message}”.` : '';
    return { state: 'failed', error: { ...err, message: err.message + said } };
  }

  /** The steps were interrupted. @param ours Null: their connections are gone, or were never ours. */
  async #settle({ why, performed, finishSent }: Interrupted, ours: Ours | null): Promise<Outcome> {
    const { options, twin } = this.#record;
    const offline = isOff(options);
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
        this.#memory.end();
        this.#tell();
      },
      underWay: () => {
        if (!this.#memory.moving) this.#setPerforming(true);
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
        this.#givenUp = true;
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

  async #readVerdict(): Promise<void> {
    const hosts = [this.source, this.target];
    const patient = () => !this.#leaving && !this.#givenUp && hosts.every((host) => !host.removed);
    const { verdict, silent } = await readVerdict(hosts, this.uuid, this.#context.clock, patient);
    this.#verdict = verdict;
    this.#targetSeen = !silent.includes(this.target);
    for (const { label } of silent) {
      this.#notices.push(`${label} did not answer when it was over, so what it holds of ${this.#name} was not seen.`);
    }
  }

  /** What it made on the hosts goes again; where the target is away, when it answers. */
  async #clear({ state, error }: Outcome): Promise<Cleared> {
    const { label } = this.target;
    const cleared = await clearLeftovers({
      id: this.id,
      uuid: this.uuid,
      source: this.source,
      target: this.target,
      made: state === 'completed' ? [] : this.#luggage.made,
      defined: state === 'failed' && this.#options.persistent && this.#switching && !this.#record.twin,
      twin: this.#record.twin && !this.#switching,
      relayed: this.#options.transport === 'relay',
      clock: this.#context.clock,
      leaving: () => this.#leaving,
      givenUp: () => this.#leftAsIs || this.#givenUp,
      waiting: (volumes) => {
        if (this.#state === 'needs-attention') return;
        this.#state = 'needs-attention';
        const why = error ? `${error.message} ` : '';
        const message = `${why}${label} does not answer; what was made there for the copied disks (${volumes}) is removed when it does.`;
        this.#error = { code: 'unreachable', message };
        this.#actions = [leaveAsIs];
        this.#tell();
      },
    });
    this.#actions = [];
    return cleared;
  }

  #end({ state, error }: Exclude<Outcome, { state: 'left' }>): void {
    this.#state = state;
    this.#error = error;
    this.#endedAt = new Date().toISOString();
    this.#tell();
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

const leaveAsIs: MigrationAction = {
  id: 'leave',
  message: 'Leave the volumes where they are, and follow this migration no longer.',
  destroys: false,
};

const idsOf = (actions: MigrationAction[]) => actions.map(({ id }) => id).join();
