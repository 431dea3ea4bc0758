// The time as the window shows it: one tick a second, none while nobody sees it.
export class Clock {
  now = $state(Date.now());
  /** Goes up every three seconds: when rows that are sorted by a live figure may change places. */
  readonly beat: number = $derived(Math.floor(this.now / 3_000));

  /** The answer ends it. */
  start(): () => void {
    const timer = setInterval(() => {
      if (!document.hidden) this.now = Date.now();
    }, 1_000);
    return () => clearInterval(timer);
  }
}
