// What is searched for now, and what is found. Looks at VMs untracked: 20,000 of them are looked through again when
// the list of them changes, not when one of their figures does.
import { untrack } from 'svelte';
import type { HostId } from '../../contract/model.ts';
import type { Clock } from './clock.svelte.ts';
import type { Domain } from './domain.svelte.ts';
import type { FleetStore } from './fleet.svelte.ts';
import type { Host } from './host.svelte.ts';
import { parse, type Query } from './search.ts';

interface Found {
  domains: ReadonlySet<Domain>;
  /** By host, in order; hosts that neither were found nor have a VM that was are not there. */
  byHost: ReadonlyMap<HostId, readonly Domain[]>;
}

export class Search {
  text = $state('');
  readonly query: Query = $derived.by(() => parse(this.text));
  /** One walk over the fleet, whoever asks. */
  readonly #found: Found = $derived.by(() => {
    const { query } = this;
    void this.#fleet.domainList;
    if (query.live) void this.#clock.beat;
    const hosts = this.#fleet.hostList;
    return untrack(() => find(hosts, query));
  });
  readonly #fleet: FleetStore;
  readonly #clock: Clock;

  constructor(fleet: FleetStore, clock: Clock) {
    this.#fleet = fleet;
    this.#clock = clock;
  }

  /** The hosts to be shown: found themselves, or with a VM that is. */
  get hosts(): readonly Host[] {
    const { hostList } = this.#fleet;
    return this.query.empty ? hostList : hostList.filter((host) => this.#found.byHost.has(host.id));
  }

  /** The VMs that are found, in the order given. */
  among(domains: readonly Domain[]): readonly Domain[] {
    return this.query.empty ? domains : domains.filter((domain) => this.#found.domains.has(domain));
  }

  /** Of one host, those of its VMs that are found; all, where only the host itself is. */
  of(host: Host): readonly Domain[] {
    return this.query.empty ? host.domains : (this.#found.byHost.get(host.id) ?? []);
  }
}

function find(hosts: readonly Host[], query: Query): Found {
  const domains = new Set<Domain>();
  const byHost = new Map<HostId, readonly Domain[]>();
  for (const host of hosts) {
    const found = host.domains.filter((domain) => query.matches(domain, host));
    for (const domain of found) domains.add(domain);
    if (found.length > 0) byHost.set(host.id, found);
    else if (query.matchesHost(host)) byHost.set(host.id, host.domains);
  }
  return { domains, byHost };
}
