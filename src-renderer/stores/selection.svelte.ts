// What is chosen: one or several VMs, or a host. A VM that moves stays chosen where it is now.
import { SvelteSet } from 'svelte/reactivity';
import type { HostId } from '../../contract/model.ts';
import type { Domain, DomainKey } from './domain.svelte.ts';
import type { FleetStore } from './fleet.svelte.ts';
import type { Host } from './host.svelte.ts';

/** How a click was meant. */
export interface Meant {
  /** Ctrl or Cmd: one more, or one less. */
  toggle?: boolean;
  /** Shift: all from the last one to this, in the order that is shown. */
  range?: readonly DomainKey[] | undefined;
}

export class Selection {
  readonly keys = new SvelteSet<DomainKey>();
  /** The last one clicked or moved to; where a range starts. */
  lead = $state<DomainKey | null>(null);
  hostId = $state<HostId | null>(null);
  readonly #fleet: FleetStore;

  constructor(fleet: FleetStore) {
    this.#fleet = fleet;
    fleet.onMoved((from, to) => this.#follow(from, to));
  }

  /** The VMs chosen, in the order in which they were. */
  readonly domains: readonly Domain[] = $derived.by(() =>
    [...this.keys].map((key) => this.#fleet.domain(key)).filter((domain) => domain !== undefined),
  );

  readonly host: Host | null = $derived.by(() =>
    this.hostId === null ? null : (this.#fleet.hosts.get(this.hostId) ?? null),
  );

  /** The one VM chosen, if it is one. */
  get domain(): Domain | null {
    return this.domains.length === 1 ? (this.domains[0] ?? null) : null;
  }

  pick(key: DomainKey, { toggle = false, range }: Meant = {}): void {
    this.hostId = null;
    const from = this.lead === null ? -1 : (range?.indexOf(this.lead) ?? -1);
    const to = range?.indexOf(key) ?? -1;
    if (range && from >= 0 && to >= 0) {
      if (!toggle) this.keys.clear();
      for (const one of range.slice(Math.min(from, to), Math.max(from, to) + 1)) this.keys.add(one);
      return;
    }
    if (toggle) {
      if (!this.keys.delete(key)) this.keys.add(key);
    } else {
      this.keys.clear();
      this.keys.add(key);
    }
    this.lead = key;
  }

  pickHost(id: HostId): void {
    this.keys.clear();
    this.lead = null;
    this.hostId = id;
  }

  all(keys: Iterable<DomainKey>): void {
    this.hostId = null;
    this.keys.clear();
    for (const key of keys) this.keys.add(key);
  }

  clear(): void {
    this.keys.clear();
    this.lead = null;
    this.hostId = null;
  }

  has(key: DomainKey): boolean {
    return this.keys.has(key);
  }

  #follow(from: DomainKey, to: DomainKey | null): void {
    if (this.keys.delete(from) && to !== null) this.keys.add(to);
    if (this.lead === from) this.lead = to;
  }
}
