// The fleet's clock, moved by the test.
import type { Clock } from '../../src-main/fleet/clock.ts';

export class HandClock implements Clock {
  #now = 0;
  #timers = new Set<{ at: number; run: () => void }>();

  now(): number {
    return this.#now;
  }

  sleep(ms: number): Promise<null> {
    return new Promise((resolve) => this.later(ms, () => resolve(null)));
  }

  later(ms: number, run: () => void): () => void {
    const timer = { at: this.#now + ms, run };
    this.#timers.add(timer);
    return () => void this.#timers.delete(timer);
  }

  wait(ms: number | null, signal: AbortSignal, onWake: (wake: () => void) => void): Promise<void> {
    return new Promise((resolve) => {
      if (signal.aborted) return resolve();
      const end = () => {
        callOff();
        signal.removeEventListener('abort', end);
        onWake(() => {});
        resolve();
      };
      const callOff = ms === null ? () => {} : this.later(ms, end);
      signal.addEventListener('abort', end);
      onWake(end);
    });
  }

  /** What is due, in milliseconds from now, the nearest first. */
  get due(): number[] {
    return [...this.#timers].map(({ at }) => at - this.#now).sort((a, b) => a - b);
  }

  /** Runs what is due on the way, in its order. */
  advance(ms: number): void {
    const until = this.#now + ms;
    for (;;) {
      const [next] = [...this.#timers].filter(({ at }) => at <= until).sort((a, b) => a.at - b.at);
      if (!next) break;
      this.#timers.delete(next);
      this.#now = next.at;
      next.run();
    }
    this.#now = until;
  }
}
