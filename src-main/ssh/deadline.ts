// A limit of time that stands still while a person is asked.

export class Deadline {
  readonly #expired: () => void;
  #left = 0;
  #since = 0;
  #timer: NodeJS.Timeout | undefined;
  #pauses = 0;

  constructor(expired: () => void) {
    this.#expired = expired;
  }

  /** Begins anew with `ms` milliseconds. */
  set(ms: number): void {
    this.stop();
    this.#left = ms;
    if (this.#pauses === 0) this.#run();
  }

  stop(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#left = 0;
  }

  /** Time stands still until the promise is settled. */
  async without<T>(waiting: Promise<T>): Promise<T> {
    if (this.#pauses++ === 0 && this.#timer) {
      clearTimeout(this.#timer);
      this.#timer = undefined;
      this.#left -= performance.now() - this.#since;
    }
    try {
      return await waiting;
    } finally {
      if (--this.#pauses === 0 && this.#left > 0) this.#run();
    }
  }

  #run() {
    this.#since = performance.now();
    this.#timer = setTimeout(this.#expired, this.#left);
  }
}
