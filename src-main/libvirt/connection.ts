// One libvirt connection over any Duplex: calls, streams and events, from opening it to its end.
import type { Duplex } from 'node:stream';
import { asError, Calls } from './calls.ts';
import type { CallOptions } from './calls.ts';
import { systemClock } from './clock.ts';
import type { Clock } from './clock.ts';
import { programs } from './constants.ts';
import type { Feature } from './constants.ts';
import { ConnectionLost, PeerGone, ProtocolError } from './errors.ts';
import type { EventName, EventOf } from './events.ts';
import { FrameReader, packetStatus, packetType } from './frame.ts';
import type { Packet } from './frame.ts';
import { defaultKeepalive, Keepalive, keepaliveProcedure } from './keepalive.ts';
import type { KeepaliveOptions } from './keepalive.ts';
import { negotiate } from './open.ts';
import { Outbox } from './outbox.ts';
import type { ArgsOf, CallName, ProcedureName, ResultOf, StreamProcedureName } from './procedures.ts';
import type { LibvirtStream } from './stream.ts';
import { Streams } from './streams.ts';
import { Subscriptions } from './subscriptions.ts';

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

/** `call('connect_get_hostname')`, but `call('domain_get_state', { dom })`. */
export type CallArgs<N extends ProcedureName> =
  Record<never, never> extends ArgsOf<N>
    ? [args?: ArgsOf<N>, options?: CallOptions]
    : [args: ArgsOf<N>, options?: CallOptions];

const TIMEOUT_MS = 60_000;
const CLOSING_MS = 2_000;
/** Of volume streams: holes are told apart from data. */
const SPARSE = 1;

const nothing = () => {};

export class Connection {
  /** Resolves at the end: to null when we closed it, else to why. Never rejects. */
  readonly ended: Promise<Error | null>;

  readonly #duplex: Duplex;
  readonly #clock: Clock;
  readonly #trace: ConnectionOptions['trace'];
  readonly #warning: NonNullable<ConnectionOptions['warning']>;
  readonly #frames = new FrameReader();
  readonly #outbox: Outbox;
  readonly #streams: Streams;
  readonly #calls: Calls;
  readonly #subscriptions: Subscriptions;
  readonly #endListeners = new Set<(error: Error | null) => void>();
  #features: ReadonlySet<Feature> = new Set();
  #keepalive: Keepalive | null = null;
  #end: { error: Error | null } | null = null;
  #closing = false;

