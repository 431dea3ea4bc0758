// One simulated host: an address that listens, an SSH server there, and libvirt behind it.
import { createServer, type Server } from 'node:net';
import { uuidOf } from './chance.ts';
import { Daemon } from './daemon.ts';
import type { SimFleet } from './fleet.ts';
import { sshKey, type SshKey } from './keys.ts';
import { domainState } from '../src-main/libvirt/index.ts';
import { setState } from './lifecycle.ts';
import { dropTarget } from './migration/target.ts';
import { refuse } from './refusal.ts';
import type { HostSpec } from './specs.ts';
import { SshServer } from './ssh-server.ts';
import { UnixSockets } from './unix-sockets.ts';
import { calm, Wire } from './wire.ts';

const MIB = 2 ** 20;
const machineNames = ['8.2', '8.1', '8.0', '7.2', '7.1', '7.0', '6.2', '5.2', '4.2'];
export const usualMachines = machineNames.flatMap((version) => [`pc-q35-${version}`, `pc-i440fx-${version}`]);

export type FullHostSpec = Required<Omit<HostSpec, 'address' | 'port' | 'user'>> & Pick<HostSpec, 'user'>;

const filledIn = (spec: HostSpec, fleet: SimFleet): FullHostSpec => ({
  cpus: 16,
  mhz: 2_900,
  memoryGiB: 128,
  cpuModel: 'EPYC-Rome',
  lacks: ['avx512f'],
  libvirt: 9_000_000,
  qemu: 7_002_022,
  machines: usualMachines.filter((name) => Number(name.split('-')[2]) <= 7.2),
  kvm: true,
  pools: [
    { name: 'default', path: '/var/lib/libvirt/images' },
    { name: 'shared', path: '/srv/shared', store: 'shared', gib: 8_192 },
  ],
  networks: [{ name: 'default', bridge: 'virbr0', mode: 'nat' }],
  bridges: ['br0'],
  login: 'key',
  linkMiBps: 1_100,
  ...spec,
  uuid: spec.uuid ?? uuidOf(fleet.seed, 'host', spec.name),
});

export class SimHost {
  readonly name: string;
  readonly uuid: string;
  readonly spec: FullHostSpec;
  readonly fleet: SimFleet;
  readonly daemon: Daemon;
  readonly key: SshKey;
  readonly unix = new UnixSockets();
  /** Connections of other hosts' daemons to this one's, through its SSH server. */
  readonly links = new Set<{ hangUp(): void }>();
  address = '';
  /** How often its power went. */
  crashes = 0;
  port = 0;
  #server: Server | null = null;
  #booting: Promise<void> | null = null;
  #ssh = new Map<SshKey, SshServer>();
  #changedKey: SshKey | null = null;
  readonly #wires = new Set<Wire>();

  constructor(spec: HostSpec, fleet: SimFleet) {
    this.spec = filledIn(spec, fleet);
    this.name = spec.name;
    this.uuid = this.spec.uuid;
    this.fleet = fleet;
    this.key = sshKey(fleet.seed, 'host', spec.name);
    this.daemon = new Daemon(this, fleet);
    for (const pool of this.spec.pools) fleet.storage.mount(this.name, pool);
  }

  /** The fingerprint of the key that it should have. */
  get fingerprint(): string {
    return this.key.fingerprint;
  }

  get linkBps(): number {
    return this.spec.linkMiBps * MIB;
  }

  get bridges(): string[] {
    return [...this.spec.bridges, ...this.daemon.networks.filter(({ active }) => active).map(({ bridge }) => bridge)];
  }

  /** Its power is off. */
  get down(): boolean {
    return this.#server === null;
  }

  /** As Drover and virsh take it; with the fleet's key and known hosts once those are written. */
  uri({
    user = this.spec.user ?? 'root',
    parameters = {},
  }: { user?: string; parameters?: Record<string, string> } = {}): string {
    const { files } = this.fleet;
    const given = { ...(files && { keyfile: files.keyFile, known_hosts: files.knownHosts }), ...parameters };
    const query = Object.entries(given).map(
      ([name, value]) => `${name}=${encodeURIComponent(value).replaceAll('%2F', '/')}`,
    );
    const port = this.port === 22 ? '' : `:${this.port}`;
    return `qemu+ssh://${user}@${this.address}${port}/system${query.length > 0 ? `?${query.join('&')}` : ''}`;
  }

