// Time as a sweep sees it; tests hand it one of their own.
import { performance } from 'node:perf_hooks';

export interface Clock {
  /** Milliseconds since some moment. */
  now(): number;
  /** @returns calls it off */
  after(ms: number, run: () => void): () => void;
  /** The time of day, for what is kept. */
  date(): Date;
}

export const systemClock: Clock = {
  now: () => performance.now(),
  after(ms, run) {
    let immediate: NodeJS.Immediate | undefined;
    // A timer that is late runs before the sockets are looked at; waiting for them here keeps an answer that
    // has arrived meanwhile from being judged as silence.
    const timer = setTimeout(() => (immediate = setImmediate(run)), ms);
    return () => {
      clearTimeout(timer);
      clearImmediate(immediate);
    };
  },
  date: () => new Date(),
};
