// The first words of a VNC server: which ways to log in it offers. noVNC does not tell why it could use none of them.
import { rfbSecurity as words } from '../words/graphics.ts';

export class RfbGreeting {
  #held: number[] = [];

  take(bytes: Uint8Array): void {
    // The version, a count, and so many numbers; after 0, the reason why not, which is kept short.
    if (this.#held.length < 512) this.#held.push(...bytes.subarray(0, 512 - this.#held.length));
  }

  /** What the server wants that cannot be given; null: it offers something, or did not get so far. */
  get wants(): string | null {
    const count = this.#held[12] ?? 0;
    const types = this.#held.slice(13, 13 + count);
    if (types.length === 0 || types.some((type) => type === 1 || type === 2)) return null;
    const names = types.map((type) => words.named[type]).filter((name) => name !== undefined);
    return names.length > 0 ? words.either(names) : words.unnamed(types);
  }

  /** Its own reason for refusing everybody; null where it has none. */
  get refusal(): string | null {
    if (this.#held.length < 18 || this.#held[12] !== 0) return null;
    return String.fromCharCode(...this.#held.slice(17, 217)).replaceAll(/[^\x20-\x7e]/g, '');
  }
}
