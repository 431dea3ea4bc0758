// Who can go where: at once what the window knows, and what the hosts themselves answered where they were asked.
import { SvelteMap } from 'svelte/reactivity';
import type { HostId, HostView, Preflight } from '../../contract/model.ts';
import type { Surroundings } from '../drag/verdicts.svelte.ts';
import { judge, refuse, type Verdict } from '../drag/rule.ts';
import type { Domain, DomainKey } from '../stores/domain.svelte.ts';

/** `open`: nothing that the window knows speaks against it; the hosts were not asked. */
export type Standing = Verdict['level'] | 'open';
export interface Cell {
  level: Standing;
  reason: string | null;
}

/** VMs that are asked about at a time: each asks both hosts of every pair. */
const atOnce = 2;

export class Mobility {
  readonly #around: Surroundings;
  readonly #answers = new SvelteMap<DomainKey, Record<HostId, Preflight> | 'asking' | 'unknown'>();
  #waiting: Domain[] = [];
  #working = 0;

  constructor(around: Surroundings) {
    this.#around = around;
  }

  of(domain: Domain, host: HostView): Cell {
    const { view } = domain;
    if (view.hostId === host.id) return { level: 'here', reason: null };
    const answers = this.#answers.get(domain.key);
    if (answers === undefined) {
      const reason = refuse(view, host, this.#around.host(view.hostId));
      return reason === null ? { level: 'open', reason: null } : { level: 'blocked', reason };
    }
    const { level, reason } = judge(
      [view],
      host,
      ({ hostId }) => this.#around.host(hostId),
      () => answers,
    );
    return { level, reason };
  }

  asked(domain: Domain): boolean {
    return this.#answers.has(domain.key);
  }

  get asking(): boolean {
    return [...this.#answers.values()].includes('asking');
  }

  /** Asks the hosts about these; about those that were asked before only where `again`. */
  ask(domains: readonly Domain[], again = false): void {
    for (const domain of domains) {
      const known = this.#answers.get(domain.key);
      if (known === 'asking' || (known !== undefined && !again)) continue;
      this.#answers.set(domain.key, 'asking');
      this.#waiting.push(domain);
    }
    while (this.#working < atOnce && this.#waiting.length > 0) void this.#work();
  }

  async #work(): Promise<void> {
    this.#working += 1;
    for (let domain = this.#waiting.shift(); domain; domain = this.#waiting.shift()) {
      const answer = await this.#around.ask(domain.view).catch(() => 'unknown' as const);
      this.#answers.set(domain.key, answer);
    }
    this.#working -= 1;
  }
}
