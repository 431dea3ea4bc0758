// How many sockets all sweeps together may have open.

export const MOST_OPEN = 512;

export class Sockets {
  readonly #most: number;
  readonly #waiting = new Set<() => void>();
  #limit: number;
  #open = 0;

  constructor(most = MOST_OPEN) {
    this.#most = most;
    this.#limit = most;
  }

  get open(): number {
    return this.#open;
  }

  take(): boolean {
    if (this.#open >= this.#limit) return false;
    this.#open += 1;
    return true;
  }

  give(): void {
    this.#open -= 1;
    // The one that waits longest goes first, and has to wait again for a second.
    const [next] = this.#waiting;
    if (!next) return;
    this.#waiting.delete(next);
    next();
  }

  /** Asked to try again once, when there may be one. @returns calls it off */
  wait(ready: () => void): () => void {
    this.#waiting.add(ready);
    return () => this.#waiting.delete(ready);
  }

  /** The system had no more: fewer from now on. */
  shrink(): void {
    this.#limit = Math.max(8, Math.min(this.#limit, Math.floor(this.#open * 0.75)));
  }

  /** The system gives again: slowly more. */
  grow(): void {
    this.#limit = Math.min(this.#most, this.#limit + 1);
  }
}