  /** Takes the Duplex over: it is closed when opening fails, and with the connection. */
  static async open(duplex: Duplex, options: ConnectionOptions): Promise<Connection> {
    const connection = new Connection(duplex, options);
    const { uri, readOnly = false, keepalive, signal, timeoutMs } = options;
    const abort = () => connection.destroy(asError(signal?.reason));
    if (signal?.aborted) abort();
    signal?.addEventListener('abort', abort, { once: true });
    try {
      const ask = connection.call.bind(connection);
      const able = await negotiate(ask, { uri, readOnly, keepalive: keepalive !== false, timeoutMs });
      connection.#calls.libVersion = able.libVersion;
      connection.#features = able.features;
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
    const { clock = systemClock, timeoutMs = TIMEOUT_MS, trace, warning = nothing } = options;
    this.#duplex = duplex;
    this.#clock = clock;
    this.#trace = trace;
    this.#warning = warning;
    this.#outbox = new Outbox(duplex, trace && ((packet) => trace(packet, 'out')));
    this.#streams = new Streams(this.#outbox, clock, (held) => this.#hold(held));
    this.#calls = new Calls(this.#outbox, this.#streams, clock, timeoutMs);
    this.#subscriptions = new Subscriptions({
      call: (name, args) => this.#calls.ask(name, args, {}) as never,
      warn: (message, cause) => warning(message, cause),
    });
    this.ended = new Promise((resolve) => this.onEnd(resolve));
    duplex.on('data', (chunk: Buffer) => this.#take(chunk));
    duplex.on('end', () => this.#hungUp());
    duplex.on('close', () => this.#hungUp());
    duplex.on('error', (error: Error) => {
      const said = error.message.replace(/\.$/, '');
      this.#finish(new PeerGone(`The connection broke: ${said}.`, { cause: error }));
    });
  }

  /** The daemon's libvirt, as major × 1,000,000 + minor × 1,000 + release. */
  get libVersion(): number {
    return this.#calls.libVersion;
  }

  get features(): ReadonlySet<Feature> {
    return this.#features;
  }

  // --- Calls -----------------------------------------------------------------------------------------

  /**
   * Calls the daemon. Many may be under way at once; of those that can wait on a lock or a job, four are, and
   * more queue here in their order.
   * @throws LibvirtError, ConnectionLost, CallTimeout, XdrError (arguments that cannot be sent), ProtocolError
   *   (an answer that cannot be read), or the signal's reason
   */
  call<N extends CallName>(name: N, ...[args, options]: CallArgs<N>): Promise<ResultOf<N>> {
    return this.#calls.ask(name, args ?? {}, options ?? {}) as Promise<ResultOf<N>>;
  }

  /**
   * Opens a stream. It may stop this whole connection when it is not read, and a daemon may stop reading ours
   * while a guest does not take what was written: give a console, and anything that takes long, a connection of
   * its own, without keepalive.
   */
  openStream<N extends StreamProcedureName>(
    name: N,
    ...[args, options]: CallArgs<N>
  ): Promise<LibvirtStream<ResultOf<N>>> {
    const sparse = name.startsWith('storage_vol_') && ((args?.flags ?? 0) & SPARSE) !== 0;
    const opening = this.#calls.ask(name, args ?? {}, options ?? {}, { sparse });
    return opening as Promise<LibvirtStream<ResultOf<N>>>;
  }

  /** Calls sent and not answered, and those that queue here. */
  get outstanding(): { sent: number; queued: number } {
    return { sent: this.#calls.sent, queued: this.#calls.queued };
  }

  // --- Events ----------------------------------------------------------------------------------------

  /**
   * Listens to an event of all domains (pools, networks, devices). The daemon is asked for it when its first
   * listener comes; `eventsReady` tells when that is answered. What it returns ends the listening.
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
    if (!this.#end && !this.#closing) {
      this.#closing = true;
      await this.call('connect_close', {}, { timeoutMs: CLOSING_MS }).catch(nothing);
      this.#finish(null);
    }
    await this.ended;
  }

  /** Hangs up now. */
  destroy(error?: Error): void {
    this.#finish(error ?? null);
  }

  // --- Receiving -------------------------------------------------------------------------------------

  #take(chunk: Buffer): void {
    if (this.#end) return;
    this.#keepalive?.heard();
    try {
      for (const packet of this.#frames.feed(chunk)) {
        this.#trace?.(packet, 'in');
        this.#dispatch(packet);
        // Whoever was told of this packet may have ended the connection.
        if (this.over) return;
      }
    } catch (error) {
      if (!(error instanceof ProtocolError)) throw error;
      this.#finish(error);
    }
  }

  /** By type first: what a procedure number means depends on it. @throws ProtocolError */
  #dispatch(packet: Packet): void {
    const { program, type } = packet;
    if (program === programs.keepalive) {
      if (packet.procedure === keepaliveProcedure.ping) this.#sendKeepalive(keepaliveProcedure.pong);
      return;
    }
    if (program !== programs.remote) return;
    switch (type) {
      case packetType.reply:
        return this.#calls.reply(packet);
      case packetType.message:
        return this.#subscriptions.take(packet.procedure, packet.payload);
      case packetType.stream:
      case packetType.streamHole:
        return this.#streams.receive(packet);
      default:
        throw new ProtocolError(`The far end sent a packet of type ${type}, which no daemon does.`);
    }
  }

  /** Reading stops while some stream is not read. */
  #hold(held: boolean): void {
    if (this.#end) return;
    this.#keepalive?.hold(held);
    if (held) this.#duplex.pause();
    else this.#duplex.resume();
  }

  // --- Keepalive -------------------------------------------------------------------------------------

  #startKeepalive(options: KeepaliveOptions): void {
    if (this.#end) return;
    const ping = () => this.#sendKeepalive(keepaliveProcedure.ping);
    const dead = () => {
      const seconds = Math.round((options.intervalMs * (options.count + 1)) / 1000);
      this.#finish(new PeerGone(`The daemon has given no sign of life for ${seconds} s.`));
    };
    this.#keepalive = new Keepalive(options, this.#clock, ping, dead);
  }

  #sendKeepalive(procedure: number): void {
    const type = packetType.message;
    this.#outbox.packet({ program: programs.keepalive, procedure, type, serial: 0, status: packetStatus.ok });
  }

  // --- The end, inside ---------------------------------------------------------------------------------

  #hungUp(): void {
    if (this.#closing) this.#finish(null);
    else if (this.#frames.partial > 0) this.#finish(new ProtocolError('The daemon hung up in the middle of a packet.'));
    else this.#finish(new PeerGone('The daemon hung up.'));
  }

  /** The one way out, taken once: every waiting call and stream learns of it. */
  #finish(error: Error | null): void {
    if (this.#end) return;
    this.#end = { error };
    this.#keepalive?.stop();
    this.#hangUp(error !== null);
    this.#calls.end(error ?? new Error('The connection was closed.'));
    this.#streams.end(error);
    const listeners = [...this.#endListeners];
    this.#endListeners.clear();
    for (const listener of listeners) {
      try {
        listener(error);
      } catch (thrown) {
        this.#warning(`A listener to the connection's end failed: ${asError(thrown).message}`, thrown);
      }
    }
  }

  #hangUp(atOnce: boolean): void {
    const duplex = this.#duplex;
    this.#outbox.flush();
    if (atOnce) return void duplex.destroy();
    // What was written still goes out; a peer that does not take it is not waited for.
    duplex.resume();
    duplex.end();
    const callOff = this.#clock.after(CLOSING_MS, () => duplex.destroy());
    duplex.once('close', callOff);
    duplex.once('end', () => duplex.destroy());
  }
}
