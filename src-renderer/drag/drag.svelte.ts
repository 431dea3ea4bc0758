// What is being carried, by mouse or by keyboard, and what each host says to it.
import { SvelteMap } from 'svelte/reactivity';
import type { DomainView, HostId, HostView, Preflight } from '../../contract/model.ts';
import { judge, type Verdict } from './rule.ts';

/** What a drag has to know and to do; nothing of it touches the DOM. */
export interface Surroundings {
  host(id: HostId): HostView | undefined;
  /** Asks the hosts themselves, for every other host at once. */
  ask(domain: DomainView): Promise<Record<HostId, Preflight>>;
  /** What was carried was put on a host that did not refuse it. */
  drop(domains: readonly DomainView[], to: HostId): void;
}

/** More than this many VMs are not asked about while they hang in the air; the dialog asks about all. */
const mostAsked = 24;

export class Drag {
  /** What is carried; empty while nothing is. */
  domains: readonly DomainView[] = $state.raw([]);
  by: 'mouse' | 'keyboard' = $state('mouse');
  /** The host under the mouse, or the one chosen by keyboard. */
  over = $state<HostId | null>(null);
  readonly #around: Surroundings;
  readonly #answers = new SvelteMap<string, Record<HostId, Preflight> | 'asking' | 'unknown'>();

  constructor(around: Surroundings) {
    this.#around = around;
  }

  get active(): boolean {
    return this.domains.length > 0;
  }

  /** What is carried, in words. */
  get what(): string {
    const [first] = this.domains;
    return this.domains.length === 1 && first ? first.name : `${this.domains.length} VMs`;
  }

  start(domains: readonly DomainView[], by: 'mouse' | 'keyboard'): void {
    this.#answers.clear();
    this.domains = domains;
    this.by = by;
    this.over = null;
    for (const domain of domains.slice(0, mostAsked)) void this.#ask(domain);
  }

  /** Null while nothing is carried. */
  verdict(host: HostView): Verdict | null {
    if (!this.active) return null;
    return judge(
      this.domains,
      host,
      (domain) => this.#around.host(domain.hostId),
      (domain) => this.#answers.get(keyOf(domain)) ?? 'unknown',
    );
  }

  /** Puts it down; answers whether the host took it. */
  drop(to: HostId): boolean {
    const host = this.#around.host(to);
    const verdict = host ? this.verdict(host) : null;
    const coming = this.domains.filter((domain) => domain.hostId !== to);
    this.end();
    if (!verdict || verdict.level === 'blocked') return false;
    this.#around.drop(coming, to);
    return true;
  }

  end(): void {
    this.domains = [];
    this.over = null;
  }

  async #ask(domain: DomainView): Promise<void> {
    const key = keyOf(domain);
    const carried = this.domains;
    this.#answers.set(key, 'asking');
    const answer = await this.#around.ask(domain).catch(() => 'unknown' as const);
    if (this.domains === carried) this.#answers.set(key, answer);
  }
}

const keyOf = ({ hostId, uuid }: DomainView) => `${hostId}/${uuid}`;
