// What the API is to the code: one function per call of the contract, and who is calling.
import type { Args, CallName, Result } from '../../contract/calls.ts';
import type { LinkEvents } from '../../contract/events.ts';

/** One caller: a window, a console's socket, or a single request. What it opened ends with it. */
export interface Caller {
  /** Tells the caller something of its own, e.g. a console's bytes. */
  send<E extends keyof LinkEvents>(event: E, payload: LinkEvents[E]): void;
  /** Runs when the caller is gone; at once if it is gone already. */
  onEnd(undo: () => void): void;
}

/** Carries out every call. Arguments were checked; what fails is thrown as a `Failure`. */
export type Api = {
  [N in CallName]: (args: Args<N>, caller: Caller) => Result<N> | Promise<Result<N>>;
};

/** A caller with its end in hand, for shells. */
export class Session implements Caller {
  readonly send: Caller['send'];
  #undos: (() => void)[] | null = [];

  constructor(send: Caller['send'] = () => {}) {
    this.send = send;
  }

  onEnd(undo: () => void): void {
    if (this.#undos) this.#undos.push(undo);
    else undo();
  }

  end(): void {
    const undos = this.#undos ?? [];
    this.#undos = null;
    for (const undo of undos) undo();
  }
}
