// The VM table in groups, as a flat list of lines, which is what a virtual list shows.
import type { Domain } from '../stores/domain.svelte.ts';
import { byKey, orderKey } from '../stores/order.ts';

/** The line above those that have something in common. */
export class Group {
  readonly key: string;
  readonly title: string;
  readonly count: number;
  readonly open: boolean;

  constructor(title: string, count: number, open: boolean) {
    this.key = groupKey(title);
    this.title = title;
    this.count = count;
    this.open = open;
  }
}

export type Line = Domain | Group;
export const groupKey = (title: string) => `group:${title}`;

/**
 * @param rows In the order that they keep within their group.
 * @param titleOf What a VM has in common with others; '' for nothing: those come last, under `rest`.
 */
export function grouped(
  rows: readonly Domain[],
  titleOf: (domain: Domain) => string,
  rest: string,
  isOpen: (key: string) => boolean,
): Line[] {
  const groups = new Map<string, Domain[]>();
  for (const domain of rows) {
    const title = titleOf(domain);
    const group = groups.get(title);
    if (group) group.push(domain);
    else groups.set(title, [domain]);
  }
  const titles = [...groups.keys()].sort(
    (a, b) => Number(a === '') - Number(b === '') || byKey(orderKey(a), orderKey(b)),
  );
  const lines: Line[] = [];
  for (const title of titles) {
    const members = groups.get(title) ?? [];
    const group = new Group(title || rest, members.length, isOpen(groupKey(title || rest)));
    lines.push(group);
    if (group.open) for (const domain of members) lines.push(domain);
  }
  return lines;
}
