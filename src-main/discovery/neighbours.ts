// What all sweeps so far know of the network: kept between runs, told with what changed last.
import { z } from 'zod';
import type { Found, HostId, Neighbour } from '../../contract/model.ts';
import { AddressSet } from './address-set.ts';
import { compareAddresses, normalAddress } from './address.ts';
import type { Target } from './dial.ts';
import type { Range } from './range.ts';
import type { Answer } from './sweep.ts';

/** A host of the fleet, as far as a sweep can meet it. */
export interface FleetHost {
  id: HostId;
  /** As connected to: an IP address, in any form. */
  address: string;
  port: number;
  /** Proven by a connection; null while it never was online. */
  libvirtVersion: string | null;
  /** Whether it is connected now, at this address. */
  online?: boolean;
  /** Of the key that it is trusted by. */
  fingerprint?: string | null;
  /** The host's own. */
  uuid?: string | null;
}

/** What a login proved. */
export interface Proof {
  /** Null: there is no libvirt. */
  libvirtVersion: string | null;
  hypervisor?: string;
  /** How many VMs it has, running or not. */
  domains?: number;
  /** The host's own. */
  uuid?: string | null;
}

/** Keeps what it is given; the form is this room's. */
export interface Store {
  load(): Promise<unknown>;
  save(data: unknown): Promise<void>;
}

/** One port that was open at least once. */
const record = z.object({
  address: z.string(),
  port: z.number().int(),
  /** What it was proven to be while it answered. */
  kind: z.enum(['libvirt', 'ssh', 'open']),
  here: z.boolean(),
  banner: z.string().optional(),
  fingerprint: z.string().optional(),
  libvirtVersion: z.string().optional(),
  hypervisor: z.string().optional(),
  domains: z.number().int().optional(),
  uuid: z.string().optional(),
  moved: z.object({ from: z.string(), by: z.enum(['key', 'key and UUID']) }).optional(),
  firstSeen: z.string(),
  lastSeen: z.string(),
  change: z.string().nullable(),
});
type Kept = z.infer<typeof record>;

const kept = z.object({ neighbours: z.array(z.unknown()), closed: z.array(z.string()) });

const keyOf = ({ address, port }: Target) => `${address} ${port}`;

/** Where a host answers that was only ever seen to refuse, or is asked about by no port in particular. */
export const SSH_PORT = 22;

export class Neighbours {
  readonly #store: Store;
  readonly #fleet: () => Iterable<FleetHost>;
  readonly #now: () => Date;
  readonly #ports = new Map<string, Kept>();
  /** Hosts that refused a call: there, but nothing was open. */
  #closed = new AddressSet();
  #changed = false;

  private constructor(store: Store, fleet: () => Iterable<FleetHost>, now: () => Date) {
    this.#store = store;
    this.#fleet = fleet;
    this.#now = now;
  }

  static async open(store: Store, fleet: () => Iterable<FleetHost>, now: () => Date): Promise<Neighbours> {
    const neighbours = new Neighbours(store, fleet, now);
    const outer = kept.safeParse(await store.load());
    if (!outer.success) return neighbours;
    for (const one of outer.data.neighbours) {
      const { success, data } = record.safeParse(one);
      if (success) neighbours.#ports.set(keyOf(data), data);
    }
    neighbours.#closed = AddressSet.of(outer.data.closed);
    return neighbours;
  }

