// When to try again after a failure.

/** Doubles from one second to one minute, with jitter, so that a thousand hosts do not come back in step. */
export class Backoff {
  #tries = 0;
  readonly #random: () => number;

  constructor(random: () => number = Math.random) {
    this.#random = random;
  }

  /** Milliseconds until the next try. */
  next(): number {
    const full = Math.min(60_000, 1_000 * 2 ** this.#tries);
    this.#tries += 1;
    return Math.round(full * (0.75 + this.#random() / 2));
  }

  reset(): void {
    this.#tries = 0;
  }
}
