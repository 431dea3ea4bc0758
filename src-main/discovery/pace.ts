// How fast connections may begin: a token bucket.
import type { Clock } from './clock.ts';

/** How much may begin at once, as a part of what may begin in a second. */
const BURST = 1 / 100;

export class Pace {
  readonly #clock: Clock;
  readonly #perMs: number;
  readonly #most: number;
  #tokens: number;
  #at: number;

  /** @param rate connections a second */
  constructor(clock: Clock, rate: number) {
    this.#clock = clock;
    this.#perMs = rate / 1000;
    this.#most = Math.max(1, Math.floor(rate * BURST));
    this.#tokens = this.#most;
    this.#at = clock.now();
  }

  /** Takes one where there is one. @returns 0, or in how many milliseconds to ask again */
  take(): number {
    const now = this.#clock.now();
    this.#tokens = Math.min(this.#most, this.#tokens + (now - this.#at) * this.#perMs);
    this.#at = now;
    if (this.#tokens < 1) return Math.max(1, (1 - this.#tokens) / this.#perMs);
    this.#tokens -= 1;
    return 0;
  }
}
