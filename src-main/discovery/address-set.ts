// A set of addresses that stays small when it holds a whole network: one bit for each IPv4 address.
import { compareAddresses, parseAddress, toText } from './address.ts';

const BLOCK = 256;

export class AddressSet {
  /** By the first 24 bits. */
  readonly #blocks = new Map<number, Uint8Array>();
  readonly #v6 = new Set<string>();

  add(text: string): void {
    const address = parseAddress(text);
    if (!address) return;
    if ('v6' in address) this.#v6.add(address.v6);
    else this.#addV4(address.v4);
  }

  has(text: string): boolean {
    const address = parseAddress(text);
    if (!address) return false;
    if ('v6' in address) return this.#v6.has(address.v6);
    const low = address.v4 % BLOCK;
    return ((this.#blocks.get(Math.floor(address.v4 / BLOCK))?.[low >> 3] ?? 0) & (1 << (low & 7))) !== 0;
  }

  /** Lower ones first. */
  *values(): Generator<string> {
    for (const v4 of this.#numbers()) yield toText(v4);
    yield* [...this.#v6].sort(compareAddresses);
  }

  /** For keeping: `a-b` where many stand in a row. */
  toRanges(): string[] {
    const ranges: string[] = [];
    let from = -1;
    let to = -1;
    const close = () => from >= 0 && ranges.push(from === to ? toText(from) : `${toText(from)}-${toText(to)}`);
    for (const v4 of this.#numbers()) {
      if (v4 === to + 1 && from >= 0) to = v4;
      else {
        close();
        from = to = v4;
      }
    }
    close();
    return [...ranges, ...this.#v6];
  }

  /** What `toRanges` gave; anything else in it is passed over. */
  static of(ranges: readonly string[]): AddressSet {
    const set = new AddressSet();
    for (const range of ranges) {
      const [first = '', last = first] = range.split('-');
      const from = parseAddress(first);
      const to = parseAddress(last);
      if (!from || !to) continue;
      if ('v6' in from) set.#v6.add(from.v6);
      else if ('v4' in to) for (let v4 = from.v4; v4 <= to.v4; v4 += 1) set.#addV4(v4);
    }
    return set;
  }

  #addV4(v4: number): void {
    const high = Math.floor(v4 / BLOCK);
    let block = this.#blocks.get(high);
    if (!block) this.#blocks.set(high, (block = new Uint8Array(BLOCK / 8)));
    const low = v4 % BLOCK;
    block[low >> 3]! |= 1 << (low & 7);
  }

  *#numbers(): Generator<number> {
    for (const high of [...this.#blocks.keys()].sort((a, b) => a - b)) {
      const block = this.#blocks.get(high)!;
      for (let low = 0; low < BLOCK; low += 1) if (block[low >> 3]! & (1 << (low & 7))) yield high * BLOCK + low;
    }
  }
}