  /** Listens, at its address of before where none is given. @throws Error, with node's code */
  listen(address = this.address, port = this.port): Promise<void> {
    const server = createServer((socket) => {
      const wire = new Wire(socket, this.fleet.clock);
      this.#wires.add(wire);
      wire.on('close', () => this.#wires.delete(wire));
      wire.on('error', () => {});
      wire.weather = this.#weather;
      this.#sshNow.take(wire);
    });
    return new Promise((resolve, reject) => {
      server.once('error', reject);
      server.listen(port, address, 511, () => {
        server.off('error', reject);
        const at = server.address();
        this.address = address;
        this.port = typeof at === 'object' && at ? at.port : port;
        this.#server = server;
        resolve();
      });
    });
  }

  /** A fault was set or cleared. */
  async faultsChanged(): Promise<void> {
    const { faults } = this.fleet;
    for (const wire of this.#wires) wire.weather = this.#weather;
    const down = faults.at('down', { host: this.name }) !== null;
    if (down && !this.down) this.crash();
    if (!down && this.down && this.address) await this.boot();
  }

  /** Cuts every SSH connection, and with them all that went over them. */
  cutSsh(): void {
    for (const wire of [...this.#wires]) wire.destroy();
    for (const client of [...this.daemon.clients]) client.hangUp();
    for (const link of [...this.links]) link.hangUp();
  }

  /** The power goes: guests and all. */
  crash(): void {
    this.crashes += 1;
    this.#server?.close();
    this.#server = null;
    for (const client of [...this.daemon.clients]) client.die();
    this.daemon.clients.clear();
    for (const wire of [...this.#wires]) wire.destroy();
    for (const link of [...this.links]) link.hangUp();
    this.daemon.endPeers();
    this.unix.clear();
    const { daemon } = this;
    const lost = refuse.qemu('operation_failed', 'operation failed: the host lost its power');
    for (const domain of [...daemon.domains.values()]) {
      // Who receives from it gets no more.
      for (const incoming of this.fleet.incoming.values()) if (incoming.from?.domain === domain) dropTarget(incoming);
      domain.outgoing?.transfer?.end(lost);
      domain.outgoing = null;
      domain.lock.end();
      if (domain.incoming) dropTarget(domain.incoming);
      domain.guest?.stop();
      domain.guest = null;
      domain.console = null;
      domain.id = -1;
      domain.live = null;
      domain.whenOff.clear();
      setState(daemon, domain, domainState.shutoff, 0);
      if (!domain.persistent) daemon.domains.delete(domain.uuid);
    }
  }

  /** Power on again; what starts by itself, starts. */
  boot(): Promise<void> {
    return (this.#booting ??= this.#boot().finally(() => (this.#booting = null)));
  }

  async #boot(): Promise<void> {
    if (!this.down) return;
    await this.listen();
    for (const domain of this.daemon.domains.values()) {
      if (!domain.autostart || domain.active) continue;
      const guest = this.daemon.launch(domain);
      setState(this.daemon, domain, domainState.running, 1);
      guest.go();
    }
  }

  async close(): Promise<void> {
    const server = this.#server;
    this.#server = null;
    for (const client of [...this.daemon.clients]) client.die();
    for (const wire of [...this.#wires]) wire.destroy();
    if (server) await new Promise((resolve) => server.close(resolve));
  }

  get #weather() {
    const { faults } = this.fleet;
    const place = { host: this.name };
    const slow = faults.at('slow-link', place);
    return {
      ...calm,
      silent: faults.at('silent', place) !== null,
      ...(slow && { delayMs: slow.delayMs, bytesPerSecond: slow.bytesPerSecond ?? Infinity }),
    };
  }

  get #sshNow(): SshServer {
    const changed = this.fleet.faults.at('key-changed', { host: this.name }) !== null;
    if (changed) this.#changedKey ??= sshKey(this.fleet.seed, 'another', this.name);
    const key = changed && this.#changedKey ? this.#changedKey : this.key;
    let server = this.#ssh.get(key);
    if (!server) this.#ssh.set(key, (server = new SshServer(this, key)));
    return server;
  }
}
