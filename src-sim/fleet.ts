// A fleet of simulated hosts in this process: real SSH and libvirt's real protocol, on loopback.
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { stateInWords, type DomainState } from '../src-main/libvirt/index.ts';
import { bytesOf, uuidOf, type Seed } from './chance.ts';
import { SimClock, type Clock } from './clock.ts';
import type { Sides } from './migration/deaths.ts';
import type { Domain } from './domain.ts';
import { Faults } from './faults.ts';
import { SimHost } from './host.ts';
import { sshKey, type SshKey } from './keys.ts';
import type { Incoming } from './migration/jobs.ts';
import { usualTimings, type DomainSpec, type HostSpec, type Profile, type Timings } from './specs.ts';
import { Storage } from './storage.ts';
import { diskBytes } from './template.ts';

export interface FleetOptions {
  /** All keys, ids and loads follow from it. */
  seed?: Seed;
  hosts: HostSpec[];
  domains?: DomainSpec[];
  /** How much faster than the world's its time goes. */
  speed?: number;
  clock?: Clock;
  timings?: Partial<Timings>;
  /** Each host's SSH port, at an address of its own. */
  port?: number;
  /** Lines as in `authorized_keys`, besides the fleet's own key. */
  authorizedKeys?: string[];
  password?: string;
}

export interface Whereabouts {
  host: string;
  state: DomainState;
  reason: string;
  /** Whether its guest is executing, whatever libvirt calls it. */
  executes: boolean;
  defined: boolean;
}

const TRIES = 30;

export class SimFleet {
  readonly seed: Seed;
  readonly clock: SimClock;
  readonly timings: Timings;
  readonly faults = new Faults();
  readonly storage = new Storage();
  readonly password: string;
  readonly authorizedKeys: string[];
  /** Opens every host whose login is by key. */
  readonly clientKey: SshKey;
  readonly profiles = new Map<string, Partial<Profile>>();
  /** Migrations that come in, by `host:port`. */
  readonly incoming = new Map<string, Incoming>();
  /** Who holds the sides of each migration, by the domain's UUID. */
  readonly moves = new Map<string, Sides>();
  /** Domains that began to run while they ran elsewhere: what must never be. */
  readonly twins: { uuid: string; hosts: string[] }[] = [];
  /** What went wrong in the simulation itself: has to stay empty. */
  readonly problems: unknown[] = [];
  files: { keyFile: string; knownHosts: string } | null = null;
  readonly #hosts = new Map<string, SimHost>();
  #connections = 0;
  #closed = false;

  static async start(options: FleetOptions): Promise<SimFleet> {
    const fleet = new SimFleet(options);
    try {
      await fleet.#listen(options.hosts, options.port ?? 2222);
    } catch (error) {
      await fleet.close();
      throw error;
    }
    return fleet;
  }

  private constructor({ seed = 'drover', hosts, domains = [], ...options }: FleetOptions) {
    this.seed = seed;
    this.clock = new SimClock(options.clock, options.speed);
    this.timings = { ...usualTimings, ...options.timings };
    this.password = options.password ?? 'password';
    this.clientKey = sshKey(seed, 'client');
    this.authorizedKeys = [this.clientKey.publicKey, ...(options.authorizedKeys ?? [])];
    for (const spec of hosts) this.#hosts.set(spec.name, new SimHost(spec, this));
    for (const spec of domains) this.#populate(spec);
    this.faults.onChange(() => {
      for (const host of this.hosts) host.faultsChanged().catch((error: unknown) => this.report(error));
    });
  }

