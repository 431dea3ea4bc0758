// Who may change a domain: one call at a time, and none but a few while it migrates or is saved.
import type { Clock } from './clock.ts';
import { refuse } from './refusal.ts';

interface Waiting {
  /** Goes on in spite of a long job. */
  despite: boolean;
  long: string | null;
  begin: () => void;
}

export class JobLock {
  readonly #clock: Clock;
  readonly #waitMs: number;
  #changing = false;
  #long: string | null = null;
  readonly #queue: Waiting[] = [];

  constructor(clock: Clock, waitMs: number) {
    this.#clock = clock;
    this.#waitMs = waitMs;
  }

  /** The long job that is held, such as `migration out`. */
  get long(): string | null {
    return this.#long;
  }

  /**
   * Runs when nothing else changes the domain.
   * @param despite Also while a long job is held, as suspend and destroy do.
   * @throws Refusal when that takes longer than 30 s
   */
  async change<T>(run: () => T | Promise<T>, { despite = false } = {}): Promise<T> {
    await this.#enter(despite, null);
    try {
      return await run();
    } finally {
      this.#changing = false;
      this.#next();
    }
  }

  /** Holds the domain for a long job, until `end`. @throws Refusal likewise */
  begin(job: string): Promise<void> {
    return this.#enter(false, job);
  }

  end(): void {
    if (this.#long === null) return;
    this.#long = null;
    this.#next();
  }

  #enter(despite: boolean, long: string | null): Promise<void> {
    return new Promise((resolve, reject) => {
      const waiting: Waiting = { despite, long, begin: () => (callOff(), resolve()) };
      const callOff = this.#clock.after(this.#waitMs, () => {
        this.#queue.splice(this.#queue.indexOf(waiting), 1);
        const what = 'Timed out during operation: cannot acquire state change lock';
        reject(refuse.none('operation_timeout', `${what} (held by ${this.#long ?? 'another job'})`));
      });
      this.#queue.push(waiting);
      this.#next();
    });
  }

  #next(): void {
    for (;;) {
      const at = this.#queue.findIndex(({ despite }) => !this.#changing && (despite || this.#long === null));
      const [first] = at < 0 ? [] : this.#queue.splice(at, 1);
      if (!first) return;
      if (first.long === null) this.#changing = true;
      else this.#long = first.long;
      first.begin();
    }
  }
}
