// The columns of the VM table: what each shows, how wide it is, and what it sorts by.
import type { Domain } from '../stores/domain.svelte.ts';
import { byKey } from '../stores/order.ts';

export type ColumnId = 'name' | 'host' | 'state' | 'vcpus' | 'memory' | 'cpu' | 'used' | 'disk' | 'net';

export interface Column {
  id: ColumnId;
  title: string;
  /** A grid track. */
  width: string;
  numeric?: true;
  /** Sorts by what changes all the time. */
  live?: true;
  /** Not there unless chosen. */
  extra?: true;
  compare: (a: Domain, b: Domain, hostOrder: (domain: Domain) => string) => number;
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
const of = (figure: (domain: Domain) => number) => (a: Domain, b: Domain) => figure(a) - figure(b);

export const columns: readonly Column[] = [
  { id: 'name', title: 'Name', width: 'minmax(11rem, 2.4fr)', compare: (a, b) => byKey(a.order, b.order) },
  { id: 'host', title: 'Host', width: 'minmax(7rem, 1.1fr)', compare: (a, b, order) => byKey(order(a), order(b)) },
  {
    id: 'state',
    title: 'State',
    width: 'minmax(8.5rem, 1fr)',
    compare: of(({ view }) => (byState[view.state] ?? 9) + (view.stale ? 10 : 0) - (view.job ? 20 : 0)),
  },
  {
    id: 'cpu',
    title: 'CPU',
    width: 'minmax(7.5rem, 1fr)',
    live: true,
    compare: of(({ stats }) => stats?.cpuPercent ?? -1),
  },
  { id: 'vcpus', title: 'vCPUs', width: '4rem', numeric: true, compare: of(({ view }) => view.vcpus) },
  { id: 'memory', title: 'Memory', width: '5.5rem', numeric: true, compare: of(({ view }) => view.memoryKiB) },
  {
    id: 'used',
    title: 'Memory used',
    width: '6.5rem',
    numeric: true,
    live: true,
    extra: true,
    compare: of(({ stats }) => stats?.memoryUsedKiB ?? -1),
  },
  {
    id: 'disk',
    title: 'Disk',
    width: '6rem',
    numeric: true,
    live: true,
    extra: true,
    compare: of(({ stats }) => (stats ? stats.diskReadBps + stats.diskWriteBps : -1)),
  },
  {
    id: 'net',
    title: 'Network',
    width: '6rem',
    numeric: true,
    live: true,
    extra: true,
    compare: of(({ stats }) => (stats ? stats.netRxBps + stats.netTxBps : -1)),
  },
];
