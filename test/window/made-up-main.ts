// A main side made up for tests of the whole window: a fleet that lives, answers the calls, and tells by deltas.
import type { ArgsIn, CallName, Result } from '../../contract/calls.ts';
import type { Delta, LinkEvents, NumberedDelta, Snapshot } from '../../contract/events.ts';
import { Failure } from '../../contract/failure.ts';
import type { Link } from '../../contract/link.ts';
import type {
  DomainHappening,
  DomainHistory,
  DomainRef,
  DomainState,
  DomainView,
  EvacuationPlan,
  HostView,
  LifecycleAction,
  MigrationView,
  Preferences,
  Preflight,
  SnapshotView,
  StatsRow,
} from '../../contract/model.ts';
import { migrationOptions as options } from '../../src-renderer/gallery/examples.ts';
import { random } from './made-up-fleet.ts';
import { MadeUpGraphics } from './made-up-graphics.ts';

type Listener = (payload: never) => void;

const after: Record<LifecycleAction, DomainState> = {
  start: 'running',
  shutdown: 'shutoff',
  reboot: 'running',
  reset: 'running',
  destroy: 'shutoff',
  suspend: 'paused',
  resume: 'running',
  managedsave: 'shutoff',
};

export class MadeUpMain implements Link {
  readonly snapshot: Snapshot;
  /** Every call, in order: what a test looks at. */
  readonly said: { name: CallName; args: unknown }[] = [];
  preferences: Preferences = { theme: 'system', window: {} };
  /** How long one percent of a migration takes. */
  percentMs = 30;
  readonly #listeners = new Map<string, Set<Listener>>();
  #up = true;
  #refused: string | null = null;
  #pending: NumberedDelta[] = [];
  #next = random(7);
  #count = 0;
  readonly #load = new Map<string, number>();
  readonly #snapshots = new Map<string, SnapshotView[]>();
  /** Of VMs whose definition is another than the usual one. */
  readonly definitions = new Map<string, string>();
  /** What happened to whichever VM is asked for. */
  events: DomainHappening[] = [];

  /** The VNC servers of VMs whose screen was opened, by UUID; those of `vncPasswords` ask for one. */
  readonly graphics = new Map<string, MadeUpGraphics>();
  readonly vncPasswords = new Set<string>();

  constructor(snapshot: Snapshot) {
    this.snapshot = snapshot;
  }

