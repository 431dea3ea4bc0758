// What of the tree is open: kept from one start to the next.
import type { PreferencesStore } from '../stores/preferences.svelte.ts';
import { tagsKey } from './tree-rows.ts';

/** Where there are more hosts, they start closed. */
const mostOpen = 12;
const none: readonly string[] = [];

export class TreeFolds {
  readonly #preferences: PreferencesStore;
  readonly #hosts: () => number;
  readonly #sets = new Map<string, { list: readonly string[]; set: ReadonlySet<string> }>();

  /** @param hosts How many hosts there are. */
  constructor(preferences: PreferencesStore, hosts: () => number) {
    this.#preferences = preferences;
    this.#hosts = hosts;
  }

  /** By the key of a row. */
  isOpen(key: string): boolean {
    return this.#turned(key).has(key) !== this.#atFirst(key);
  }

  turn(key: string, open: boolean): void {
    const others = [...this.#turned(key)].filter((one) => one !== key);
    this.#preferences.set(this.#name(key), open === this.#atFirst(key) ? others : [...others, key]);
  }

  /** All hosts and their groups. */
  turnAll(open: boolean, hosts: Iterable<string>, groups: Iterable<string>): void {
    for (const keys of [[...hosts], [...groups]]) {
      const [first] = keys;
      if (first === undefined) continue;
      const all = new Set(keys);
      const others = [...this.#turned(first)].filter((one) => !all.has(one));
      this.#preferences.set(this.#name(first), open === this.#atFirst(first) ? others : [...others, ...keys]);
    }
  }

  /** Asked for each row: a set is made anew only where the choice changed. */
  #turned(key: string): ReadonlySet<string> {
    const name = this.#name(key);
    const list = this.#preferences.get<readonly string[]>(name, none);
    const known = this.#sets.get(name);
    if (known?.list === list) return known.set;
    const set = new Set(list);
    this.#sets.set(name, { list, set });
    return set;
  }

  #isFolder(key: string): boolean {
    return key === tagsKey || key.startsWith('group:') || key.startsWith('tag:');
  }

  #name(key: string): string {
    return this.#isFolder(key) ? 'treeFolders' : this.#hosts() <= mostOpen ? 'treeClosed' : 'treeOpen';
  }

  #atFirst(key: string): boolean {
    return this.#isFolder(key) ? !key.startsWith('tag:') : this.#hosts() <= mostOpen;
  }
}
