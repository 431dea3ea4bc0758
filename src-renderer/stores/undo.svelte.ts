// What can be taken back, the last first: by the button of its notice, by Ctrl+Z, or from the palette.
import { toErr } from '../../contract/failure.ts';
import { undo as words } from '../words/batches.ts';
import type { Toasts } from './toasts.svelte.ts';

export interface Undoable {
  /** What was done, e.g. `web01 is tagged prod`. */
  done: string;
  back: () => Promise<unknown>;
}

const most = 20;

export class Undo {
  #done: readonly Undoable[] = $state.raw([]);
  readonly #toasts: Toasts;

  constructor(toasts: Toasts) {
    this.#toasts = toasts;
  }

  get last(): Undoable | null {
    return this.#done.at(-1) ?? null;
  }

  /** Says that it was done, and offers to take it back. */
  offer(done: string, back: () => Promise<unknown>): void {
    const one: Undoable = { done, back };
    this.#done = [...this.#done, one].slice(-most);
    this.#toasts.show('info', done, { label: words.undo, run: () => void this.take(one) });
  }

  /** Takes one back; once. */
  async take(one: Undoable | null = this.last): Promise<void> {
    if (!one || !this.#done.includes(one)) return;
    this.#done = this.#done.filter((other) => other !== one);
    this.#toasts.withdraw(one.done);
    try {
      await one.back();
      this.#toasts.show('info', words.taken(one.done));
    } catch (thrown) {
      this.#toasts.show('error', toErr(thrown).message);
    }
  }
}
