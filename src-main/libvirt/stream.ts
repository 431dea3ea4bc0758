// A libvirt stream (console, volume, screenshot) as a node Duplex.
import { Duplex } from 'node:stream';
import type { DuplexOptions } from 'node:stream';
import { LibvirtError, ProtocolError } from './errors.ts';
import { packetStatus, packetType } from './frame.ts';
import type { Packet } from './frame.ts';
import type { StreamKind } from './procedures.ts';
import { errorInfo } from './types.ts';
import { Reader, count, flags, struct } from './xdr.ts';

/** Safe size of one packet's data for every version of libvirt. */
export const STREAM_CHUNK = 262_120;
/** What a reader may leave unread before the connection is no longer read. */
const UNREAD_MAX = 1 << 20;
/** How long a closed stream waits for the daemon to let go. */
const LET_GO_MS = 5_000;

const holeBody = struct({ length: count, flags });

/** A gap in a sparse volume; `length` in bytes. Comes between the buffers of a sparse stream, and may be written to one. */
export class Hole {
  readonly length: number;
  constructor(length: number) {
    this.length = length;
  }
}

/** What a stream needs of its connection. */
export interface StreamHost {
  sendData(stream: LibvirtStream, payload: Buffer, taken: () => void): void;
  sendHole(stream: LibvirtStream, length: number): void;
  /** Finish (OK) or abort (ERROR). */
  sendEnd(stream: LibvirtStream, status: number): void;
  /** Stops, or goes on, reading the whole connection. */
  pause(stream: LibvirtStream, paused: boolean): void;
  forget(stream: LibvirtStream): void;
  after(ms: number, run: () => void): () => void;
}

export interface StreamOptions {
  procedure: { name: string; number: number };
  serial: number;
  kind: StreamKind;
  /** Holes come as `Hole` objects between the buffers. */
  sparse: boolean;
}

type Done = (error?: Error | null) => void;

/**
 * `end` of the readable side, and `finish` of the writable one, come only after the daemon confirmed that all
 * went well: a download that ended is whole, an upload that finished is written. `close` comes when it has let go.
 * A reader who does not read stops the whole connection, so a stream should have one of its own.
 */
export class LibvirtStream<Result = unknown> extends Duplex {
  /** What the opening call answered. */
  result!: Result;
  readonly procedure: { readonly name: string; readonly number: number };
  readonly serial: number;
  readonly #host: StreamHost;
  readonly #sparse: boolean;
  readonly #reads: boolean;
  /** `open` until one side asked for the end; `over` when the daemon has nothing more to say. */
  #state: 'opening' | 'open' | 'finishing' | 'aborting' | 'over' = 'opening';
  #finished: Done[] = [];
  #letGo: Done | null = null;
  #callOff: () => void = () => {};
  #hole = 0;

  constructor(host: StreamHost, { procedure, serial, kind, sparse }: StreamOptions) {
    // Not in the types, but in node's documentation: a side that is not there needs neither `end` nor `finish`.
    const sides: DuplexOptions & { readable: boolean; writable: boolean } = {
      readable: kind !== 'write',
      writable: kind !== 'read',
    };
    super({
      ...sides,
      allowHalfOpen: false,
      readableObjectMode: sparse,
      writableObjectMode: sparse,
      readableHighWaterMark: sparse ? 16 : UNREAD_MAX,
      writableHighWaterMark: sparse ? 4 : STREAM_CHUNK * 2,
    });
    this.#host = host;
    this.procedure = procedure;
    this.serial = serial;
    this.#sparse = sparse;
    this.#reads = kind !== 'write';
  }

  // --- What the connection tells ---------------------------------------------------------------------

