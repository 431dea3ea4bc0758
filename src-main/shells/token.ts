// The secret that opens the API: the environment's, or a fresh one; and tickets that stand for it once.
import { randomBytes } from 'node:crypto';
import { Failure } from '../../contract/failure.ts';

/** @throws Failure where the environment's cannot travel in a header */
export function makeToken(given = process.env['DROVER_TOKEN']): string {
  if (!given) return randomBytes(32).toString('base64url');
  if (!/^[\x21-\x7e]{1,1000}$/.test(given)) {
    throw new Failure(
      'bad-request',
      'DROVER_TOKEN holds spaces or signs that no header can carry; use letters and digits.',
    );
  }
  return given;
}

/** The address of the window with its token, as a person opens it. */
export function addressWith(url: string, token: string): string {
  return `${url}#token=${encodeURI(token)}`;
}

const ticketMs = 60_000;

/**
 * For command lines, which every user of a machine can read: the browser that is started with a ticket gets the
 * token for it, once and soon.
 */
export class Tickets {
  readonly #token: string;
  readonly #now: () => number;
  readonly #until = new Map<string, number>();

  constructor(token: string, now: () => number = Date.now) {
    this.#token = token;
    this.#now = now;
  }

  issue(): string {
    const ticket = randomBytes(32).toString('base64url');
    this.#until.set(ticket, this.#now() + ticketMs);
    return ticket;
  }

  /** The token, or null where the ticket is none, used, or old. */
  redeem(ticket: string): string | null {
    const until = this.#until.get(ticket) ?? 0;
    this.#until.delete(ticket);
    return until > this.#now() ? this.#token : null;
  }
}
