// So many turns a second. Who comes later waits for the next second: nothing is refused, and nothing is lost.

export interface PaceOptions {
  perSecond: number;
  later?: (ms: number, run: () => void) => void;
}

const timer = (ms: number, run: () => void) => void setTimeout(run, ms).unref();

export class Pace {
  readonly #perSecond: number;
  readonly #later: (ms: number, run: () => void) => void;
  #taken = 0;
  #waiting: (() => void)[] = [];

  constructor({ perSecond, later = timer }: PaceOptions) {
    this.#perSecond = perSecond;
    this.#later = later;
  }

  /** Whoever comes now has to wait. */
  get spent(): boolean {
    return this.#taken >= this.#perSecond;
  }

  /** Resolves when it is the caller's turn, in the order of asking. */
  turn(): Promise<void> {
    if (this.#taken < this.#perSecond && this.#waiting.length === 0) {
      this.#take();
      return Promise.resolve();
    }
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  #take(): void {
    this.#taken += 1;
    if (this.#taken > 1) return;
    this.#later(1_000, () => {
      this.#taken = 0;
      for (const go of this.#waiting.splice(0, this.#perSecond)) {
        this.#take();
        go();
      }
    });
  }
}
