// One libvirt connection over any Duplex: calls, streams and events, from opening it to its end.
import type { Duplex } from 'node:stream';
import { systemClock } from './clock.ts';
import type { Clock } from './clock.ts';
import { programs } from './constants.ts';
import type { Feature } from './constants.ts';
import { CallTimeout, ConnectionLost, LibvirtError, PeerGone, ProtocolError } from './errors.ts';
import type { EventName, EventOf } from './events.ts';
import { encodePacket, FrameReader, packetStatus, packetType } from './frame.ts';
import type { Header, Packet } from './frame.ts';
import { defaultKeepalive, Keepalive, keepaliveProcedure } from './keepalive.ts';
import type { KeepaliveOptions } from './keepalive.ts';
import { negotiate } from './open.ts';
import { Outbox } from './outbox.ts';
import { procedures } from './procedures.ts';
import type { ArgsOf, CallName, Procedure, ProcedureName, ResultOf, StreamProcedureName } from './procedures.ts';
import { LibvirtStream } from './stream.ts';
import type { StreamHost } from './stream.ts';
import { Subscriptions } from './subscriptions.ts';
import { errorInfo } from './types.ts';
import { Reader } from './xdr.ts';

export type Direction = 'in' | 'out';

export interface ConnectionOptions {
  /** What the daemon is asked to open, such as `qemu:///system`. */
  uri: string;
  readOnly?: boolean;
  /**
   * False: neither side asks whether the other lives, so an outage of the link is waited out. For connections
   * that own a migration, and for those of a stream whose reader may pause.
   */
  keepalive?: Partial<KeepaliveOptions> | false;
  /** Limit of opening, and of each call that sets none; 0 for none. */
  timeoutMs?: number;
  /** Ends opening. */
  signal?: AbortSignal;
  clock?: Clock;
  /** Sees every packet; for `formatPacket`. */
  trace?: (packet: Packet, direction: Direction) => void;
  /** What went wrong without ending a call or the connection, such as an event that cannot be read. */
  warning?: (message: string, cause?: unknown) => void;
}

export interface CallOptions {
  /** Gives up waiting; the daemon carries on with what was sent. */
  signal?: AbortSignal | undefined;
  /** 0 for none. */
  timeoutMs?: number | undefined;
}

/** `call('connect_get_hostname')`, but `call('domain_get_state', { dom })`. */
export type CallArgs<N extends ProcedureName> =
  Record<never, never> extends ArgsOf<N>
    ? [args?: ArgsOf<N>, options?: CallOptions]
    : [args: ArgsOf<N>, options?: CallOptions];

/** libvirtd works on five calls of a connection at a time and then reads no further; the fifth stays free. */
const WAITING_MAX = 4;
const TIMEOUT_MS = 60_000;
const CLOSING_MS = 2_000;

interface Pending {
  name: ProcedureName;
  row: Procedure;
  args: unknown;
  /** 0 until it is sent. */
  serial: number;
  waits: boolean;
  stream: LibvirtStream | null;
  /** Exactly one of these is called, once; null afterwards. A late reply then finds nobody. */
  answer: { resolve: (result: unknown) => void; reject: (error: Error) => void } | null;
  callOff: () => void;
}

const nothing = () => {};

export class Connection {
  /** The daemon's libvirt, as major × 1,000,000 + minor × 1,000 + release. */
  readonly libVersion: number = 0;
  readonly features: ReadonlySet<Feature> = new Set();
  /** Resolves at the end: to null when we closed it, else to why. Never rejects. */
  readonly ended: Promise<Error | null>;

  readonly #duplex: Duplex;
  readonly #clock: Clock;
  readonly #timeoutMs: number;
  readonly #trace: ConnectionOptions['trace'];
  readonly #warning: NonNullable<ConnectionOptions['warning']>;
  readonly #frames = new FrameReader();
  readonly #outbox: Outbox;
  readonly #subscriptions: Subscriptions;
  readonly #pending = new Map<number, Pending>();
  readonly #queue: Pending[] = [];
  readonly #streams = new Map<number, LibvirtStream>();
  readonly #pausedBy = new Set<LibvirtStream>();
  readonly #endListeners = new Set<(error: Error | null) => void>();
  readonly #streamHost: StreamHost;
  #keepalive: Keepalive | null = null;
  #waiting = 0;
  #serial = 0;
  #end: { error: Error | null } | null = null;
  #closing = false;

