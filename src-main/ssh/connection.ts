// One SSH connection to a host, which carries everything.
import type { Duplex } from 'node:stream';
import { ChannelStream, type ChannelOptions, type Silent } from './channel.ts';
import { seconds } from './dial.ts';
import { SshError, printable } from './error.ts';
import { Heartbeat } from './heartbeat.ts';
import type { HostKeySeen } from './host-key.ts';
import type { SshKeepalive } from './options.ts';
import type { Carrier, Channel, OpenError } from './carrier.ts';

export interface SshExec {
  /** The command's standard input and output. */
  stdio: Duplex;
  /** What it said on standard error so far; at most 64 KiB of it. */
  stderr: () => string;
  /** Resolves when it ended, or the connection did (both null). */
  exited: Promise<{ code: number | null; signal: string | null }>;
}

export interface SshRun {
  stdout: string;
  stderr: string;
  /** Null: ended by a signal, or by the connection's end. */
  code: number | null;
}

export interface ExecOptions {
  /** The command says this when it begins; what comes before is dropped. */
  greeting?: Buffer;
  /** As of `ChannelOptions`. */
  silent?: Silent;
  /** Told all of standard error so far, when there is more of it. */
  heard?: (stderr: string) => void;
  /** Called when the command had begun, and ended without output: the error of its stream, if that is one. */
  nothing?: (stderr: string) => Promise<Error | null>;
}

export interface RunLimits {
  timeoutMs?: number;
  maxBytes?: number;
  /** As of `ExecOptions`. */
  greeting?: Buffer;
}

export interface SshConnection {
  readonly hostKey: HostKeySeen;
  /** The host's first line, e.g. `SSH-2.0-OpenSSH_9.2p1 Debian-2`. */
  readonly banner: string;
  /** Who is logged in. */
  readonly user: string;
  /** `user@host:port`: what was typed is remembered under it. */
  readonly login: string;
  readonly label: string;
  /** Name or address that it was reached by, as configured. */
  readonly address: string;
  /** The control socket, where the system's own ssh holds the connection; null: Drover does. */
  readonly controlPath: string | null;
  /** A stream to a Unix socket on the host. @throws SshError */
  openUnix(path: string): Promise<Duplex>;
  /**
   * Has the host listen on a Unix socket, and hands over a stream for each who connects. Returns the undo.
   * @throws SshError
   */
  listenUnix(path: string, taken: (stream: Duplex) => void): Promise<() => void>;
  /** A stream to an address as the host sees it. @throws SshError */
  openTcp(host: string, port: number): Promise<Duplex>;
  /** Starts a command in the login shell. @throws SshError */
  exec(command: string, options?: ExecOptions): Promise<SshExec>;
  /** Runs a short command to its end. Default limits: 10 s, 1 MiB of output. @throws SshError */
  run(command: string, options?: RunLimits): Promise<SshRun>;
  /** While held, silence is told but never ends the connection. Returns the release. */
  hold(): () => void;
  /** Asks the host at once whether it lives; silence is then told, and final, as ever. */
  ask(): void;
  /** `silent`: not heard for two intervals. `heard`: again. Returns the undo. */
  on(event: 'silent' | 'heard', listener: () => void): () => void;
  /** Resolves once, when the connection is over; null: it was closed by us. */
  readonly ended: Promise<SshError | null>;
  /** As `ended`, for a listener; called soon when it is over already. Returns the undo. */
  onEnd(listener: (error: SshError | null) => void): () => void;
  /** Ends it; its streams end too. */
  close(): void;
}

const stderrLimit = 64 * 1024;
/** What a stream that is not read may hold: twice what a host that keeps to its window can fill. ssh2 takes any more. */
const heldLimit = 8 << 20;

/** What is asked of the host: for sentences. */
interface Opening {
  name: string;
  /** Counted in the server's MaxSessions. */
  session: boolean;
}

export interface ConnectionParts {
  carrier: Carrier;
  /** The jump host's, where it goes through one. */
  via: SshConnection | null;
  address: string;
  hostKey: HostKeySeen;
  banner: string;
  user: string;
  login: string;
  label: string;
  openMs: number;
  keepalive: SshKeepalive;
  /** Of an ssh that is a master: its control socket. */
  controlPath?: string;
  /** Why it ended, where more is known than that it did. */
  why?: () => string | null;
}

/** Takes over what has logged in. */
export class Connection implements SshConnection {
  readonly address: string;
  readonly hostKey: HostKeySeen;
  readonly banner: string;
  readonly user: string;
  readonly login: string;
  readonly label: string;
  readonly ended: Promise<SshError | null>;
  readonly controlPath: string | null;
  readonly #carrier: Carrier;
  readonly #via: SshConnection | null;
  readonly #openMs: number;
  readonly #heartbeat: Heartbeat;
  readonly #streams = new Set<ChannelStream>();
  readonly #listeners = { silent: new Set<() => void>(), heard: new Set<() => void>() };
  /** Undefined while it lasts. */
  #end: SshError | null | undefined;
  #resolveEnded!: (error: SshError | null) => void;

