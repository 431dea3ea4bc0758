// One host's libvirtd: its domains, pools and networks, who is connected, and who is told what.
import type { Duplex } from 'node:stream';
import { domainState } from '../src-main/libvirt/index.ts';
import type { EventName } from '../src-main/libvirt/index.ts';
import { uuidOf } from './chance.ts';
import { Client } from './client.ts';
import type { Definition, HostDefaults } from './definition.ts';
import { Domain } from './domain.ts';
import type { Faults } from './faults.ts';
import type { SimFleet } from './fleet.ts';
import { Guest, usualProfile } from './guest.ts';
import type { SimHost } from './host.ts';
import { JobLock } from './job-lock.ts';
import { lifecycle, setState, stop } from './lifecycle.ts';
import { sourceDriverGone } from './migration/source.ts';
import { targetDriverGone } from './migration/target.ts';
import { refuse } from './refusal.ts';
import type { DomainSpec, NetworkSpec, PoolSpec } from './specs.ts';
import { definitionOf } from './template.ts';

export interface Network extends NetworkSpec {
  uuid: string;
  active: boolean;
  autostart: boolean;
}

export interface Pool extends PoolSpec {
  uuid: string;
  active: boolean;
  autostart: boolean;
  /** Gone once it is not active any more. */
  transient?: boolean;
}

export class Daemon {
  readonly fleet: SimFleet;
  readonly host: SimHost;
  readonly faults: Faults;
  readonly clients = new Set<Client>();
  readonly domains = new Map<string, Domain>();
  readonly networks: Network[];
  readonly pools: Pool[];
  readonly defaults: HostDefaults;
  /** Migrations that this daemon drives by itself. */
  readonly peers = new Set<{ end(): void }>();
  /** Migrations that come in, by the port that they listen on. */
  readonly #ports = new Set<number>();
  #lastId = 0;
  #callbacks = 0;

  constructor(host: SimHost, fleet: SimFleet) {
    this.host = host;
    this.fleet = fleet;
    this.faults = fleet.faults;
    const { networks, pools, machines, kvm } = host.spec;
    this.defaults = { emulator: '/usr/bin/qemu-system-x86_64', machines, types: kvm ? ['kvm', 'qemu'] : ['qemu'] };
    const on = { active: true, autostart: true };
    this.networks = networks.map((each) => ({ ...each, ...on, uuid: uuidOf(fleet.seed, host.name, 'net', each.name) }));
    this.pools = pools.map((each) => ({ ...each, ...on, uuid: uuidOf(fleet.seed, host.name, 'pool', each.name) }));
  }

  // --- Connections -------------------------------------------------------------------------------------

  accept(duplex: Duplex): Client {
    const client = new Client(this, duplex, this.fleet.nextConnection());
    this.clients.add(client);
    return client;
  }

  /** Nothing of it is in work any more: what it held is let go. */
  connectionGone(client: Client): void {
    if (!this.clients.delete(client)) return;
    client.registrations.clear();
    for (const domain of [...this.domains.values()]) {
      if (domain.incoming?.driver === client) targetDriverGone(domain.incoming);
      if (domain.outgoing?.driver === client) sourceDriverGone(domain);
      if (domain.endsWith === client) stop(this, domain, 'destroyed');
    }
  }

  /** Killed and started again: guests go on, whoever was connected is cut off. */
  restart(): void {
    for (const client of [...this.clients]) client.die();
    this.clients.clear();
    for (const link of [...this.host.links]) link.hangUp();
    this.endPeers();
    for (const domain of [...this.domains.values()]) {
      domain.endsWith = null;
      if (domain.incoming) targetDriverGone(domain.incoming);
      const { outgoing } = domain;
      if (!outgoing) continue;
      // Begun: forgotten. Performing: called off. Performed: left as it is.
      outgoing.transfer?.end(refuse.qemu('operation_failed', 'operation failed: the daemon was restarted'));
      sourceDriverGone(domain);
    }
  }

  /** What this daemon drove by itself comes to nothing: the others lose its connection. */
  endPeers(): void {
    for (const peer of [...this.peers]) peer.end();
  }

  nextCallback(): number {
    return this.#callbacks++;
  }

  nextId(): number {
    return ++this.#lastId;
  }

  /** @throws Refusal when all are taken */
  takePort(): number {
    for (let port = 49_152; port <= 49_215; port++) {
      if (this.#ports.has(port)) continue;
      this.#ports.add(port);
      return port;
    }
    throw refuse.none(
      'internal_error',
      "internal error: Unable to find an unused port in range 'migration' (49152-49215)",
    );
  }

  freePort(port: number): void {
    this.#ports.delete(port);
  }

  report(error: unknown): void {
    this.fleet.report(error);
  }

  // --- Events ------------------------------------------------------------------------------------------

  tell(event: EventName, domain: Domain, payload: object = {}, dom = domain.ref): void {
    for (const client of this.clients) client.tell(event, domain.uuid, { dom, ...payload });
  }

  tellLifecycle(domain: Domain, [event, detail]: readonly [number, number], dom = domain.ref): void {
    this.tell('lifecycle', domain, { event, detail }, dom);
  }

  // --- Domains -----------------------------------------------------------------------------------------

  /** As part of the fleet from its beginning: nobody is told. */
  populate(spec: DomainSpec): void {
    const definition = definitionOf(spec, this.defaults, this.fleet.seed);
    const domain = this.create(definition);
    domain.autostart = spec.autostart ?? false;
    if (spec.running === false) return;
    this.launch(domain);
    setState(this, domain, domainState.running, 1);
    domain.guest?.go();
    if (!spec.paused) return;
    domain.guest?.stop();
    setState(this, domain, domainState.paused, 1);
  }

  create(definition: Definition): Domain {
    const { clock, timings } = this.fleet;
    const domain = new Domain(definition, new JobLock(clock, timings.jobWait));
    domain.sinceMs = clock.now();
    this.domains.set(domain.uuid, domain);
    return domain;
  }

  /** Starts QEMU, the guest not running yet. */
  launch(domain: Domain, definition = domain.definition): Guest {
    const { clock, seed } = this.fleet;
    const profile = this.fleet.profiles.get(domain.uuid);
    domain.live = definition;
    domain.id = this.nextId();
    domain.guest = new Guest({
      name: domain.name,
      vcpus: definition.vcpus,
      memoryBytes: definition.currentKiB * 1024,
      profile: { ...usualProfile(seed, domain.uuid), ...profile },
      clock,
      left: (how) => lifecycle.leftByItself(this, domain, how),
    });
    return domain.guest;
  }

  /** @throws Refusal */
  find(uuid: string): Domain {
    const domain = this.domains.get(uuid);
    if (!domain) throw refuse.noDomain(`no domain with matching uuid '${uuid}'`);
    return domain;
  }

  /** As calls name it: by its UUID; the name is only for the message. @throws Refusal */
  named({ uuid, name }: { uuid: string; name: string }): Domain {
    const domain = this.domains.get(uuid);
    if (!domain) throw refuse.noDomain(`no domain with matching uuid '${uuid}' (${name})`);
    return domain;
  }

  byName(name: string): Domain | null {
    for (const domain of this.domains.values()) if (domain.name === name) return domain;
    return null;
  }

  /** Forgets a transient domain that has ended. */
  forget(domain: Domain): void {
    if (!domain.persistent && !domain.active) this.domains.delete(domain.uuid);
  }
}
