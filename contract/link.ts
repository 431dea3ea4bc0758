// The one way the window reaches the main side, whichever shell it lives in: two methods.
import type { ArgsIn, CallName, Result } from './calls.ts';
import type { Err } from './failure.ts';
import type { LinkEvents } from './events.ts';

/** How an answer travels: exactly one of the two is null. */
export type Answer<R> = { err: null; data: R } | { err: Err; data: null };

export interface Link {
  /** Resolves with the result, rejects with a `Failure`. */
  call<N extends CallName>(name: N, args: ArgsIn<N>): Promise<Result<N>>;
  /** Listens; the answer undoes it, harmlessly twice. `up` tells whether the main side is in reach. */
  on<E extends keyof LinkEvents | 'up'>(
    event: E,
    listener: (payload: E extends keyof LinkEvents ? LinkEvents[E] : boolean) => void,
  ): () => void;
}
