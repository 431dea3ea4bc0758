// A clock that can be injected: the fleet's timers go through here.
export interface Clock {
  /** Milliseconds that are never set back. */
  now(): number;
  sleep(ms: number): Promise<null>;
  /** Runs once, unless the process ends first. Returns the undo. */
  later(ms: number, run: () => void): () => void;
  /** Until the time is over (null: never), the signal, or the wake that `onWake` is given. Never rejects. */
  wait(ms: number | null, signal: AbortSignal, onWake: (wake: () => void) => void): Promise<void>;
}

export const systemClock: Clock = {
  now: () => performance.now(),
  sleep: (ms) => new Promise((resolve) => setTimeout(() => resolve(null), ms).unref()),
  later(ms, run) {
    const timer = setTimeout(run, ms);
    timer.unref();
    return () => clearTimeout(timer);
  },
  wait: (ms, signal, onWake) =>
    new Promise((resolve) => {
      if (signal.aborted) return resolve();
      const end = () => {
        clearTimeout(timer);
        signal.removeEventListener('abort', end);
        onWake(() => {});
        resolve();
      };
      const timer = ms === null ? undefined : setTimeout(end, ms);
      signal.addEventListener('abort', end);
      onWake(end);
    }),
};