  /** The opening call was answered. */
  opened(result: Result): void {
    this.result = result;
    if (this.#state === 'opening') this.#state = 'open';
  }

  /** The connection ended. By our own leave there is no error, but no `end` either: what was read is not whole. */
  lost(error: Error | null): void {
    // Before it was open nobody has it yet to hear of an error; who opens it is told by the call.
    if (error && this.#state !== 'opening') return this.#over(error);
    this.#state = 'over';
    if (this.#letGo) this.#letGo();
    else this.destroy();
  }

  /** A packet of this stream. Data may come before the reply that opened it was seen by anyone. */
  receive(packet: Packet): void {
    if (packet.type === packetType.streamHole) return this.#takeHole(packet.payload);
    switch (packet.status) {
      case packetStatus.continue:
        if (packet.payload.length > 0) this.#push(packet.payload);
        else this.#finish();
        return;
      case packetStatus.ok:
        return this.#over(null);
      default:
        return this.#over(this.#errorIn(packet.payload));
    }
  }

  // --- What node's Duplex asks -----------------------------------------------------------------------

  override _read(): void {
    this.#host.pause(this, false);
  }

  override _write(given: Uint8Array | string | Hole, encoding: BufferEncoding, done: Done): void {
    if (this.#state === 'over' || this.#state === 'aborting') return done(new Error('The stream is closed.'));
    // The daemon has seen the end of it; what a console still types goes nowhere.
    if (this.#state === 'finishing') return done();
    if (given instanceof Hole) {
      this.#hole += given.length;
      return done();
    }
    this.#sendHole();
    const chunk =
      typeof given === 'string'
        ? Buffer.from(given, encoding)
        : Buffer.from(given.buffer, given.byteOffset, given.length);
    if (chunk.length === 0) return done();
    for (let at = 0; at < chunk.length; at += STREAM_CHUNK) {
      const last = at + STREAM_CHUNK >= chunk.length;
      this.#host.sendData(this, chunk.subarray(at, at + STREAM_CHUNK), last ? () => done() : () => {});
    }
  }

  override _final(done: Done): void {
    this.#sendHole();
    this.#finish(done);
  }

  override _destroy(error: Error | null, done: Done): void {
    this.#host.pause(this, false);
    if (this.#state === 'over' || this.#state === 'opening') {
      this.#state = 'over';
      this.#host.forget(this);
      return done(error);
    }
    const letGo = () => {
      this.#letGo = null;
      this.#callOff();
      done(error);
    };
    this.#letGo = letGo;
    this.#callOff = this.#host.after(LET_GO_MS, letGo);
    if (this.#state === 'open') this.#host.sendEnd(this, packetStatus.error);
    this.#state = 'aborting';
  }

  // --- Inside ----------------------------------------------------------------------------------------

  #push(chunk: Buffer | Hole): void {
    if (this.#state === 'aborting' || this.destroyed) return;
    if (!this.push(chunk)) this.#host.pause(this, true);
  }

  #takeHole(payload: Buffer): void {
    try {
      if (!this.#sparse) throw new Error('the stream was not opened as sparse');
      const { length } = holeBody.read(new Reader(payload));
      if (length > 0) this.#push(new Hole(length));
    } catch (error) {
      this.destroy(
        new ProtocolError(`The daemon sent a hole in ${this.procedure.name} that cannot be taken.`, { cause: error }),
      );
    }
  }

  /** Several holes on end hang daemons before 10.1, so they are sent as one. */
  #sendHole(): void {
    if (this.#hole > 0) this.#host.sendHole(this, this.#hole);
    this.#hole = 0;
  }

  /** Says that we are done; the daemon confirms, or tells what went wrong. */
  #finish(done?: Done): void {
    if (this.#state === 'over' || this.#state === 'aborting') return done?.();
    if (done) this.#finished.push(done);
    if (this.#state === 'finishing') return;
    this.#state = 'finishing';
    this.#host.sendEnd(this, packetStatus.ok);
  }

  /** Nothing more comes. */
  #over(error: Error | null): void {
    if (this.#state === 'over') return;
    this.#state = 'over';
    this.#host.pause(this, false);
    this.#host.forget(this);
    const finished = this.#finished;
    this.#finished = [];
    for (const done of finished) done(error);
    if (this.#letGo) return this.#letGo();
    if (error) this.destroy(error);
    else if (this.#reads) this.push(null);
  }

  #errorIn(payload: Buffer): Error {
    try {
      return new LibvirtError(this.procedure.name, errorInfo.read(new Reader(payload)));
    } catch (error) {
      return new ProtocolError(`The stream of ${this.procedure.name} failed, and the daemon's error cannot be read.`, {
        cause: error,
      });
    }
  }
}
