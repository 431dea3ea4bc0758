// Tags as the window goes by them: which there are and on what, and what a change of several VMs' tags comes to.
import { tags as words } from '../words/search.ts';
import type { Domain } from './domain.svelte.ts';
import { byKey, orderKey } from './order.ts';

export interface Tag {
  /** In lower case: `Web` and `web` are the same. */
  id: string;
  /** As the first VM has it written. */
  name: string;
  domains: readonly Domain[];
}

/** One walk over all VMs, whose views are read as they are now. */
export function tagsOf(domains: readonly Domain[]): Tag[] {
  const found = new Map<string, { name: string; domains: Domain[] }>();
  for (const domain of domains) {
    for (const name of domain.view.tags) {
      const id = name.toLowerCase();
      const known = found.get(id);
      if (known) known.domains.push(domain);
      else found.set(id, { name, domains: [domain] });
    }
  }
  return [...found]
    .map(([id, { name, domains: own }]) => ({ id, name, order: orderKey(name), domains: own }))
    .sort((a, b) => byKey(a.order, b.order));
}

/** What is to be done to the tags of each of several VMs; the others that it has stay. */
export interface TagChange {
  add: readonly string[];
  remove: readonly string[];
}

const lower = (tag: string) => tag.toLowerCase();

/** Null where nothing changes. */
export function changedTags(tags: readonly string[], { add, remove }: TagChange): string[] | null {
  const gone = new Set(remove.map(lower));
  const kept = tags.filter((tag) => !gone.has(lower(tag)));
  const has = new Set(kept.map(lower));
  const wanted = [...kept, ...add.filter((tag) => !has.has(lower(tag)))];
  return wanted.length === tags.length && wanted.every((tag, at) => tag === tags[at]) ? null : wanted;
}

/** Why this is none; null where it is one. As the contract has it. */
export function noTag(text: string): string | null {
  if (/[\s,"]/.test(text)) return words.oneWord;
  if (text.length > 64) return words.tooLong;
  return null;
}

/** As it is searched for. */
export const tagQuery = (name: string): string => `tag:${name}`;
export const groupQuery = (name: string): string => (/\s/.test(name) ? `group:"${name}"` : `group:${name}`);
