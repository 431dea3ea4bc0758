// One channel of SSH (RFC 4254), over a master's control socket: windows in both directions, standard error, exit.
import { Duplex, Readable } from 'node:stream';
import type { Channel } from './carrier.ts';
import { ssh, text, uint32, type Fields, type MuxCarrier } from './mux.ts';

/** How much the host may send before it is read. */
export const windowSize = 2 << 20;
export const packetSize = 32 * 1024;

export class MuxChannel extends Duplex implements Channel {
  readonly id: number;
  readonly stderr: Readable;
  readonly #carrier: MuxCarrier;
  #far = 0;
  /** What the host still takes, and the longest packet. */
  #mayWrite = 0;
  #longest = 0;
  /** What the host may still send. */
  #maySend = windowSize;
  #waiting: { chunk: Buffer; done: (error?: Error | null) => void } | null = null;
  readonly #asked: ((taken: boolean) => void)[] = [];
  #closeSent = false;
  #closed = false;

  constructor(carrier: MuxCarrier, id: number) {
    // Its end is the host's close: how a command exited may come after its last byte.
    super({ highWaterMark: 64 * 1024, autoDestroy: false });
    this.#carrier = carrier;
    this.id = id;
    this.stderr = new Readable({ read: () => this.#grant() });
    this.stderr.on('error', () => undefined);
    this.on('end', () => this.#closed && this.destroy());
  }

  opened(far: number, window: number, longest: number): void {
    this.#far = far;
    this.#mayWrite = window;
    this.#longest = Math.min(longest, packetSize);
  }

  request(kind: string, fields: Buffer, answered: (taken: boolean) => void): void {
    this.#asked.push(answered);
    this.#carrier.send(ssh.request, uint32(this.#far), text(kind), Buffer.from([1]), fields);
  }

  /** A packet of the host about this channel. @throws RangeError where it breaks the rules */
  hear(type: number, fields: Fields): void {
    switch (type) {
      case ssh.data:
        this.#heard(this, fields.bytes());
        break;
      case ssh.extendedData:
        fields.uint32();
        this.#heard(this.stderr, fields.bytes());
        break;
      case ssh.window:
        this.#mayWrite += fields.uint32();
        this.#goOn();
        break;
      case ssh.eof:
        this.push(null);
        this.stderr.push(null);
        break;
      case ssh.close:
        this.close();
        this.broke();
        break;
      case ssh.request:
        this.#requested(fields);
        break;
      case ssh.success:
      case ssh.failure:
        this.#asked.shift()?.(type === ssh.success);
        break;
    }
  }

  /** Nothing comes any more. What came before can still be read. */
  broke(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#carrier.forget(this);
    const waiting = this.#waiting;
    this.#waiting = null;
    waiting?.done(new Error('the host closed the stream'));
    if (!this.stderr.readableEnded) this.stderr.push(null);
    if (this.readableEnded) this.destroy();
    else this.push(null);
  }

  close(): void {
    if (this.#closeSent) return;
    this.#closeSent = true;
    this.#carrier.send(ssh.close, uint32(this.#far));
  }

  override _read(): void {
    this.#grant();
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: (error?: Error | null) => void): void {
    if (this.#closed) done(new Error('the host closed the stream'));
    else {
      this.#waiting = { chunk, done };
      this.#goOn();
    }
  }

  override _final(done: (error?: Error | null) => void): void {
    if (!this.#closeSent) this.#carrier.send(ssh.eof, uint32(this.#far));
    done();
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    if (!this.#closed && this.#longest > 0) this.close();
    this.stderr.destroy();
    done(error);
  }

  #heard(into: Readable, bytes: Buffer): void {
    // ssh itself holds to the window; who does not is cut off before this holds much.
    this.#maySend -= bytes.length;
    if (this.#maySend < 0) throw new RangeError('the host sent more than it may');
    if (!into.destroyed && !into.readableEnded) into.push(bytes);
    this.#grant();
  }

  /** Lets the host send on, once half of what it was allowed is read. */
  #grant(): void {
    const free = windowSize - this.readableLength - this.stderr.readableLength - this.#maySend;
    if (free < windowSize / 2 || this.#closed) return;
    this.#maySend += free;
    this.#carrier.send(ssh.window, uint32(this.#far), uint32(free));
  }

  #goOn(): void {
    while (this.#waiting && this.#mayWrite > 0) {
      const { chunk, done } = this.#waiting;
      const part = chunk.subarray(0, Math.min(this.#mayWrite, this.#longest));
      this.#mayWrite -= part.length;
      this.#carrier.send(ssh.data, uint32(this.#far), text(part));
      const rest = chunk.subarray(part.length);
      this.#waiting = rest.length > 0 ? { chunk: rest, done } : null;
      if (!this.#waiting) done();
    }
  }

  #requested(fields: Fields): void {
    const kind = fields.text();
    const wantsReply = fields.byte() !== 0;
    if (kind === 'exit-status') this.emit('exit', fields.uint32());
    else if (kind === 'exit-signal') this.emit('exit', null, `SIG${fields.text()}`);
    if (wantsReply) this.#carrier.send(ssh.failure, uint32(this.#far));
  }
}
