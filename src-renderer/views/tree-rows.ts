// The tree as a flat list of rows, which is what a virtual list shows: groups with their hosts, hosts with their VMs,
// and below them tags with the VMs that have them.
import type { Domain } from '../stores/domain.svelte.ts';
import type { Host } from '../stores/host.svelte.ts';
import { byKey, orderKey } from '../stores/order.ts';

interface Row {
  /** Of its own in the whole tree: a VM stands below its host and below each of its tags. */
  key: string;
  /** From 1 up, as screen readers are told. */
  level: number;
}

export type TreeRow = Row &
  (
    | { kind: 'group'; name: string; open: boolean; found: number }
    | { kind: 'host'; host: Host; open: boolean; found: number; parent: string | null }
    | { kind: 'tags'; open: boolean; found: number }
    | { kind: 'tag'; id: string; name: string; open: boolean; domains: readonly Domain[] }
    | { kind: 'domain'; domain: Domain; parent: string }
  );

export interface TreeOptions {
  hosts: readonly Host[];
  /** The VMs of a host that are to be shown. */
  of: (host: Host) => readonly Domain[];
  /** Tags, with those of their VMs that are to be shown. */
  tags: readonly { id: string; name: string; domains: readonly Domain[] }[];
  /** Whether a host, a group or a tag shows what is below it; by its row's key. */
  isOpen: (key: string) => boolean;
}

export const groupKey = (name: string) => `group:${name}`;
export const tagKey = (id: string) => `tag:${id}`;
export const tagsKey = 'tags';

export function treeRows({ hosts, of, tags, isOpen }: TreeOptions): TreeRow[] {
  const rows: TreeRow[] = [];
  const groups = new Map<string, Host[]>();
  const alone: Host[] = [];
  for (const host of hosts) {
    const { group } = host.view;
    if (group === null) alone.push(host);
    else groups.set(group, [...(groups.get(group) ?? []), host]);
  }
  const put = (host: Host, level: number, parent: string | null) => {
    const domains = of(host);
    const open = isOpen(host.id);
    rows.push({ kind: 'host', key: host.id, level, host, open, found: domains.length, parent });
    if (open) putAll(domains, level + 1, host.id);
  };
  const putAll = (domains: readonly Domain[], level: number, parent: string, mark = '') => {
    for (const domain of domains) rows.push({ kind: 'domain', key: mark + domain.key, level, domain, parent });
  };
  const names = [...groups.keys()].sort((a, b) => byKey(orderKey(a), orderKey(b)));
  for (const name of names) {
    const members = groups.get(name) ?? [];
    const key = groupKey(name);
    const open = isOpen(key);
    rows.push({ kind: 'group', key, level: 1, name, open, found: members.length });
    if (open) for (const host of members) put(host, 2, key);
  }
  for (const host of alone) put(host, 1, null);
  if (tags.length > 0) {
    const open = isOpen(tagsKey);
    rows.push({ kind: 'tags', key: tagsKey, level: 1, open, found: tags.length });
    if (open)
      for (const { id, name, domains } of tags) {
        const key = tagKey(id);
        const shown = isOpen(key);
        rows.push({ kind: 'tag', key, level: 2, id, name, open: shown, domains });
        if (shown)
          putAll(
            [...domains].sort((a, b) => byKey(a.order, b.order)),
            3,
            key,
            `${key}/`,
          );
      }
  }
  return rows;
}
