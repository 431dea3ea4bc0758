// One host: connects, lists, stays in step by events, and comes back by itself when it was lost.
import type { Duplex } from 'node:stream';
import type { Delta } from '../../contract/events.ts';
import { type Err, Failure, toErr } from '../../contract/failure.ts';
import type { DomainHappening, HostId, HostInfo, HostState, HostView, Uuid } from '../../contract/model.ts';
import type { HostUri } from '../../contract/uri.ts';
import type { Connection } from '../libvirt/index.ts';
import type { Gate, HostKeySeen } from '../ssh/index.ts';
import { Backoff } from './backoff.ts';
import type { HostCapabilities } from './capabilities.ts';
import { HostDomains } from './domains.ts';
import { explain, explainAbsence, stateAfter } from './explain.ts';
import type { Clock } from './clock.ts';
import { followEvents, type LifecycleSeen } from './host-events.ts';
import { readHostInfo, withCapabilities } from './host-info.ts';
import { type Attention, HostSampling } from './host-sampling.ts';
import type { Questions } from './questions.ts';
import { hostKeyView, type Logins, type OpenReach, type Place, type Reach } from './reach.ts';

export interface HostOptions {
  id: HostId;
  uri: HostUri;
  label: string;
  group?: string | null;
  logins: Logins;
  questions: Questions;
  /** Bounds how many hosts connect at once. */
  gate: Gate;
  openReach: OpenReach;
  tell: (delta: Delta) => void;
  /** Told of what libvirt says of a domain, for whoever asks later. */
  happened?: (uuid: Uuid, happening: DomainHappening) => void;
  clock: Clock;
  /** How many hosts the fleet has; 1 where left out. */
  fleetSize?: () => number;
}

/** From `connect` to `disconnect`: one attempt after the other, and what lies between them. */
interface Run {
  readonly abort: AbortController;
  at: 'attempt' | 'connected' | 'waiting';
  /** Ends the waiting. */
  wake: () => void;
  /** The attempt under way began too early to count; another follows it at once. */
  again: boolean;
}

export class Host {
  readonly id: HostId;
  readonly uri: HostUri;
  /** Of the demo fleet. */
  readonly simulated: boolean;
  readonly domains: HostDomains;
  readonly #options: HostOptions;
  readonly #sampling: HostSampling;
  #label: string;
  #group: string | null;
  #state: HostState = 'disconnected';
  #error: Err | null = null;
  #keySeen: HostKeySeen | null = null;
  /** Approved before it was first seen; used once. */
  #trust: string | null;
  #info: HostInfo | null = null;
  #capabilities: HostCapabilities | null = null;
  #retryAt: number | null = null;
  #reach: Reach | null = null;
  #connection: Connection | null = null;
  #work: Promise<Connection> | null = null;
  #run: Run | null = null;
  /** The end of the last run; never rejects. The next begins after it. */
  #over = Promise.resolve();
  #holds = 0;
  #telling = false;
  #removed = false;
  /** Nobody was there to be asked at the last login. */
  #unasked = false;
  #followed = new Set<(uuid: Uuid, event: LifecycleSeen) => void>();

  constructor(options: HostOptions & { trust?: string | null; simulated?: boolean }) {
    this.id = options.id;
    this.uri = options.uri;
    this.#label = options.label;
    this.#group = options.group ?? null;
    this.simulated = options.simulated ?? false;
    this.#options = options;
    this.#trust = options.trust ?? null;
    this.domains = new HostDomains({
      hostId: options.id,
      connection: () => this.#connection,
      tell: options.tell,
      changed: () => this.#changed(),
    });
    this.#sampling = new HostSampling({
      hostId: options.id,
      domains: this.domains,
      clock: options.clock,
      tell: options.tell,
      ...(options.fleetSize && { fleetSize: options.fleetSize }),
      sampled: (cpuPercent, freeMemoryKiB) => {
        if (this.#info) this.#info = { ...this.#info, cpuPercent: cpuPercent ?? this.#info.cpuPercent, freeMemoryKiB };
      },
      measured: (storage) => {
        if (!this.#info) return;
        this.#info = { ...this.#info, storage };
        this.#changed();
      },
    });
  }

