// Which of what a sweep found can be added as a host, and why the rest cannot.
import type { Found } from '../../contract/model.ts';
import { adoptable as words } from '../words/discovery.ts';

/** The address as it is shown and asked for: with its port where that is not SSH's own. */
export const placeOf = ({ address, port }: Pick<Found, 'address' | 'port'>) =>
  port === 22 ? address : address.includes(':') ? `[${address}]:${port}` : `${address}:${port}`;

/** Null where it can be added; else the reason. */
export function whyNot(found: Found): string | null {
  if (found.hostId !== undefined) return words.known;
  if (found.kind === 'silent') return words.silent;
  if (found.kind === 'open') return words.noSsh;
  if (found.fingerprint === undefined) return words.noKey;
  return null;
}

export const adoptable = (found: Found) => whyNot(found) === null;

/** Most telling first: libvirt hosts, then SSH, then the rest; by address within. */
export function byWorth(a: Found, b: Found): number {
  return rank[a.kind] - rank[b.kind] || collator.compare(a.address, b.address) || a.port - b.port;
}

const rank: Record<Found['kind'], number> = { libvirt: 0, ssh: 1, open: 2, silent: 3 };
const collator = new Intl.Collator('en', { numeric: true });
