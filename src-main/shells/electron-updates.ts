// Whether there is a newer release: asked once a day, told and never installed; can be switched off.
import { z } from 'zod';

export interface UpdatesOptions {
  /** This one's, e.g. `0.1.0`. */
  version: string;
  /** Where releases are described, as GitHub answers for the latest one. */
  address: string;
  fetch: (address: string) => Promise<{ ok: boolean; json: () => Promise<unknown> }>;
  /** Told once of each newer version. */
  found: (version: string) => void;
  later?: (act: () => void, ms: number) => () => void;
}

const dayMs = 24 * 60 * 60 * 1000;
/** Not while the window is being opened. */
const firstMs = 30_000;

const release = z.object({ tag_name: z.string().regex(/^v\d{1,6}\.\d{1,6}\.\d{1,6}$/) });

const timer = (act: () => void, ms: number) => {
  const set = setTimeout(act, ms);
  set.unref();
  return () => clearTimeout(set);
};

export class Updates {
  readonly #options: UpdatesOptions;
  #stop: (() => void) | null = null;
  #told = '';

  constructor(options: UpdatesOptions) {
    this.#options = options;
  }

  get on(): boolean {
    return this.#stop !== null;
  }

  set on(on: boolean) {
    if (on === this.on) return;
    this.#stop?.();
    this.#stop = null;
    if (on) this.#again(firstMs);
  }

  #again(ms: number): void {
    const { later = timer } = this.#options;
    this.#stop = later(() => {
      this.#again(dayMs);
      void this.#look();
    }, ms);
  }

  async #look(): Promise<void> {
    const { address, fetch, version, found } = this.#options;
    try {
      const answer = await fetch(address);
      const { data } = release.safeParse(answer.ok ? await answer.json() : null);
      const latest = data?.tag_name.slice(1) ?? '';
      if (!this.on || latest === this.#told || !isNewer(latest, version)) return;
      this.#told = latest;
      found(latest);
    } catch {
      // No network is no news; tomorrow it is asked again.
    }
  }
}

export function isNewer(one: string, other: string): boolean {
  const parts = (version: string) => version.split('.').map(Number);
  const [mine, theirs] = [parts(one), parts(other)];
  for (let at = 0; at < 3; at += 1) {
    const difference = (mine[at] ?? 0) - (theirs[at] ?? 0);
    if (difference !== 0) return difference > 0;
  }
  return false;
}