  on<E extends keyof LinkEvents | 'up'>(
    event: E,
    listener: (payload: E extends keyof LinkEvents ? LinkEvents[E] : boolean) => void,
  ): () => void {
    const all = this.#listeners.get(event) ?? new Set();
    this.#listeners.set(event, all.add(listener));
    if (event === 'up') (listener as (up: boolean) => void)(this.#up);
    return () => void all.delete(listener);
  }

  async call<N extends CallName>(name: N, args: ArgsIn<N>): Promise<Result<N>> {
    this.said.push({ name, args });
    if (this.#refused !== null) throw new Failure('unauthorized', this.#refused);
    const answer = this.#carry(name, args as never);
    // What travels is a copy: nobody shares an object with the main side.
    return structuredClone((await answer) ?? null) as Result<N>;
  }

  /** @param refused why nobody is let in, while it is down */
  up(up: boolean, refused: string | null = null): void {
    this.#up = up;
    this.#refused = refused;
    this.#tell('up', up);
  }

  push(delta: Delta): void {
    this.#keep(delta);
    this.snapshot.seq += 1;
    if (this.#pending.length === 0) setTimeout(() => this.#flush(), 16);
    this.#pending.push(structuredClone({ ...delta, seq: this.snapshot.seq }));
  }

  /** New figures of everything, as one interval brings them. */
  beat(): void {
    const at = new Date().toISOString();
    for (const host of this.snapshot.hosts) {
      if (host.state !== 'online' || !host.info) continue;
      const rows: StatsRow[] = [];
      let used = 0;
      for (const domain of this.snapshot.domains) {
        if (domain.hostId !== host.id || domain.state !== 'running') continue;
        const cpuPercent = this.#walk(domain.uuid);
        used += (cpuPercent * domain.vcpus) / host.info.cpus;
        rows.push({
          hostId: host.id,
          uuid: domain.uuid,
          cpuPercent,
          memoryUsedKiB: Math.round(domain.memoryKiB * 0.6),
          diskReadBps: Math.round(cpuPercent * 20_000),
          diskWriteBps: Math.round(cpuPercent * 9_000),
          netRxBps: Math.round(cpuPercent * 30_000),
          netTxBps: Math.round(cpuPercent * 12_000),
          at,
        });
      }
      const cpuPercent = Math.min(98, used + 3);
      rows.push({ hostId: host.id, cpuPercent, freeMemoryKiB: host.info.freeMemoryKiB, at });
      this.push({ event: 'stats', data: rows });
    }
  }

  /** The console of a guest says something. */
  print(uuid: string, text: string): void {
    this.#tell('console.data', { consoleId: `console-${uuid}`, bytes: new TextEncoder().encode(text) });
  }

  domain({ hostId, uuid }: DomainRef): DomainView {
    const found = this.snapshot.domains.find((one) => one.hostId === hostId && one.uuid === uuid);
    if (!found) throw new Failure('not-found', 'This VM is not there any more.');
    return found;
  }

  host(id: string): HostView {
    const found = this.snapshot.hosts.find((one) => one.id === id);
    if (!found) throw new Failure('not-found', 'This host is not there any more.');
    return found;
  }

  changeHost(id: string, change: Partial<HostView>): void {
    this.push({ event: 'host', data: { ...this.host(id), ...change } });
  }

  changeDomain(ref: DomainRef, change: Partial<DomainView>): void {
    this.push({ event: 'domain', data: { ...this.domain(ref), ...change } });
  }

  changeMigration(id: string, change: Partial<MigrationView>): MigrationView {
    const known = this.snapshot.migrations.find((one) => one.id === id);
    if (!known) throw new Failure('not-found', 'There is no such migration.');
    const data = { ...known, ...change };
    this.push({ event: 'migration', data });
    return data;
  }

  #flush(): void {
    const deltas = this.#pending;
    this.#pending = [];
    this.#tell('deltas', { epoch: this.snapshot.epoch, deltas });
  }

  #tell(event: string, payload: unknown): void {
    for (const listener of [...(this.#listeners.get(event) ?? [])]) listener(payload as never);
  }

  #walk(uuid: string): number {
    const was = this.#load.get(uuid) ?? 60 * this.#next() ** 2;
    const now = Math.min(99, Math.max(0.3, was + (this.#next() - 0.5) * 9));
    this.#load.set(uuid, now);
    return now;
  }

  /** What a fresh snapshot would hold from now on. */
  #keep({ event, data }: Delta): void {
    const { hosts, domains, migrations } = this.snapshot;
    if (event === 'host') put(hosts, data, (one) => one.id === data.id);
    else if (event === 'domain') put(domains, data, (one) => one.hostId === data.hostId && one.uuid === data.uuid);
    else if (event === 'migration') put(migrations, data, (one) => one.id === data.id);
    if (event !== 'domain') return;
    const mine = domains.filter(({ hostId }) => hostId === data.hostId);
    const host = hosts.find(({ id }) => id === data.hostId);
    const counts = { running: mine.filter(({ state }) => state === 'running').length, total: mine.length };
    if (host && (host.domains.running !== counts.running || host.domains.total !== counts.total)) {
      queueMicrotask(() => this.push({ event: 'host', data: { ...host, domains: counts } }));
    }
  }

  #carry(name: CallName, args: never): unknown {
    switch (name) {
      case 'fleet.snapshot':
        return this.snapshot;
      case 'preferences.get':
        return this.preferences;
      case 'preferences.set':
        return Object.assign(this.preferences, args);
      case 'questions.list':
      case 'neighbours.list':
        return [];
      case 'migrations.options':
        return Object.entries(options as object as Record<string, unknown>).map(([option, value]) => ({
          name: option,
          default: value,
          does: '',
        }));
      case 'domains.act':
        return this.#act(args);
      case 'domains.update': {
        const { hostId, uuid, ...change } = args as ArgsIn<'domains.update'>;
        this.changeDomain({ hostId, uuid }, change);
        return this.domain({ hostId, uuid });
      }
      case 'hosts.update': {
        const { id, ...change } = args as ArgsIn<'hosts.update'>;
        this.changeHost(id, change);
        return this.host(id);
      }
      case 'domains.xml':
        return { xml: this.#xmlOf(this.domain(args)) };
      case 'snapshots.list':
        return {
          snapshots: this.snapshotsOf(args),
          diskOnly: this.domain(args).name === 'mail01' ? 'The disk vda of mail01 is raw.' : null,
        };
      case 'snapshots.create':
        return this.#snapshot(args);
      case 'snapshots.revert':
        return this.#goBack(args);
      case 'snapshots.delete':
        return this.#forget(args);
      case 'domains.events':
        return { events: this.events };
      case 'domains.history':
        return madeUpHistory();
      case 'domains.redefine':
        return this.#redefine(args);
      case 'migrations.preflight':
        return this.#preflight(args);
      case 'migrations.start':
        return this.#migrate(args);
      case 'migrations.cancel':
        return this.#cancel(args);
      case 'migrations.update':
        return this.#tune(args);
      case 'migrations.postcopy':
        return this.changeMigration((args as { id: string }).id, { postCopied: true });
      case 'migrations.resolve':
        return this.changeMigration((args as { id: string }).id, { state: 'failed', actions: [], endedAt: now() });
      case 'hosts.evacuate':
        return this.#evacuate(args);
      case 'consoles.open':
        return this.#openConsole(args);
      case 'consoles.graphics':
        return this.#openGraphics(args);
      case 'consoles.write':
        this.#write(args);
        return null;
      case 'consoles.ack':
      case 'consoles.close':
        return null;
      case 'hosts.connect':
        return this.host((args as { id: string }).id);
      default:
        throw new Failure('unsupported', `The made-up main side has no answer to ${name}.`);
    }
  }

  #xmlOf({ name, uuid }: DomainView): string {
    return (
      this.definitions.get(uuid) ??
      [
        "<domain type='kvm'>",
        `  <name>${name}</name>`,
        `  <uuid>${uuid}</uuid>`,
        '  <metadata>',
        "    <kept:note xmlns:kept='urn:example'>what Drover does not know</kept:note>",
        '  </metadata>',
        "  <memory unit='KiB'>1048576</memory>",
        "  <vcpu placement='static'>2</vcpu>",
        '  <devices>',
        '    <emulator>/usr/bin/qemu-system-x86_64</emulator>',
        "    <serial type='pty'/>",
        '  </devices>',
        '</domain>',
        '',
      ].join('\n')
    );
  }

  #redefine({ xml, was, ...ref }: ArgsIn<'domains.redefine'>): DomainView {
    const domain = this.domain(ref);
    if (was !== this.#xmlOf(domain)) throw new Failure('conflict', 'The definition changed since it was read.');
    if (xml.includes('<vcpus'))
      throw new Failure('libvirt', 'kvm1, defining web01: libvirt says “Extra element vcpus in interleave”.');
    this.definitions.set(ref.uuid, xml);
    return domain;
  }

  snapshotsOf({ hostId, uuid }: DomainRef): SnapshotView[] {
    const key = `${hostId}/${uuid}`;
    const known = this.#snapshots.get(key) ?? [];
    this.#snapshots.set(key, known);
    return known;
  }

  #snapshot({ name, description, diskOnly, ...ref }: ArgsIn<'snapshots.create'>): SnapshotView {
    const all = this.snapshotsOf(ref);
    if (all.some((one) => one.name === name)) throw new Failure('libvirt', `libvirt says “${name} already exists”.`);
    const { state, id } = this.domain(ref);
    const runs = id !== null;
    const was = all.find(({ current }) => current);
    if (was) was.current = false;
    const made: SnapshotView = {
      name,
      description: description ?? '',
      createdAt: new Date(Date.UTC(2026, 0, 1, 12, all.length)).toISOString(),
      state: diskOnly && runs ? 'disk-snapshot' : state,
      parent: was?.name ?? null,
      current: true,
      memory: runs && !diskOnly,
      disks: [{ target: 'vda', kind: diskOnly ? 'external' : 'internal' }],
    };
    all.push(made);
    return made;
  }

  #goBack({ name, ...ref }: ArgsIn<'snapshots.revert'>): DomainView {
    for (const one of this.snapshotsOf(ref)) one.current = one.name === name;
    return this.domain(ref);
  }

  #forget({ name, children, ...ref }: ArgsIn<'snapshots.delete'>): unknown {
    const all = this.snapshotsOf(ref);
    const gone = all.find((one) => one.name === name);
    for (const one of all.filter(({ parent }) => parent === name)) {
      if (children) this.#forget({ ...ref, name: one.name, children });
      else one.parent = gone?.parent ?? null;
    }
    if (gone) all.splice(all.indexOf(gone), 1);
    return { removed: true, ...ref, name };
  }

  #act({ action, ...ref }: DomainRef & { action: LifecycleAction }): DomainView {
    const domain = this.domain(ref);
    setTimeout(() => {
      const state = after[action];
      this.changeDomain(ref, { state, id: state === 'shutoff' ? null : (domain.id ?? 9), stats: null });
    }, 60);
    return domain;
  }

