// What a sweep that has ended is worth a notice for: hosts that moved; and where nobody was watching, new ones.
import type { Found, Neighbour, ScanView } from '../../contract/model.ts';

export interface News {
  level: 'info' | 'warn';
  message: string;
  hostId?: string;
}

/** So many are named; of more, the number is said. */
const NAMED = 5;

/**
 * @param neighbours what is known after it
 * @param moved hosts of which this sweep has found that they moved
 * @param label how a host of the fleet is called
 */
export function newsOf(
  scan: Pick<ScanView, 'cidr' | 'scheduled' | 'found'>,
  neighbours: readonly Neighbour[],
  moved: readonly Found[],
  label: (hostId: string) => string,
): News[] {
  const news = moved.map((found) => movedNews(found, label));
  if (!scan.scheduled) return news;
  const keys = new Set(scan.found.map(keyOf));
  const found = neighbours.filter((one) => keys.has(keyOf(one)) && !one.moved);
  const says = (word: string) => found.filter(({ change }) => change?.split(', ').includes(word) === true);
  const fresh = says('new').filter(
    ({ kind, hostId }) => (kind === 'ssh' || kind === 'libvirt') && hostId === undefined,
  );
  if (fresh.length > 0) {
    const hosts = fresh.length === 1 ? 'a new host' : `${fresh.length} new hosts`;
    news.push({
      level: 'info',
      message: `A scheduled scan found ${hosts}: ${listed(fresh)}. “Find Hosts” shows more.`,
    });
  }
  const other = says('host key changed');
  if (other.length > 0) {
    const keysOf = other.length === 1 ? 'The host key' : 'The host keys';
    news.push({
      level: 'warn',
      message: `${keysOf} changed at ${listed(other)}: reinstalled, another machine, or somebody in between. Find out before you trust it.`,
    });
  }
  return news;
}

function movedNews({ address, moved, hostId }: Found, label: (hostId: string) => string): News {
  const from = moved?.from ?? '';
  const old = moved?.hostId;
  const who = old === undefined ? `The host that was at ${from}` : `${label(old)}, which was at ${from},`;
  const proof = moved?.by === 'key' ? 'the same host key' : 'the same host key and UUID';
  const then =
    old === undefined
      ? ''
      : hostId === undefined
        ? ' Add it there with “Find Hosts”, and remove the old entry.'
        : ` ${label(hostId)} is the same machine: remove the old entry.`;
  return {
    level: 'info',
    message: `${who} is now at ${address}: ${proof}, and it is at ${from} no more.${then}`,
    ...(old !== undefined && { hostId: old }),
  };
}

function listed(found: readonly Neighbour[]): string {
  const names = found.slice(0, NAMED).map(({ address, port }) => (port === 22 ? address : `${address} port ${port}`));
  const more = found.length - names.length;
  return `${names.join(', ')}${more > 0 ? ` and ${more} more` : ''}`;
}

const keyOf = ({ address, port }: Found) => `${address} ${port}`;
