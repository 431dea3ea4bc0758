// Calls under way: which may go now and which queue, whose reply is whose, and an end to each of them.
import type { Clock } from './clock.ts';
import { programs } from './constants.ts';
import { CallTimeout, ConnectionLost, LibvirtError, ProtocolError } from './errors.ts';
import { packetStatus, packetType } from './frame.ts';
import type { Packet } from './frame.ts';
import type { Outbox } from './outbox.ts';
import { procedures } from './procedures.ts';
import type { Procedure, ProcedureName } from './procedures.ts';
import type { LibvirtStream } from './stream.ts';
import type { Streams } from './streams.ts';
import { errorInfo } from './types.ts';
import { Reader } from './xdr.ts';

export interface CallOptions {
  /** Gives up waiting; the daemon carries on with what was sent. */
  signal?: AbortSignal | undefined;
  /** 0 for none. */
  timeoutMs?: number | undefined;
}

/** libvirtd works on five calls of a connection at a time and then reads no further; the fifth stays free. */
const WAITING_MAX = 4;

interface Pending {
  name: ProcedureName;
  row: Procedure;
  args: unknown;
  /** Holes are told apart; null where the call opens no stream. */
  opens: { sparse: boolean } | null;
  stream: LibvirtStream | null;
  waits: boolean;
  /** 0 until it is sent. */
  serial: number;
  /** Exactly one of these is called, once; null afterwards. A late reply then finds nobody. */
  answer: { resolve: (result: unknown) => void; reject: (error: Error) => void } | null;
  callOff: () => void;
}

export class Calls {
  readonly #outbox: Outbox;
  readonly #streams: Streams;
  readonly #clock: Clock;
  readonly #timeoutMs: number;
  readonly #pending = new Map<number, Pending>();
  readonly #queue: Pending[] = [];
  #waiting = 0;
  #serial = 0;
  #ended: Error | null = null;
  /** Some calls wait only since some version; none is known before the connection is open. */
  libVersion = 0;

  /** @param timeoutMs of a call that sets none and is not long; 0 for none */
  constructor(outbox: Outbox, streams: Streams, clock: Clock, timeoutMs: number) {
    this.#outbox = outbox;
    this.#streams = streams;
    this.#clock = clock;
    this.#timeoutMs = timeoutMs;
  }

  get sent(): number {
    return this.#pending.size;
  }

  get queued(): number {
    return this.#queue.length;
  }

  /** Resolves to the result, or with `opens` to the stream. */
  ask(name: ProcedureName, args: unknown, options: CallOptions, opens: Pending['opens'] = null): Promise<unknown> {
    const { signal, timeoutMs } = options;
    return new Promise((resolve, reject) => {
      if (this.#ended) return reject(new ConnectionLost(name, false, this.#ended));
      if (signal?.aborted) return reject(asError(signal.reason));
      const row: Procedure = procedures[name];
      const waits = typeof row.waits === 'number' ? this.libVersion >= row.waits : row.waits;
      const answer = { resolve, reject };
      const pending: Pending = { name, row, args, opens, stream: null, waits, serial: 0, answer, callOff: () => {} };
      const limit = timeoutMs ?? (row.long ? 0 : this.#timeoutMs);
      const noTimer = limit
        ? this.#clock.after(limit, () => this.#abandon(pending, new CallTimeout(name, limit, pending.serial > 0)))
        : null;
      const aborted = () => this.#abandon(pending, asError(signal?.reason));
      signal?.addEventListener('abort', aborted, { once: true });
      pending.callOff = () => {
        noTimer?.();
        signal?.removeEventListener('abort', aborted);
      };
      if (waits && this.#waiting >= WAITING_MAX) this.#queue.push(pending);
      else this.#send(pending);
    });
  }

  /** A reply came. @throws ProtocolError when it is one to another call than its serial says */
  reply({ serial, procedure, status, payload }: Packet): void {
    const pending = this.#pending.get(serial);
    if (!pending) return;
    const { name, row, stream } = pending;
    if (row.number !== procedure) {
      throw new ProtocolError(`The far end is out of step: it answered ${name} with procedure ${procedure}.`);
    }
    this.#pending.delete(serial);
    if (pending.waits) this.#waiting -= 1;
    let result: unknown;
    let error: Error | null = null;
    try {
      const from = new Reader(payload);
      if (status === packetStatus.error) error = new LibvirtError(name, errorInfo.read(from));
      else result = row.result.read(from) as unknown;
      from.end();
    } catch (thrown) {
      const said = asError(thrown).message;
      error = new ProtocolError(`The daemon's answer to ${name} cannot be read: ${said}.`, { cause: thrown });
    }
    if (stream && status === packetStatus.error) this.#streams.forget(stream);
    else if (stream) {
      stream.opened(result);
      // Open at the daemon, but nobody waits for it here.
      if (error || !pending.answer) stream.destroy();
    }
    settle(pending, error, stream ?? result);
    this.#advance();
  }

  /** Every call that waits ends with `ConnectionLost`, and so does every later one. */
  end(why: Error): void {
    this.#ended = why;
    const lost = [...this.#pending.values(), ...this.#queue];
    this.#pending.clear();
    this.#queue.length = 0;
    for (const pending of lost) settle(pending, new ConnectionLost(pending.name, pending.serial > 0, why));
  }

  #send(pending: Pending): void {
    const { name, row, args, opens } = pending;
    const serial = this.#nextSerial();
    const { number: procedure } = row;
    const { call: type } = packetType;
    try {
      const header = { program: programs.remote, procedure, type, serial, status: packetStatus.ok };
      this.#outbox.packet(header, (to) => row.args.write(to, args));
    } catch (error) {
      return settle(pending, asError(error));
    }
    pending.serial = serial;
    pending.args = null;
    this.#pending.set(serial, pending);
    if (pending.waits) this.#waiting += 1;
    if (opens && row.stream) {
      pending.stream = this.#streams.add({
        procedure: { name, number: procedure },
        serial,
        kind: row.stream,
        ...opens,
      });
    }
  }

  /** A place is free: the next that waits for one is sent. */
  #advance(): void {
    while (this.#waiting < WAITING_MAX) {
      const next = this.#queue.shift();
      if (!next) return;
      this.#send(next);
    }
  }

  /** Gives a call up: one not yet sent is not sent; one sent keeps its place until its late reply. */
  #abandon(pending: Pending, error: Error): void {
    const at = this.#queue.indexOf(pending);
    if (at >= 0) this.#queue.splice(at, 1);
    settle(pending, error);
  }

  #nextSerial(): number {
    do this.#serial = this.#serial >= 0xffffffff ? 1 : this.#serial + 1;
    while (this.#pending.has(this.#serial) || this.#streams.has(this.#serial));
    return this.#serial;
  }
}

function settle(pending: Pending, error: Error | null, result?: unknown): void {
  const { answer } = pending;
  if (!answer) return;
  pending.answer = null;
  pending.callOff();
  if (error) answer.reject(error);
  else answer.resolve(result);
}

export const asError = (thrown: unknown) => (thrown instanceof Error ? thrown : new Error(String(thrown)));