  #preflight({ uuid, from, to }: { uuid: string; from: string; to?: string }): unknown {
    const domain = this.domain({ hostId: from, uuid });
    const one = (host: HostView): Preflight => {
      if (host.state !== 'online') return no('online', `${host.label} is not connected.`, 'Connect it first.');
      if (domain.name.startsWith('db') && Number(host.id.slice(5)) % 3 === 0)
        return no(
          'disk',
          `The disk of ${domain.name} is local to ${this.host(from).label}.`,
          'Copy its storage as well.',
        );
      if ((host.info?.freeMemoryKiB ?? 0) < 30 * 1024 * 1024)
        return {
          verdict: 'warn',
          checks: [{ id: 'memory', level: 'warn', message: `${host.label} has little free memory.` }],
        };
      return { verdict: 'ok', checks: [{ id: 'online', level: 'ok', message: 'Both hosts are connected.' }] };
    };
    if (to !== undefined) return one(this.host(to));
    return Object.fromEntries(this.snapshot.hosts.filter(({ id }) => id !== from).map((host) => [host.id, one(host)]));
  }

  #migrate({ uuid, from, to, options: given, batch }: ArgsIn<'migrations.start'>): MigrationView {
    const ref = { hostId: from, uuid };
    const domain = this.domain(ref);
    this.#count += 1;
    const migration: MigrationView = {
      id: `migration-${this.#count}`,
      uuid,
      name: domain.name,
      from,
      to,
      options: { ...options, ...given },
      state: 'running',
      phase: 'perform',
      progress: {
        percent: 0,
        dataTotalBytes: 2 ** 31,
        dataProcessedBytes: 0,
        dataRemainingBytes: 2 ** 31,
        memoryBps: 9e7,
        dirtyRateBps: 1e6,
        iteration: 1,
        elapsedMs: 0,
        etaMs: 9000,
      },
      downtimeMs: null,
      virsh: `virsh migrate --live ${domain.name} ${this.host(to).uri}`,
      startedAt: new Date().toISOString(),
      endedAt: null,
      error: null,
      verdict: null,
      actions: [],
      by: 'anna',
      ...(batch && { batch }),
    };
    this.push({ event: 'migration', data: migration });
    this.#step(migration.id, ref);
    return migration;
  }

  #step(id: string, ref: DomainRef): void {
    setTimeout(() => {
      const now = this.snapshot.migrations.find((one) => one.id === id);
      if (!now || now.state !== 'running') return;
      const percent = Math.min(100, now.progress.percent + 1);
      const progress = {
        ...now.progress,
        percent,
        elapsedMs: now.progress.elapsedMs + this.percentMs,
        dataProcessedBytes: (percent / 100) * now.progress.dataTotalBytes,
        dataRemainingBytes: (1 - percent / 100) * now.progress.dataTotalBytes,
      };
      if (percent < 100) {
        this.push({ event: 'migration', data: { ...now, progress } });
        this.changeDomain(ref, { job: { migrationId: id, side: 'source', percent } });
        this.#step(id, ref);
        return;
      }
      const { job: _job, ...rest } = this.domain(ref);
      this.push({ event: 'domain', data: { ...rest, hostId: now.to, job: null } });
      this.push({ event: 'domain', data: { removed: true, ...ref } });
      this.push({
        event: 'migration',
        data: {
          ...now,
          progress,
          state: 'completed',
          phase: 'confirm',
          downtimeMs: 34,
          endedAt: new Date().toISOString(),
          verdict: { runningOn: [now.to], definedOn: [now.to] },
        },
      });
      for (const kind of ['console', 'graphics']) {
        this.#tell('console.note', {
          consoleId: `${kind}-${ref.uuid}`,
          note: { type: 'moved', from: now.from, to: now.to },
        });
      }
      this.graphics.get(ref.uuid)?.begin();
    }, this.percentMs);
  }

  #tune({ id, ...limits }: ArgsIn<'migrations.update'>): MigrationView {
    const known = this.snapshot.migrations.find((one) => one.id === id);
    const { bandwidthMiBps, maxDowntimeMs } = limits;
    return this.changeMigration(id, {
      options: {
        ...(known?.options ?? options),
        ...(bandwidthMiBps !== undefined && { bandwidthMiBps }),
        ...(maxDowntimeMs !== undefined && { maxDowntimeMs }),
      },
    });
  }

  /** All to the first host that is given, besides what no host takes. */
  #evacuate({ id, to, dryRun }: ArgsIn<'hosts.evacuate'>): EvacuationPlan {
    const target = to?.[0] ?? this.snapshot.hosts.find((host) => host.id !== id && host.state === 'online')?.id ?? '';
    const here = this.snapshot.domains.filter(({ hostId }) => hostId === id);
    const moves = here.filter(({ name, state }) => state === 'running' && !name.startsWith('db'));
    const plan = moves.map(({ uuid, name }) => ({ uuid, name, to: target, reason: `${name} fits there.` }));
    const stays = here
      .filter((domain) => !moves.includes(domain))
      .map(({ uuid, name }) => ({ uuid, name, reason: `The disk of ${name} is local to ${this.host(id).label}.` }));
    if (dryRun) return { plan, stays, migrations: [] };
    const batch = { id: `batch-${id}`, title: `Empty ${this.host(id).label}`, size: plan.length };
    const migrations = plan.map(({ uuid }) => this.#migrate({ uuid, from: id, to: target, batch }));
    return { plan, stays, migrations };
  }

  #cancel({ id }: { id: string }): MigrationView {
    const now = this.snapshot.migrations.find((one) => one.id === id);
    if (!now) throw new Failure('not-found', 'There is no such migration.');
    const ended: MigrationView = {
      ...now,
      state: 'cancelled',
      endedAt: new Date().toISOString(),
      verdict: { runningOn: [now.from], definedOn: [now.from] },
    };
    this.push({ event: 'migration', data: ended });
    this.changeDomain({ hostId: now.from, uuid: now.uuid }, { job: null });
    return ended;
  }

  #openGraphics(ref: DomainRef): { consoleId: string } {
    const { name, uuid } = this.domain(ref);
    const consoleId = `graphics-${uuid}`;
    const graphics =
      this.graphics.get(uuid) ??
      new MadeUpGraphics(name, (bytes) => this.#tell('console.data', { consoleId, bytes: bytes.slice() }));
    graphics.password = this.vncPasswords.has(uuid);
    this.graphics.set(uuid, graphics);
    this.#tell('console.note', { consoleId, note: { type: 'open' } });
    graphics.begin();
    return { consoleId };
  }

  #write({ consoleId, bytes }: ArgsIn<'consoles.write'>): void {
    // A server answers in a turn of its own, as over a network.
    const copy = bytes.slice();
    if (consoleId.startsWith('graphics-'))
      setTimeout(() => this.graphics.get(consoleId.slice('graphics-'.length))?.take(copy));
  }

  #openConsole({ uuid }: DomainRef): { consoleId: string } {
    const consoleId = `console-${uuid}`;
    let tick = 0;
    const timer = setInterval(() => {
      if (
        this.said.some(
          (one) => one.name === 'consoles.close' && (one.args as { consoleId: string }).consoleId === consoleId,
        )
      ) {
        clearInterval(timer);
        return;
      }
      tick += 1;
      this.#tell('console.data', { consoleId, bytes: new TextEncoder().encode(`tick ${tick}\r\n`) });
    }, 250);
    return { consoleId };
  }
}

const now = () => new Date().toISOString();

const no = (id: string, message: string, fix: string): Preflight => ({
  verdict: 'blocked',
  checks: [{ id, level: 'error', message, fix }],
});

function put<T>(list: T[], item: T | { removed: true }, same: (one: T) => boolean): void {
  const at = list.findIndex(same);
  if (typeof item === 'object' && item !== null && 'removed' in item) {
    if (at >= 0) list.splice(at, 1);
  } else if (at >= 0) list[at] = item;
  else list.push(item);
}

/** Half an hour with a silence in it. */
function madeUpHistory(): DomainHistory {
  const points = (of: (at: number) => number) =>
    Array.from({ length: 30 }, (_, at) => (at > 9 && at < 14 ? null : Math.round(of(at))));
  return {
    from: new Date(Date.now() - 29 * 60_000).toISOString(),
    stepMs: 60_000,
    most: 180,
    cpuPercent: points((at) => 30 + 25 * Math.sin(at / 3)),
    memoryUsedKiB: points((at) => 600_000 + at * 5_000),
    diskBps: points((at) => 2e6 + 1e6 * Math.cos(at / 2)),
    netBps: points((at) => 5e6 + 4e6 * Math.sin(at / 5)),
  };
}
