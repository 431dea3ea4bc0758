// An ssh2 channel as an ordinary Duplex: it ends when the host, the connection or its user ends it, at once.
// (ssh2's own waits for the host's answer in destroy(), and never completes a write on a closed channel.)
import { Duplex } from 'node:stream';
import type { Channel } from './carrier.ts';

/** How much may come before the greeting. */
const noiseLimit = 64 * 1024;

export interface Silent {
  /** After so long a silence it is asked whether that is so. */
  ms: number;
  /** It counts as begun. Does not reject. */
  waits: () => Promise<boolean>;
}

export interface ChannelOptions {
  /** The stream begins behind these bytes: what a login shell prints on its own stands before them. */
  greeting?: Buffer | undefined;
  /** What is there may wait to be spoken to. Its bytes then begin with a zero. */
  silent?: Silent | undefined;
  /** Called when the host ended a stream that had begun, and said nothing in it: its error, if that is one. */
  nothing?: (() => Promise<Error | null>) | undefined;
}

export class ChannelStream extends Duplex {
  /** Whether the greeting came, which is the case at once where none is awaited. */
  readonly begun: Promise<boolean>;
  bytesRead = 0;
  bytesWritten = 0;
  readonly #channel: Channel;
  readonly #options: ChannelOptions;
  #begin!: (begun: boolean) => void;
  /** What came before the greeting; null once that is here. */
  #noise: Buffer | null;
  #empty = true;
  /** It counts as begun without its greeting. */
  #spokenTo = false;
  #over = false;
  /** Why the host ended it, once it did; null: it just did. */
  #reason: Promise<Error | null> = Promise.resolve(null);
  #writing: ((error?: Error | null) => void) | null = null;

  constructor(channel: Channel, options: ChannelOptions = {}) {
    super({ allowHalfOpen: false });
    this.#channel = channel;
    this.#options = options;
    this.#noise = options.greeting ? Buffer.alloc(0) : null;
    this.begun = new Promise((resolve) => (this.#begin = resolve));
    if (this.#noise === null) this.#begin(true);
    const { silent } = options;
    if (silent) {
      const timer = setTimeout(() => void this.#askIfWaits(silent), silent.ms);
      void this.begun.then(() => clearTimeout(timer));
    }
    channel.on('data', (chunk: Buffer) => this.#take(chunk));
    channel.on('end', () => void this.#atEnd());
    channel.on('close', () => void this.#atEnd());
    channel.on('error', (error: Error) => this.destroy(error));
    this.on('error', () => undefined); // a stream may break before anybody listens: that must not end the app
  }

  /** Bytes that came and were not taken yet, beside this stream's own buffer. */
  get held(): number {
    return this.#channel.readableLength;
  }

  override _read(): void {
    this.#channel.resume();
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: (error?: Error | null) => void): void {
    if (this.#over) {
      void this.#reason.then((error) => done(error ?? closed()));
      return;
    }
    this.#writing = done;
    this.bytesWritten += chunk.length;
    this.#channel.write(chunk, (error?: Error | null) => {
      this.#writing = null;
      done(error);
    });
  }

  override _final(done: (error?: Error | null) => void): void {
    if (!this.#over) this.#channel.end();
    done();
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    this.#over = true;
    this.#begin(false);
    this.#writing = null;
    // Where both sides have said their last, the host closes it, and tells first how a command ended.
    if (!this.readableEnded || !this.writableFinished) {
      try {
        this.#channel.close();
      } catch {
        // The connection went first.
      }
    }
    this.#channel.resume(); // what is left has to be read for ssh2 to let go of the channel
    done(error);
  }

  async #askIfWaits({ waits }: Silent) {
    const isSilent = () => this.#noise?.length === 0 && !this.#over;
    if (!isSilent() || !(await waits()) || !isSilent()) return;
    this.#spokenTo = true;
    this.#begin(true);
  }

  #take(chunk: Buffer) {
    this.bytesRead += chunk.length;
    if (this.destroyed) return;
    const { greeting } = this.#options;
    if (this.#noise !== null && greeting) {
      this.#noise = Buffer.concat([this.#noise, chunk]);
      const answers = this.#spokenTo && this.#noise[0] === 0; // no greeting: it never was to say one
      const at = answers ? 0 : this.#noise.indexOf(greeting);
      if (at < 0) {
        if (this.#noise.length > noiseLimit) this.destroy();
        return;
      }
      chunk = this.#noise.subarray(answers ? 0 : at + greeting.length);
      this.#noise = null;
      this.#begin(true);
    }
    if (chunk.length === 0) return;
    this.#empty = false;
    if (!this.push(chunk)) this.#channel.pause();
  }

  async #atEnd() {
    if (this.#over) return;
    this.#over = true;
    this.#begin(false);
    this.#reason = this.#why();
    const error = await this.#reason;
    const writing = this.#writing;
    this.#writing = null;
    if (this.destroyed) return;
    if (error) this.destroy(error);
    else this.push(null);
    writing?.(error ?? closed());
  }

  async #why(): Promise<Error | null> {
    const { nothing } = this.#options;
    return nothing && this.#empty && (this.#noise === null || this.#spokenTo) ? nothing() : null;
  }
}

const closed = () => new Error('the host closed the stream');
