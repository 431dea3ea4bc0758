// Lets so many through at a time, the others in the order they came.
/** What is not connected by then waits for a host that may never answer, and slows nobody down. In milliseconds. */
export const hangsMs = 2000;

export class Gate {
  #free: number;
  #queue: (() => void)[] = [];
  readonly #longestMs: number | undefined;

  /** @param longestMs After so long a place is free again: who is not done by then hangs, and holds up nobody else. */
  constructor(places: number, longestMs?: number) {
    this.#free = places;
    this.#longestMs = longestMs;
  }

  /** Resolves with the leave-taking, to be called once. Rejects when the signal says so, while waiting. */
  async enter(signal?: AbortSignal): Promise<() => void> {
    signal?.throwIfAborted();
    if (this.#free > 0) this.#free -= 1;
    else {
      await new Promise<void>((resolve, reject) => {
        const go = () => {
          signal?.removeEventListener('abort', leave);
          resolve();
        };
        const leave = () => {
          this.#queue = this.#queue.filter((waiting) => waiting !== go);
          reject(signal?.reason as Error);
        };
        signal?.addEventListener('abort', leave, { once: true });
        this.#queue.push(go);
      });
    }
    let left = false;
    const leave = () => {
      if (left) return;
      left = true;
      clearTimeout(timer);
      const next = this.#queue.shift();
      if (next) next();
      else this.#free += 1;
    };
    const timer = this.#longestMs === undefined ? undefined : setTimeout(leave, this.#longestMs);
    timer?.unref();
    return leave;
  }
}
