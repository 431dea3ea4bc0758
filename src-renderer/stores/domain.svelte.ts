// One VM as the window knows it. Its facts and its figures are separate signals: a batch of statistics re-draws
// the numbers that are on the screen and nothing else.
import type { DomainRef, DomainStats, DomainView } from '../../contract/model.ts';
import { History } from './history.ts';
import { orderKey } from './order.ts';

export type DomainKey = string;

/** One VM may stand on several hosts, so its key holds both. */
export const keyOf = (ref: DomainRef): DomainKey => `${ref.hostId}/${ref.uuid}`;

const cpu = 0;
const memory = 1;
const disk = 2;
const net = 3;

export class Domain {
  readonly key: DomainKey;
  view: DomainView = $state.raw(undefined as never);
  stats: DomainStats | null = $state.raw(null);
  /** What search looks through, in lower case. */
  haystack = '';
  /** Its name's place among others. */
  order = '';
  #history: History | null = null;

  constructor(view: DomainView) {
    this.key = keyOf(view);
    this.take(view);
  }

  take(view: DomainView): void {
    if (this.view?.name !== view.name) {
      this.haystack = view.name.toLowerCase();
      this.order = orderKey(view.name);
    }
    this.view = view;
    if (view.stats === null) this.stats = null;
    else if (this.stats === null || view.stats.at > this.stats.at) this.takeStats(view.stats);
  }

  takeStats(stats: DomainStats): void {
    this.#history ??= new History(4);
    this.#history.push(
      stats.cpuPercent,
      stats.memoryUsedKiB,
      stats.diskReadBps + stats.diskWriteBps,
      stats.netRxBps + stats.netTxBps,
    );
    this.stats = stats;
  }

  /** Goes on with the trends that it had on the host it comes from. */
  inherit(from: Domain): void {
    this.#history ??= from.#history?.copy() ?? null;
  }

  /** Percent, the oldest first. */
  get cpuTrend(): Float32Array {
    return this.#trend(cpu);
  }
  /** KiB. */
  get memoryTrend(): Float32Array {
    return this.#trend(memory);
  }
  /** Bytes a second, read and written. */
  get diskTrend(): Float32Array {
    return this.#trend(disk);
  }
  /** Bytes a second, received and sent. */
  get netTrend(): Float32Array {
    return this.#trend(net);
  }

  #trend(figure: number): Float32Array {
    // Reading the figures is what makes whoever draws the trend draw it again.
    return this.stats && this.#history ? this.#history.of(figure) : none;
  }
}

const none = new Float32Array(0);
