// Which tab is in front, which panes are open and how wide: kept from one start to the next.
import type { PreferencesStore } from './preferences.svelte.ts';

interface Panes {
  tree: boolean;
  detail: boolean;
  tasks: boolean;
  treeWidth: number;
  detailWidth: number;
  tasksHeight: number;
  besideHeight: number;
}

export const usual: Panes = {
  tree: true,
  detail: true,
  tasks: true,
  treeWidth: 248,
  detailWidth: 340,
  tasksHeight: 152,
  besideHeight: 300,
};

export class Layout {
  /** The console that stands below the tabs, by its session's key. */
  beside = $state<string | null>(null);
  readonly #preferences: PreferencesStore;
  #tab = $state('hosts');
  /** The last that was no console's. */
  #view = 'hosts';
  /** While a splitter moves: not kept before it is let go. */
  #moving: Partial<Panes> = $state.raw({});

  constructor(preferences: PreferencesStore) {
    this.#preferences = preferences;
  }

  /** `hosts`, `vms`, `mobility`, or `console:` and the session's key. */
  get tab(): string {
    return this.#tab;
  }

  set tab(tab: string) {
    this.#tab = tab;
    if (!tab.startsWith('console:')) this.#view = tab;
  }

  /** A console's tab goes: back to where one was before. */
  leave(tab: string): void {
    if (this.#tab === tab) this.#tab = this.#view;
  }

  get panes(): Panes {
    return { ...usual, ...this.#preferences.get<Partial<Panes>>('panes', {}), ...this.#moving };
  }

  move(change: Partial<Panes>): void {
    this.#moving = { ...this.#moving, ...change };
  }

  settle(change: Partial<Panes> = {}): void {
    this.#preferences.set('panes', { ...this.panes, ...change });
    this.#moving = {};
  }

  toggle(pane: 'tree' | 'detail' | 'tasks'): void {
    this.settle({ [pane]: !this.panes[pane] });
  }
}
