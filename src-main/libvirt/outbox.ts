// What goes out: packets written in one turn of the event loop leave as one piece.
import type { Duplex } from 'node:stream';
import { writeHeader, writePacket } from './frame.ts';
import type { Header } from './frame.ts';
import { Writer } from './xdr.ts';

/** Stream data from this size on is handed over as it is; below, copying costs less than a write of its own. */
const WORTH_NOT_COPYING = 16_384;

export class Outbox {
  readonly #duplex: Duplex;
  #writer = new Writer(1024);
  #pieces: Buffer[] = [];
  #scheduled = false;
  #taken: (() => void)[] = [];

  constructor(duplex: Duplex) {
    this.#duplex = duplex;
  }

  /** @throws XdrError, ProtocolError when the body cannot be written; then nothing of it is sent. */
  packet(header: Header, body?: (to: Writer) => void): void {
    writePacket(this.#writer, header, body);
    this.#schedule();
  }

  /** A packet whose payload is not padded: stream data. `taken` is called once the transport has it. */
  data(header: Header, payload: Buffer, taken: () => void): void {
    writeHeader(this.#writer, header, payload.length);
    this.#cut();
    this.#pieces.push(payload);
    if (payload.length < WORTH_NOT_COPYING) this.#join();
    this.#taken.push(taken);
    this.#schedule();
  }

  /** Hands everything to the transport now. */
  flush(): void {
    this.#scheduled = false;
    this.#cut();
    const pieces = this.#pieces;
    const taken = this.#taken;
    if (pieces.length === 0) return;
    this.#pieces = [];
    this.#taken = [];
    if (this.#duplex.destroyed || this.#duplex.writableEnded) return;
    const last = pieces.pop() as Buffer;
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

  #join(): void {
    const payload = this.#pieces.pop() as Buffer;
    const header = this.#pieces.pop() as Buffer;
    this.#pieces.push(Buffer.concat([header, payload]));
  }
}
