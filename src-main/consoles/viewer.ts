// One who looks at a console: gets its bytes in small batches, and says when they were shown.
import type { ConsoleNote } from '../../contract/events.ts';

export interface Show {
  data: (bytes: Uint8Array) => void;
  note: (note: ConsoleNote) => void;
}

/** A viewer with this much unshown is slow: the console waits for it, up to a time. */
export const slowBytes = 1 << 20;
/** Serial output comes in packets of a few bytes: what comes within this time travels together. */
const batchMs = 5;

export class Viewer {
  readonly #show: Show;
  #unshown = 0;
  #batch: Uint8Array[] = [];
  #timer: NodeJS.Timeout | null = null;
  /** It was given up on, until it has caught up: bytes pass it by. */
  #behind = false;
  #slowSince: number | null = null;

  constructor(show: Show) {
    this.#show = show;
  }

  get slow(): boolean {
    return !this.#behind && this.#unshown > slowBytes;
  }

  /** When it became slow, in the clock of `performance`; null while it keeps up. */
  get slowSince(): number | null {
    return this.#slowSince;
  }

  data(bytes: Uint8Array): void {
    if (this.#behind) return;
    this.#unshown += bytes.length;
    if (this.slow) this.#slowSince ??= performance.now();
    this.#batch.push(bytes);
    this.#timer ??= setTimeout(() => this.flush(), batchMs);
  }

  note(note: ConsoleNote): void {
    this.flush();
    this.#show.note(note);
  }

  /** So many bytes were shown. */
  shown(bytes: number): void {
    this.#unshown = Math.max(0, this.#unshown - bytes);
    if (this.#unshown <= slowBytes) this.#slowSince = null;
    if (this.#behind && this.#unshown === 0) {
      this.#behind = false;
      this.note({ type: 'gap' });
    }
  }

  /** Waits for it no longer: the guest must not stand still because a window does. */
  leaveBehind(): void {
    this.flush();
    this.#behind = true;
    this.#slowSince = null;
  }

  flush(): void {
    if (this.#timer) clearTimeout(this.#timer);
    this.#timer = null;
    const batch = this.#batch;
    this.#batch = [];
    if (batch.length > 0) this.#show.data(batch.length === 1 ? (batch[0] as Uint8Array) : Buffer.concat(batch));
  }
}
