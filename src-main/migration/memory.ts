// A VM's memory on its way: follows the numbers, and takes what an admin changes meanwhile: limits, post-copy, an end.
import { Failure } from '../../contract/failure.ts';
import type { MigrationProgress } from '../../contract/model.ts';
import { explain } from '../fleet/explain.ts';
import type { Host } from '../fleet/host.ts';
import { type Dom, LibvirtError, paramRecord } from '../libvirt/index.ts';
import { noProgress, readProgress } from './progress.ts';

export interface Limits {
  bandwidthMiBps?: number | undefined;
  maxDowntimeMs?: number | undefined;
}

export interface MemoryWatch {
  source: Host;
  dom: () => Dom;
  name: string;
  clock: { sleep(ms: number): Promise<unknown> };
  changed: () => void;
}

const pollMs = 300;

export class Memory {
  progress: MigrationProgress = noProgress;
  /** The target runs it already, with part of its memory here still. */
  postCopied = false;
  readonly #watch: MemoryWatch;
  #moving = false;
  #following = false;
  #aborted = false;

  constructor(watch: MemoryWatch) {
    this.#watch = watch;
  }

  /** It is under way now. */
  get moving(): boolean {
    return this.#moving;
  }

  begin(): void {
    this.#moving = true;
    void this.#follow();
    if (this.#aborted) void this.abort();
  }

  end(): void {
    this.#moving = false;
  }

  /** Until it ends by it: an abort that comes before libvirt's job is under way is answered by an error. */
  async abort(): Promise<void> {
    this.#aborted = true;
    const { source, dom, clock } = this.#watch;
    while (this.#moving) {
      try {
        await source.connection.call('domain_abort_job', { dom: dom() });
      } catch {
        // Asked again, as long as there is something to abort.
      }
      await clock.sleep(pollMs);
    }
  }

  /** @throws Failure `conflict` where none is under way */
  async limit({ bandwidthMiBps, maxDowntimeMs }: Limits): Promise<void> {
    const { source, dom, name } = this.#watch;
    if (!this.#moving) {
      throw new Failure('conflict', `${name} is not moving its memory now, so its limits cannot be changed.`);
    }
    try {
      const { connection } = source;
      if (bandwidthMiBps !== undefined) {
        await connection.call('domain_migrate_set_max_speed', { dom: dom(), bandwidth: BigInt(bandwidthMiBps) });
      }
      if (maxDowntimeMs !== undefined) {
        await connection.call('domain_migrate_set_max_downtime', { dom: dom(), downtime: maxDowntimeMs });
      }
    } catch (error) {
      throw explain(error, source.label, `changing the migration of ${name}`);
    }
  }

  /** Lets the VM run on the target at once, and fetches the rest from there. There is no way back. @throws Failure */
  async postCopy(): Promise<void> {
    const { source, dom, name } = this.#watch;
    if (!this.#moving) {
      throw new Failure(
        'conflict',
        `${name} is not moving its memory now, so there is nothing to switch to post-copy.`,
      );
    }
    // From before it leaves us: were the steps interrupted meanwhile, nobody may drop the target any more.
    this.postCopied = true;
    try {
      await source.connection.call('domain_migrate_start_post_copy', { dom: dom() });
    } catch (error) {
      // An answer says that it was not switched; a lost one says nothing.
      if (error instanceof LibvirtError) this.postCopied = false;
      throw explain(error, source.label, `switching ${name} to post-copy`);
    }
  }

  /** Asks for the numbers, over the connection for reads, until it is over. */
  async #follow(): Promise<void> {
    if (this.#following) return;
    this.#following = true;
    const { source, dom, clock, changed } = this.#watch;
    while (this.#moving) {
      try {
        const { params } = await source.connection.call('domain_get_job_stats', { dom: dom() });
        if (this.#moving) {
          this.progress = readProgress(paramRecord(params), this.progress);
          changed();
        }
      } catch {
        // The host is silent, or the job has just ended: the steps themselves will tell.
      }
      await clock.sleep(pollMs);
    }
    this.#following = false;
  }
}