  get hosts(): SimHost[] {
    return [...this.#hosts.values()];
  }

  host(name: string): SimHost {
    const host = this.#hosts.get(name);
    if (!host) throw new Error(`the fleet has no host ${name}`);
    return host;
  }

  /** By its name or its address, as another host would find it. */
  hostAt(where: string): SimHost | null {
    return this.#hosts.get(where) ?? this.hosts.find(({ address }) => address === where) ?? null;
  }

  /** The UUID of a domain by its name. */
  uuid(name: string): string {
    for (const { daemon } of this.hosts) {
      const domain = daemon.byName(name);
      if (domain) return domain.uuid;
    }
    throw new Error(`the fleet has no domain ${name}`);
  }

  /** On which hosts a domain is, by its UUID or name: the truth, for invariants such as “never runs twice”. */
  where(which: string): Whereabouts[] {
    return this.hosts.flatMap(({ name, daemon }) => {
      const domain: Domain | null | undefined = daemon.domains.get(which) ?? daemon.byName(which);
      if (!domain) return [];
      const executes = domain.guest?.running ?? false;
      return [
        { host: name, ...stateInWords(domain.state, domain.reason), executes, defined: domain.persistent !== null },
      ];
    });
  }

  /** A guest has begun to run: notes whether it runs elsewhere too. */
  began(uuid: string): void {
    const hosts = this.where(uuid).filter(({ executes }) => executes);
    if (hosts.length > 1) this.twins.push({ uuid, hosts: hosts.map(({ host }) => host) });
  }

  /** Writes the key that logs in, and the known hosts, into a folder; URIs name them from then on. */
  async writeFiles(folder: string): Promise<{ keyFile: string; knownHosts: string }> {
    await mkdir(folder, { recursive: true });
    const files = { keyFile: join(folder, 'id_ed25519'), knownHosts: join(folder, 'known_hosts') };
    await writeFile(files.keyFile, this.clientKey.privateKey, { mode: 0o600 });
    await writeFile(files.knownHosts, this.knownHosts);
    this.files = files;
    return files;
  }

  /** A line for each host. */
  get knownHosts(): string {
    const at = ({ address, port }: SimHost) => (port === 22 ? address : `[${address}]:${port}`);
    return this.hosts.map((host) => `${at(host)} ${host.key.publicKey}\n`).join('');
  }

  /** Resolves once bytes go to the host and come from it. */
  heard(host: string): Promise<void> {
    const silent = () => this.faults.at('silent', { host }) !== null;
    if (!silent()) return Promise.resolve();
    return new Promise((resolve) => {
      const undo = this.faults.onChange(() => {
        if (silent()) return;
        undo();
        resolve();
      });
    });
  }

  nextConnection(): number {
    return ++this.#connections;
  }

  report(error: unknown): void {
    if (!this.#closed) this.problems.push(error);
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.clock.stop();
    await Promise.all(this.hosts.map((host) => host.close()));
  }

  #populate(spec: DomainSpec): void {
    const host = this.host(spec.host);
    for (const { path } of spec.disks ?? []) {
      const file = this.storage.put(host.name, path, diskBytes(spec, path));
      if (file) file.holds = `${spec.name} ${path}`;
    }
    const uuid = spec.uuid ?? uuidOf(this.seed, 'domain', spec.name);
    if (spec.profile) this.profiles.set(uuid, spec.profile);
    host.daemon.populate(spec);
  }

  /** Each at an address of its own where the system has them all; else each at a port of its own. */
  async #listen(specs: HostSpec[], port: number): Promise<void> {
    for (let attempt = 0; ; attempt++) {
      const [a = 0, b = 0] = bytesOf(this.seed, 'network', attempt);
      const address = (at: number) => `127.${64 + (a % 128)}.${(b + Math.floor(at / 240)) % 256}.${10 + (at % 240)}`;
      const listening = await Promise.allSettled(
        specs.map((spec, at) => this.host(spec.name).listen(spec.address ?? address(at), spec.port ?? port)),
      );
      const failed = listening.find((one) => one.status === 'rejected');
      if (!failed) return;
      await Promise.all(this.hosts.map((host) => host.close()));
      const { code } = failed.reason as NodeJS.ErrnoException;
      if (code === 'EADDRNOTAVAIL') break;
      if (code !== 'EADDRINUSE' || attempt === TRIES) throw failed.reason as Error;
    }
    await Promise.all(specs.map((spec) => this.host(spec.name).listen('127.0.0.1', 0)));
  }
}
