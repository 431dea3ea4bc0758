// One viewer's own connection to a VM's VNC server; connects anew where the VM comes up when it moves.
// Unlike a serial console it is not shared: each viewer's picture is a conversation of its own.
import { Failure, toErr } from '../../contract/failure.ts';
import type { HostId, Uuid } from '../../contract/model.ts';
import type { Host } from '../fleet/host.ts';
import { type Display, openDisplay, type DisplayOptions } from './display.ts';
import type { Show } from './viewer.ts';

/** A viewer with this much unshown is slow: the server waits for it. */
export const slowBytes = 1 << 20;
/** What may wait for the host; who does not wait for its writes is refused beyond. */
const unsentMax = 1 << 20;

/** How long to look for where the VM has gone when its VNC server ended. */
const seekMs = 3_000;
const seekStepMs = 100;

/** What a viewer answers to the first words of a VNC server. */
const greeting = Buffer.from('RFB ');

export interface GraphicsLineOptions extends DisplayOptions {
  show: Show;
  /** Other hosts where the VM is now, as far as is known. */
  elsewhere: () => Host | null;
  over: (line: GraphicsLine) => void;
  open?: (options: DisplayOptions) => Promise<Display>;
}

export class GraphicsLine {
  readonly uuid: Uuid;
  readonly #options: GraphicsLineOptions;
  #display: Display | null = null;
  #host: Host;
  #target: string | null;
  #unshown = 0;
  /** The viewer has to begin anew: what it still says to the server before is dropped. */
  #stale = false;
  #moving = false;
  /** The VM has stopped, and did not go elsewhere. */
  #stopped = false;
  #over = false;

  constructor(options: GraphicsLineOptions) {
    this.#options = options;
    this.#host = options.host;
    this.#target = options.target;
    this.uuid = options.uuid;
  }

  get host(): Host {
    return this.#host;
  }

  /** @throws Failure, as `openDisplay` */
  async open(): Promise<void> {
    const display = await this.#openOn(this.#host);
    if (this.#over) return void display.stream.destroy();
    this.#options.show.note({ type: 'open' });
    this.#take(display);
  }

  /** Resolves when more may be written. @throws Failure `conflict` for who writes on without waiting */
  async write(bytes: Uint8Array): Promise<void> {
    if (this.#stale) {
      if (!greeting.equals(bytes.subarray(0, greeting.length))) return;
      this.#stale = false;
    }
    const stream = this.#display?.stream;
    if (!stream || stream.destroyed) return;
    if (stream.writableLength + bytes.length > unsentMax) {
      throw new Failure('conflict', `The screen of ${this.#options.name} takes no more now; wait for what was sent.`);
    }
    if (stream.write(bytes)) return;
    await new Promise<void>((resolve) => {
      const done = () => {
        stream.off('drain', done).off('close', done);
        resolve();
      };
      stream.on('drain', done).on('close', done);
    });
  }

  shown(bytes: number): void {
    this.#unshown = Math.max(0, this.#unshown - bytes);
    if (this.#unshown <= slowBytes) this.#display?.stream.resume();
  }

  /** It runs on `host` now: shown from there as soon as that works. */
  arrived(host: Host): void {
    if (this.#over || this.#moving || host.id === this.#host.id) return;
    void this.#seek(null, () => host);
  }

  /** It stopped where it was: nobody needs to look for it elsewhere. */
  stopped(host: Host): void {
    if (host.id === this.#host.id) this.#stopped = true;
  }

  leave(): void {
    this.#end();
  }

  close(failure: Failure | null): void {
    if (this.#over) return;
    this.#options.show.note({ type: 'closed', err: failure && toErr(failure) });
    this.#end();
  }

  #openOn(host: Host): Promise<Display> {
    const { uuid, name, open = openDisplay } = this.#options;
    return open({ host, uuid, name, target: this.#target });
  }

  #take(display: Display): void {
    const { stream } = display;
    this.#display = display;
    this.#target = display.target;
    this.#unshown = 0;
    stream.on('data', (bytes: Buffer) => {
      if (this.#display !== display) return;
      this.#unshown += bytes.length;
      if (this.#unshown > slowBytes) stream.pause();
      this.#options.show.data(bytes);
    });
    const ended = (error: Error | null) => {
      if (this.#display !== display) return;
      this.#display = null;
      if (!this.#moving && !this.#over) void this.#seek(error, this.#options.elsewhere);
    };
    stream.on('error', (error) => ended(error));
    stream.on('end', () => ended(null));
    stream.on('close', () => ended(null));
  }

  /** It ended, or goes on elsewhere: looks for the VM for a while. */
  async #seek(error: Error | null, where: () => Host | null): Promise<void> {
    this.#moving = true;
    let failure = error && this.#broken();
    for (let waited = 0; waited < seekMs && !this.#over && !this.#stopped; waited += seekStepMs) {
      const host = where() ?? this.#options.elsewhere();
      if (host && host.id !== this.#host.id) {
        try {
          const display = await this.#openOn(host);
          if (this.#over) return void display.stream.destroy();
          return this.#move(display);
        } catch (thrown) {
          failure = thrown instanceof Failure ? thrown : failure; // it may not be ready to be looked at yet
        }
      }
      await new Promise((resolve) => setTimeout(resolve, seekStepMs));
    }
    this.#moving = false;
    // Where the old one still shows something, it is left until that ends too.
    if (!this.#display) this.close(this.#stopped ? null : failure);
  }

  #move(display: Display): void {
    const from: HostId = this.#host.id;
    this.#display?.stream.destroy();
    this.#moving = false;
    this.#host = display.host;
    this.#stale = true;
    this.#options.show.note({ type: 'moved', from, to: display.host.id });
    this.#take(display);
  }

  #broken(): Failure {
    const { name } = this.#options;
    return new Failure(
      'unreachable',
      `The connection to the screen of ${name} on ${this.#host.label} has ended. Open it again when the host is back.`,
    );
  }

  #end(): void {
    if (this.#over) return;
    this.#over = true;
    this.#display?.stream.destroy();
    this.#display = null;
    this.#options.over(this);
  }
}
