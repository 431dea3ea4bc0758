// Asks a silent daemon whether it lives: a PING after each interval of silence, the end after `count` without a sign.
import type { Clock } from './clock.ts';

export interface KeepaliveOptions {
  intervalMs: number;
  /** PINGs that may stay unanswered; the end comes one interval after the last. */
  count: number;
}

/** What libvirt itself does, on both sides. */
export const defaultKeepalive: KeepaliveOptions = { intervalMs: 5_000, count: 5 };

export const keepaliveProcedure = { ping: 1, pong: 2 } as const;

export class Keepalive {
  readonly #options: KeepaliveOptions;
  readonly #clock: Clock;
  readonly #ping: () => void;
  readonly #dead: () => void;
  #heardAt: number;
  #missed = 0;
  #held = false;
  #callOff: () => void = () => {};

  constructor(options: KeepaliveOptions, clock: Clock, ping: () => void, dead: () => void) {
    this.#options = options;
    this.#clock = clock;
    this.#ping = ping;
    this.#dead = dead;
    this.#heardAt = clock.now();
    this.#arm(options.intervalMs);
  }

  /** Anything came in. */
  heard(): void {
    this.#heardAt = this.#clock.now();
    this.#missed = 0;
  }

  /** While we do not read ourselves, silence says nothing. */
  hold(held: boolean): void {
    this.#held = held;
    this.heard();
  }

  stop(): void {
    this.#callOff();
  }

  #arm(ms: number): void {
    this.#callOff = this.#clock.after(ms, () => this.#look());
  }

  #look(): void {
    const { intervalMs, count } = this.#options;
    if (this.#held) this.heard();
    const silent = this.#clock.now() - this.#heardAt;
    if (this.#missed === 0 && silent < intervalMs) return this.#arm(intervalMs - silent);
    if (this.#missed >= count) return this.#dead();
    this.#missed += 1;
    this.#ping();
    this.#arm(intervalMs);
  }
}
