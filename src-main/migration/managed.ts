// Live migration managed by Drover: libvirt's five steps, driven over one connection to each host, so the hosts
// need no trust in each other. A step that fails by a reply is undone at once; a lost connection is no reply, and
// is left to who asks both hosts again.
import { type Connection, type Dom, LibvirtError, migrateFlags, type Param, param } from '../libvirt/index.ts';
import type { MigrationPhase } from '../../contract/model.ts';

export interface Plan {
  dom: Dom;
  /** Flags that both sides share. */
  flags: number;
  params: Param[];
  /** What each side alone is told. */
  only?: { source: Param[]; target: Param[] };
  destXml: string | null;
  migrateUri: string | null;
  /** The name on the target. */
  destName: string;
  offline: boolean;
}

export interface Watch {
  /** Awaited before the step is taken; a rejection before `finish` keeps it from being taken. */
  phase: (phase: MigrationPhase) => Promise<void>;
  /** True once the admin asked to cancel. During perform the job is aborted besides. */
  cancelled: () => boolean;
  /** Perform is under way, or no longer. */
  performing: (under: boolean) => void;
  /** The target runs it already, by post-copy: neither half may be dropped any more. */
  postCopied: () => boolean;
  /** Awaited before the target may run: e.g. its console is opened first, so that no byte is missing. */
  beforeFinish: () => Promise<void>;
}

/** How the steps ended, as far as replies tell. */
export type End =
  | { end: 'moved' }
  /** Null: it was aborted, by us or by somebody else. `besides`: what the source said, where the target says why. */
  | { end: 'stayed'; why: unknown; besides?: unknown }
  | { end: 'unknown'; why: unknown; performed: boolean; finishSent: boolean };

const nothing: Buffer = Buffer.alloc(0);
const replied = (error: unknown): error is LibvirtError => error instanceof LibvirtError;
const wasSent = (error: unknown) => !(error instanceof Error && 'sent' in error && error.sent === false);

/** How long an answer is waited for that only tidies up: where none comes, both hosts are looked at instead. */
const tidyMs = 10_000;
/** The source ends a VM that has moved, which takes its time where that is a large one. */
const endMs = 60_000;

export class ManagedMove {
  readonly #source: Connection;
  readonly #target: Connection;
  readonly #plan: Plan;
  readonly #watch: Watch;
  /** Where the target listens. */
  #uri: string | null;
  #performed = false;
  #finishSent = false;
  #confirming: 'moved' | 'stayed' | null = null;
  /** The last confirm was sent and has no answer: the source may carry it out yet. */
  unanswered = false;
  /** What finish answered for confirm. */
  #finished = nothing;

  constructor(source: Connection, target: Connection, plan: Plan, watch: Watch) {
    this.#source = source;
    this.#target = target;
    this.#plan = plan;
    this.#watch = watch;
    this.#uri = plan.migrateUri;
  }

  async run(): Promise<End> {
    const { phase, cancelled, beforeFinish } = this.#watch;
    const { dom, destXml, offline } = this.#plan;
    if (cancelled()) return this.#stayed(null);

    let begun;
    try {
      await phase('begin');
    } catch (error) {
      return this.#stayed(error);
    }
    try {
      begun = await this.#source.call('domain_migrate_begin3_params', {
        dom,
        params: [...this.#sourceParams, ...(destXml === null ? [] : [param.str('destination_xml', destXml)])],
        flags: this.#sourceFlags,
      });
    } catch (error) {
      return replied(error) ? this.#stayed(error) : this.#unknown(error);
    }
    if (cancelled()) return this.#wakeSource(null);

