// Lets so many through at a time, the others in the order they came.
export class Gate {
  #free: number;
  #queue: (() => void)[] = [];

  constructor(places: number) {
    this.#free = places;
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
    return () => {
      if (left) return;
      left = true;
      const next = this.#queue.shift();
      if (next) next();
      else this.#free += 1;
    };
  }
}
