// What goes out: packets written in one turn of the event loop leave as one piece.
import type { Duplex } from 'node:stream';
import { HEADER, writeHeader, writePacket } from './frame.ts';
import type { Header, Packet } from './frame.ts';
import { Writer } from './xdr.ts';

/** Stream data from this size on is handed over as it is; below, copying costs less than a write of its own. */
const WORTH_NOT_COPYING = 16_384;

export class Outbox {
  readonly #duplex: Duplex;
  readonly #seen: ((packet: Packet) => void) | undefined;
  #writer = new Writer(1024);
  #pieces: Buffer[] = [];
  #taken: (() => void)[] = [];
  #scheduled = false;

  /** @param seen is shown every packet */
  constructor(duplex: Duplex, seen?: (packet: Packet) => void) {
    this.#duplex = duplex;
    this.#seen = seen;
  }

  /** @throws XdrError, ProtocolError when the body cannot be written; then nothing of it is sent. */
  packet(header: Header, body?: (to: Writer) => void): void {
    const start = this.#writer.length;
    writePacket(this.#writer, header, body);
    this.#schedule();
    this.#seen?.({ ...header, payload: Buffer.from(this.#writer.bytes().subarray(start + HEADER)) });
  }

  /** A packet whose payload is not padded: stream data. `taken` is called once the transport has it. */
  data(header: Header, payload: Buffer, taken: () => void): void {
    writeHeader(this.#writer, header, payload.length);
    if (payload.length < WORTH_NOT_COPYING) this.#writer.append(payload);
    else {
      this.#cut();
      this.#pieces.push(payload);
    }
    this.#taken.push(taken);
    this.#schedule();
    this.#seen?.({ ...header, payload });
  }

  /** Hands everything to the transport now. */
  flush(): void {
    this.#scheduled = false;
    this.#cut();
    const pieces = this.#pieces;
    const taken = this.#taken;
    const last = pieces.pop();
    this.#pieces = [];
    this.#taken = [];
    if (!last || this.#duplex.destroyed || this.#duplex.writableEnded) return;
    if (pieces.length > 0) this.#duplex.cork();
    for (const piece of pieces) this.#duplex.write(piece);
    this.#duplex.write(last, () => {
      for (const one of taken) one();
    });
    if (pieces.length > 0) this.#duplex.uncork();
  }

  #schedule(): void {
    if (this.#scheduled) return;
    this.#scheduled = true;
    // Behind all that is settled in this turn: calls made by the continuations of a batch of replies leave together.
    process.nextTick(() => {
      if (this.#scheduled) this.flush();
    });
  }

  /** Ends the piece that is being written. */
  #cut(): void {
    if (this.#writer.length === 0) return;
    this.#pieces.push(this.#writer.bytes());
    this.#writer = new Writer(1024);
  }
}