  /** Takes the Duplex over: it is closed when opening fails, and with the connection. */
  static async open(duplex: Duplex, options: ConnectionOptions): Promise<Connection> {
    const connection = new Connection(duplex, options);
    const { keepalive, signal, timeoutMs } = options;
    const abort = () => connection.destroy(asError(signal?.reason));
    if (signal?.aborted) abort();
    signal?.addEventListener('abort', abort, { once: true });
    try {
      const { libVersion, features } = await negotiate((name, ...rest) => connection.call(name, ...rest), {
        uri: options.uri,
        readOnly: options.readOnly ?? false,
        keepalive: keepalive !== false,
        timeoutMs,
      });
      Object.assign(connection, { libVersion, features });
    } catch (error) {
      connection.destroy();
      throw error instanceof ConnectionLost && error.cause instanceof Error ? error.cause : error;
    } finally {
      signal?.removeEventListener('abort', abort);
    }
    if (keepalive !== false) connection.#startKeepalive({ ...defaultKeepalive, ...keepalive });
    return connection;
  }

  private constructor(duplex: Duplex, options: ConnectionOptions) {
    this.#duplex = duplex;
    this.#clock = options.clock ?? systemClock;
    this.#timeoutMs = options.timeoutMs ?? TIMEOUT_MS;
    this.#trace = options.trace;
    this.#warning = options.warning ?? nothing;
    this.#outbox = new Outbox(duplex);
    this.#subscriptions = new Subscriptions({
      call: (name, args) => this.#ask(name, args, {}, null) as never,
      warn: (message, cause) => this.#warning(message, cause),
    });
    this.#streamHost = this.#makeStreamHost();
    this.ended = new Promise((resolve) => this.onEnd(resolve));
    duplex.on('data', (chunk: Buffer) => this.#take(chunk));
    duplex.on('end', () => this.#hungUp());
    duplex.on('close', () => this.#hungUp());
    duplex.on('error', (error: Error) =>
      this.#finish(new PeerGone(`The connection broke: ${error.message}.`, { cause: error })),
    );
  }

  // --- Calls -----------------------------------------------------------------------------------------

  /**
   * Calls the daemon. Many may be under way at once; of those that can wait on a lock or a job, four are, and
   * more queue here in their order.
   * @throws LibvirtError, ConnectionLost, CallTimeout, XdrError (arguments that cannot be sent), ProtocolError
   *   (an answer that cannot be read), or the signal's reason
   */
  call<N extends CallName>(name: N, ...[args, options]: CallArgs<N>): Promise<ResultOf<N>> {
    return this.#ask(name, args ?? {}, options ?? {}, null) as Promise<ResultOf<N>>;
  }

  /**
   * Opens a stream. It may stop this whole connection when it is not read, and a daemon may stop reading ours
   * while a guest does not take what was written: give a console, and anything that takes long, a connection of its own.
   */
  async openStream<N extends StreamProcedureName>(
    name: N,
    ...[args, options]: CallArgs<N>
  ): Promise<LibvirtStream<ResultOf<N>>> {
    const row = procedures[name];
    const sparse = (name === 'storage_vol_download' || name === 'storage_vol_upload') && ((args?.flags ?? 0) & 1) === 1;
    // Made before the call is sent: the first data may come with the reply in one piece.
    const make = (serial: number) =>
      new LibvirtStream<ResultOf<N>>(this.#streamHost, {
        procedure: { name, number: row.number },
        serial,
        kind: row.stream,
        sparse,
      });
    return (await this.#ask(name, args ?? {}, options ?? {}, make)) as LibvirtStream<ResultOf<N>>;
  }

  /** Calls sent and not answered, and those that queue here. */
  get outstanding(): { sent: number; queued: number } {
    return { sent: this.#pending.size, queued: this.#queue.length };
  }

  // --- Events ----------------------------------------------------------------------------------------

  /**
   * Listens to an event of all domains (pools, networks, devices). The daemon is asked for it when its first
   * listener comes; `eventsReady` tells when that is answered. What it answers ends the listening.
   */
  on<N extends EventName>(name: N, listener: (event: EventOf<N>) => void): () => void {
    return this.#subscriptions.add(name, listener);
  }

  /**
   * Waits until the daemon has answered every registration so far: from then on nothing is missed. Resolves to
   * the events that this daemon does not have.
   */
  eventsReady(): Promise<EventName[]> {
    return this.#subscriptions.ready();
  }

  // --- The end ---------------------------------------------------------------------------------------

  /** Whether it has ended. */
  get over(): boolean {
    return this.#end !== null;
  }

  /** Told once, at the end, or at once where that is past. */
  onEnd(listener: (error: Error | null) => void): () => void {
    if (this.#end) {
      const { error } = this.#end;
      queueMicrotask(() => listener(error));
      return nothing;
    }
    this.#endListeners.add(listener);
    return () => void this.#endListeners.delete(listener);
  }

  /** Takes leave of the daemon, then hangs up. Waits for no other call, and never for long. */
  async close(): Promise<void> {
    if (this.#end || this.#closing) return void (await this.ended);
    this.#closing = true;
    await this.#ask('connect_close', {}, { timeoutMs: CLOSING_MS }, null).catch(nothing);
    this.#finish(null);
  }

  /** Hangs up now. */
  destroy(error?: Error): void {
    this.#finish(error ?? null);
  }

  // --- Sending ---------------------------------------------------------------------------------------

  #ask(
    name: ProcedureName,
    args: unknown,
    { signal, timeoutMs }: CallOptions,
    makeStream: ((serial: number) => LibvirtStream) | null,
  ): Promise<unknown> {
    return new Promise((resolve, reject) => {
      if (this.#end) return reject(new ConnectionLost(name, false, this.#end.error ?? closedByUs()));
      if (signal?.aborted) return reject(asError(signal.reason));
      const row: Procedure = procedures[name];
      const waits = typeof row.waits === 'number' ? this.libVersion >= row.waits : row.waits;
      const pending: Pending = {
        name,
        row,
        args,
        serial: 0,
        waits,
        stream: null,
        answer: { resolve, reject },
        callOff: nothing,
      };
      const limit = timeoutMs ?? (row.long ? 0 : this.#timeoutMs);
      const late = limit
        ? this.#clock.after(limit, () => this.#abandon(pending, new CallTimeout(name, limit, pending.serial > 0)))
        : nothing;
      const aborted = () => this.#abandon(pending, asError(signal?.reason));
      signal?.addEventListener('abort', aborted, { once: true });
      pending.callOff = () => {
        late();
        signal?.removeEventListener('abort', aborted);
      };
      if (makeStream) pending.stream = makeStream(this.#nextSerial());
      if (waits && this.#waiting >= WAITING_MAX) this.#queue.push(pending);
      else this.#send(pending);
    });
  }

  #send(pending: Pending): void {
    const { row, args, stream } = pending;
    const serial = stream?.serial ?? this.#nextSerial();
    const header = {
      program: programs.remote,
      procedure: row.number,
      type: packetType.call,
      serial,
      status: packetStatus.ok,
    };
    try {
      this.#outbox.packet(header, (to) => row.args.write(to, args));
    } catch (error) {
      return settle(pending, asError(error));
    }
    pending.serial = serial;
    pending.args = null;
    this.#pending.set(serial, pending);
    if (stream) this.#streams.set(serial, stream);
    if (pending.waits) this.#waiting += 1;
    this.#traceOut(header, (to) => row.args.write(to, args));
  }

  /** Gives a call up: one not yet sent is not sent; one sent keeps its place until its late reply. */
  #abandon(pending: Pending, error: Error): void {
    const at = this.#queue.indexOf(pending);
    if (at >= 0) this.#queue.splice(at, 1);
    settle(pending, error);
  }

  #nextSerial(): number {
    do this.#serial = this.#serial >= 0xffffffff ? 1 : this.#serial + 1;
    while (this.#pending.has(this.#serial) || this.#streams.has(this.#serial));
    return this.#serial;
  }

  // --- Receiving -------------------------------------------------------------------------------------

  #take(chunk: Buffer): void {
    if (this.#end) return;
    this.#keepalive?.heard();
    const packets = this.#frames.feed(chunk);
    while (!this.#end) {
      let next: IteratorResult<Packet, void>;
      try {
        next = packets.next();
      } catch (error) {
        return this.#finish(asError(error));
      }
      if (next.done) return;
      this.#trace?.(next.value, 'in');
      this.#dispatch(next.value);
    }
  }

  /** By type first: what a procedure number means depends on it. */
  #dispatch(packet: Packet): void {
    if (packet.program === programs.keepalive) {
      if (packet.type === packetType.message && packet.procedure === keepaliveProcedure.ping) {
        this.#sendKeepalive(keepaliveProcedure.pong);
      }
      return;
    }
    switch (packet.type) {
      case packetType.reply:
        if (packet.program === programs.remote) this.#takeReply(packet);
        return;
      case packetType.message:
        if (packet.program === programs.remote) this.#subscriptions.take(packet.procedure, packet.payload);
        return;
      case packetType.stream:
      case packetType.streamHole:
        // One that we no longer know may still have been on its way.
        return this.#streams.get(packet.serial)?.receive(packet);
      default:
        return this.#finish(
          new ProtocolError(`The far end sent a packet of type ${packet.type}, which no daemon does.`),
        );
    }
  }

  #takeReply({ serial, procedure, status, payload }: Packet): void {
    const pending = this.#pending.get(serial);
    if (!pending || pending.row.number !== procedure) return;
    this.#pending.delete(serial);
    if (pending.waits) this.#waiting -= 1;
    const { name, row, stream } = pending;
    let result: unknown;
    let error: Error | null = null;
    try {
      const from = new Reader(payload);
      if (status === packetStatus.error) error = new LibvirtError(name, errorInfo.read(from));
      else {
        result = row.result.read(from) as unknown;
        from.end();
      }
    } catch (thrown) {
      error = new ProtocolError(`The daemon's answer to ${name} cannot be read: ${asError(thrown).message}.`, {
        cause: thrown,
      });
    }
    if (stream) this.#streamAnswered(stream, pending, result, error);
    settle(pending, error, stream ?? result);
    this.#advance();
  }

  #streamAnswered(stream: LibvirtStream, pending: Pending, result: unknown, error: Error | null): void {
    if (error instanceof LibvirtError) return void this.#streams.delete(stream.serial);
    stream.opened(result);
    // Open at the daemon, but nobody waits for it here.
    if (error || !pending.answer) stream.destroy();
  }

  /** A place is free: the next that waits for one is sent. */
  #advance(): void {
    while (this.#waiting < WAITING_MAX && !this.#end) {
      const next = this.#queue.shift();
      if (!next) return;
      this.#send(next);
    }
  }

  // --- Streams ---------------------------------------------------------------------------------------

  #makeStreamHost(): StreamHost {
    const header = (stream: LibvirtStream, type: number, status: number): Header => ({
      program: programs.remote,
      procedure: stream.procedure.number,
      type,
      serial: stream.serial,
      status,
    });
    return {
      sendData: (stream, payload, taken) => {
        if (this.#end) return;
        const data = header(stream, packetType.stream, packetStatus.continue);
        this.#outbox.data(data, payload, taken);
        this.#trace?.({ ...data, payload }, 'out');
      },
      sendHole: (stream, length) => {
        if (this.#end) return;
        this.#sendPacket(header(stream, packetType.streamHole, packetStatus.continue), (to) => {
          to.i64(BigInt(length));
          to.u32(0);
        });
      },
      sendEnd: (stream, status) => {
        if (!this.#end) this.#sendPacket(header(stream, packetType.stream, status));
      },
      pause: (stream, paused) => this.#pause(stream, paused),
      forget: (stream) => void this.#streams.delete(stream.serial),
      after: (ms, run) => this.#clock.after(ms, run),
    };
  }

  #pause(stream: LibvirtStream, paused: boolean): void {
    const before = this.#pausedBy.size > 0;
    if (paused) this.#pausedBy.add(stream);
    else this.#pausedBy.delete(stream);
    const now = this.#pausedBy.size > 0;
    if (before === now || this.#end) return;
    this.#keepalive?.hold(now);
    if (now) this.#duplex.pause();
    else this.#duplex.resume();
  }

  // --- Keepalive, trace ------------------------------------------------------------------------------

  #startKeepalive(options: KeepaliveOptions): void {
    if (this.#end) return;
    this.#keepalive = new Keepalive(
      options,
      this.#clock,
      () => this.#sendKeepalive(keepaliveProcedure.ping),
      () => {
        const seconds = Math.round((options.intervalMs * (options.count + 1)) / 1000);
        this.#finish(new PeerGone(`The daemon has given no sign of life for ${seconds} s.`));
      },
    );
  }

  #sendKeepalive(procedure: number): void {
    this.#sendPacket({
      program: programs.keepalive,
      procedure,
      type: packetType.message,
      serial: 0,
      status: packetStatus.ok,
    });
  }

  #sendPacket(header: Header, body?: Parameters<Outbox['packet']>[1]): void {
    this.#outbox.packet(header, body);
    this.#traceOut(header, body);
  }

  #traceOut(header: Header, body?: Parameters<Outbox['packet']>[1]): void {
    if (!this.#trace) return;
    const payload = encodePacket(header, body).subarray(28);
    this.#trace({ ...header, payload }, 'out');
  }

  // --- The end, inside ---------------------------------------------------------------------------------

  #hungUp(): void {
    const cut = this.#frames.partial > 0;
    this.#finish(
      this.#closing
        ? null
        : cut
          ? new ProtocolError('The daemon hung up in the middle of a packet.')
          : new PeerGone('The daemon hung up.'),
    );
  }

  /** The one way out, taken once: every waiting call and stream learns of it. */
  #finish(error: Error | null): void {
    if (this.#end) return;
    this.#end = { error };
    this.#keepalive?.stop();
    this.#outbox.flush();
    this.#duplex.on('error', nothing);
    if (error) this.#duplex.destroy();
    else {
      // What was written still goes out; a peer that does not take it is not waited for.
      this.#duplex.resume();
      this.#duplex.end();
      const callOff = this.#clock.after(CLOSING_MS, () => this.#duplex.destroy());
      this.#duplex.once('close', callOff);
      this.#duplex.once('end', () => this.#duplex.destroy());
    }
    const why = error ?? closedByUs();
    const lost = [...this.#pending.values(), ...this.#queue];
    const streams = [...this.#streams.values()];
    this.#pending.clear();
    this.#queue.length = 0;
    this.#streams.clear();
    this.#pausedBy.clear();
    for (const pending of lost) settle(pending, new ConnectionLost(pending.name, pending.serial > 0, why));
    for (const stream of streams) stream.lost(error && new ConnectionLost(stream.procedure.name, true, error));
    const listeners = [...this.#endListeners];
    this.#endListeners.clear();
    for (const listener of listeners) listener(error);
  }
}

function settle(pending: Pending, error: Error | null, result?: unknown): void {
  const { answer } = pending;
  if (!answer) return;
  pending.answer = null;
  pending.callOff();
  if (error) answer.reject(error);
  else answer.resolve(result);
}

const closedByUs = () => new Error('The connection was closed.');

const asError = (thrown: unknown) => (thrown instanceof Error ? thrown : new Error(String(thrown)));
