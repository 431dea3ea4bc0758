// The streams of one connection: where their packets go, what they send, and who holds up the reading.
import type { Clock } from './clock.ts';
import { programs } from './constants.ts';
import { ConnectionLost } from './errors.ts';
import { packetStatus, packetType } from './frame.ts';
import type { Packet } from './frame.ts';
import type { Outbox } from './outbox.ts';
import { LibvirtStream } from './stream.ts';
import type { StreamHost, StreamOptions } from './stream.ts';

export class Streams implements StreamHost {
  readonly #outbox: Outbox;
  readonly #clock: Clock;
  readonly #hold: (held: boolean) => void;
  readonly #streams = new Map<number, LibvirtStream>();
  readonly #pausedBy = new Set<LibvirtStream>();

  /** @param hold stops, or goes on, reading the connection */
  constructor(outbox: Outbox, clock: Clock, hold: (held: boolean) => void) {
    this.#outbox = outbox;
    this.#clock = clock;
    this.#hold = hold;
  }

  has(serial: number): boolean {
    return this.#streams.has(serial);
  }

  /** Made before its call is sent: the first data may come in one piece with the reply. */
  add(options: StreamOptions): LibvirtStream {
    const stream = new LibvirtStream(this, options);
    this.#streams.set(options.serial, stream);
    return stream;
  }

  receive(packet: Packet): void {
    // One that is no longer known may still have been on its way.
    this.#streams.get(packet.serial)?.receive(packet);
  }

  /** The connection has ended; null: by our own leave. */
  end(error: Error | null): void {
    const streams = [...this.#streams.values()];
    this.#streams.clear();
    this.#pausedBy.clear();
    for (const stream of streams) stream.lost(error && new ConnectionLost(stream.procedure.name, true, error));
  }

  // --- For the streams ---------------------------------------------------------------------------------

  sendData(stream: LibvirtStream, payload: Buffer, taken: () => void): void {
    this.#outbox.data(this.#header(stream, packetType.stream, packetStatus.continue), payload, taken);
  }

  sendHole(stream: LibvirtStream, length: number): void {
    this.#outbox.packet(this.#header(stream, packetType.streamHole, packetStatus.continue), (to) => {
      to.i64(BigInt(length));
      to.u32(0);
    });
  }

  sendEnd(stream: LibvirtStream, status: number): void {
    this.#outbox.packet(this.#header(stream, packetType.stream, status));
  }

  pause(stream: LibvirtStream, paused: boolean): void {
    const before = this.#pausedBy.size > 0;
    if (paused) this.#pausedBy.add(stream);
    else this.#pausedBy.delete(stream);
    const now = this.#pausedBy.size > 0;
    if (before !== now) this.#hold(now);
  }

  forget(stream: LibvirtStream): void {
    this.#streams.delete(stream.serial);
  }

  after(ms: number, run: () => void): () => void {
    return this.#clock.after(ms, run);
  }

  #header(stream: LibvirtStream, type: number, status: number) {
    return { program: programs.remote, procedure: stream.procedure.number, type, serial: stream.serial, status };
  }
}
