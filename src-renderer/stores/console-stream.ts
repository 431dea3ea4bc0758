// One opened console of the main side: types into it and acknowledges what was shown, one call of each at a time.
import type { Link } from '../../contract/link.ts';
import { toErr, type Err } from '../../contract/failure.ts';

/** What one `consoles.write` may carry. */
const CHUNK = 65_536;

export class ConsoleStream {
  readonly id: string;
  readonly #link: Link;
  readonly #lost: (err: Err) => void;
  #shown = 0;
  #acknowledging = false;
  #typed: Uint8Array[] = [];
  #typing = false;
  #ended = false;

  /** `lost` hears of input that did not arrive. */
  constructor(link: Link, id: string, lost: (err: Err) => void) {
    this.#link = link;
    this.id = id;
    this.#lost = lost;
  }

  /** Says that so many bytes stand on the screen. While one call is under way, what follows is gathered. */
  shown(bytes: number) {
    this.#shown += bytes;
    if (!this.#acknowledging) void this.#acknowledge();
  }

  type(bytes: Uint8Array) {
    if (this.#ended || bytes.length === 0) return;
    this.#typed.push(bytes);
    if (!this.#typing) void this.#send();
  }

  /** Drops what was typed and not sent yet. */
  forget() {
    this.#typed = [];
  }

  /** Stops calling; what waits is dropped. */
  end() {
    this.#ended = true;
    this.#typed = [];
  }

  async #acknowledge() {
    this.#acknowledging = true;
    try {
      while (this.#shown > 0 && !this.#ended) {
        const bytes = this.#shown;
        this.#shown = 0;
        await this.#link.call('consoles.ack', { consoleId: this.id, bytes });
      }
    } catch {
      // The console is gone; its closing note says why.
      this.end();
    } finally {
      this.#acknowledging = false;
    }
  }

  async #send() {
    this.#typing = true;
    try {
      while (this.#typed.length > 0) {
        await this.#link.call('consoles.write', { consoleId: this.id, bytes: this.#next() });
      }
    } catch (thrown) {
      this.#typed = [];
      if (!this.#ended) this.#lost(toErr(thrown));
    } finally {
      this.#typing = false;
    }
  }

  /** Takes from the front of what was typed, up to one chunk. */
  #next(): Uint8Array<ArrayBuffer> {
    const taken: Uint8Array[] = [];
    let size = 0;
    for (let first = this.#typed[0]; first && size < CHUNK; first = this.#typed[0]) {
      const part = first.subarray(0, CHUNK - size);
      taken.push(part);
      size += part.length;
      if (part.length < first.length) this.#typed[0] = first.subarray(part.length);
      else this.#typed.shift();
    }
    const chunk = new Uint8Array(size);
    let at = 0;
    for (const part of taken) {
      chunk.set(part, at);
      at += part.length;
    }
    return chunk;
  }
}
