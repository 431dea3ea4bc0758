// What each host says to some VMs: at once what the window knows, then what the hosts themselves answered.
import { SvelteMap } from 'svelte/reactivity';
import type { DomainView, HostId, HostView, Preflight } from '../../contract/model.ts';
import { judge, type Verdict } from './rule.ts';

export interface Surroundings {
  host(id: HostId): HostView | undefined;
  /** Asks the hosts themselves, for every other host at once. */
  ask(domain: DomainView): Promise<Record<HostId, Preflight>>;
}

/** More VMs than this are not asked about before it is confirmed; the dialog asks about all. */
const mostAsked = 24;

export class Verdicts {
  readonly domains: readonly DomainView[];
  readonly #around: Surroundings;
  readonly #answers = new SvelteMap<DomainView, Record<HostId, Preflight> | 'asking' | 'unknown'>();

  constructor(domains: readonly DomainView[], around: Surroundings) {
    this.domains = domains;
    this.#around = around;
  }

  of(host: HostView): Verdict {
    return judge(
      this.domains,
      host,
      (domain) => this.#around.host(domain.hostId),
      (domain) => this.#answers.get(domain) ?? 'unknown',
    );
  }

  ask(): void {
    for (const domain of this.domains.slice(0, mostAsked)) void this.#askFor(domain);
  }

  async #askFor(domain: DomainView): Promise<void> {
    this.#answers.set(domain, 'asking');
    this.#answers.set(domain, await this.#around.ask(domain).catch(() => 'unknown' as const));
  }
}