  get label(): string {
    return this.#label;
  }

  set label(label: string) {
    this.#label = label;
    this.#changed();
  }

  /** The folder that it stands in. */
  get group(): string | null {
    return this.#group;
  }

  set group(group: string | null) {
    this.#group = group;
    this.#changed();
  }

  get state(): HostState {
    return this.#state;
  }

  get info(): HostInfo | null {
    return this.#info;
  }

  get capabilities(): HostCapabilities | null {
    return this.#capabilities;
  }

  /** The address that it is reached by; null for this machine. */
  get address(): string | null {
    return this.#reach?.address ?? this.uri.host;
  }

  /** Of the key that it last showed. */
  get fingerprint(): string | null {
    return this.#keySeen?.fingerprint ?? null;
  }

  view(): HostView {
    return {
      id: this.id,
      uri: this.uri.text,
      label: this.#label,
      state: this.#state,
      error: this.#error,
      hostKey: this.#keySeen && hostKeyView(this.#keySeen),
      connections: this.#reach?.connections ?? 0,
      info: this.#info,
      domains: this.domains.counts,
      readOnly: this.#readOnly !== null,
      ...(this.#readOnly !== null && { readOnlyWhy: this.#readOnly }),
      group: this.#group,
      ...(this.simulated && { simulated: true }),
      retryAt: this.#retryAt === null ? null : new Date(this.#retryAt).toISOString(),
    };
  }

  /** Connects now, and keeps connected. Of one that is connected, even if it is silent now, nothing is asked. */
  connect(): void {
    if (this.#run?.at === 'connected') return;
    this.#set('connecting', null);
    if (this.#run) this.#run.wake();
    else this.#start();
  }

  /** This machine was asleep: a connection is asked at once whether it lives, and what waits to try again waits no more. */
  woke(): void {
    if (this.#run?.at === 'connected') this.#reach?.ask?.();
    else if (this.#run?.at === 'waiting' && this.#retryAt !== null) this.connect();
  }

  /** Somebody came who can answer: what may have been refused for want of that is tried once more, by a new login. */
  askNow(): void {
    const run = this.#run;
    if (!this.#unasked || !run) return;
    if (run.at === 'waiting' && this.#state === 'auth-failed') {
      this.#letGo();
      this.connect();
    } else if (run.at === 'connected' && this.#readOnly !== null && this.uri.parameters.sudo === '1') {
      // sudo had nobody to ask. Nothing was changed over this connection, so nothing is under way.
      run.again = true;
      this.#reach?.close();
    }
  }

  /**
   * Disconnects and stays so. What was known of its domains stays, greyed.
   * @throws Failure `conflict` while a migration is under way over it: that could leave the VM paused
   */
  async disconnect(): Promise<void> {
    this.mustBeFree();
    await this.close();
  }

  /** As `disconnect`, whatever is under way. */
  async close(): Promise<void> {
    await this.#stop();
    if (!this.#run) this.#set('disconnected', null);
  }

  /** Forgotten: it never answers again. */
  get removed(): boolean {
    return this.#removed;
  }

  /** For good; nothing is told of it any more. */
  async remove(): Promise<void> {
    await this.#stop();
    this.domains.clear();
    this.#removed = true;
  }

  /** @throws Failure `conflict` while a migration is under way over it. One that does not answer is let go. */
  mustBeFree(): void {
    if (this.#holds === 0 || this.#state !== 'online') return;
    throw new Failure(
      'conflict',
      `A migration is under way over ${this.#label}, and without the connection its VM could stay paused. Cancel it, or wait until it ends.`,
    );
  }

  /** Why it can only be looked at; null: it can be changed. */
  get #readOnly(): string | null {
    return this.#reach?.readOnly ?? null;
  }

  /** @throws Failure `forbidden` where libvirt lets this user only look */
  mustBeWritable(): void {
    if (this.#readOnly === null) return;
    const message = `${this.#label} is connected read-only, so nothing can be changed there. ${this.#readOnly}`;
    throw new Failure('forbidden', message, { cause: 'read-only' });
  }

  /** @throws Failure when the host shows another key than the approved one, or a changed one without `replace` */
  async trust(fingerprint: string, replace: boolean): Promise<void> {
    const seen = this.#keySeen;
    if (!seen || this.uri.host === null) {
      throw new Failure('conflict', `${this.#label} has shown no host key yet. Connect to it first.`);
    }
    if (seen.fingerprint !== fingerprint) {
      throw new Failure(
        'conflict',
        `${this.#label} shows the key ${seen.fingerprint}, not ${fingerprint}. Nothing was trusted; look at the host's own console which one is right.`,
        { fingerprint: seen.fingerprint },
      );
    }
    if (seen.status === 'revoked') {
      throw new Failure(
        'conflict',
        `The key of ${this.#label} is marked as revoked in known_hosts, and is never taken.`,
      );
    }
    if (seen.status === 'changed' && !replace) {
      throw new Failure(
        'conflict',
        `The key of ${this.#label} has changed. If you know why, e.g. a new installation, replace the old one explicitly.`,
        { fingerprint: seen.fingerprint },
      );
    }
    await this.#options.logins.knownHosts.pin(seen.of.host, seen.of.port, seen.key, { replace });
    this.#keySeen = { ...seen, status: 'trusted' };
    if (this.#run?.at === 'attempt') this.#run.again = true;
    this.connect();
  }

  /** The connection for reads. @throws Failure while it is not connected */
  get connection(): Connection {
    if (!this.#connection || this.#state !== 'online') throw this.#away();
    return this.#connection;
  }

  /**
   * The connection for what changes things: such calls can wait on the host, and must not hold up reads and events.
   * @throws Failure while it is not connected
   */
  async work(): Promise<Connection> {
    const reach = this.#reach;
    if (!reach || this.#state !== 'online') throw this.#away();
    this.mustBeWritable();
    const work = (this.#work ??= reach.open({ keepalive: true }));
    const over = () => {
      if (this.#work === work) this.#work = null;
    };
    try {
      const connection = await work;
      if (connection.over) over();
      else connection.onEnd(over);
      return connection;
    } catch (error) {
      over();
      throw explain(error, this.#label, 'opening one more connection to libvirt');
    }
  }

  /** A libvirt connection for the caller alone, on the host's one SSH connection. @throws Failure */
  async open(options: { keepalive: boolean }): Promise<Connection> {
    const reach = this.#reach;
    if (!reach || this.#state !== 'online') throw this.#away();
    this.mustBeWritable();
    try {
      return await reach.open(options);
    } catch (error) {
      throw explain(error, this.#label, 'opening one more connection to libvirt');
    }
  }

  /** While held, the host's silence is waited out. Returns the release. */
  hold(): () => void {
    const release = this.#reach?.hold();
    let held = true;
    this.#holds += 1;
    return () => {
      if (!held) return;
      held = false;
      this.#holds -= 1;
      release?.();
    };
  }

  /** A stream to where something listens on the host, over its one connection. @throws Failure */
  async dial(place: Place): Promise<Duplex> {
    const reach = this.#reach;
    if (!reach || this.#state !== 'online') throw this.#away();
    return reach.dial(place).catch((error: unknown) => {
      throw explain(error, this.#label, `connecting to ${'path' in place ? place.path : `port ${place.port}`}`);
    });
  }

  /** A stream to a Unix socket on the host. @throws Failure */
  async openUnix(path: string): Promise<Duplex> {
    const reach = this.#reach;
    if (!reach?.openUnix) throw this.#away();
    return reach.openUnix(path).catch((error: unknown) => {
      throw explain(error, this.#label, `opening ${path}`);
    });
  }

  /** Has the host listen on a Unix socket, until the undo. @throws Failure */
  async listenUnix(path: string, taken: (stream: Duplex) => void): Promise<() => void> {
    const reach = this.#reach;
    if (!reach?.listenUnix) throw this.#away();
    return reach.listenUnix(path, taken).catch((error: unknown) => {
      throw explain(error, this.#label, `listening on ${path}`);
    });
  }

  /** Runs a command on the host, within 10 s where nothing else is said; null where that cannot be done. */
  async shell(
    command: string,
    options?: { timeoutMs: number },
  ): Promise<{ stdout: string; code: number | null } | null> {
    try {
      return (await this.#reach?.run(command, options)) ?? null;
    } catch {
      return null;
    }
  }

  /** Lifecycle events as they come, before the domain is read again. Returns the undo. */
  onLifecycle(listener: (uuid: Uuid, event: LifecycleSeen) => void): () => void {
    const mine: typeof listener = (uuid, event) => listener(uuid, event);
    this.#followed.add(mine);
    return () => this.#followed.delete(mine);
  }

  setAttention(attention: Attention): void {
    this.#sampling.setAttention(attention);
  }

  #away(): Failure {
    const why = this.#error?.message ?? `It is ${this.#state}.`;
    return new Failure('unreachable', `${this.#label} is not connected. ${why}`, { state: this.#state });
  }

  #start(): void {
    const run: Run = { abort: new AbortController(), at: 'attempt', wake: () => {}, again: false };
    this.#run = run;
    this.#over = this.#over.then(() => this.#keepConnected(run));
  }

  async #stop(): Promise<void> {
    const over = this.#over;
    this.#run?.abort.abort();
    this.#run = null;
    // Whatever waits for the host waits no longer.
    this.#reach?.close();
    await over;
  }

  async #keepConnected(run: Run): Promise<void> {
    const { signal } = run.abort;
    const backoff = new Backoff();
    while (!signal.aborted) {
      run.at = 'attempt';
      let wasOnline = false;
      let failed: unknown;
      try {
        await this.#attempt(signal);
        wasOnline = true;
        run.at = 'connected';
        run.again = false;
        backoff.reset();
        failed = await this.#stayConnected(signal);
      } catch (error) {
        failed = error;
      }
      this.#lost(signal);
      if (signal.aborted) return;
      if (run.again) {
        run.again = false;
        continue;
      }
      const state = wasOnline ? 'unreachable' : stateAfter(failed);
      // Somebody came meanwhile who can be asked.
      if (state === 'auth-failed' && this.#unasked && this.#options.questions.open) {
        this.#letGo();
        continue;
      }
      // What only a person can mend is not tried again by itself.
      const waitMs = state === 'untrusted' || state === 'auth-failed' ? null : backoff.next();
      run.at = 'waiting';
      this.#retryAt = waitMs === null ? null : Date.now() + waitMs;
      this.#set(state, toErr(explainAbsence(failed, this.#label)));
      await this.#options.clock.wait(waitMs, signal, (wake) => {
        run.wake = wake;
      });
      this.#retryAt = null;
    }
  }

  /** One attempt, in its turn. */
  async #attempt(signal: AbortSignal): Promise<void> {
    const leave = await this.#options.gate.enter(signal);
    try {
      await this.#connectOnce(signal, leave);
    } finally {
      leave();
    }
  }

  /** @param leave Lets the next host through the gate. */
  async #connectOnce(signal: AbortSignal, leave: () => void): Promise<void> {
    // After a daemon's restart the SSH connection is still good.
    if (!this.#reach || this.#reach.isEnded) {
      const { uri, logins, questions } = this.#options;
      this.#unasked = !questions.open;
      this.#reach = await this.#options.openReach({
        uri,
        label: this.#label,
        logins,
        trust: this.#trust,
        // With nobody there to answer, the login says what it lacks instead of waiting.
        prompts: questions.open
          ? {
              ask: (question, until) => {
                // A person takes as long as it takes; other hosts do not wait for that.
                leave();
                return questions.ask({ ...question, hostId: this.id }, until);
              },
            }
          : null,
        signal,
        onWait: leave,
        onHostKey: (seen) => {
          this.#keySeen = seen;
          this.#changed();
        },
      });
      this.#trust = null;
      this.#changed();
      signal.throwIfAborted();
    }
    const connection = await this.#reach.open({ keepalive: true, signal });
    try {
      this.#connection = connection;
      followEvents(connection, {
        domains: this.domains,
        clock: this.#options.clock,
        seen: (uuid, event) => {
          for (const listener of [...this.#followed]) listener(uuid, event);
        },
        happened: (uuid, event, detail) => {
          const at = new Date().toISOString();
          this.#options.happened?.(uuid, { at, hostId: this.id, event, detail });
        },
      });
      const reading = readHostInfo(connection, this.#options.clock);
      reading.catch(() => {});
      // Registered before anything is listed, so that no change falls in between.
      await connection.eventsReady();
      await this.domains.list(connection);
      const { info, capabilities, late } = await reading;
      this.#info = info;
      this.#capabilities = capabilities ?? this.#capabilities;
      void late?.then((found) => {
        if (!found || this.#connection !== connection || !this.#info) return;
        this.#capabilities = found;
        this.#info = withCapabilities(this.#info, found);
        this.#changed();
      });
      signal.throwIfAborted();
    } catch (error) {
      this.#connection = null;
      connection.destroy();
      throw error;
    }
    this.#set('online', null);
    this.#sampling.start(connection);
  }

  /** Resolves with why, when the connection is over. */
  async #stayConnected(signal: AbortSignal): Promise<unknown> {
    const connection = this.#connection;
    const reach = this.#reach;
    if (!connection || !reach) return new Error('not connected');
    const undos = [
      reach.on('silent', () => {
        this.domains.setStale(true);
        this.#set('unreachable', {
          code: 'unreachable',
          message: `${this.#label} has gone silent. Drover waits for it; nothing was changed there.`,
        });
      }),
      reach.on('heard', () => {
        void this.domains.list(connection).then(
          () => {
            if (this.#connection === connection) this.#set('online', null);
          },
          () => {}, // its end is told by the connection
        );
      }),
    ];
    try {
      return await new Promise<unknown>((resolve) => {
        const aborted = () => resolve(null);
        signal.addEventListener('abort', aborted);
        undos.push(() => signal.removeEventListener('abort', aborted));
        if (signal.aborted) resolve(null);
        undos.push(connection.onEnd((error) => resolve(error ?? new Error('the connection was closed'))));
      });
    } finally {
      for (const undo of undos) undo();
    }
  }

  #lost(signal: AbortSignal): void {
    this.#sampling.stop();
    this.#connection?.destroy();
    this.#connection = null;
    // The SSH connection is kept where only libvirt's daemon went away, unless we are to stop.
    if (signal.aborted || this.#reach?.isEnded) this.#letGo();
    this.domains.setStale(true);
  }

  #letGo(): void {
    this.#reach?.close();
    this.#reach = null;
    this.#work = null;
  }

  #set(state: HostState, error: Err | null): void {
    this.#state = state;
    this.#error = error;
    this.#changed();
  }

  /** Tells once for all changes of the same turn. */
  #changed(): void {
    if (this.#telling) return;
    this.#telling = true;
    queueMicrotask(() => {
      this.#telling = false;
      if (!this.#removed) this.#options.tell({ event: 'host', data: this.view() });
    });
  }
}
