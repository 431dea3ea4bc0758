// A network in virtual time: hosts that answer after a round trip, lose packets, or never answer.
import { Socket } from 'node:net';
import type { Clock } from '../../src-main/discovery/clock.ts';
import type { Dial, Listener, Target } from '../../src-main/discovery/dial.ts';

/** Time that stands still until it is moved on. */
export class VirtualClock implements Clock {
  #now = 0;
  #timers = new Set<{ at: number; run: () => void }>();

  now(): number {
    return this.#now;
  }

  date(): Date {
    return new Date(Date.UTC(2026, 0, 1) + this.#now);
  }

  after(ms: number, run: () => void): () => void {
    const timer = { at: this.#now + ms, run };
    this.#timers.add(timer);
    return () => this.#timers.delete(timer);
  }

  get pending(): number {
    return this.#timers.size;
  }

  /** Moves on to the next timer and runs it. @returns false where there is none */
  step(): boolean {
    let next: { at: number; run: () => void } | undefined;
    for (const timer of this.#timers) if (!next || timer.at < next.at) next = timer;
    if (!next) return false;
    this.#timers.delete(next);
    this.#now = Math.max(this.#now, next.at);
    next.run();
    return true;
  }

  /** Runs all that is due until the promise has settled; fails where nothing more can happen. */
  async until<T>(promise: Promise<T>): Promise<T> {
    let settled = false;
    const mark = () => (settled = true);
    promise.then(mark, mark);
    for (let idle = 0; ;) {
      await new Promise(setImmediate); // what waits on promises goes first
      if (settled) return promise;
      if (this.step()) idle = 0;
      else if ((idle += 1) > 20) throw new Error('nothing more will happen, and it has not settled');
    }
  }
}

export interface FakeHost {
  roundTripMs?: number;
  /** What a port says when called; but `closed` refuses, `hangs` says nothing, `slams` hangs up at once. */
  says?: string;
  /** A code of the system that each call fails with at once. */
  fails?: string;
}

export class FakeNetwork {
  readonly hosts = new Map<string, FakeHost>();
  /** Every connection begun, in order. */
  readonly calls: (Target & { at: number })[] = [];
  open = 0;
  mostOpen = 0;
  /** Asked for each call: whether it is lost on the way. */
  loses: (target: Target) => boolean = () => false;
  /** Asked for each call: a code of the system that it fails with, for instance while there is no network. */
  fails: (target: Target) => string | null = () => null;
  readonly #clock: Clock;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  readonly dial: Dial = (target, listener: Listener) => {
    this.calls.push({ ...target, at: this.#clock.now() });
    this.open += 1;
    this.mostOpen = Math.max(this.mostOpen, this.open);
    const host = this.hosts.get(target.address);
    const undos: (() => void)[] = [];
    const later = (ms: number, run: () => void) => undos.push(this.#clock.after(ms, run));
    let up = true;
    const down = () => {
      if (up) this.open -= 1;
      up = false;
      for (const undo of undos) undo();
    };
    const code = this.fails(target) ?? host?.fails;
    if (code) later(0, () => listener.failed(code));
    else if (host && !this.loses(target)) {
      const { roundTripMs = 1, says = 'SSH-2.0-Fake\r\n' } = host;
      later(roundTripMs, () => {
        if (says === 'closed') return listener.failed('ECONNREFUSED');
        listener.opened();
        if (says === 'slams') listener.ended();
        else if (says !== 'hangs') later(roundTripMs, () => listener.said(Buffer.from(says)));
      });
    }
    return { hangUp: down, hand: () => new Socket() };
  };
}
