// The open consoles, serial and graphical: each a session that outlives its pane, its connection, and the host its VM is on.
import { SvelteMap } from 'svelte/reactivity';
import type { Link } from '../../contract/link.ts';
import type { ConsoleNote } from '../../contract/events.ts';
import type { DomainRef, HostId, Uuid } from '../../contract/model.ts';
import { toErr, type Err } from '../../contract/failure.ts';
import { consoleNotes as words } from '../words/console.ts';
import { ConsoleStream } from './console-stream.ts';

/** What shows a console's bytes. */
export interface Screen {
  /** `shown` is called once the bytes stand on the screen. */
  write(bytes: Uint8Array, shown: () => void): void;
  /** A line of Drover's own, told apart from what the guest says. */
  note(text: string): void;
  /** What comes from here on begins anew, as after a move; of a screen that has to know. */
  begin?(): void;
  /** Nothing more comes. */
  end?(): void;
  dispose(): void;
}

interface Wanted {
  kind: ConsoleKind;
  target: string | undefined;
}

export type ConsoleKind = 'serial' | 'graphical';
export type ConsoleState = 'opening' | 'open' | 'closed';

/** What a session asks of the fleet. */
export interface Homes {
  label(hostId: HostId): string;
  /** The hosts on which the VM runs and that answer now. */
  running(uuid: Uuid): readonly HostId[];
}

export class ConsoleSession<S extends Screen = Screen> {
  readonly key: string;
  readonly uuid: Uuid;
  readonly kind: ConsoleKind;
  /** The device's alias, e.g. `serial0`, `vnc0`; undefined for the VM's first. */
  readonly target: string | undefined;
  /** Where the VM is, as far as this console knows. */
  hostId = $state<HostId>('');
  state = $state<ConsoleState>('opening');
  /** Why it is closed; null where the guest ended it. */
  err = $state.raw<Err | null>(null);
  /** Set once it may lack bytes: what is on the screen is not all that the guest said. */
  gap = $state(false);

  readonly #link: Link;
  readonly #homes: Homes;
  #stream: ConsoleStream | null = null;
  #screen: Promise<S> | null = null;
  #ready: S | null = null;
  /** What came before there was a screen; unacknowledged, so the main side keeps it short. */
  #waiting: ((screen: Screen) => void)[] = [];
  /** Counts connections, so that what an earlier one still says is not taken for the present one's. */
  #attempt = 0;
  #wasRunning = true;
  #cut = false;

  constructor(link: Link, homes: Homes, domain: DomainRef, { kind, target }: Wanted) {
    this.#link = link;
    this.kind = kind;
    this.#homes = homes;
    this.hostId = domain.hostId;
    this.uuid = domain.uuid;
    this.target = target;
    this.key = keyOf(domain.uuid, { kind, target });
  }

  get streamId(): string | null {
    return this.#stream?.id ?? null;
  }

