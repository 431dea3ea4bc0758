// What goes along with a VM beside its memory and its definition: volumes for its disks, the disks themselves where it
// is shut off, and its firmware's variables.
import type { MigrationOptions, MigrationProgress, MigrationView } from '../../../contract/model.ts';
import type { Host } from '../../fleet/host.ts';
import type { Dom } from '../../libvirt/index.ts';
import { DiskCopy } from './disk-copy.ts';
import { type Journal, type Made, type MigrationRecord, withMade } from '../recovery/journal.ts';
import { carryNvram } from './nvram.ts';
import { isOff } from '../options.ts';
import { makeVolumes } from './volumes.ts';
import { copyWhileOff } from './while-off.ts';

export interface LuggageContext {
  record: MigrationRecord;
  source: Host;
  target: Host;
  journal: Journal;
  /** By an earlier Drover. */
  made: readonly Made[];
  clock: { sleep(ms: number): Promise<unknown>; now(): number };
  changed: () => void;
}

export class Luggage {
  /** Volumes on the target, for the copied disks. */
  made: readonly Made[];
  readonly #context: LuggageContext;
  #copy: DiskCopy | null = null;
  #cancelled = false;
  /** Takes the file of the firmware's variables away from the target again. */
  #undoNvram: (() => Promise<void>) | null = null;

  constructor(context: LuggageContext) {
    this.#context = context;
    this.made = context.made;
  }

  /** Of disks that Drover itself copies; else null. */
  get progress(): MigrationProgress | null {
    return this.#copy?.progress ?? null;
  }

  /** It is all on the target, or has its place there. @throws Failure, ConnectionLost; anything once it was cancelled */
  async carry(options: MigrationOptions, dom: Dom, copying: () => Promise<void>): Promise<void> {
    const { record, source, target } = this.#context;
    const incremental = options.storage === 'copy-incremental';
    if (options.mode === 'cold') {
      await copying();
      await this.#copyDisks(incremental, options.bandwidthMiBps);
    } else await makeVolumes(source, target, dom, record.copied, incremental, this.#list);
    const { destXml } = options;
    this.#undoNvram = await carryNvram({ source, target, vm: record.domain, destXml, off: isOff(options) });
  }

  cancel(): void {
    this.#cancelled = true;
    this.#copy?.cancel();
  }

  limit(bandwidthMiBps: number): void {
    this.#copy?.limit(bandwidthMiBps);
  }

  /** The firmware's variables go away again, only where the target was seen not to have the VM. */
  async unlessThere(verdict: MigrationView['verdict']): Promise<void> {
    const { id } = this.#context.target;
    if (verdict === null || verdict.runningOn.includes(id) || verdict.definedOn.includes(id)) return;
    await this.#undoNvram?.().catch(() => {});
  }

  /** Of a VM that is shut off, and stays so until they are across. */
  async #copyDisks(incremental: boolean, bandwidthMiBps: number | null): Promise<void> {
    const { record, source, target, clock, changed } = this.#context;
    const { domain, copied: disks } = record;
    const list = this.#list;
    const copy = { source, target, name: domain.name, disks, incremental, bandwidthMiBps, list, clock, changed };
    this.#copy = new DiskCopy(copy);
    if (this.#cancelled) this.#copy.cancel();
    await copyWhileOff(this.#copy, source, domain);
  }

  get #list() {
    const { journal, record } = this.#context;
    return {
      add: async (made: Made) => {
        await journal.made(record.id, made);
        this.made = withMade(this.made, made);
      },
      drop: ({ pool, volume }: Made) => {
        this.made = this.made.filter((one) => one.pool !== pool || one.volume !== volume);
      },
    };
  }
}