    let prepared;
    try {
      await phase('prepare');
      prepared = await this.#target.call('domain_migrate_prepare3_params', {
        params: this.#targetParams(begun.xml),
        cookie: begun.cookie,
        flags: this.#targetFlags,
      });
    } catch (error) {
      // Answered or not: without a finish the target never runs it.
      return this.#wakeSource(error);
    }
    this.#uri = prepared.uri ?? this.#uri;
    if (cancelled() || (this.#uri === null && !offline && !this.#plan.only)) {
      await this.dropTarget();
      return this.#wakeSource(
        cancelled() ? null : new Error('the target named no address to migrate to, and none was given'),
      );
    }

    let across: Buffer = nothing;
    if (!offline) {
      try {
        await phase('perform');
      } catch (error) {
        await this.dropTarget();
        return this.#wakeSource(error);
      }
      try {
        across = await this.#perform(prepared.cookie);
      } catch (error) {
        if (this.#watch.postCopied()) return this.#unknown(error);
        // The source has cleaned up by itself, so no confirm; where it was lost, what it does next depends on this.
        const reason = await this.dropTarget();
        return replied(error) ? this.#stayed(error, reason) : this.#unknown(error);
      }
    }

    // From here on it is too late to cancel.
    // A paused VM waits for no console, and for no journal that cannot be written: we live, and know what we did.
    await Promise.all([phase('finish').catch(() => {}), offline ? null : beforeFinish().catch(() => {})]);
    try {
      this.#finishSent = true;
      ({ cookie: this.#finished } = await this.#target.call('domain_migrate_finish3_params', {
        params: this.#targetParams(null),
        cookie: across,
        flags: this.#targetFlags,
        cancelled: 0,
      }));
    } catch (error) {
      if (!wasSent(error)) this.#finishSent = false;
      else if (!replied(error)) return this.#unknown(error);
      // By post-copy it ran there before its finish, and never may here again.
      if (this.#watch.postCopied()) return this.#unknown(error);
      // A reply says that the target was ended; what was never sent cannot have started it.
      return this.#wakeSource(error);
    }

    await phase('confirm').catch(() => {});
    try {
      await this.confirm('moved');
    } catch (error) {
      return this.#unknown(error);
    }
    return { end: 'moved' };
  }

  async #perform(cookie: Buffer): Promise<Buffer> {
    const { performing } = this.#watch;
    performing(true);
    try {
      const across = await this.#source.call('domain_migrate_perform3_params', {
        dom: this.#plan.dom,
        dconnuri: null,
        params: this.#sourceParams,
        cookie,
        flags: this.#sourceFlags,
      });
      this.#performed = true;
      return across.cookie;
    } finally {
      performing(false);
    }
  }

  /**
   * finish(cancelled=1): the target drops its half. Always answered by an error, and where that is one of QEMU's it
   * tells more than the source's own: then it is what this resolves to. Never rejects. Where no answer comes, the
   * target drops its half once our connection is closed.
   */
  async dropTarget(): Promise<LibvirtError | null> {
    const dropped = { params: this.#targetParams(null), cookie: nothing, flags: this.#targetFlags, cancelled: 1 };
    try {
      await this.#target.call('domain_migrate_finish3_params', dropped, { timeoutMs: tidyMs });
    } catch (error) {
      if (replied(error) && !LibvirtError.is(error, 'migrate_finish_ok', 'no_domain')) return error;
    }
    return null;
  }

  /** The source's last step: it ends its VM, or has it run on. @throws what the connection throws */
  async confirm(outcome: 'moved' | 'stayed'): Promise<void> {
    // One that has no answer may be carried out yet: its contrary must not overtake it.
    if (this.#confirming !== null && this.#confirming !== outcome) throw new Error('told the contrary before');
    this.#confirming = outcome;
    const told = {
      dom: this.#plan.dom,
      params: this.#sourceParams,
      cookie: outcome === 'moved' ? this.#finished : nothing,
      flags: this.#sourceFlags,
      cancelled: outcome === 'moved' ? 0 : 1,
    };
    this.unanswered = true;
    try {
      const timeoutMs = outcome === 'moved' ? endMs : tidyMs;
      await this.#source.call('domain_migrate_confirm3_params', told, { timeoutMs });
      this.unanswered = false;
    } catch (error) {
      if (replied(error) || !wasSent(error)) this.unanswered = false;
      throw error;
    }
  }

  /** @param why Null: it was cancelled. */
  async #wakeSource(why: unknown): Promise<End> {
    try {
      await this.confirm('stayed');
    } catch (error) {
      return this.#unknown(why ?? error);
    }
    return this.#stayed(why);
  }

  #stayed(why: unknown, reason: LibvirtError | null = null): End {
    const aborted = why === null || LibvirtError.is(why, 'operation_aborted');
    if (aborted) return { end: 'stayed', why: null };
    return reason ? { end: 'stayed', why: reason, besides: why } : { end: 'stayed', why };
  }

  #unknown(why: unknown): End {
    return { end: 'unknown', why, performed: this.#performed, finishSent: this.#finishSent };
  }

  get #sourceFlags(): number {
    return this.#plan.flags | migrateFlags.change_protection;
  }

  /** What is the source's alone is left out. */
  get #targetFlags(): number {
    return this.#plan.flags & ~(migrateFlags.abort_on_error | migrateFlags.auto_converge);
  }

  get #sourceParams(): Param[] {
    const { params, only } = this.#plan;
    return [...params, ...(only ? only.source : this.#migrateUri)];
  }

  /** The domain's XML as begin made it; finish asks for the name instead. */
  #targetParams(xml: string | null): Param[] {
    const { params, destName, only } = this.#plan;
    const named = params.some(({ name }) => name === 'destination_name');
    return [
      ...params,
      ...(only ? only.target : this.#migrateUri),
      ...(xml === null ? [] : [param.str('destination_xml', xml)]),
      ...(xml === null && !named ? [param.str('destination_name', destName)] : []),
    ];
  }

  get #migrateUri(): Param[] {
    return this.#uri === null ? [] : [param.str('migrate_uri', this.#uri)];
  }
}
