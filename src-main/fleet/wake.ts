// Notices that this machine was asleep: the time of day went on, and the timers did not.

export interface WakeOptions {
  /** The time of day in milliseconds; the clocks of timers stand still while Linux sleeps. */
  timeOfDay?: () => number;
  /** Runs it again and again. Returns the undo. */
  every?: (ms: number, run: () => void) => () => void;
  woke: () => void;
}

const lookMs = 2000;
/** A busy machine's timers are late, too, but not by that much. */
const asleepMs = 10_000;

const systemEvery: NonNullable<WakeOptions['every']> = (ms, run) => {
  const timer = setInterval(run, ms);
  timer.unref();
  return () => clearInterval(timer);
};

/** Returns the undo. A clock that is set forward counts as sleep, which does no harm: hosts are asked once more. */
export function watchForWake({ timeOfDay = Date.now, every = systemEvery, woke }: WakeOptions): () => void {
  let last = timeOfDay();
  return every(lookMs, () => {
    const now = timeOfDay();
    const slept = now - last > lookMs + asleepMs;
    last = now;
    if (slept) woke();
  });
}
