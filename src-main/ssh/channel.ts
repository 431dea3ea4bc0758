// An ssh2 channel as an ordinary Duplex: it ends when the host, the connection or its user ends it, at once.
// (ssh2's own waits for the host's answer in destroy(), and never completes a write on a closed channel.)
import { Duplex } from 'node:stream';
import type { ClientChannel } from './ssh2.ts';

export interface ChannelOptions {
  /** Why the whole connection is over; null while it is not. */
  lost: () => Error | null;
  /** Called at the host's end of data with the number of bytes that came; what it gives is the stream's error. */
  ended?: (bytes: number) => Promise<Error | null>;
}

export class ChannelStream extends Duplex {
  readonly #channel: ClientChannel;
  readonly #options: ChannelOptions;
  #bytes = 0;
  #over = false;
  #writing: ((error?: Error | null) => void) | null = null;

  constructor(channel: ClientChannel, options: ChannelOptions) {
    super({ allowHalfOpen: false });
    this.#channel = channel;
    this.#options = options;
    channel.on('data', (chunk: Buffer) => {
      this.#bytes += chunk.length;
      if (!this.destroyed && !this.push(chunk)) channel.pause();
    });
    channel.on('end', () => void this.#atEnd());
    channel.on('close', () => void this.#atEnd());
    channel.on('error', (error: Error) => this.destroy(error));
  }

  override _read(): void {
    this.#channel.resume();
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: (error?: Error | null) => void): void {
    if (this.#over) {
      done(this.#options.lost() ?? new Error('the host closed the stream'));
      return;
    }
    this.#writing = done;
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
    this.#writing = null;
    try {
      this.#channel.close();
    } catch {
      // The connection went first.
    }
    this.#channel.resume(); // what is left has to be read for ssh2 to let go of the channel
    done(error);
  }

  async #atEnd() {
    if (this.#over) return;
    this.#over = true;
    const writing = this.#writing;
    this.#writing = null;
    const error = this.#options.lost() ?? (await this.#options.ended?.(this.#bytes)) ?? null;
    if (this.destroyed) return;
    if (error) this.destroy(error);
    else this.push(null);
    writing?.(error ?? new Error('the host closed the stream'));
  }
}
