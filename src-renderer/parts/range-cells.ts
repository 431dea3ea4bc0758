// A range drawn small: one cell an address, or where it is wide, one cell for several.
import type { Found } from '../../contract/model.ts';
import type { Places } from './scan-range.ts';

export type Grade = Found['kind'] | 'tried' | 'later';

export interface Cell {
  grade: Grade;
  /** Its first and its last address. */
  from: string;
  to: string;
}

const worth: Record<Grade, number> = { libvirt: 5, ssh: 4, open: 3, silent: 2, tried: 1, later: 0 };

/**
 * @param done How much of the range was tried, 0–1. Scans go through a range in its order.
 * @param most How many cells there may be.
 */
export function mapCells(places: Places | null, found: readonly Found[], done: number, most: number): Cell[] {
  if (!places) return [];
  const each = Math.ceil(places.count / most);
  const count = Math.ceil(places.count / each);
  const grades: Grade[] = Array.from({ length: count }, (_, at) =>
    (at + 1) * each <= done * places.count || done >= 1 ? 'tried' : 'later',
  );
  for (const { address, kind } of found) {
    const at = Math.floor(places.placeOf(address) / each);
    const grade = grades[at];
    if (grade !== undefined && worth[kind] > worth[grade]) grades[at] = kind;
  }
  return grades.map((grade, at) => ({
    grade,
    from: places.addressAt(at * each),
    to: places.addressAt(Math.min((at + 1) * each, places.count) - 1),
  }));
}
