// The columns of the VM table: what each shows, how wide it is, and what it sorts by.
import type { Domain } from '../stores/domain.svelte.ts';
import { byKey } from '../stores/order.ts';
import { columns as words } from '../words/domain-table.ts';

export type ColumnId = 'name' | 'host' | 'state' | 'vcpus' | 'memory' | 'cpu' | 'used' | 'disk' | 'net' | 'tags';

export interface Column {
  id: ColumnId;
  title: string;
  /** At the least, in rem. */
  min: number;
  /** Its share of the room that is left; 0 for none. */
  share: number;
  numeric?: true;
  /** Sorts by what changes all the time. */
  live?: true;
  /** Not there unless chosen. */
  extra?: true;
  /** What it sorts by; `hosts`: the place of each host's label. */
  by: (domain: Domain, hosts: ReadonlyMap<string, string>) => number | string;
}

const byState: Record<string, number> = {
  crashed: 0,
  paused: 1,
  pmsuspended: 2,
  shutdown: 3,
  running: 4,
  blocked: 4,
  nostate: 5,
  shutoff: 6,
};

export const columns: readonly Column[] = [
  { id: 'name', title: words.name, min: 8, share: 2.4, by: ({ order }) => order },
  { id: 'host', title: words.host, min: 5.5, share: 1.1, by: ({ view }, hosts) => hosts.get(view.hostId) ?? '' },
  {
    id: 'state',
    title: words.state,
    min: 6.5,
    share: 1,
    by: ({ view }) => (byState[view.state] ?? 9) + (view.stale ? 10 : 0) - (view.job ? 20 : 0),
  },
  {
    id: 'cpu',
    title: words.cpu,
    min: 5.6,
    share: 1,
    live: true,
    by: ({ stats }) => stats?.cpuPercent ?? -1,
  },
  { id: 'vcpus', title: words.vcpus, min: 3, share: 0, numeric: true, by: ({ view }) => view.vcpus },
  { id: 'memory', title: words.memory, min: 4.4, share: 0, numeric: true, by: ({ view }) => view.memoryKiB },
  {
    id: 'used',
    title: words.used,
    min: 6.5,
    share: 0,
    numeric: true,
    live: true,
    extra: true,
    by: ({ stats }) => stats?.memoryUsedKiB ?? -1,
  },
  {
    id: 'disk',
    title: words.disk,
    min: 6,
    share: 0,
    numeric: true,
    live: true,
    extra: true,
    by: ({ stats }) => (stats ? stats.diskReadBps + stats.diskWriteBps : -1),
  },
  {
    id: 'net',
    title: words.net,
    min: 6,
    share: 0,
    numeric: true,
    live: true,
    extra: true,
    by: ({ stats }) => (stats ? stats.netRxBps + stats.netTxBps : -1),
  },
  {
    id: 'tags',
    title: words.tags,
    min: 7,
    share: 1,
    extra: true,
    by: ({ view }) => view.tags.join().toLowerCase(),
  },
];

/** By name. What was in order stays where it stood, so that sorting has little left to do. */
export function inOrderOfNames(before: readonly Domain[], all: readonly Domain[]): Domain[] {
  const left = new Set(all);
  const kept = before.filter((domain) => left.delete(domain));
  return [...kept, ...left].sort((a, b) => byKey(a.order, b.order) || byKey(a.key, b.key));
}

/**
 * In the order of a column, those that are equal in it in the order given. What each sorts by is asked once, not at each
 * of the hundreds of thousands of comparisons that 20,000 VMs take.
 */
export function sortBy(
  column: Column,
  down: boolean,
  inOrder: readonly Domain[],
  hosts: ReadonlyMap<string, string>,
): Domain[] {
  const up = down ? -1 : 1;
  return inOrder
    .map((domain) => ({ domain, by: column.by(domain, hosts) }))
    .sort((a, b) => (a.by < b.by ? -up : a.by > b.by ? up : 0))
    .map(({ domain }) => domain);
}

const tick = 1.1;
const chooser = 0.9;
const gap = 0.75;
const edge = 1.5;

/** The tracks of a row: its checkbox, its columns, and room for what chooses them. */
export const tracks = (shown: readonly Column[]): string => {
  const own = shown.map(({ min, share }) => (share > 0 ? `minmax(${min}rem, ${share}fr)` : `${min}rem`));
  return [`${tick}rem`, ...own, `${chooser}rem`].join(' ');
};

/** Narrower than this, the table is scrolled sideways. */
export const narrowest = (shown: readonly Column[]): string =>
  `${tick + chooser + gap + edge + shown.reduce((sum, { min }) => sum + gap + min, 0)}rem`;
