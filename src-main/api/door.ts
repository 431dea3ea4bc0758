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
  const faults = error.issues.slice(0, 5).map((issue) => fault(issue, []));
  return `The call ${name} cannot be taken as it is: ${faults.join('; ').replace(/\.$/, '')}.`;
}

type Issue = z.ZodError['issues'][number];

function fault(issue: Issue, above: readonly PropertyKey[]): string {
  const path = [...above, ...issue.path];
  const where = path.length > 0 ? `“${path.join('.')}”` : null;
  switch (issue.code) {
    case 'unrecognized_keys':
      return `unknown field ${issue.keys.map((key) => `“${key}”`).join(', ')}`;
    case 'invalid_union': {
      // What may be written in several ways was meant in the one whose type it has.
      const meant = issue.errors.flat().find((one) => one.code !== 'invalid_type' || one.path.length > 0);
      if (meant) return fault(meant, path);
      const types = issue.errors.flatMap((one) => (one[0]?.code === 'invalid_type' ? words(one[0].expected) : []));
      return isMissing(issue.errors[0]?.[0]) ? `${where} is missing` : `${where} has to be ${types.join(' or ')}`;
    }
    case 'invalid_type':
      if (where && isMissing(issue)) return `${where} is missing`;
      return where ? `${where} has to be ${words(issue.expected)}` : issue.message;
    case 'too_small':
      return Number(issue.minimum) === 1 && issue.origin !== 'number' && where
        ? `${where} is empty`
        : `${where}: ${issue.message}`;
    default:
      return where ? `${where}: ${issue.message}` : issue.message;
  }
}

/** Zod says what it got in its message alone. */
const isMissing = (issue: { code?: string; message: string } | undefined) =>
  issue?.code === 'invalid_type' && issue.message.endsWith('received undefined');

/** A type, as one says it. */
function words(expected: string): string {
  const known: Record<string, string> = {
    string: 'text',
    number: 'a number',
    int: 'a whole number',
    boolean: 'true or false',
    array: 'a list',
    object: 'an object',
  };
  return known[expected] ?? expected;
}
