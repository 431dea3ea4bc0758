// Numbers every change and tells it on: in batches, in order, with the latest kept for who resumes.
import { randomBytes } from 'node:crypto';
import type { Delta, NumberedDelta } from '../../contract/events.ts';

/** How many deltas one who was away may have missed before it needs a snapshot. */
const kept = 4096;
/** One batch per frame of a window: 60 a second at the most. */
const frameMs = 16;

export class Feed {
  /** Of this process: numbers of another epoch mean nothing here. */
  readonly epoch = randomBytes(6).toString('hex');
  #seq = 0;
  #latest: NumberedDelta[] = [];
  #pending: NumberedDelta[] = [];
  #timer: NodeJS.Timeout | null = null;
  #listeners = new Set<(deltas: NumberedDelta[]) => void>();
  #watched: (watched: boolean) => void = () => {};

  /** The number of the last delta; a snapshot taken now holds everything up to it. */
  get seq(): number {
    return this.#seq;
  }

  push(delta: Delta): void {
    const numbered = { ...delta, seq: ++this.#seq };
    this.#latest.push(numbered);
    // Cut now and then, not each time: an array's head is dear to remove.
    if (this.#latest.length > 2 * kept) this.#latest = this.#latest.slice(-kept);
    if (this.#listeners.size === 0) return;
    this.#pending.push(numbered);
    this.#timer ??= setTimeout(() => this.flush(), frameMs);
  }

  /** Tells what is pending now. */
  flush(): void {
    if (this.#timer) clearTimeout(this.#timer);
    this.#timer = null;
    const batch = this.#pending;
    if (batch.length === 0) return;
    this.#pending = [];
    for (const listener of [...this.#listeners]) listener(batch);
  }

  /** What came after `seq`, or null where that is no longer known. */
  since(seq: number): NumberedDelta[] | null {
    if (!Number.isInteger(seq) || seq > this.#seq || seq < 0) return null;
    if (seq === this.#seq) return [];
    const first = this.#latest[0];
    if (!first || first.seq > seq + 1) return null;
    return this.#latest.slice(seq + 1 - first.seq);
  }

  /** From the next delta on. Take `seq` or a snapshot in the same turn, and nothing is missed or told twice. */
  subscribe(listener: (deltas: NumberedDelta[]) => void): () => void {
    this.flush();
    const mine = (deltas: NumberedDelta[]) => listener(deltas);
    this.#listeners.add(mine);
    if (this.#listeners.size === 1) this.#watched(true);
    return () => {
      if (this.#listeners.delete(mine) && this.#listeners.size === 0) this.#watched(false);
    };
  }

  /** Tells when the first one looks and when nobody does any more. */
  onWatched(listener: (watched: boolean) => void): void {
    this.#watched = listener;
  }

  close(): void {
    if (this.#timer) clearTimeout(this.#timer);
    this.#timer = null;
    this.#listeners.clear();
  }
}
