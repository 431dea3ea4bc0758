// One call at a time for a dialog's button: whether it is under way, and what came of it when it failed.
import { toErr, type Err } from '../../contract/failure.ts';

export class Ask {
  busy = $state(false);
  err: Err | null = $state.raw(null);

  /** Runs `work` unless one is under way; answers its result, or null where it failed. */
  async run<R>(work: () => Promise<R>): Promise<R | null> {
    if (this.busy) return null;
    this.busy = true;
    this.err = null;
    try {
      return await work();
    } catch (thrown) {
      this.err = toErr(thrown);
      return null;
    } finally {
      this.busy = false;
    }
  }
}
