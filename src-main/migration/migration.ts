// One migration from its start to its verdict: runs the steps, follows the numbers, and, where the steps were
// interrupted, asks both hosts until it is known where the VM lives.
import { type Err, Failure, toErr } from '../../contract/failure.ts';
import type {
  DomainRef,
  DomainView,
  MigrationOptions,
  MigrationPhase,
  MigrationState,
  MigrationView,
} from '../../contract/model.ts';
import { explain } from '../fleet/explain.ts';
import type { Host } from '../fleet/host.ts';
import {
  type Connection,
  ConnectionLost,
  type Dom,
  jobType,
  LibvirtError,
  paramRecord,
  undefineFlags,
} from '../libvirt/index.ts';
import { type Decision, decide } from './decide.ts';
import { look, type Look } from './look.ts';
import { type End, ManagedMove } from './managed.ts';
import { flagsFor, paramsFor, virshCommand } from './options.ts';
import { noProgress, readProgress } from './progress.ts';

export interface MigrationContext {
  id: string;
  source: Host;
  target: Host;
  domain: DomainView;
  options: MigrationOptions;
  /** Where the source reaches the target; null: the target says it itself. */
  migrateUri: string | null;
  /** Something changed that is to be told. */
  changed: () => void;
  /** Awaited before the target may run. */
  beforeSwitch: (ref: DomainRef, to: Host) => Promise<void>;
  clock: { sleep(ms: number): Promise<unknown>; now(): number };
}

/** How it ended; told together with the verdict. */
type Outcome = { state: 'completed' | 'cancelled'; error: null } | { state: 'failed'; error: Err };

type Interrupted = Extract<End, { end: 'unknown' }>;

/** The connections that the steps went over. */
interface Sides {
  source: Connection;
  target: Connection;
}

const pollMs = 300;
/** Soon at first, then at this pace. */
const askAgainMs = 2_000;
/** An interrupted migration that is settled sooner than this is nobody's concern. */
const attentionMs = 4_000;

export class Migration {
  readonly id: string;
  readonly source: Host;
  readonly target: Host;
  readonly #context: MigrationContext;
  readonly #startedAt = new Date().toISOString();
  readonly #beganMs: number;
  #options: MigrationOptions;
  #state: MigrationState = 'queued';
  #phase: MigrationPhase = 'preflight';
  #progress = noProgress;
  #downtimeMs: number | null = null;
  #error: Err | null = null;
  #verdict: MigrationView['verdict'] = null;
  #endedAt: string | null = null;
  #cancelled = false;
  #performing = false;
  #leaving = false;

  constructor(context: MigrationContext) {
    this.id = context.id;
    this.source = context.source;
    this.target = context.target;
    this.#context = context;
    this.#options = context.options;
    this.#beganMs = context.clock.now();
  }

  get uuid(): string {
    return this.#context.domain.uuid;
  }

  get ended(): boolean {
    return this.#endedAt !== null;
  }

  get running(): boolean {
    return this.#state === 'running' || this.#state === 'needs-attention';
  }

  view(): MigrationView {
    const { domain, migrateUri } = this.#context;
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
      virsh: virshCommand(this.#options, domain.name, this.source.uri.text, this.target.uri.text, migrateUri),
      startedAt: this.#startedAt,
      endedAt: this.#endedAt,
      error: this.#error,
      verdict: this.#verdict,
      actions: [],
    };
  }

