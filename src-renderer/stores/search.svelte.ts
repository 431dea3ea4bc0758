// What is searched for now, and what is found. The list follows typing at once; the fleet's own changes only
// a few times a second, so that rows do not dance.
import type { Domain } from './domain.svelte.ts';
import type { FleetStore } from './fleet.svelte.ts';
import type { Host } from './host.svelte.ts';
import { parse, type Query } from './search.ts';

export class Search {
  text = $state('');
  readonly query: Query = $derived.by(() => parse(this.text));
  readonly #fleet: FleetStore;

  constructor(fleet: FleetStore) {
    this.#fleet = fleet;
  }

  readonly domains: readonly Domain[] = $derived.by(() => {
    const all = this.#fleet.domainList;
    return this.query.empty ? all : all.filter((domain) => this.matches(domain));
  });

  matches(domain: Domain): boolean {
    if (this.query.empty) return true;
    return this.query.matches(domain, this.#fleet.hosts.get(domain.view.hostId)?.view);
  }

  /** Of one host: those of its VMs that are found. */
  of(host: Host): readonly Domain[] {
    return this.query.empty ? host.domains : host.domains.filter((domain) => this.matches(domain));
  }

  /** Whether a host is to be shown: it is found itself, or a VM of it is. */
  shows(host: Host): boolean {
    if (this.query.empty) return true;
    return this.query.matchesHost(host.view) || host.domains.some((domain) => this.matches(domain));
  }
}
