// The window's own choices: read once, written back a moment after they changed.
import type { Link } from '../../contract/link.ts';
import type { Preferences } from '../../contract/model.ts';

export type Theme = Preferences['theme'];

interface Options {
  /** Gathers writes; a test gives its own. */
  later?: (write: () => void) => void;
  /** Hears of a choice that could not be kept. */
  failed?: (thrown: unknown) => void;
}

export class PreferencesStore {
  theme: Theme = $state('system');
  #values: Record<string, unknown> = $state.raw({});
  readonly #link: Link;
  readonly #options: Required<Options>;
  #pending = false;
  /** Chosen before what is kept was read: newer than it. */
  /** Plain: nothing on the screen depends on it. */
  readonly #changed = new Set<string>();

  constructor(link: Link, options: Options = {}) {
    this.#link = link;
    this.#options = { later: (write) => void setTimeout(write, 400), failed: () => {}, ...options };
  }

  async load(): Promise<void> {
    const kept = await this.#link.call('preferences.get', {});
    const mine = Object.fromEntries(Object.entries(this.#values).filter(([name]) => this.#changed.has(name)));
    if (!this.#changed.has('theme')) this.theme = kept.theme;
    this.#values = { ...kept.window, ...mine };
  }

  /** A choice by its name; `usual` where none was made, or what is kept is of another kind. */
  get<T>(name: string, usual: T): T {
    const kept = this.#values[name];
    return typeof kept === typeof usual && Array.isArray(kept) === Array.isArray(usual) && kept !== null
      ? (kept as T)
      : usual;
  }

  set(name: string, value: unknown): void {
    this.#values = { ...this.#values, [name]: value };
    this.#write(name);
  }

  setTheme(theme: Theme): void {
    this.theme = theme;
    this.#write('theme');
  }

  #write(name: string): void {
    this.#changed.add(name);
    if (this.#pending) return;
    this.#pending = true;
    this.#options.later(() => {
      this.#pending = false;
      const kept = this.#link.call('preferences.set', { theme: this.theme, window: this.#values });
      kept.catch((thrown: unknown) => this.#options.failed(thrown));
    });
  }
}
