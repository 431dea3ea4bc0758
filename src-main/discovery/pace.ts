// How fast connections may begin: so many a second, and so many to new addresses of an own network within a while.
import type { Clock } from './clock.ts';

/**
 * Where the admin says nothing, for all scans together. In a network of this machine's own each silent address holds an entry of the
 * kernel's neighbour table for three seconds, however often it is called meanwhile. Linux has 1024 of these, and where
 * they are used up it sends nothing, and hosts are missed. So a /24 goes at once, wide ranges in portions.
 */
export const PACE = { rate: 3000, first: { count: 850, withinMs: 3100 } };
/** What may begin at once, as a part of what may begin in a second. */
const AT_ONCE = 1 / 100;

export interface PaceOptions {
  /** Connections a second. */
  rate: number;
  /** At most so many first calls to near addresses within any so many milliseconds. */
  first?: { count: number; withinMs: number };
}

export class Pace {
  readonly #clock: Clock;
  readonly #perMs: number;
  readonly #depth: number;
  readonly #first: PaceOptions['first'];
  /** When the last first calls were made, oldest at `#oldest`; a ring. */
  readonly #calls: number[] = [];
  #oldest = 0;
  #tokens: number;
  #at: number;

  constructor(clock: Clock, { rate, first }: PaceOptions) {
    this.#clock = clock;
    this.#perMs = rate / 1000;
    this.#depth = Math.max(1, rate * AT_ONCE);
    this.#first = first;
    this.#tokens = this.#depth;
    this.#at = clock.now();
  }

  /** Takes one where there is one. @returns 0, or in how many milliseconds to ask again */
  take(call: 'first' | 'again'): number {
    const now = this.#clock.now();
    this.#tokens = Math.min(this.#depth, this.#tokens + (now - this.#at) * this.#perMs);
    this.#at = now;
    const rest = this.#tokens >= 1 ? 0 : (1 - this.#tokens) / this.#perMs;
    const wait = Math.max(rest, call === 'first' ? this.#untilRoom(now) : 0);
    if (wait > 0) return Math.max(1, wait);
    this.#tokens -= 1;
    if (call === 'first') this.#note(now);
    return 0;
  }

  #untilRoom(now: number): number {
    if (!this.#first || this.#calls.length < this.#first.count) return 0;
    return Math.max(0, this.#calls[this.#oldest]! + this.#first.withinMs - now);
  }

  #note(now: number): void {
    if (!this.#first) return;
    this.#calls[this.#oldest] = now;
    this.#oldest = (this.#oldest + 1) % this.#first.count;
  }
}