  constructor(parts: ConnectionParts) {
    const { carrier, via, address, hostKey, banner, user, label, openMs, keepalive } = parts;
    this.hostKey = hostKey;
    this.banner = banner;
    this.user = user;
    this.login = parts.login;
    this.label = label;
    this.controlPath = parts.controlPath ?? null;
    this.#carrier = carrier;
    this.#via = via;
    this.address = address;
    this.#openMs = openMs;
    this.ended = new Promise((resolve) => (this.#resolveEnded = resolve));
    this.#heartbeat = new Heartbeat({
      ...keepalive,
      heard: () => carrier.bytesRead,
      ping: () => carrier.ping(),
      silent: () => this.#tell('silent'),
      heardAgain: () => this.#tell('heard'),
      gone: () =>
        this.#over(
          this.#lost(
            `${label} has not answered for ${seconds(keepalive.intervalMs * keepalive.count)}, so the connection counts as lost. Is the host up, and the network between?`,
          ),
        ),
    });
    carrier.on('data', () => {
      for (const { held } of this.#streams) if (held > heldLimit) this.#over(this.#tooMuch());
    });
    carrier.onOver((error) => {
      const said = parts.why?.() ?? null;
      if (said !== null) this.#over(this.#lost(said));
      else if (error) this.#over(this.#lost(this.#why(error)));
      else this.#over(this.#lost(`${label} closed the connection. Was its SSH server stopped?`));
    });
  }

  openUnix(path: string): Promise<Duplex> {
    const what = { name: `the socket ${path}`, session: false };
    return this.#open(what, (done) => this.#carrier.openUnix(path, done)).then((channel) => this.#stream(channel));
  }

  async listenUnix(path: string, taken: (stream: Duplex) => void): Promise<() => void> {
    let undo = () => {};
    await this.#open<null, null>(
      { name: `the socket ${path} to listen on`, session: false },
      (done) => {
        undo = this.#carrier.listenUnix(
          path,
          (channel) => taken('stderr' in channel ? this.#stream(channel as Channel) : channel),
          (error) => done(error, null),
        );
      },
      () => null,
    );
    return () => {
      if (this.#end === undefined) undo();
    };
  }

  openTcp(host: string, port: number): Promise<Duplex> {
    const what = { name: `a connection to ${host}:${port}`, session: false };
    return this.#open(what, (done) => this.#carrier.openTcp(host, port, done)).then((channel) => this.#stream(channel));
  }

  async exec(command: string, options: ExecOptions = {}): Promise<SshExec> {
    let said = '';
    const stderr = () => said;
    let left!: (how: { code: number | null; signal: string | null }) => void;
    const exited = new Promise<{ code: number | null; signal: string | null }>((resolve) => (left = resolve));
    // Listened to in the turn that the channel opens, so that nothing of a short command is missed.
    const stdio = await this.#open(
      { name: 'a command', session: true },
      (done) => this.#carrier.exec(command, done),
      (channel) => {
        channel.stderr.setEncoding('utf8').on('data', (text: string) => {
          if (said.length < stderrLimit) said = (said + text).slice(0, stderrLimit);
          options.heard?.(said);
        });
        channel.on('exit', (code: number | null, signal?: string) => left({ code, signal: signal ?? null }));
        channel.on('close', () => left({ code: null, signal: null }));
        const { greeting, silent, nothing } = options;
        return this.#stream(channel, { greeting, silent, nothing: nothing && (() => nothing(said)) });
      },
    );
    if (options.greeting) await this.#begun(stdio);
    return { stdio, stderr, exited };
  }

  async run(command: string, options: RunLimits = {}): Promise<SshRun> {
    const { timeoutMs = 10_000, maxBytes = 1 << 20, greeting } = options;
    const { stdio, stderr, exited } = await this.exec(command, { ...(greeting && { greeting }) });
    const what = printable(command, 80);
    const chunks: Buffer[] = [];
    let bytes = 0;
    const stop = (message: string) => stdio.destroy(new SshError('timeout', 'established', message));
    const timer = setTimeout(
      () => stop(`${this.label} did not finish a command within ${seconds(timeoutMs)}: ${what}`),
      timeoutMs,
    );
    try {
      stdio.end();
      for await (const chunk of stdio as AsyncIterable<Buffer>) {
        chunks.push(chunk);
        bytes += chunk.length;
        if (bytes > maxBytes) stop(`${this.label} said more than was asked for: ${what}`);
      }
    } catch (error) {
      throw error instanceof SshError ? error : this.#closed();
    } finally {
      clearTimeout(timer);
    }
    const { code } = await exited;
    return { stdout: Buffer.concat(chunks).toString(), stderr: stderr(), code };
  }

  hold(): () => void {
    const release = this.#heartbeat.hold();
    const releaseVia = this.#via?.hold();
    return () => {
      release();
      releaseVia?.();
    };
  }

  ask(): void {
    if (this.#end === undefined) this.#heartbeat.ask();
  }

  on(event: 'silent' | 'heard', listener: () => void): () => void {
    const own = () => listener(); // the same listener twice has two undos
    this.#listeners[event].add(own);
    return () => this.#listeners[event].delete(own);
  }

  onEnd(listener: (error: SshError | null) => void): () => void {
    let wanted = true;
    void this.ended.then((error) => wanted && listener(error));
    return () => (wanted = false);
  }

  close(): void {
    this.#over(null);
  }

  /**
   * Opens a channel, within its limit. ssh2 cannot call an opening off, so one that comes late is closed.
   * @param take What to make of the channel, in the turn that it opens.
   */
  #open<C extends Channel | null = Channel, T = C>(
    what: Opening,
    ask: (done: (error: OpenError | undefined, channel: C) => void) => void,
    take: (channel: C) => T = (channel) => channel as unknown as T,
  ): Promise<T> {
    return new Promise((resolve, reject) => {
      if (this.#end !== undefined) {
        reject(this.#closed());
        return;
      }
      let late = false;
      const timer = setTimeout(() => {
        late = true;
        const message = `${this.label} did not open ${what.name} within ${seconds(this.#openMs)}. Is the host overloaded?`;
        reject(new SshError('timeout', 'open', message));
      }, this.#openMs);
      const done = (error: OpenError | undefined, channel: C) => {
        clearTimeout(timer);
        if (error) reject(this.#end === undefined ? this.#refused(what, error) : this.#closed());
        else if (late) channel?.resume().close();
        else resolve(take(channel));
      };
      try {
        ask(done);
      } catch (error) {
        clearTimeout(timer);
        reject(this.#lost(this.#why(error as Error)));
      }
    });
  }

  #stream(channel: Channel, options?: ChannelOptions): ChannelStream {
    const stream = new ChannelStream(channel, options);
    this.#streams.add(stream);
    return stream.once('close', () => this.#streams.delete(stream));
  }

  async #begun(stream: ChannelStream): Promise<void> {
    let late = false;
    const timer = setTimeout(() => {
      late = true;
      stream.destroy();
    }, this.#openMs);
    const begun = await stream.begun;
    clearTimeout(timer);
    if (begun) return;
    stream.destroy();
    if (this.#end !== undefined) throw this.#closed();
    if (!late) throw new SshError('channel-refused', 'open', `A command on ${this.label} ended before it began.`);
    const limit = seconds(this.#openMs);
    throw new SshError(
      'timeout',
      'open',
      `A command on ${this.label} did not begin within ${limit}. Is the host overloaded?`,
    );
  }

  #refused(what: Opening, error: OpenError): SshError {
    const why =
      error.reason === 4
        ? 'it is short of resources'
        : error.reason !== 1 && error.reason !== 2
          ? printable(error.message)
          : what.session
            ? 'it has as many sessions open as its SSH server allows (MaxSessions), or forbids them'
            : 'it is not there, this user may not use it, or the SSH server forbids forwarding';
    return new SshError('channel-refused', 'open', `${this.label} refused to open ${what.name}: ${why}.`);
  }

  #why(error: Error & { level?: string; code?: unknown }): string {
    const said = printable(error.message);
    if (error.level === 'client-socket') return `The connection to ${this.label} broke off (${said}).`;
    if (typeof error.code === 'number') return `${this.label} ended the connection: “${said}”.`;
    return `${this.label} broke the rules of SSH, so the connection was closed (${said}).`;
  }

  #tooMuch(): SshError {
    return this.#lost(
      `${this.label} sent more than it may before it was read, so the connection was closed. Is that an SSH server that can be trusted?`,
    );
  }

  #lost(message: string): SshError {
    return new SshError('lost', 'established', message);
  }

  /** Why nothing goes over this connection any more. */
  #closed(): SshError {
    return this.#end ?? this.#lost(`The connection to ${this.label} is closed. Connect again.`);
  }

  #tell(event: 'silent' | 'heard') {
    for (const listener of [...this.#listeners[event]]) listener();
  }

  /** The first reason is the one that counts. */
  #over(error: SshError | null) {
    if (this.#end !== undefined) return;
    this.#end = error;
    this.#heartbeat.stop();
    for (const stream of this.#streams) stream.destroy(error ?? undefined);
    this.#carrier.hangUp(error === null);
    this.#resolveEnded(error);
  }
}
