// The tree as a flat list of rows, which is what a virtual list shows.
import type { Domain } from '../stores/domain.svelte.ts';
import type { Host } from '../stores/host.svelte.ts';

export type TreeRow =
  | { kind: 'host'; key: string; host: Host; open: boolean; found: number }
  | { kind: 'domain'; key: string; host: Host; domain: Domain };

/**
 * @param of The VMs of a host that are to be shown.
 * @param isOpen Whether a host shows its VMs.
 */
export function treeRows(
  hosts: readonly Host[],
  of: (host: Host) => readonly Domain[],
  isOpen: (host: Host) => boolean,
): TreeRow[] {
  const rows: TreeRow[] = [];
  for (const host of hosts) {
    const domains = of(host);
    const open = isOpen(host);
    rows.push({ kind: 'host', key: host.id, host, open, found: domains.length });
    if (open) for (const domain of domains) rows.push({ kind: 'domain', key: domain.key, host, domain });
  }
  return rows;
}
