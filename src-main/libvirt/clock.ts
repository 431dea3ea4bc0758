// Time as the client sees it, so that tests can move it.

export interface Clock {
  /** Milliseconds that only ever grow. */
  now(): number;
  /** Runs once, later; what it answers calls that off. */
  after(ms: number, run: () => void): () => void;
}

export const systemClock: Clock = {
  now: () => performance.now(),
  after(ms, run) {
    const timer = setTimeout(run, ms);
    return () => clearTimeout(timer);
  },
};
