// What is searched for now, and what is found. Looks at VMs untracked: 20,000 of them are looked through again when
// the list of them changes, not when one of their figures does.
import { untrack } from 'svelte';
import type { Clock } from './clock.svelte.ts';
import type { Domain } from './domain.svelte.ts';
import type { FleetStore } from './fleet.svelte.ts';
import type { Host } from './host.svelte.ts';
import { parse, type Query } from './search.ts';

export class Search {
  text = $state('');
  readonly query: Query = $derived.by(() => parse(this.text));
  readonly #fleet: FleetStore;
  readonly #clock: Clock;

  constructor(fleet: FleetStore, clock: Clock) {
    this.#fleet = fleet;
    this.#clock = clock;
  }

  /** The VMs that are found, in the order given. */
  among(domains: readonly Domain[]): readonly Domain[] {
    const { query } = this;
    if (query.empty) return domains;
    void this.#fleet.domainList;
    if (query.live) void this.#clock.beat;
    return untrack(() => domains.filter((domain) => this.#matches(domain)));
  }

  /** Whether a host is to be shown: it is found itself, or a VM of it is. */
  shows(host: Host): boolean {
    if (this.query.empty || this.query.matchesHost(host.view)) return true;
    return this.among(host.domains).length > 0;
  }

  /** Of one host, those of its VMs that are found; all, where the host itself is. */
  of(host: Host): readonly Domain[] {
    return this.query.empty || this.query.matchesHost(host.view) ? host.domains : this.among(host.domains);
  }

  #matches(domain: Domain): boolean {
    return this.query.matches(domain, this.#fleet.hosts.get(domain.view.hostId)?.view);
  }
}
