// What VMs used over the last hours, a point a minute: small blocks of numbers that grow as far as there is a past.
import type { Uuid } from '../../contract/model.ts';

/** How many minutes are kept: 2.9 KB a VM, 58 MB for 20,000 of them once Drover has run so long. */
export const mostMinutes = 180;
const fewest = 12;

/** Of one VM: `figures` values a minute, each the mean of that minute's samples. */
class Course {
  readonly #figures: number;
  #values: Float32Array;
  #room = fewest;
  #first: number;
  #last: number;
  /** Samples in the last minute. */
  #samples = 0;

  constructor(figures: number, minute: number) {
    this.#figures = figures;
    this.#values = new Float32Array(figures * this.#room).fill(NaN);
    this.#first = minute;
    this.#last = minute;
  }

  add(minute: number, sample: readonly number[]): void {
    if (minute < this.#last) return; // a clock that was set back
    while (this.#last < minute) {
      // After a long silence nothing of the past is in reach any more.
      if (minute - this.#last > mostMinutes) this.#last = this.#first = minute;
      else this.#last += 1;
      this.#samples = 0;
      if (this.#last - this.#first >= this.#room) this.#makeRoom();
      for (let figure = 0; figure < this.#figures; figure += 1) this.#values[this.#at(figure, this.#last)] = NaN;
    }
    this.#samples += 1;
    for (let figure = 0; figure < this.#figures; figure += 1) {
      const at = this.#at(figure, minute);
      const mean = this.#values[at] ?? NaN;
      const value = sample[figure] ?? NaN;
      this.#values[at] = Number.isNaN(mean) ? value : mean + (value - mean) / this.#samples;
    }
  }

  /** The first minute, and each figure from there on; NaN where nothing was sampled. */
  read(): { first: number; figures: Float32Array[] } {
    const count = this.#last - this.#first + 1;
    return {
      first: this.#first,
      figures: Array.from({ length: this.#figures }, (_, figure) =>
        Float32Array.from({ length: count }, (_value, at) => this.#values[this.#at(figure, this.#first + at)] ?? NaN),
      ),
    };
  }

  #at(figure: number, minute: number): number {
    return figure * this.#room + (minute % this.#room);
  }

  #makeRoom(): void {
    if (this.#room === mostMinutes) {
      this.#first = this.#last - mostMinutes + 1;
      return;
    }
    const known = this.#last - 1;
    const first = this.#first;
    const values = this.#values;
    const was = this.#room;
    this.#room = Math.min(mostMinutes, was * 2);
    this.#values = new Float32Array(this.#figures * this.#room).fill(NaN);
    for (let figure = 0; figure < this.#figures; figure += 1) {
      for (let minute = first; minute <= known; minute += 1) {
        this.#values[this.#at(figure, minute)] = values[figure * was + (minute % was)] ?? NaN;
      }
    }
  }
}

export class Minutes {
  readonly #figures: number;
  readonly #courses = new Map<Uuid, Course>();

  constructor(figures: number) {
    this.#figures = figures;
  }

  /** @param atMs since 1970 */
  add(uuid: Uuid, atMs: number, sample: readonly number[]): void {
    const minute = Math.floor(atMs / 60_000);
    let course = this.#courses.get(uuid);
    if (!course) this.#courses.set(uuid, (course = new Course(this.#figures, minute)));
    course.add(minute, sample);
  }

  forget(uuid: Uuid): void {
    this.#courses.delete(uuid);
  }

  /** Null where nothing was ever sampled. `first` is the minute since 1970 that the figures begin at. */
  of(uuid: Uuid): { first: number; figures: Float32Array[] } | null {
    return this.#courses.get(uuid)?.read() ?? null;
  }
}