  /** The screen, made by `make` when it is first asked for and kept from then on: one kind of session, one of screen. */
  screen<T extends S>(make: () => Promise<T>): Promise<T> {
    this.#screen ??= make().then((screen) => {
      this.#ready = screen;
      for (const show of this.#waiting.splice(0)) show(screen);
      return screen;
    });
    this.#screen.catch(() => (this.#screen = null)); // the next pane may try again
    return this.#screen as Promise<T>;
  }

  /** Connects, or connects anew. `takeover` ends the session of another program that holds the console. */
  async connect({ takeover = false } = {}) {
    const attempt = ++this.#attempt;
    this.#drop();
    this.state = 'opening';
    this.err = null;
    this.#cut = false;
    const homes = this.#homes.running(this.uuid);
    const home = homes[0];
    if (home && !homes.includes(this.hostId)) this.#move(this.hostId, home);
    try {
      const wanted = {
        hostId: this.hostId,
        uuid: this.uuid,
        ...(this.target === undefined ? {} : { target: this.target }),
      };
      const { consoleId } =
        this.kind === 'graphical'
          ? await this.#link.call('consoles.graphics', wanted)
          : await this.#link.call('consoles.open', { ...wanted, ...(takeover ? { takeover } : {}) });
      if (attempt !== this.#attempt) {
        void this.#link.call('consoles.close', { consoleId }).catch(() => {}); // closed, or asked anew, meanwhile
        return null;
      }
      this.#stream = new ConsoleStream(this.#link, consoleId, (err) => {
        this.#show((screen) => screen.note(words.notTyped(err.message)));
      });
      this.state = 'open';
      return consoleId;
    } catch (thrown) {
      if (attempt === this.#attempt) this.#close(toErr(thrown));
      return null;
    }
  }

  type(bytes: Uint8Array) {
    this.#stream?.type(bytes);
  }

  data(bytes: Uint8Array) {
    const stream = this.#stream;
    this.#show((screen) => screen.write(bytes, () => stream?.shown(bytes.length)));
  }

  note(note: ConsoleNote) {
    switch (note.type) {
      case 'open':
        this.state = 'open';
        this.#show((screen) => screen.begin?.());
        return;
      case 'moved':
        if (this.kind === 'graphical') this.#stream?.forget(); // it was meant for the server before
        this.#move(note.from, note.to);
        this.#show((screen) => screen.begin?.());
        return;
      case 'gap':
        this.gap = true;
        this.#show((screen) => screen.note(words.gap));
        return;
      case 'closed':
        this.#close(note.err);
        return;
      default:
        note satisfies never;
    }
  }

  /** Whether only the way to the main side was lost. */
  get wasCut() {
    return this.#cut;
  }

  /** The fleet changed: whether a closed console should come back, its VM running again on a host that answers. */
  see() {
    const running = this.#homes.running(this.uuid).length > 0;
    const back = running && !this.#wasRunning;
    this.#wasRunning = running;
    return back && this.state === 'closed' && this.err?.code !== 'conflict';
  }

  /** The main side is out of reach: what was open is not any more. */
  cut() {
    if (this.state === 'closed') return;
    this.#attempt += 1;
    this.#cut = true;
    this.#close({ code: 'unreachable', message: words.cut });
  }

  end() {
    this.#attempt += 1;
    this.#drop();
    void this.#screen?.then((screen) => screen.dispose()).catch(() => {}); // never made: nothing to let go
  }

  #move(from: HostId, to: HostId) {
    this.hostId = to;
    this.#show((screen) => screen.note(words.moved(this.#homes.label(from), this.#homes.label(to))));
  }

  #close(err: Err | null) {
    this.#stream?.end();
    this.#stream = null;
    this.state = 'closed';
    this.err = err;
    this.#wasRunning = this.#homes.running(this.uuid).length > 0;
    this.#show((screen) => {
      screen.end?.();
      screen.note(err ? words.closed : words.ended);
    });
  }

  #drop() {
    const stream = this.#stream;
    if (!stream) return;
    stream.end();
    this.#stream = null;
    void this.#link.call('consoles.close', { consoleId: stream.id }).catch(() => {}); // gone is what we want
  }

  #show(what: (screen: Screen) => void) {
    if (this.#ready) what(this.#ready);
    else this.#waiting.push(what);
  }
}

export class ConsolesStore<S extends Screen = Screen> {
  /** By key, in the order in which they were opened. */
  readonly sessions = new SvelteMap<string, ConsoleSession<S>>();
  readonly #link: Link;
  readonly #homes: Homes;
  readonly #undo: (() => void)[];
  /** Bytes and notes that overtook the answer which names their console. */
  readonly #early = new Map<string, ((session: ConsoleSession<S>) => void)[]>();
  #opening = 0;

  constructor(link: Link, homes: Homes) {
    this.#link = link;
    this.#homes = homes;
    this.#undo = [
      link.on('console.data', ({ consoleId, bytes }) => this.#route(consoleId, (session) => session.data(bytes))),
      link.on('console.note', ({ consoleId, note }) => this.#route(consoleId, (session) => session.note(note))),
      link.on('up', (up) => {
        for (const session of this.sessions.values()) {
          if (!up) session.cut();
          else if (session.wasCut) void this.connect(session);
        }
      }),
    ];
  }

  /** Opens a VM's console, or answers the one that is open. */
  open(domain: DomainRef, target?: string, kind: ConsoleKind = 'serial'): ConsoleSession<S> {
    const known = this.sessions.get(keyOf(domain.uuid, { kind, target }));
    if (known) {
      if (known.state === 'closed') void this.connect(known);
      return known;
    }
    const session = new ConsoleSession<S>(this.#link, this.#homes, domain, { kind, target });
    this.sessions.set(session.key, session);
    void this.connect(session);
    return session;
  }

  async connect(session: ConsoleSession<S>, options: { takeover?: boolean } = {}) {
    this.#opening += 1;
    try {
      const consoleId = await session.connect(options);
      if (consoleId === null) return;
      for (const take of this.#early.get(consoleId) ?? []) take(session);
    } finally {
      this.#opening -= 1;
      if (this.#opening === 0) this.#early.clear();
    }
  }

  close(session: ConsoleSession<S>) {
    this.sessions.delete(session.key);
    session.end();
  }

  /** To be called when hosts or VMs changed. */
  see() {
    for (const session of this.sessions.values()) if (session.see()) void this.connect(session);
  }

  dispose() {
    for (const undo of this.#undo) undo();
    for (const session of [...this.sessions.values()]) this.close(session);
  }

  #route(consoleId: string, take: (session: ConsoleSession<S>) => void) {
    for (const session of this.sessions.values()) {
      if (session.streamId === consoleId) {
        take(session);
        return;
      }
    }
    if (this.#opening === 0) return; // of a console that was closed meanwhile
    const early = this.#early.get(consoleId);
    if (early) early.push(take);
    else this.#early.set(consoleId, [take]);
  }
}

const keyOf = (uuid: Uuid, { kind, target }: Wanted) => `${uuid}/${target ?? (kind === 'graphical' ? 'graphics' : '')}`;
