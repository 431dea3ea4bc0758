// All open consoles, each of which goes with its VM when that moves. Viewers of the same serial console share one stream;
// a graphical one is each viewer's own.
import { randomUUID } from 'node:crypto';
import { Failure } from '../../contract/failure.ts';
import type { DomainRef, HostId } from '../../contract/model.ts';
import type { Fleet } from '../fleet/fleet.ts';
import type { Host } from '../fleet/host.ts';
import { GraphicsLine } from './graphics-line.ts';
import { Line } from './line.ts';
import type { Show } from './viewer.ts';

/** How long a switch-over waits for the target's console. */
const beforeSwitchMs = 1_500;

/** One viewer's console, of either kind. */
interface Open {
  line: Line | GraphicsLine;
  write: (bytes: Uint8Array) => void | Promise<void>;
  shown: (bytes: number) => void;
  leave: () => void;
}

export class Consoles {
  readonly #fleet: Fleet;
  #lines = new Map<string, { line: Line; opened: Promise<void> }>();
  #graphics = new Set<GraphicsLine>();
  #open = new Map<string, Open>();

  constructor(fleet: Fleet) {
    this.#fleet = fleet;
    fleet.onHost((host) => this.#follow(host));
  }

  /**
   * Opens a serial console for one viewer.
   * @param target An alias such as `serial0`; the first serial port where it is left out.
   * @throws Failure `conflict` where another program holds it, `not-found`, `libvirt`, `unreachable`
   */
  async open(
    ref: DomainRef,
    options: { target?: string | undefined; takeover?: boolean | undefined },
    show: (id: string) => Show,
  ): Promise<string> {
    const domain = this.#fleet.domain(ref);
    const host = this.#fleet.host(ref.hostId);
    const serial = domain.consoles.filter(({ kind }) => kind === 'serial').map(({ target }) => target);
    const target = options.target ?? serial[0] ?? null;
    if (target === null)
      throw new Failure('not-found', `${domain.name} on ${host.label} has no serial console. Add a serial port to it.`);
    if (!serial.includes(target)) {
      throw new Failure(
        'not-found',
        `${domain.name} on ${host.label} has no serial console “${target}”, only ${serial.join(', ') || 'none'}.`,
      );
    }
    let line: Line;
    // Whoever shares one may find that the others have just left it.
    do line = await this.#line(host, ref, domain.name, target, options.takeover ?? false);
    while (!line.lives);
    const id = randomUUID();
    const viewer = line.join(show(id));
    this.#open.set(id, {
      line,
      write: (bytes) => line.write(bytes),
      shown: (bytes) => line.shown(viewer, bytes),
      leave: () => line.leave(viewer),
    });
    return id;
  }

  /**
   * Opens a graphical console for one viewer: what it carries is RFB, VNC's protocol, as the VM's server speaks it.
   * After the note `moved` another server begins anew; what is sent before the answer to its greeting is dropped.
   * @param target `vnc0`; the first one where it is left out.
   * @throws Failure `not-found`, `unsupported` where there is no VNC, `libvirt`, `unreachable`
   */
  async openGraphics(ref: DomainRef, target: string | undefined, show: (id: string) => Show): Promise<string> {
    const { name, id: running } = this.#fleet.domain(ref);
    const host = this.#fleet.host(ref.hostId);
    if (running === null) {
      throw new Failure('not-found', `${name} does not run on ${host.label}, so it shows nothing now. Run it first.`);
    }
    const id = randomUUID();
    const line: GraphicsLine = new GraphicsLine({
      host,
      uuid: ref.uuid,
      name,
      target: target ?? null,
      show: show(id),
      elsewhere: () =>
        this.#fleet
          .homes(ref.uuid)
          .find((other) => other.id !== line.host.id && (other.domains.get(ref.uuid)?.id ?? null) !== null) ?? null,
      over: () => {
        this.#graphics.delete(line);
        this.#open.delete(id);
      },
    });
    await line.open();
    this.#graphics.add(line);
    this.#open.set(id, {
      line,
      write: (bytes) => line.write(bytes),
      shown: (bytes) => line.shown(bytes),
      leave: () => line.leave(),
    });
    return id;
  }

  /** Resolves when more may be written. @throws Failure `not-found`, `conflict` */
  write(id: string, bytes: Uint8Array): void | Promise<void> {
    return this.#get(id).write(bytes);
  }

  /** So many bytes were shown: more may come. */
  shown(id: string, bytes: number): void {
    this.#open.get(id)?.shown(bytes);
  }

  close(id: string): void {
    const open = this.#open.get(id);
    this.#open.delete(id);
    open?.leave();
  }

  /** Opens the target's console of what is looked at, before the VM may run there. */
  async beforeSwitch({ hostId, uuid }: DomainRef, to: Host): Promise<void> {
    const lines = this.#linesOf(uuid).filter((line) => line.host.id === hostId);
    if (lines.length === 0) return;
    await Promise.race([
      Promise.all(lines.map((line) => line.prepare(to))),
      new Promise((resolve) => setTimeout(resolve, beforeSwitchMs).unref()),
    ]);
  }

  /** Tells every viewer that it ends. */
  closeAll(): void {
    const lines = [...[...this.#lines.values()].map(({ line }) => line), ...this.#graphics];
    for (const line of lines) line.close(new Failure('unreachable', 'Drover is ending.'));
  }

  #get(id: string) {
    const open = this.#open.get(id);
    if (!open) throw new Failure('not-found', 'That console is not open any more.');
    return open;
  }

  async #line(host: Host, ref: DomainRef, name: string, target: string, takeover: boolean): Promise<Line> {
    const key = keyOf(ref.hostId, ref.uuid, target);
    const known = this.#lines.get(key);
    if (known) {
      await known.opened;
      return known.line;
    }
    const line: Line = new Line({
      host,
      uuid: ref.uuid,
      name,
      target,
      moved: (moved, from) => this.#moved(moved, from),
      elsewhere: () =>
        this.#fleet
          .homes(ref.uuid)
          .find((other) => other.id !== line.host.id && other.domains.get(ref.uuid)?.state === 'running') ?? null,
      over: (over) => this.#forget(over),
    });
    const opened = line.open(takeover);
    this.#lines.set(key, { line, opened });
    try {
      await opened;
    } catch (error) {
      this.#drop(key, line);
      throw error;
    }
    return line;
  }

  #moved(line: Line, from: HostId): void {
    this.#drop(keyOf(from, line.uuid, line.target), line);
    this.#lines.set(keyOf(line.host.id, line.uuid, line.target), { line, opened: Promise.resolve() });
  }

  #forget(line: Line): void {
    this.#drop(keyOf(line.host.id, line.uuid, line.target), line);
    for (const [id, open] of this.#open) if (open.line === line) this.#open.delete(id);
  }

  #drop(key: string, line: Line): void {
    if (this.#lines.get(key)?.line === line) this.#lines.delete(key);
  }

  /** Whoever moves a VM, Drover or another: its console is opened where it comes up. */
  #follow(host: Host): void {
    host.onLifecycle((uuid, { event, detail }) => {
      for (const line of this.#linesOf(uuid)) {
        if (line.host.id === host.id) continue;
        if (event === 'started' && detail === 'migrated') void line.prepare(host);
        else if (event === 'resumed' && detail === 'migrated') line.arrived(host);
        else if (event === 'stopped') line.stayed(host);
      }
      for (const line of this.#graphics) {
        if (line.uuid !== uuid) continue;
        if (event === 'resumed' && (detail === 'migrated' || detail === 'postcopy')) line.arrived(host);
        else if (event === 'stopped' && detail !== 'migrated') line.stopped(host);
      }
    });
  }

  #linesOf(uuid: string): Line[] {
    return [...this.#lines.values()].map(({ line }) => line).filter((line) => line.lives && line.uuid === uuid);
  }
}

const keyOf = (hostId: HostId, uuid: string, target: string | null) => `${hostId} ${uuid} ${target ?? ''}`;