  list(): Neighbour[] {
    const fleet = this.#fleetByKey();
    return [...this.#ports.values()]
      .map((port) => ({
        ...this.#told(port, fleet),
        firstSeen: port.firstSeen,
        lastSeen: port.lastSeen,
        change: port.change,
      }))
      .sort((a, b) => compareAddresses(a.address, b.address) || a.port - b.port);
  }

  /** What is known of an address, open ports only. */
  at(address: string): Found[] {
    const fleet = this.#fleetByKey();
    const here = normalAddress(address);
    return [...this.#ports.values()].filter((port) => port.address === here).map((port) => this.#told(port, fleet));
  }

  /**
   * Takes one answer of a sweep.
   * @returns how it is told; null for what is not worth telling: silence and refusal where nothing was open before
   */
  hear(target: Target, answer: Answer): Found | null {
    const before = this.#ports.get(keyOf(target));
    switch (answer.kind) {
      case 'uncalled':
        return null;
      case 'closed':
        if (!this.#closed.has(target.address)) this.#changed = true;
        this.#closed.add(target.address);
        return before ? this.#gone(before, 'port closed') : null;
      case 'silent':
        return before ? this.#gone(before, 'gone') : null;
      case 'open':
      case 'ssh':
        return this.#here(target, answer, before);
    }
  }

  /** Takes what a login proved. */
  identified(target: Target, { libvirtVersion, hypervisor, domains, uuid }: Proof): Found | null {
    const port = this.#ports.get(keyOf(target));
    if (!port) return null;
    const before = port.kind === 'libvirt' ? (port.libvirtVersion ?? '') : null;
    if (before !== libvirtVersion) {
      addChange(port, libvirtVersion === null ? 'libvirt gone' : before ? `libvirt ${libvirtVersion}` : 'has libvirt');
    }
    port.kind = libvirtVersion === null ? 'ssh' : 'libvirt';
    forgetProof(port);
    if (libvirtVersion !== null) {
      port.libvirtVersion = libvirtVersion;
      if (hypervisor !== undefined) port.hypervisor = hypervisor;
      if (domains !== undefined) port.domains = domains;
      if (uuid) port.uuid = uuid;
    }
    this.#changed = true;
    return this.#told(port);
  }

  /** Whether an address ever answered, on whatever port. */
  answered(): (address: string) => boolean {
    const open = new Set([...this.#ports.values()].map(({ address }) => address));
    return (address) => open.has(address) || this.#closed.has(address);
  }

  /** Every address of a range that ever answered, once. */
  *answeredIn(range: Range): Generator<string> {
    const open = new Set<string>();
    for (const { address } of this.#ports.values()) {
      if (open.has(address) || !range.has(address)) continue;
      open.add(address);
      yield address;
    }
    for (const address of this.#closed.values()) if (!open.has(address) && range.has(address)) yield address;
  }

  /** Every address that a libvirt host was reached by. */
  libvirt(): string[] {
    return [...new Set(this.libvirtIn({ has: () => true }).map(({ address }) => address))].sort(compareAddresses);
  }

  /**
   * The ports of a range that libvirt hosts were reached by.
   * @param away without those that the fleet is connected to
   */
  libvirtIn(range: Pick<Range, 'has'>, away = false): Target[] {
    const fleet = this.#fleetByKey();
    const found = new Map<string, Target>();
    const add = ({ address, port }: Target) => {
      const key = keyOf({ address, port });
      if (range.has(address) && !(away && fleet.get(key)?.online)) found.set(key, { address, port });
    };
    for (const port of this.#ports.values()) if (port.kind === 'libvirt') add(port);
    for (const host of fleet.values()) if (host.libvirtVersion !== null) add(host);
    return [...found.values()];
  }

  /** Takes it that hosts that the fleet is connected to are there. @returns how many */
  hearConnected(): number {
    const now = this.#now().toISOString();
    let count = 0;
    for (const [key, host] of this.#fleetByKey()) {
      if (!host.online) continue;
      count += 1;
      const port = this.#ports.get(key);
      if (!port) continue;
      if (!port.here) port.change = 'back';
      port.here = true;
      port.lastSeen = now;
      this.#changed = true;
    }
    return count;
  }

  /** The ports that were open at an address; where none was, SSH's own. */
  portsOf(): (address: string) => number[] {
    const ports = new Map<string, number[]>();
    for (const { address, port } of this.#ports.values()) ports.set(address, [...(ports.get(address) ?? []), port]);
    return (address) => ports.get(address) ?? [SSH_PORT];
  }

  /**
   * Looks which of these hosts were known at another address, where they are no more: the same host key, which a
   * copied machine has too, so not where both answer, and not where their UUIDs differ.
   * @returns those of which this was not known yet
   */
  moves(found: Iterable<Found>): Found[] {
    const fleet = this.#fleetByKey();
    const news: Found[] = [];
    for (const { address, port } of [...found]) {
      const here = this.#ports.get(keyOf({ address, port }));
      if (!here?.here || here.fingerprint === undefined) continue;
      const moved = this.#movedFrom(here, fleet);
      if (moved && moved.from !== here.moved?.from) {
        here.moved = moved;
        const change = `moved from ${moved.from}`;
        here.change = here.change === null || here.change === 'new' ? change : `${here.change}, ${change}`;
        this.#changed = true;
        news.push(this.#told(here, fleet));
      } else if (!moved && here.moved) {
        delete here.moved;
        this.#changed = true;
      }
    }
    return news;
  }

  #movedFrom(here: Kept, fleet: ReadonlyMap<string, FleetHost>): Kept['moved'] | null {
    const uuid = fleet.get(keyOf(here))?.uuid ?? here.uuid;
    const same = (other: { address: string; uuid?: string | null | undefined }): Kept['moved'] | null => {
      if (other.address === here.address || (uuid && other.uuid && uuid !== other.uuid)) return null;
      return { from: other.address, by: uuid && other.uuid ? 'key and UUID' : 'key' };
    };
    for (const host of fleet.values()) {
      if (host.online === true || host.fingerprint !== here.fingerprint) continue;
      const before = this.#ports.get(keyOf(host));
      if (before && (before.here || before.lastSeen > here.firstSeen)) continue;
      const moved = same(host);
      if (moved) return moved;
    }
    for (const before of this.#ports.values()) {
      if (before.here || before.fingerprint !== here.fingerprint || before.lastSeen > here.firstSeen) continue;
      const host = fleet.get(keyOf(before));
      const moved = host?.online === true ? null : same({ ...before, uuid: host?.uuid ?? before.uuid });
      if (moved) return moved;
    }
    return null;
  }

  /** Hands what changed to the store. */
  async save(): Promise<void> {
    if (!this.#changed) return;
    this.#changed = false;
    await this.#store.save({ neighbours: [...this.#ports.values()], closed: this.#closed.toRanges() });
  }

  #gone(port: Kept, change: string): Found {
    port.change = port.here ? change : null;
    port.here = false;
    this.#changed = true;
    return this.#told(port);
  }

  #here(target: Target, answer: Answer & { kind: 'open' | 'ssh' }, before: Kept | undefined): Found {
    const now = this.#now().toISOString();
    const port: Kept = before ?? {
      ...target,
      kind: 'open',
      here: true,
      firstSeen: now,
      lastSeen: now,
      change: null,
    };
    const fingerprint = answer.kind === 'ssh' ? answer.fingerprint : null;
    port.change = before ? (before.here ? null : 'back') : 'new';
    if (answer.kind === 'open') {
      if (before && before.kind !== 'open') addChange(port, 'no SSH any more');
      port.kind = 'open';
      delete port.fingerprint;
      forgetProof(port);
    } else {
      if (before?.kind === 'open') addChange(port, 'has SSH');
      const other = port.fingerprint !== undefined && fingerprint !== null && port.fingerprint !== fingerprint;
      if (other) addChange(port, 'host key changed');
      // Another key may be another host: what was proven of the first does not hold for it.
      if (other || port.kind === 'open') port.kind = 'ssh';
      if (other) forgetProof(port);
      if (fingerprint !== null) port.fingerprint = fingerprint;
    }
    if (answer.banner !== null && answer.banner !== '') port.banner = answer.banner;
    else delete port.banner;
    port.here = true;
    port.lastSeen = now;
    this.#ports.set(keyOf(target), port);
    this.#changed = true;
    const fleet = this.#fleetByKey();
    const host = fleet.get(keyOf(target));
    if (answer.kind === 'ssh' && host?.libvirtVersion) {
      port.kind = 'libvirt';
      port.libvirtVersion = host.libvirtVersion;
      if (host.uuid) port.uuid = host.uuid;
    }
    return this.#told(port, fleet);
  }

  #told(port: Kept, fleet = this.#fleetByKey()): Found {
    const host = fleet.get(keyOf(port));
    const found = foundOf(port, host);
    if (!port.moved) return found;
    const from = port.moved.from;
    const old = [...fleet.values()].find((one) => one.address === from && one.fingerprint === port.fingerprint);
    return { ...found, moved: { ...port.moved, ...(old && { hostId: old.id }) } };
  }

  #fleetByKey(): Map<string, FleetHost> {
    const byKey = new Map<string, FleetHost>();
    for (const host of this.#fleet()) {
      const address = normalAddress(host.address);
      if (address !== null) byKey.set(keyOf({ address, port: host.port }), { ...host, address });
    }
    return byKey;
  }
}

function forgetProof(port: Kept): void {
  delete port.libvirtVersion;
  delete port.hypervisor;
  delete port.domains;
  delete port.uuid;
  delete port.moved;
}

function addChange(port: Kept, change: string): void {
  port.change = port.change === null || port.change === 'new' ? (port.change ?? change) : `${port.change}, ${change}`;
}

const services: Partial<Record<number, Found['service']>> = { 16509: 'libvirt-tcp', 16514: 'libvirt-tls' };

/** As it is told: silent while it does not answer; libvirt once the fleet proves it. */
function foundOf(port: Kept, host: FleetHost | undefined): Found {
  const version = host?.libvirtVersion ?? port.libvirtVersion;
  const libvirt =
    port.kind === 'libvirt' || (port.kind === 'ssh' && host !== undefined && host.libvirtVersion !== null);
  return {
    address: port.address,
    port: port.port,
    kind: port.here ? (libvirt ? 'libvirt' : port.kind) : 'silent',
    ...(port.banner !== undefined && { banner: port.banner }),
    ...(port.fingerprint !== undefined && { fingerprint: port.fingerprint }),
    ...(libvirt && version && { libvirtVersion: version }),
    ...(libvirt && port.hypervisor !== undefined && { hypervisor: port.hypervisor }),
    ...(libvirt && port.domains !== undefined && { domains: port.domains }),
    ...(port.kind === 'open' && services[port.port] && { service: services[port.port] }),
    ...(host && { hostId: host.id }),
  };
}
