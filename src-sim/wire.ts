// A TCP connection as a network makes it: it may be slow, or silent while it stays.
import type { Socket } from 'node:net';
import { Duplex } from 'node:stream';
import type { Clock } from './clock.ts';

export interface Weather {
  silent: boolean;
  delayMs: number;
  bytesPerSecond: number;
}

export const calm: Weather = { silent: false, delayMs: 0, bytesPerSecond: Infinity };

interface Piece {
  at: number;
  deliver: () => void;
}

export class Wire extends Duplex {
  readonly remoteAddress: string | undefined;
  readonly #socket: Socket;
  readonly #clock: Clock;
  #weather: Weather = calm;
  /** What is on its way, each direction in its order. */
  readonly #under: { in: Piece[]; out: Piece[] } = { in: [], out: [] };
  readonly #freeAt = { in: 0, out: 0 };
  #callOff: () => void = () => {};

  constructor(socket: Socket, clock: Clock) {
    super({ allowHalfOpen: false });
    this.#socket = socket;
    this.#clock = clock;
    this.remoteAddress = socket.remoteAddress;
    socket.setNoDelay(true);
    socket.on('data', (chunk: Buffer) => {
      this.#carry('in', chunk.length, () => {
        if (!this.push(chunk)) this.#socket.pause();
      });
    });
    socket.on('end', () => this.#carry('in', 0, () => this.push(null)));
    socket.on('close', () => this.destroy());
    socket.on('error', () => this.destroy());
  }

  set weather(weather: Weather) {
    this.#weather = weather;
    if (weather.silent) this.#socket.pause();
    else this.#socket.resume();
    this.#deliver();
  }

  override _read(): void {
    if (!this.#weather.silent) this.#socket.resume();
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: () => void): void {
    this.#carry('out', chunk.length, () => {
      if (this.#socket.writable) this.#socket.write(chunk, () => done());
      else done();
    });
  }

  override _final(done: () => void): void {
    this.#carry('out', 0, () => {
      this.#socket.end();
      done();
    });
  }

  override _destroy(_error: Error | null, done: (error?: Error | null) => void): void {
    this.#callOff();
    this.#socket.destroy();
    done(null);
  }

  #carry(way: 'in' | 'out', bytes: number, deliver: () => void): void {
    const { silent, delayMs, bytesPerSecond } = this.#weather;
    const under = this.#under[way];
    if (!silent && delayMs === 0 && bytesPerSecond === Infinity && under.length === 0) return deliver();
    const now = this.#clock.now();
    this.#freeAt[way] = Math.max(this.#freeAt[way], now) + (bytes / bytesPerSecond) * 1000;
    under.push({ at: this.#freeAt[way] + delayMs, deliver });
    this.#deliver();
  }

  /** What is due; and plans the next time. */
  #deliver(): void {
    this.#callOff();
    if (this.#weather.silent || this.destroyed) return;
    const now = this.#clock.now();
    const next = [this.#under.in, this.#under.out].flatMap((under) => {
      while (under[0] && under[0].at <= now) under.shift()?.deliver();
      return under[0] ? [under[0].at] : [];
    });
    if (next.length > 0) this.#callOff = this.#clock.after(Math.max(1, Math.min(...next) - now), () => this.#deliver());
  }
}
