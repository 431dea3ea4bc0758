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
  destXml: string | null;
  migrateUri: string | null;
  /** The name on the target. */
  destName: string;
  offline: boolean;
}

export interface Watch {
  phase: (phase: MigrationPhase) => void;
  /** True once the admin asked to cancel. During perform the job is aborted besides. */
  cancelled: () => boolean;
  /** Perform is under way, or no longer. */
  performing: (under: boolean) => void;
  /** Awaited before the target may run: e.g. its console is opened first, so that no byte is missing. */
  beforeFinish: () => Promise<void>;
}

/** How the steps ended, as far as replies tell. */
export type End =
  | { end: 'moved' }
  | { end: 'stayed'; why: unknown; cancelled: boolean }
  | { end: 'unknown'; why: unknown; performed: boolean; finishSent: boolean };

const nothing: Buffer = Buffer.alloc(0);
const replied = (error: unknown): error is LibvirtError => error instanceof LibvirtError;
const wasSent = (error: unknown) => !(error instanceof Error && 'sent' in error && error.sent === false);

export class ManagedMove {
  readonly #source: Connection;
  readonly #target: Connection;
  readonly #plan: Plan;
  readonly #watch: Watch;
  #performed = false;
  #finishSent = false;

  constructor(source: Connection, target: Connection, plan: Plan, watch: Watch) {
    this.#source = source;
    this.#target = target;
    this.#plan = plan;
    this.#watch = watch;
  }

  async run(): Promise<End> {
    const { phase, cancelled, beforeFinish } = this.#watch;
    const { dom, params, destXml, offline } = this.#plan;

    phase('begin');
    let begun;
    try {
      const withXml = destXml === null ? params : [...params, param.str('destination_xml', destXml)];
      const given =
        this.#plan.migrateUri === null ? withXml : [...withXml, param.str('migrate_uri', this.#plan.migrateUri)];
      begun = await this.#source.call('domain_migrate_begin3_params', { dom, params: given, flags: this.#sourceFlags });
    } catch (error) {
      return replied(error) ? this.#stayed(error) : this.#unknown(error);
    }
    if (cancelled()) return this.#wakeSource(null);

    phase('prepare');
    let prepared;
    try {
      prepared = await this.#target.call('domain_migrate_prepare3_params', {
        params: this.#targetParams(this.#plan.migrateUri, begun.xml),
        cookie: begun.cookie,
        flags: this.#targetFlags,
      });
    } catch (error) {
      // Answered or not: without a finish the target never runs it.
      return this.#wakeSource(error);
    }
    const uri = prepared.uri ?? this.#plan.migrateUri;
    if (uri === null && !offline) {
      return this.#dropTarget(new Error('The target named no address to migrate to, and none was given.'), nothing);
    }
    if (cancelled()) return this.#dropTarget(null, nothing);

    let across: Buffer = nothing;
    if (!offline) {
      phase('perform');
      this.#watch.performing(true);
      try {
        ({ cookie: across } = await this.#source.call('domain_migrate_perform3_params', {
          dom,
          dconnuri: null,
          params: this.#sourceParams(uri),
          cookie: prepared.cookie,
          flags: this.#sourceFlags,
        }));
        this.#performed = true;
      } catch (error) {
        // The source has cleaned up by itself, so no confirm; where it was lost, what it does next depends on this.
        const reason = await this.#finishCancelled(uri);
        if (!replied(error)) return this.#unknown(error);
        return this.#stayed(error, reason);
      } finally {
        this.#watch.performing(false);
      }
      await beforeFinish();
    }

    phase('finish');
    let confirmCookie;
    try {
      this.#finishSent = true;
      ({ cookie: confirmCookie } = await this.#target.call('domain_migrate_finish3_params', {
        params: this.#targetParams(uri, null),
        cookie: across,
        flags: this.#targetFlags,
        cancelled: 0,
      }));
    } catch (error) {
      if (!wasSent(error)) this.#finishSent = false;
      else if (!replied(error)) return this.#unknown(error);
      // A reply says that the target was ended; what was never sent cannot have started it.
      return this.#wakeSource(error);
    }

    phase('confirm');
    try {
      await this.#confirm(confirmCookie, 0, uri);
    } catch (error) {
      return this.#unknown(error);
    }
    return { end: 'moved' };
  }

  /** confirm(cancelled=1): the source runs on. */
  async #wakeSource(why: unknown): Promise<End> {
    try {
      await this.#confirm(nothing, 1, null);
    } catch (error) {
      return this.#unknown(why ?? error);
    }
    return this.#stayed(why);
  }

  async #dropTarget(why: unknown, cookie: Buffer): Promise<End> {
    await this.#finishCancelled(null, cookie);
    return this.#wakeSource(why);
  }

  /** Always answered by an error; one of QEMU's tells more than the source's own. */
  async #finishCancelled(uri: string | null, cookie: Buffer = nothing): Promise<LibvirtError | null> {
    try {
      await this.#target.call('domain_migrate_finish3_params', {
        params: this.#targetParams(uri, null),
        cookie,
        flags: this.#targetFlags,
        cancelled: 1,
      });
    } catch (error) {
      if (replied(error) && !LibvirtError.is(error, 'migrate_finish_ok', 'no_domain')) return error;
    }
    return null;
  }

  #confirm(cookie: Buffer, cancelled: 0 | 1, uri: string | null) {
    const { dom } = this.#plan;
    return this.#source.call('domain_migrate_confirm3_params', {
      dom,
      params: this.#sourceParams(uri),
      cookie,
      flags: this.#sourceFlags,
      cancelled,
    });
  }

  #stayed(why: unknown, reason: LibvirtError | null = null): End {
    const cancelled = why === null || LibvirtError.is(why, 'operation_aborted');
    return { end: 'stayed', why: cancelled ? null : (reason ?? why), cancelled };
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

  #sourceParams(uri: string | null): Param[] {
    return uri === null ? this.#plan.params : [...this.#plan.params, param.str('migrate_uri', uri)];
  }

  /** The domain's XML as begin made it; finish asks for the name instead. */
  #targetParams(uri: string | null, xml: string | null): Param[] {
    const { params, destName } = this.#plan;
    const named = params.some(({ name }) => name === 'destination_name');
    return [
      ...params,
      ...(uri === null ? [] : [param.str('migrate_uri', uri)]),
      ...(xml === null ? [] : [param.str('destination_xml', xml)]),
      ...(xml === null && !named ? [param.str('destination_name', destName)] : []),
    ];
  }
}
