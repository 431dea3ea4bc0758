// Notices that the other end has fallen silent: by what is heard, and by asking where nothing is.

export interface HeartbeatOptions {
  intervalMs: number;
  /** Intervals of silence after which the other end counts as gone. */
  count: number;
  /** How many bytes were ever heard. */
  heard: () => number;
  ping: () => void;
  silent: () => void;
  heardAgain: () => void;
  gone: () => void;
}

export class Heartbeat {
  readonly #options: HeartbeatOptions;
  readonly #timer: NodeJS.Timeout;
  #heard: number;
  #at = performance.now();
  /** Intervals without a byte; in the first of them nothing was asked yet. */
  #missed = 0;
  #silent = false;
  #holds = 0;

  constructor(options: HeartbeatOptions) {
    this.#options = options;
    this.#heard = options.heard();
    this.#timer = setInterval(() => this.#beat(), options.intervalMs);
    this.#timer.unref();
  }

  /** While held, silence is told but never final. Returns the release; releasing twice is harmless. */
  hold(): () => void {
    this.#holds += 1;
    let held = true;
    return () => {
      if (held) this.#holds -= 1;
      held = false;
    };
  }

  /** Asks now, and counts from here: what was not heard before, e.g. in sleep, says nothing. */
  ask(): void {
    this.#at = performance.now();
    this.#heard = this.#options.heard();
    this.#missed = 1;
    this.#timer.refresh();
    this.#options.ping();
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  #beat() {
    const { intervalMs, count, heard, ping, silent, heardAgain, gone } = this.#options;
    const now = performance.now();
    const slept = now - this.#at > 2 * intervalMs;
    this.#at = now;
    const total = heard();
    if (total !== this.#heard) {
      this.#heard = total;
      this.#missed = 0;
      if (this.#silent) heardAgain();
      this.#silent = false;
      return;
    }
    // This machine was asleep or busy: it did not listen, so that was no silence. Ask, and count from here.
    this.#missed = slept ? 1 : this.#missed + 1;
    if (this.#missed >= count && this.#holds === 0) {
      this.stop();
      gone();
      return;
    }
    ping();
    if (this.#missed >= 2 && !this.#silent) {
      this.#silent = true;
      silent();
    }
  }
}
