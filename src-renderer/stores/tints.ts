// Each host's own colour: the first free of a row of hues, kept, so that it never changes under an admin's eyes.
import type { HostId } from '../../contract/model.ts';
import type { PreferencesStore } from './preferences.svelte.ts';

/** Far from each other first; between the greens, ambers and reds that states have. */
const hues = [255, 330, 195, 290, 225, 350, 175, 310, 240, 275, 100, 210];

export class Tints {
  readonly #preferences: PreferencesStore;

  constructor(preferences: PreferencesStore) {
    this.#preferences = preferences;
  }

  /** Gives every host that has none its place; forgets none, for hosts come back. */
  settle(hosts: Iterable<HostId>): void {
    const places = this.#places;
    const fresh = [...hosts].filter((id) => !Object.hasOwn(places, id));
    if (fresh.length === 0) return;
    const taken = new Set(Object.values(places));
    const next = { ...places };
    let place = 0;
    for (const id of fresh) {
      while (taken.has(place)) place += 1;
      taken.add(place);
      next[id] = place;
    }
    this.#preferences.set('tints', next);
  }

  /** A hue, 0–360. */
  of(host: HostId): number {
    const place = this.#places[host] ?? 0;
    const hue = hues[place % hues.length] ?? 0;
    // The second time round, between the hues of the first.
    return (hue + 7 * Math.floor(place / hues.length)) % 360;
  }

  get #places(): Record<HostId, number> {
    return this.#preferences.get<Record<HostId, number>>('tints', {});
  }
}
