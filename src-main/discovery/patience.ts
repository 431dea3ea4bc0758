// How long to wait for an answer and how often to ask again, learned from the answers that came.

/**
 * All in milliseconds. Before the first answer, so that a second try ends before the system calls again of its own; the
 * least, whatever the round trips; the most for one try.
 */
export const INITIAL = 450;
export const LEAST = 100;
const MOST = 3000;
/** A round trip longer than this is no local network, where a second try is all that is ever needed. */
const NEAR = 5;
const MOST_TRIES = 6;
/** When a call that was not answered is sent again by the system (RFC 6298). */
const RESENT = 1000;
/** What part of the hosts may be missed because packets were lost. */
const MISSED = 0.002;

export class Patience {
  readonly #fixed: number | null;
  #roundTrip = 0;
  /** The shortest round trip: what the network needs, without our own delays. */
  #shortest = Infinity;
  #deviation = 0;
  #answers = 0;
  /** Tries that failed before the one that was answered. */
  #lost = 0;

  /** @param fixed what the admin set, in milliseconds: then nothing is learned from round trips */
  constructor(fixed: number | null = null) {
    this.#fixed = fixed;
  }

  /** @param attempt the try that was answered, from 1 */
  answered(roundTripMs: number, attempt: number): void {
    this.#lost += attempt - 1;
    this.#answers += 1;
    if (roundTripMs >= RESENT && this.#shortest < RESENT / 2) {
      this.#lost += 1; // what took so long was a packet that the system had to send again
      return;
    }
    this.#shortest = Math.min(this.#shortest, roundTripMs);
    if (this.#answers === 1) {
      this.#roundTrip = roundTripMs;
      this.#deviation = roundTripMs / 2;
      return;
    }
    // As TCP does it (RFC 6298).
    this.#deviation += (Math.abs(this.#roundTrip - roundTripMs) - this.#deviation) / 4;
    this.#roundTrip += (roundTripMs - this.#roundTrip) / 8;
  }

  /** How long the given try, counted from 1, may go without an answer. Later ones are given longer. */
  timeout(attempt: number): number {
    if (this.#fixed !== null) return this.#fixed;
    const learned = Math.max(LEAST, this.#roundTrip + 4 * this.#deviation, 10 * this.#shortest);
    const usual = Math.min(MOST, (this.#answers === 0 ? INITIAL : learned) * attempt);
    // Where packets were lost, the last try is given until the system itself has called twice.
    return this.#lost > 0 && attempt >= this.tries ? Math.max(usual, Math.min(MOST, RESENT + learned)) : usual;
  }

  /** Far away, or losing packets. */
  get #isPoor(): boolean {
    return this.#lost > 0 || (this.#answers > 0 && this.#shortest > NEAR);
  }

  /** How often a silent address is called in all. */
  get tries(): number {
    const least = this.#isPoor ? 3 : 2;
    if (this.#lost === 0) return least;
    const loss = Math.min(0.9, this.#lost / (this.#lost + this.#answers));
    return Math.min(MOST_TRIES, Math.max(3, Math.ceil(Math.log(MISSED) / Math.log(loss))));
  }
}
