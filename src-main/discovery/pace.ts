// How fast connections may begin: token buckets, one for all and one for addresses that are called for the first time.
import type { Clock } from './clock.ts';

/** What may begin at once, as a part of what may begin in a second. */
const AT_ONCE = 1 / 100;

export interface PaceOptions {
  /** Connections a second. */
  rate: number;
  /** First calls alone: a second in the long run, and as many as `depth` beyond that where they were saved up. */
  first?: { rate: number; depth: number };
}

export class Pace {
  readonly #all: Bucket;
  readonly #first: Bucket | null;

  constructor(clock: Clock, { rate, first }: PaceOptions) {
    this.#all = new Bucket(clock, rate, rate * AT_ONCE);
    this.#first = first ? new Bucket(clock, first.rate, first.depth) : null;
  }

  /** Takes one where there is one. @returns 0, or in how many milliseconds to ask again */
  take(call: 'first' | 'again'): number {
    const buckets = call === 'first' && this.#first ? [this.#all, this.#first] : [this.#all];
    const wait = Math.max(...buckets.map((bucket) => bucket.wait()));
    if (wait === 0) for (const bucket of buckets) bucket.spend();
    return wait;
  }
}

class Bucket {
  readonly #clock: Clock;
  readonly #perMs: number;
  readonly #depth: number;
  #tokens: number;
  #at: number;

  constructor(clock: Clock, rate: number, depth: number) {
    this.#clock = clock;
    this.#perMs = rate / 1000;
    this.#depth = Math.max(1, depth);
    this.#tokens = this.#depth;
    this.#at = clock.now();
  }

  /** 0, or the milliseconds until there is one to spend. */
  wait(): number {
    const now = this.#clock.now();
    this.#tokens = Math.min(this.#depth, this.#tokens + (now - this.#at) * this.#perMs);
    this.#at = now;
    return this.#tokens >= 1 ? 0 : Math.max(1, (1 - this.#tokens) / this.#perMs);
  }

  spend(): void {
    this.#tokens -= 1;
  }
}
