// One VM's console as all its viewers share it; goes with the VM when it moves to another host.
import type { HostId, Uuid } from '../../contract/model.ts';
import { type Failure, toErr } from '../../contract/failure.ts';
import type { Host } from '../fleet/host.ts';
import { type ConsoleSource, Source, type SourceOptions } from './source.ts';
import { type Show, Viewer } from './viewer.ts';

/** How long slow viewers hold the console back before it goes on without them. */
const patienceMs = 5_000;
/** The last bytes of the old host may come after the first of the new one. */
const lastBytesMs = 40;

/** How long to look for where the VM has gone, when it ended here without a warning. */
const seekMs = 800;
const seekStepMs = 100;

/** The next host's console, opened before the VM runs there. */
interface Ahead {
  source: ConsoleSource;
  early: Buffer[];
  ended: boolean;
  /** The VM ran there before this was open: what it said first is missing. */
  late: boolean;
}

export interface LineOptions {
  host: Host;
  uuid: Uuid;
  name: string;
  target: string | null;
  /** It moved to another host. */
  moved: (line: Line, from: HostId) => void;
  /** Another host where the VM runs now, as far as is known. */
  elsewhere: () => Host | null;
  /** Nothing comes any more, or nobody looks. */
  over: (line: Line) => void;
  openSource?: (options: SourceOptions) => Promise<ConsoleSource>;
}

export class Line {
  readonly uuid: Uuid;
  readonly target: string | null;
  readonly #options: LineOptions;
  #host: Host;
  #source: ConsoleSource | null = null;
  #ahead: Ahead | null = null;
  #opened = false;
  /** Another host where it is said to run by now. */
  #runsOn: HostId | null = null;
  #opening: Promise<void> | null = null;
  #switching: NodeJS.Timeout | null = null;
  #viewers = new Set<Viewer>();
  #watch: NodeJS.Timeout | null = null;
  #over = false;

  constructor(options: LineOptions) {
    this.#options = options;
    this.#host = options.host;
    this.uuid = options.uuid;
    this.target = options.target;
  }

  get host(): Host {
    return this.#host;
  }

  /** It was opened, and has not ended. */
  get lives(): boolean {
    return this.#opened && !this.#over;
  }

  /** @throws Failure, as `Source.open` */
  async open(takeover: boolean): Promise<void> {
    const source = await this.#openOn(this.#host, takeover);
    if (this.#over) return source.close();
    this.#opened = true;
    this.#source = source;
    this.#listen(source);
  }

  #openOn(host: Host, takeover = false): Promise<ConsoleSource> {
    const { name, openSource = (options) => Source.open(options) } = this.#options;
    return openSource({ host, uuid: this.uuid, name, target: this.target, takeover });
  }

  join(show: Show): Viewer {
    const viewer = new Viewer(show);
    this.#viewers.add(viewer);
    viewer.note({ type: 'open' });
    return viewer;
  }

  leave(viewer: Viewer): void {
    viewer.flush();
    this.#viewers.delete(viewer);
    if (this.#viewers.size === 0) this.#end();
    else this.#flow();
  }

  /** @throws Failure `conflict` when the guest does not take what is typed */
  write(bytes: Uint8Array): void {
    this.#source?.write(bytes);
  }

  shown(viewer: Viewer, bytes: number): void {
    viewer.shown(bytes);
    this.#flow();
  }

  /** The VM is about to run on `host`: listens there already. Never rejects. */
  async prepare(host: Host): Promise<void> {
    if (this.#over || host.id === this.#host.id || this.#ahead?.source.host.id === host.id) return;
    this.#opening ??= this.#openAhead(host).finally(() => {
      this.#opening = null;
    });
    await this.#opening;
  }

