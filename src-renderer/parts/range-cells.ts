// A range drawn small, as a sweep tells it: one cell an address, or where it is wide, one cell for several.
import type { Places } from './scan-range.ts';

export type Grade = 'libvirt' | 'ssh' | 'open' | 'closed' | 'tried' | 'partly' | 'later';

export interface Cell {
  grade: Grade;
  /** Its first and its last address; null where the range has no place for them, as in a long list. */
  from: string | null;
  to: string | null;
}

const answered: Record<string, Grade> = { l: 'libvirt', s: 'ssh', o: 'open', c: 'closed' };

/** @param map as a sweep tells it @param addresses how many it stands for */
export function mapCells(map: string, addresses: number, places: Places | null): Cell[] {
  const each = map.length === 0 ? 1 : Math.ceil(addresses / map.length);
  const fits = places?.count === addresses;
  return [...map].map((mark, at) => ({
    grade: answered[mark] ?? (mark === '0' ? 'later' : mark === '9' ? 'tried' : 'partly'),
    from: fits ? places.addressAt(at * each) : null,
    to: fits ? places.addressAt(Math.min((at + 1) * each, addresses) - 1) : null,
  }));
}
