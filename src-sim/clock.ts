// Time as the simulation sees it: may run faster than the world's, and stops with the fleet.
import { systemClock } from '../src-main/libvirt/index.ts';
import type { Clock } from '../src-main/libvirt/index.ts';

export type { Clock };

export class SimClock implements Clock {
  readonly #base: Clock;
  readonly #speed: number;
  readonly #timers = new Set<() => void>();
  readonly #epochMs = Date.now();

  /** `speed` 10: a simulated minute takes six seconds. */
  constructor(base: Clock = systemClock, speed = 1) {
    this.#base = base;
    this.#speed = speed;
  }

  now(): number {
    return this.#base.now() * this.#speed;
  }

  after(ms: number, run: () => void): () => void {
    const callOff = this.#base.after(ms / this.#speed, () => {
      this.#timers.delete(undo);
      run();
    });
    const undo = () => {
      this.#timers.delete(undo);
      callOff();
    };
    this.#timers.add(undo);
    return undo;
  }

  /** Resolves after so many simulated milliseconds; never, once the fleet is closed. */
  sleep(ms: number): Promise<void> {
    return new Promise((resolve) => this.after(ms, resolve));
  }

  /** A simulated date, as libvirt tells dates. */
  get epochMs(): number {
    return this.#epochMs + Math.round(this.now());
  }

  /** Nothing that was planned comes any more. */
  stop(): void {
    for (const undo of [...this.#timers]) undo();
  }
}
