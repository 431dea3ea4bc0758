// The lab: three real libvirt hosts on a network of their own, and an admin's side to reach them from.
import { spawn, type ChildProcess } from 'node:child_process';
import { chmod, copyFile, mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { insideAdmin, makeHome, startKeeper } from './admin.ts';
import { diskPath, domainXml, guestNamed, guests, GUEST_BOOT, type Guest } from './guests.ts';
import { createHost, hostPlans, inside, killDaemon, PASSWORD, pidsOf, runOn, startDaemon } from './host.ts';
import type { Daemon, HostRecord } from './host.ts';
import { buildGuestBoot } from './initramfs.ts';
import { createGuestBridge, createNetwork, netemThere, setLink, setNetem, subnetOf } from './namespaces.ts';
import { processId } from './processes.ts';
import { claim, directoryOf, readState, remove, writeState, type AdminRecord, type LabState } from './registry.ts';
import { run, RunError, until, type RunOptions } from './run.ts';

export interface UpOptions {
  /** Up to ten small letters and digits; a fresh one where left out. */
  prefix?: string;
  /** Whose end ends the lab's right to live; null keeps it until it is taken down. */
  owner?: number | null;
}

/** Where a guest is: `state` in virsh's words, e.g. `running`, `paused`, `shut off`. */
export interface Whereabouts {
  host: string;
  state: string;
}

export class Lab {
  readonly state: LabState;

  constructor(state: LabState) {
    this.state = state;
  }

  /** The lab of `DROVER_LAB`, or of the file given. */
  static async open(file = process.env.DROVER_LAB): Promise<Lab> {
    if (!file) throw new Error('DROVER_LAB is not set: it has to name the lab.json of a lab that is up');
    return new Lab(await readState(file));
  }

  /** Makes a whole lab: hosts up, guests in their places, those that run ticking. */
  static async up({ prefix = randomPrefix(), owner = process.pid }: UpOptions = {}): Promise<Lab> {
    const directory = directoryOf(prefix);
    const shared = join(directory, 'shared');
    const subnet = subnetOf(prefix);
    const state: LabState = {
      prefix,
      directory,
      owner: owner === null ? null : processId(owner),
      ready: false,
      subnet: `${subnet}.0/24`,
      shared,
      password: PASSWORD,
      admin: null,
      hosts: [],
    };
    await claim(state);
    const lab = new Lab(state);
    try {
      await lab.#build(subnet);
      state.ready = true;
      await writeState(state);
      return lab;
    } catch (error) {
      await lab.down().catch(() => undefined); // why it did not come up matters more
      throw error;
    }
  }

  async #build(subnet: string): Promise<void> {
    const { state } = this;
    const { prefix, directory, shared } = state;
    const addressOf = (index: number) => `${subnet}.${11 + index}`;
    const adm = `${subnet}.1`;
    const names = hostPlans.map(({ name }, index) => `${addressOf(index)} ${name}\n`).join('');
    const hostsFile = `127.0.0.1 localhost\n::1 localhost\n${adm} adm\n${names}`;
    await mkdir(join(shared, 'console'), { recursive: true });
    const home = join(directory, 'home');

    const [files, boot] = await Promise.all([
      makeHome(home),
      buildGuestBoot(directory),
      createNetwork(prefix, {
        adm,
        ...Object.fromEntries(hostPlans.map(({ name }, index) => [name, addressOf(index)])),
      }),
    ]);
    const { publicKeys, ...rest } = files;
    const adminFolder = join(directory, 'adm');
    await mkdir(adminFolder);
    const keeper = await startKeeper(prefix, adminFolder, home, hostsFile);
    state.admin = { ...rest, namespace: `${prefix}-adm`, address: adm, keeper };

    await Promise.all(
      hostPlans.map(async (plan, index) => {
        const own = join(directory, plan.name);
        const address = addressOf(index);
        const made = await createHost(plan, { prefix, own, shared, address, hostsFile, authorizedKeys: publicKeys });
        const query = new URLSearchParams({ keyfile: files.keys.ed25519, known_hosts: files.knownHosts });
        const uri = `qemu+ssh://${plan.user}@${address}/system?${query.toString().replaceAll('%2F', '/')}`;
        state.hosts[index] = { ...made, uri };
        for (const [from, to] of [
          [boot.kernel, 'vmlinuz'],
          [boot.initrd, 'initrd.gz'],
        ] as const) {
          await copyFile(from, join(own, GUEST_BOOT, to));
          await chmod(join(own, GUEST_BOOT, to), 0o644);
        }
        await createGuestBridge(prefix, plan.name);
      }),
    );
    await writeState(state); // from here on a killed run's processes can be found
    const known = state.hosts.flatMap(({ name, address, publicKeys: keys }) =>
      Object.values(keys).map((line) => `${name},${address} ${line.split(' ').slice(0, 2).join(' ')}\n`),
    );
    await writeFile(rest.knownHosts, known.join(''));

    await Promise.all(
      state.hosts.map(async (host) => {
        await startDaemon(host, 'sshd');
        await startDaemon(host, 'libvirtd');
        await makePools(host);
        await makeDisks(host);
        await this.#settle(host, await this.#list(host));
      }),
    );
    await Promise.all(guests.filter(({ runs }) => runs).map(({ name }) => this.waitForTick(name, 0)));
  }

  get hosts(): readonly HostRecord[] {
    return this.state.hosts;
  }

  get admin(): AdminRecord {
    if (!this.state.admin) throw new Error(`the lab ${this.state.prefix} is not up`);
    return this.state.admin;
  }

  get file(): string {
    return join(this.state.directory, 'lab.json');
  }

  host(name: string): HostRecord {
    const found = this.state.hosts.find((host) => host.name === name);
    if (!found) throw new Error(`the lab has no host ${name}`);
    return found;
  }

  /** The words before a command that is to run on a host, or on the admin's side, with `DROVER_LAB` set there. */
  prefixed(where: string, argv: string[]): string[] {
    return where === 'adm' ? insideAdmin(this.admin, argv, { DROVER_LAB: this.file }) : inside(this.host(where), argv);
  }

  /** Runs on a host, or on the admin's side; returns stdout. @throws RunError */
  exec(where: string, argv: string[], options?: RunOptions): Promise<string> {
    return run(this.prefixed(where, argv), options);
  }

  /** As `exec`, for what goes on: the caller ends it. */
  spawn(where: string, argv: string[]): ChildProcess {
    const [file = '', ...args] = this.prefixed(where, argv);
    return spawn(file, args, { stdio: ['pipe', 'pipe', 'pipe'], env: { ...process.env, LC_ALL: 'C' } });
  }

  /** virsh on the host itself, by its local socket; returns stdout without blank lines at its ends. */
  async virsh(name: string, ...args: string[]): Promise<string> {
    return (await this.exec(name, ['virsh', '-q', '-c', 'qemu:///system', ...args])).trim();
  }

  /** Defines a domain, persistent, from its XML. */
  async define(name: string, xml: string): Promise<void> {
    // The cat, since what Node gives as stdin is a socket, which cannot be opened by a path.
    await this.exec(name, ['sh', '-c', 'cat | virsh -q -c qemu:///system define /dev/stdin'], { input: xml });
  }

  /** Kills a daemon and, with sshd, its sessions. */
  kill(name: string, daemon: Daemon): Promise<void> {
    return killDaemon(this.host(name), daemon);
  }

  /** Starts a daemon that was killed, and waits until it answers. */
  start(name: string, daemon: Daemon): Promise<void> {
    return startDaemon(this.host(name), daemon);
  }

  /** `down`: the host is there, and the network to it silent. */
  async link(name: string, state: 'up' | 'down'): Promise<void> {
    await setLink(this.state.prefix, name, state);
  }

  /** e.g. `['delay', '20ms']`; nothing takes it off. Not every kernel can: ask `hasNetem`. */
  netem(name: string, args: string[] = []): Promise<void> {
    return setNetem(this.state.prefix, name, args);
  }

  hasNetem(): Promise<boolean> {
    return netemThere(this.state.prefix);
  }

  /** Every host that has the guest defined or running. */
  async whereabouts(name: string): Promise<Whereabouts[]> {
    const found = await Promise.all(
      this.hosts.map(async (host) => ({ host: host.name, state: (await this.#list(host)).get(name) })),
    );
    return found.filter((each): each is Whereabouts => each.state !== undefined);
  }

  /** The guest runs on that host, from a fresh boot or going on, and is nowhere else. */
  async ensureRunning(name: string, on: string = guestNamed(name).home): Promise<void> {
    await this.#place({ ...guestNamed(name), home: on, runs: true });
    await this.waitForTick(name);
  }

  /** The guest is defined and shut off on that host, and is nowhere else. */
  async ensureShutOff(name: string, on: string = guestNamed(name).home): Promise<void> {
    await this.#place({ ...guestNamed(name), home: on, runs: false });
  }

  /** All that the guest has said on its console since its last boot; read beside libvirt, so it takes no console. */
  async said(name: string): Promise<string> {
    const file = join(this.state.shared, 'console', `${name}.log`);
    return readFile(file, 'latin1').catch(() => '');
  }

  /** The ticks that it has said so far, in order. */
  async ticks(name: string): Promise<number[]> {
    return [...(await this.said(name)).matchAll(/tick (\d+)\r?\n/g)].map(([, number]) => Number(number));
  }

  /** The next tick after `after`, or after the last one so far. */
  async waitForTick(name: string, after?: number, timeoutMs = 40_000): Promise<number> {
    const last = after ?? (await this.ticks(name)).at(-1) ?? 0;
    return until(
      `a tick of ${name} after ${last}`,
      async () => (await this.ticks(name)).findLast((tick) => tick > last),
      timeoutMs,
    );
  }

  /** Links up, daemons running, every guest in its first place and state, and no others. For between test files. */
  async reset(): Promise<void> {
    await Promise.all(
      this.hosts.map(async (host) => {
        await this.link(host.name, 'up');
        if (await this.hasNetem()) await this.netem(host.name);
        for (const daemon of ['sshd', 'libvirtd'] as const) {
          if ((await pidsOf(host, daemon)).length === 0) await startDaemon(host, daemon);
        }
      }),
    );
    const lists = await Promise.all(this.hosts.map((host) => this.#list(host)));
    // First away with what is in the wrong place, so that none starts while it still runs elsewhere.
    await Promise.all(
      this.hosts.map(async (host, index) => {
        const list = lists[index] ?? new Map<string, string>();
        for (const [name, state] of list) {
          const known = guests.find((guest) => guest.name === name);
          if (known?.home === host.name && settled(known, state)) continue;
          await this.#forget(host, name, state);
          list.delete(name);
        }
      }),
    );
    await Promise.all(this.hosts.map((host) => resetDisks(host)));
    await Promise.all(this.hosts.map((host, index) => this.#settle(host, lists[index] ?? new Map<string, string>())));
  }

  /** Ends all of it, whatever state it is in. */
  async down(): Promise<void> {
    await remove(this.state);
  }

  /** Name to state of every domain of a host. */
  async #list(host: HostRecord): Promise<Map<string, string>> {
    const rows = (await this.virsh(host.name, 'list', '--all')).split('\n').map((row) => row.trim());
    return new Map(
      rows.filter(Boolean).map((row) => {
        const [, name = '', ...state] = row.split(/\s+/);
        return [name, state.join(' ')];
      }),
    );
  }

  async #forget(host: HostRecord, name: string, state: string): Promise<void> {
    if (state !== 'shut off') await this.#unless(/not running|not found/, host, 'destroy', name);
    // A transient one is gone with that.
    await this.#unless(
      /not found|failed to get domain/i,
      host,
      'undefine',
      name,
      '--managed-save',
      '--snapshots-metadata',
    );
  }

  async #unless(expected: RegExp, host: HostRecord, ...args: string[]): Promise<void> {
    await this.virsh(host.name, ...args).catch((error: unknown) => {
      if (!(error instanceof RunError && expected.test(error.stderr))) throw error;
    });
  }

  async #place(guest: Guest): Promise<void> {
    await Promise.all(
      this.hosts.map(async (host) => {
        const state = (await this.#list(host)).get(guest.name);
        if (state === undefined || (host.name === guest.home && settled(guest, state))) return;
        await this.#forget(host, guest.name, state);
      }),
    );
    const host = this.host(guest.home);
    await this.#put(host, guest, (await this.#list(host)).get(guest.name));
  }

  /** Puts every guest whose place this host is into it. */
  async #settle(host: HostRecord, list: Map<string, string>): Promise<void> {
    for (const guest of guests.filter(({ home }) => home === host.name))
      await this.#put(host, guest, list.get(guest.name));
  }

  /** @param state where it is already right, else undefined */
  async #put(host: HostRecord, guest: Guest, state: string | undefined): Promise<void> {
    if (state === undefined) await this.define(host.name, domainXml(guest));
    if (!guest.runs || state === 'running') return;
    await writeFile(join(this.state.shared, 'console', `${guest.name}.log`), '');
    await this.virsh(host.name, 'start', guest.name);
  }
}

const settled = (guest: Guest, state: string) => state === (guest.runs ? 'running' : 'shut off');

const randomPrefix = () => `l${Math.random().toString(36).slice(2, 7)}`;

async function makePools(host: HostRecord): Promise<void> {
  const pools = { default: '/var/lib/libvirt/images', shared: '/srv/shared' };
  for (const [name, target] of Object.entries(pools)) {
    const commands = [`pool-define-as ${name} dir --target ${target}`, `pool-start ${name}`, `pool-autostart ${name}`];
    await runOn(host, ['virsh', '-q', '-c', 'qemu:///system', commands.join('; ')]);
  }
}

async function makeDisks(host: HostRecord): Promise<void> {
  for (const guest of guests.filter(({ home, disk }) => disk && home === host.name)) {
    await runOn(host, ['qemu-img', 'create', '-q', '-f', 'qcow2', diskPath(guest), '64M']);
  }
}

/** A disk that only its host has: there again where a test took it away, and nowhere else. */
async function resetDisks(host: HostRecord): Promise<void> {
  for (const guest of guests.filter(({ disk }) => disk === 'local')) {
    const path = diskPath(guest);
    const mend =
      guest.home === host.name ? `test -e ${path} || qemu-img create -q -f qcow2 ${path} 64M` : `rm -f ${path}`;
    await runOn(host, ['sh', '-c', mend]);
  }
}
