// The last samples of a few figures in one small block of numbers: what sparklines draw.

/** How many samples are kept. */
export const depth = 48;

/** `N` figures side by side, each a ring of `depth` samples. */
export class History {
  readonly #figures: number;
  readonly #values: Float32Array;
  #next = 0;
  #count = 0;

  constructor(figures: number) {
    this.#figures = figures;
    this.#values = new Float32Array(figures * depth);
  }

  copy(): History {
    const copy = new History(this.#figures);
    copy.#values.set(this.#values);
    copy.#next = this.#next;
    copy.#count = this.#count;
    return copy;
  }

  push(...sample: number[]): void {
    for (let figure = 0; figure < this.#figures; figure += 1) {
      this.#values[figure * depth + this.#next] = sample[figure] ?? NaN;
    }
    this.#next = (this.#next + 1) % depth;
    this.#count = Math.min(this.#count + 1, depth);
  }

  /** Of one figure, the oldest first. */
  of(figure: number): Float32Array {
    const out = new Float32Array(this.#count);
    const from = (this.#next - this.#count + depth) % depth;
    for (let i = 0; i < this.#count; i += 1) out[i] = this.#values[figure * depth + ((from + i) % depth)] ?? NaN;
    return out;
  }
}
