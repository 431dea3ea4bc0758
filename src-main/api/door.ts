// The door every shell knocks at: looks a call up, checks its arguments, carries it out, answers in one form.
import type { z } from 'zod';
import { calls, type CallName } from '../../contract/calls.ts';
import { Failure, toErr } from '../../contract/failure.ts';
import type { Answer } from '../../contract/link.ts';
import type { Api, Caller } from './api.ts';
import type { Feed } from './feed.ts';

export class Door {
  readonly feed: Feed;
  readonly #api: Api;
  readonly #report: (error: unknown, name: string) => void;

  /** @param report is told of errors that are no `Failure`: bugs of ours */
  constructor(api: Api, feed: Feed, report: (error: unknown, name: string) => void) {
    this.#api = api;
    this.feed = feed;
    this.#report = report;
  }

  /** Never rejects. */
  async call(name: string, args: unknown, caller: Caller): Promise<Answer<unknown>> {
    try {
      return { err: null, data: await this.#carryOut(name, args, caller) };
    } catch (error) {
      if (!(error instanceof Failure)) this.#report(error, name);
      return { err: toErr(error), data: null };
    }
  }

  #carryOut(name: string, args: unknown, caller: Caller): unknown {
    // Own property only: “constructor” is no call.
    if (!Object.hasOwn(calls, name)) throw new Failure('not-found', `There is no call “${name}”.`);
    const known = name as CallName;
    const checked = calls[known].args.safeParse(args);
    if (!checked.success) throw new Failure('bad-request', sentence(known, checked.error));
    const carryOut = this.#api[known] as (args: unknown, caller: Caller) => unknown;
    return carryOut(checked.data, caller);
  }
}

/** What is wrong with the arguments, naming each field. */
function sentence(name: CallName, error: z.ZodError): string {
  const faults = error.issues.slice(0, 5).map((issue) => {
    if (issue.code === 'unrecognized_keys') return `unknown field ${issue.keys.map((key) => `“${key}”`).join(', ')}`;
    const where = issue.path.join('.');
    return where ? `“${where}”: ${issue.message}` : issue.message;
  });
  return `The call ${name} cannot be taken as it is: ${faults.join('; ')}.`;
}
