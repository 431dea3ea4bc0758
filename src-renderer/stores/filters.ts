// Searches that are kept, as they were typed; in the window's own preferences.
import type { PreferencesStore } from './preferences.svelte.ts';

/** More are not kept: the oldest goes. */
const most = 30;
const name = 'filters';

export class Filters {
  readonly #preferences: PreferencesStore;

  constructor(preferences: PreferencesStore) {
    this.#preferences = preferences;
  }

  /** In the order in which they were kept. */
  get list(): readonly string[] {
    return this.#preferences.get<string[]>(name, []).filter((text) => typeof text === 'string');
  }

  has(text: string): boolean {
    return this.list.includes(text.trim());
  }

  /** Keeps a search, or forgets it where it was kept. */
  toggle(text: string): void {
    const wanted = text.trim();
    if (wanted === '') return;
    const others = this.list.filter((one) => one !== wanted);
    this.#preferences.set(name, this.has(wanted) ? others : [...others, wanted].slice(-most));
  }
}
