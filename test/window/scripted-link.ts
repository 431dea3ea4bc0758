// A link whose main side is scripted by the test: answers by name, events by hand, and a record of what was asked.
import type { ArgsIn, CallName, Result } from '../../contract/calls.ts';
import type { LinkEvents } from '../../contract/events.ts';
import type { Link } from '../../contract/link.ts';

type Payload<E> = E extends keyof LinkEvents ? LinkEvents[E] : boolean;
type Carry = (args: never) => unknown;

export class ScriptedLink implements Link {
  readonly #answers = new Map<CallName, Carry>();
  readonly #said: { name: CallName; args: unknown }[] = [];
  readonly #listeners = new Map<string, Set<(payload: never) => void>>();

  answer<N extends CallName>(name: N, carry: (args: ArgsIn<N>) => Result<N> | Promise<Result<N>>) {
    this.#answers.set(name, carry);
  }

  /** The next call of this name waits until the test resolves or rejects it. */
  hold<N extends CallName>(name: N) {
    let resolve!: (result: Result<N>) => void;
    let reject!: (thrown: Error) => void;
    const held = new Promise<Result<N>>((yes, no) => {
      resolve = yes;
      reject = no;
    });
    const before = this.#answers.get(name);
    this.#answers.set(name, () => {
      if (before) this.#answers.set(name, before);
      return held;
    });
    return { resolve, reject };
  }

  /** The arguments of every call of this name so far. */
  said<N extends CallName>(name: N): ArgsIn<N>[] {
    return this.#said.filter((call) => call.name === name).map((call) => call.args as ArgsIn<N>);
  }

  async call<N extends CallName>(name: N, args: ArgsIn<N>): Promise<Result<N>> {
    this.#said.push({ name, args });
    const carry = this.#answers.get(name);
    if (!carry) throw new Error(`the test has no answer for ${name}`);
    return (await carry(args as never)) as Result<N>;
  }

  on<E extends keyof LinkEvents | 'up'>(event: E, listener: (payload: Payload<E>) => void) {
    let set = this.#listeners.get(event);
    if (!set) this.#listeners.set(event, (set = new Set()));
    const mine = set;
    mine.add(listener);
    return () => void mine.delete(listener);
  }

  emit<E extends keyof LinkEvents | 'up'>(event: E, payload: Payload<E>) {
    for (const listener of this.#listeners.get(event) ?? []) listener(payload as never);
  }
}