  /** Once. Resolves when it has ended, whichever way. Never rejects. */
  async run(): Promise<void> {
    if (this.#state !== 'queued') return;
    this.#state = 'running';
    this.#tell();
    // While either is silent it is waited for: closing a connection could leave the VM paused.
    const releases = [this.source.hold(), this.target.hold()];
    this.#mark();
    const outcome = await this.#carryOut().catch((error: unknown) => this.#failed(error));
    // Whoever sees a final state sees the verdict with it.
    this.#verdict = await this.#readVerdict();
    for (const release of releases) release();
    this.#unmark();
    this.#end(outcome);
  }

  /** Before it began, or while memory goes over; the VM stays where it is. @throws Failure `conflict` when it is too late */
  async cancel(): Promise<void> {
    const { domain } = this.#context;
    if (this.ended)
      throw new Failure('conflict', `The migration of ${domain.name} has ended already (${this.#state}).`);
    if (this.#state === 'queued') return this.#end({ state: 'cancelled', error: null });
    if (this.#state === 'needs-attention') {
      throw new Failure(
        'conflict',
        `The migration of ${domain.name} was interrupted, so there is nothing to cancel: it ends as soon as ${this.source.label} and ${this.target.label} tell where the VM is.`,
      );
    }
    if (this.#switching) throw this.#tooLate();
    this.#cancelled = true;
    await this.#abort();
    // All of it was across before the abort came.
    if (this.#switching) throw this.#tooLate();
  }

  get #switching(): boolean {
    return this.#phase === 'finish' || this.#phase === 'confirm';
  }

  #tooLate(): Failure {
    return new Failure(
      'conflict',
      `${this.#context.domain.name} is just being switched over to ${this.target.label}; it is too late to cancel. Migrate it back afterwards.`,
    );
  }

  /** While it runs. @throws Failure */
  async update(limits: { bandwidthMiBps?: number | undefined; maxDowntimeMs?: number | undefined }): Promise<void> {
    const { domain } = this.#context;
    if (!this.#performing) {
      throw new Failure('conflict', `${domain.name} is not moving its memory now, so its limits cannot be changed.`);
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
      throw explain(error, this.source.label, `changing the migration of ${domain.name}`);
    }
    this.#tell();
  }

  /** Drover is about to end: before the switch-over the VM stays at its source, after it the steps are completed. */
  async leave(): Promise<void> {
    this.#leaving = true;
    if (!this.#switching) await this.cancel().catch(() => {});
  }

  get #dom(): Dom {
    const { uuid, name, id } = this.#context.domain;
    return { uuid, name, id: id ?? -1 };
  }

  async #carryOut(): Promise<Outcome> {
    const { domain, migrateUri } = this.#context;
    // Connections of its own, that never ask whether the other side lives: an outage of the admin's link is waited out.
    const [source, target] = await both(this.source.open({ keepalive: false }), this.target.open({ keepalive: false }));
    try {
      const paused = domain.state === 'paused' && this.#options.mode !== 'offline';
      const move = new ManagedMove(
        source,
        target,
        {
          dom: this.#dom,
          flags: flagsFor(this.#options, paused),
          params: paramsFor(this.#options),
          destXml: this.#options.destXml,
          migrateUri,
          destName: this.#options.destName ?? domain.name,
          offline: this.#options.mode === 'offline',
        },
        {
          phase: (phase) => {
            this.#phase = phase;
            this.#tell();
          },
          cancelled: () => this.#cancelled,
          performing: (under) => this.#setPerforming(under),
          beforeFinish: () => this.#context.beforeSwitch({ hostId: this.source.id, uuid: domain.uuid }, this.target),
        },
      );
      const end = await move.run();
      if (end.end === 'unknown') return await this.#settle(end, move, { source, target });
      return end.end === 'moved' ? await this.#moved() : this.#stayed(end.why);
    } finally {
      void source.close();
      void target.close();
    }
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
    const { domain } = this.#context;
    // Two of the steps are the target's.
    const onTarget = error instanceof LibvirtError && /_(prepare|finish)3/.test(error.procedure);
    const host = onTarget ? this.target : this.source;
    const doing = `migrating ${domain.name} ${onTarget ? `from ${this.source.label}` : `to ${this.target.label}`}`;
    return { state: 'failed', error: toErr(explain(error, host.label, doing)) };
  }

  /** The steps were interrupted. Asks both hosts, and acts only on what they answer, until all is clear. */
  async #settle(end: Interrupted, move: ManagedMove, on: Sides): Promise<Outcome> {
    const since = this.#context.clock.now();
    for (let pause = pollMs; ; pause = Math.min(askAgainMs, pause * 1.5)) {
      const [here, there] = await Promise.all([look(this.source, this.uuid), look(this.target, this.uuid)]);
      const decision = decide({
        source: here.seen,
        target: there.seen,
        performed: end.performed,
        finishSent: end.finishSent,
        sourceOurs: !on.source.over,
        targetOurs: !on.target.over,
      });
      if (decision.do === 'done') return this.#settled(decision.outcome, end.why, here, move);
      const waits = decision.do === 'wait' || decision.do === 'alarm';
      const late = this.#context.clock.now() - since > attentionMs;
      if (decision.do === 'alarm' || late) this.#attention(decision);
      if ((waits && this.#forgotten) || ((waits || late) && this.#leaving)) return this.#givenUp(decision);
      try {
        await this.#act(decision, here, move);
      } catch {
        // What it came to is seen when both are asked again.
      }
      await this.#context.clock.sleep(waits || late ? askAgainMs : pollMs);
    }
  }

  async #settled(outcome: 'moved' | 'stayed', why: unknown, here: Look, move: ManagedMove): Promise<Outcome> {
    const { domain } = this.#context;
    if (outcome === 'moved') {
      // Of a definition that moved, this is what takes the old one away; else it is refused.
      if (here.seen.at === 'shutoff') await move.confirm('moved').catch(() => {});
      return this.#moved();
    }
    if (!(why instanceof ConnectionLost)) return this.#stayed(why);
    return this.#stayed(
      new Failure(
        'unreachable',
        `A connection was lost while ${domain.name} was moving to ${this.target.label}. Both hosts were asked again: it is on ${this.source.label}, as before. Try again.`,
      ),
    );
  }

  async #act(decision: Decision, here: Look, move: ManagedMove): Promise<void> {
    const dom = this.#dom;
    switch (decision.do) {
      case 'confirm-moved':
        return move.confirm('moved');
      case 'confirm-stayed':
        return move.confirm('stayed');
      case 'finish-cancelled':
        await move.dropTarget();
        return;
      case 'destroy-source': {
        const on = await this.source.work();
        await on.call('domain_destroy_flags', { dom }).catch(ignoreGone);
        if (this.#options.undefineSource && here.persistent) {
          await on.call('domain_undefine_flags', { dom, flags: undefineFlags.keep_nvram }).catch(ignoreGone);
        }
        return;
      }
      case 'resume-source': {
        // Asked once more, on the connection that the resume goes over: it would wait for a job that is held,
        // and start a second copy when that job ends.
        const on = await this.source.work();
        const { type } = await on.call('domain_get_job_stats', { dom });
        if (type === jobType.none) await on.call('domain_resume', { dom });
        return;
      }
      case 'done':
      case 'wait':
      case 'alarm':
        return;
    }
  }

  /** One of its hosts is a host of ours no more: nobody will ever answer for it. */
  get #forgotten(): boolean {
    return this.source.removed || this.target.removed;
  }

  #attention(decision: Decision): void {
    const { error } = this.#interrupted(decision);
    if (this.#state === 'needs-attention' && this.#error?.message === error.message) return;
    this.#state = 'needs-attention';
    this.#error = error;
    this.#tell();
  }

  #givenUp(decision: Decision): Outcome {
    return { state: 'failed', error: this.#interrupted(decision).error };
  }

  #interrupted(decision: Decision): { error: Err } {
    const { domain } = this.#context;
    const said = `The migration of ${domain.name} from ${this.source.label} to ${this.target.label} was interrupted.`;
    if (decision.do === 'alarm') {
      const message = `${said} ${decision.why} Drover touches neither side: look at both hosts, and end the copy that is wrong.`;
      return { error: { code: 'conflict', message } };
    }
    const why = decision.do === 'wait' ? decision.why : 'Its last step does not succeed yet, and is tried again.';
    const message = `${said} ${why} Drover goes on by itself as soon as it can; nothing is started or deleted until then.`;
    return { error: { code: 'unreachable', message } };
  }

  #end({ state, error }: Outcome): void {
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

function ignoreGone(error: unknown): void {
  if (!LibvirtError.is(error, 'no_domain', 'operation_invalid')) throw error;
}
