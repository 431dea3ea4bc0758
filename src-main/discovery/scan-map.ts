// A sweep as a picture: what each part of the range turned out to be, one character a cell.

/** So many cells at most; wider ranges have several addresses in each. */
const CELLS = 1024;
/** What answers a cell can show, the least telling first. */
const grades = ['c', 'o', 's', 'l'] as const;
export type Grade = (typeof grades)[number];

export class ScanMap {
  readonly #each: number;
  readonly #ports: number;
  readonly #count: number;
  readonly #called: Uint32Array;
  /** From 1, as in `grades`; 0 for no answer yet. */
  readonly #best: Uint8Array;

  /** @param count of addresses @param ports how often each is called */
  constructor(count: number, ports: number) {
    this.#each = Math.max(1, Math.ceil(count / CELLS));
    this.#ports = ports;
    this.#count = count;
    const cells = Math.ceil(count / this.#each);
    this.#called = new Uint32Array(cells);
    this.#best = new Uint8Array(cells);
  }

  /** One port was called, without an answer or with one. @param place of its address in the range */
  called(place: number, grade: Grade | null): void {
    const cell = Math.floor(place / this.#each);
    if (this.#called[cell] === undefined) return;
    this.#called[cell] += 1;
    if (grade) this.raise(place, grade);
  }

  /** More was learned of an address that answered. */
  raise(place: number, grade: Grade): void {
    const cell = Math.floor(place / this.#each);
    this.#best[cell] = Math.max(this.#best[cell] ?? 0, grades.indexOf(grade) + 1);
  }

  /** As the contract says `ScanView.map`. */
  toString(): string {
    let text = '';
    for (let cell = 0; cell < this.#called.length; cell += 1) {
      const size = Math.min(this.#each, this.#count - cell * this.#each) * this.#ports;
      text += grades[this.#best[cell]! - 1] ?? Math.min(9, Math.ceil((9 * this.#called[cell]!) / size));
    }
    return text;
  }
}