  /** It runs there now. */
  arrived(host: Host): void {
    this.#runsOn = host.id;
    if (this.#ahead?.source.host.id === host.id) this.#switchSoon();
  }

  /** It does not go there after all. */
  stayed(host: Host): void {
    if (this.#runsOn === host.id) this.#runsOn = null;
    if (this.#ahead?.source.host.id !== host.id || this.#switching) return;
    this.#dropAhead();
  }

  #dropAhead(): void {
    this.#ahead?.source.close();
    this.#ahead = null;
  }

  close(failure: Failure | null): void {
    if (this.#over) return;
    for (const viewer of this.#viewers) viewer.note({ type: 'closed', err: failure && toErr(failure) });
    this.#viewers.clear();
    this.#end();
  }

  async #openAhead(host: Host): Promise<void> {
    try {
      const source = await this.#openOn(host);
      if (this.#over) return source.close();
      this.#dropAhead();
      const ahead: Ahead = { source, early: [], ended: false, late: this.#runsOn === host.id };
      this.#ahead = ahead;
      source.listen({
        data: (bytes) => {
          if (this.#source === source) return this.#show(bytes);
          if (this.#ahead !== ahead) return;
          ahead.early.push(bytes);
          this.#switchSoon();
        },
        end: (failure) => {
          ahead.ended = true;
          if (this.#source === source) this.#ended(failure);
          else if (this.#ahead === ahead) this.#ahead = null;
        },
      });
      if (ahead.late) this.#switchSoon();
    } catch {
      // It is tried again when the old one ends; then bytes may be missing, and that is said.
    }
  }

  /** Not at once: the old host's last bytes come first. */
  #switchSoon(): void {
    this.#switching ??= setTimeout(() => {
      this.#switching = null;
      const ahead = this.#ahead;
      if (!ahead || this.#over) return;
      this.#source?.close();
      this.#move(ahead.source, ahead.early, ahead.late);
    }, lastBytesMs);
  }

  #move(source: ConsoleSource, early: Buffer[], gap: boolean): void {
    const from = this.#host.id;
    this.#host = source.host;
    this.#ahead = null;
    this.#runsOn = null;
    for (const viewer of this.#viewers) {
      viewer.note({ type: 'moved', from, to: source.host.id });
      if (gap) viewer.note({ type: 'gap' });
    }
    this.#source = source;
    for (const bytes of early) this.#show(bytes);
    this.#options.moved(this, from);
    this.#flow();
  }

  #listen(source: ConsoleSource): void {
    source.listen({
      data: (bytes) => {
        if (this.#source === source) this.#show(bytes);
      },
      end: (failure) => {
        if (this.#source === source) this.#ended(failure);
      },
    });
  }

  /** The stream's end: the guest stopped, it moved away, or the host was lost. */
  #ended(failure: Failure | null): void {
    this.#source = null;
    if (this.#over) return;
    const ahead = this.#ahead;
    if (this.#switching && ahead) {
      clearTimeout(this.#switching);
      this.#switching = null;
    }
    if (ahead && !ahead.ended) return this.#move(ahead.source, ahead.early, ahead.late);
    void this.#seek(failure);
  }

  /** It may have moved without our being warned in time: then it goes on there, and bytes may be missing. */
  async #seek(failure: Failure | null): Promise<void> {
    for (let waited = 0; waited < seekMs && !this.#over; waited += seekStepMs) {
      // What was being opened there beforehand may be there by now.
      if (this.#ahead) return this.#move(this.#ahead.source, this.#ahead.early, true);
      const host = this.#opening ? null : this.#options.elsewhere();
      if (host) {
        try {
          const source = await this.#openOn(host);
          if (this.#over) return source.close();
          this.#listen(source);
          return this.#move(source, [], true);
        } catch {
          // Not ready to be looked at yet.
        }
      }
      await new Promise((resolve) => setTimeout(resolve, seekStepMs));
    }
    this.close(failure);
  }

  #show(bytes: Buffer): void {
    for (const viewer of this.#viewers) viewer.data(bytes);
    this.#flow();
  }

  /** Holds the console back while a viewer is slow; but not for longer than the patience. */
  #flow(): void {
    const slow = [...this.#viewers].filter((viewer) => viewer.slow);
    this.#source?.pause(slow.length > 0);
    if (slow.length === 0) {
      if (this.#watch) clearTimeout(this.#watch);
      this.#watch = null;
      return;
    }
    this.#watch ??= setTimeout(() => {
      this.#watch = null;
      for (const viewer of this.#viewers) {
        if (viewer.slowSince !== null && performance.now() - viewer.slowSince >= patienceMs - 50) viewer.leaveBehind();
      }
      this.#flow();
    }, patienceMs);
  }

  #end(): void {
    if (this.#over) return;
    this.#over = true;
    if (this.#watch) clearTimeout(this.#watch);
    if (this.#switching) clearTimeout(this.#switching);
    this.#source?.close();
    this.#ahead?.source.close();
    this.#options.over(this);
  }
}
