// One libvirt connection as the daemon has it: reads calls, has them carried out, answers, tells events.
import type { Duplex } from 'node:stream';
import {
  encodePacket,
  errorInfo,
  events,
  FrameReader,
  packetStatus,
  packetType,
  procedureName,
  procedures,
  programs,
} from '../src-main/libvirt/index.ts';
import type {
  AnyCodec,
  EventName,
  Header,
  Packet,
  ProcedureName,
  StreamProcedureName,
  Writer,
} from '../src-main/libvirt/index.ts';
import { Keepalive, keepaliveProcedure } from '../src-main/libvirt/keepalive.ts';
import { answer } from './answer.ts';
import type { Daemon } from './daemon.ts';
import { Dropped } from './migration/deaths.ts';
import { Refusal, refuse } from './refusal.ts';

/** So many requests of a connection are in work at a time; then it is no longer read. */
const REQUESTS_MAX = 5;
const REPLY_HELD_MS = 20;

export interface StreamEnd {
  data: (bytes: Buffer) => void;
  /** Whether it takes more now; else what came waits, and holds a place among the requests. */
  takes: () => boolean;
  /** The client has finished, or aborted. */
  finish: () => void;
  /** A gap of a sparse upload, in bytes. */
  hole?: (length: number) => void;
  lost: () => void;
}

interface Registration {
  event: EventName;
  /** Only of this object. */
  uuid: string | null;
}

export class Client {
  readonly number: number;
  readonly daemon: Daemon;
  readonly registrations = new Map<number, Registration>();
  opened: { uri: string; readOnly: boolean } | null = null;
  #keepalive: Keepalive | null = null;
  readonly #duplex: Duplex;
  readonly #frames = new FrameReader();
  readonly #streams = new Map<number, StreamEnd>();
  readonly #queue: Packet[] = [];
  #working = 0;
  #out: Buffer[] = [];
  #flushing = false;
  #gone = false;
  #closing = false;
  /** The daemon died: what is under way comes to nothing. */
  #dead = false;

  constructor(daemon: Daemon, duplex: Duplex, number: number) {
    this.daemon = daemon;
    this.number = number;
    this.#duplex = duplex;
    duplex.on('data', (chunk: Buffer) => this.#take(chunk));
    duplex.on('end', () => this.hangUp());
    duplex.on('close', () => this.hangUp());
    duplex.on('error', () => this.hangUp());
  }

  get gone(): boolean {
    return this.#gone;
  }

  /** Bytes that the transport has not taken yet. */
  get unsent(): number {
    return this.#duplex.writableLength;
  }

  // --- The end -----------------------------------------------------------------------------------------

  hangUp(): void {
    if (this.#gone) return;
    this.#gone = true;
    this.#keepalive?.stop();
    this.#duplex.destroy();
    this.#queue.length = 0;
    const streams = [...this.#streams.values()];
    this.#streams.clear();
    for (const stream of streams) stream.lost();
    this.#settle();
  }

  /** As when the daemon is killed: nothing is settled. */
  die(): void {
    this.#dead = true;
    this.hangUp();
  }

  /** What it held is let go only when nothing of it is in work any more. */
  #settle(): void {
    if (this.#gone && this.#working === 0 && !this.#dead) this.daemon.connectionGone(this);
  }

  // --- Reading -----------------------------------------------------------------------------------------

  #take(chunk: Buffer): void {
    if (this.#gone) return;
    this.#keepalive?.heard();
    try {
      for (const packet of this.#frames.feed(chunk)) this.#queue.push(packet);
    } catch {
      // A daemon hangs up on what is no packet, without a word.
      return this.hangUp();
    }
    this.#advance();
  }

  #advance(): void {
    while (!this.#gone && this.#working < REQUESTS_MAX) {
      const packet = this.#queue.shift();
      if (!packet) break;
      this.#dispatch(packet);
    }
    if (this.#gone) return;
    if (this.#working >= REQUESTS_MAX) this.#duplex.pause();
    else this.#duplex.resume();
  }

  /** Something else may be taken now, as where a guest goes on. */
  nudge(): void {
    for (const stream of this.#held.splice(0)) stream();
  }

  readonly #held: (() => void)[] = [];

  #dispatch(packet: Packet): void {
    if (packet.program === programs.keepalive) {
      if (packet.procedure === keepaliveProcedure.ping) this.#sendKeepalive(keepaliveProcedure.pong);
      return;
    }
    if (packet.type === packetType.stream) return this.#takeStream(packet);
    if (packet.type === packetType.streamHole) {
      return this.#streams.get(packet.serial)?.hole?.(Number(packet.payload.readBigInt64BE()));
    }
    if (packet.type !== packetType.call) return;
    this.#working += 1;
    void this.#carryOut(packet).finally(() => {
      this.#working -= 1;
      this.#settle();
      this.#advance();
    });
  }

  async #carryOut(packet: Packet): Promise<void> {
    const { procedure, serial, program } = packet;
    const name = program === programs.remote ? procedureName(procedure) : undefined;
    const header = (status: number): Header => ({ program, procedure, type: packetType.reply, serial, status });
    const { faults, host } = this.daemon;
    const place = { host: host.name, connection: this.number, ...(name && { call: name }) };
    if (faults.take('never-answers', place)) return;
    let bytes: Buffer;
    try {
      const failing = faults.take('fails', place);
      if (failing) throw new Refusal(failing.code, failing.domain, failing.message ?? 'this is a simulated fault');
      if (name === 'connect_close') this.#closing = true;
      const { result, codec } = await answer(packet, name, { client: this, daemon: this.daemon, serial });
      if (this.#dead) return;
      bytes = encodePacket(header(packetStatus.ok), (to) => codec.write(to, result));
    } catch (error) {
      if (error instanceof Dropped || this.#dead) return;
      bytes = encodePacket(header(packetStatus.error), (to) => writeError(to, this.#asRefusal(error)));
    }
    if (name !== 'connect_close' || !this.#closing) await this.#reply(bytes, place);
    else this.#lastWords(bytes);
  }

  #asRefusal(error: unknown): Refusal {
    if (error instanceof Refusal) return error;
    this.daemon.report(error);
    return refuse.none('internal_error', `internal error: ${error instanceof Error ? error.message : String(error)}`);
  }

  // --- Streams -----------------------------------------------------------------------------------------

  openStream(serial: number, end: StreamEnd, name: StreamProcedureName = 'domain_open_console'): void {
    this.#streams.set(serial, end);
    this.#streamProcedure.set(serial, procedures[name].number);
  }

  readonly #streamProcedure = new Map<number, number>();

  #takeStream(packet: Packet): void {
    const { serial, status, payload } = packet;
    const stream = this.#streams.get(serial);
    if (status === packetStatus.continue) {
      if (!stream) return;
      if (stream.takes()) return stream.data(Buffer.from(payload));
      this.#working += 1;
      this.#held.push(() => {
        this.#working -= 1;
        stream.data(Buffer.from(payload));
        this.#advance();
      });
      return;
    }
    // Finished, or aborted: also of one whose end was told before.
    if (stream) {
      this.#streams.delete(serial);
      stream.finish();
    } else if (this.#streamProcedure.has(serial)) this.streamEnd(serial, packetStatus.ok);
  }

  streamData(serial: number, bytes: Buffer): void {
    const procedure = this.#streamProcedure.get(serial);
    if (procedure === undefined) return;
    if (bytes.length === 0) this.#streams.delete(serial);
    const header = { program: programs.remote, procedure, type: packetType.stream, serial };
    const head = encodePacket({ ...header, status: packetStatus.continue });
    head.writeUInt32BE(head.length + bytes.length, 0);
    this.#send(head, bytes);
  }

  streamHole(serial: number, length: number): void {
    const procedure = this.#streamProcedure.get(serial);
    if (procedure === undefined) return;
    const header = { program: programs.remote, procedure, type: packetType.streamHole, serial };
    this.#send(
      encodePacket({ ...header, status: packetStatus.continue }, (to) => {
        to.i64(BigInt(length));
        to.u32(0);
      }),
    );
  }

  streamEnd(serial: number, status: number): void {
    const procedure = this.#streamProcedure.get(serial);
    if (procedure === undefined) return;
    this.#streamProcedure.delete(serial);
    this.#streams.delete(serial);
    this.#send(encodePacket({ program: programs.remote, procedure, type: packetType.stream, serial, status }));
  }

  streamError(serial: number, error: Refusal): void {
    const procedure = this.#streamProcedure.get(serial);
    if (procedure === undefined) return;
    this.#streamProcedure.delete(serial);
    this.#streams.delete(serial);
    const header = { program: programs.remote, procedure, type: packetType.stream, serial };
    this.#send(encodePacket({ ...header, status: packetStatus.error }, (to) => writeError(to, error)));
  }

  // --- Events, keepalive -------------------------------------------------------------------------------

  /** To each of its registrations that fits. */
  tell(event: EventName, uuid: string | null, payload: object): void {
    for (const [callback, registration] of this.registrations) {
      if (registration.event !== event || (registration.uuid !== null && registration.uuid !== uuid)) continue;
      const codec: AnyCodec = events[event].payload;
      const header = { program: programs.remote, procedure: events[event].number, serial: 0, status: packetStatus.ok };
      this.#send(
        encodePacket({ ...header, type: packetType.message }, (to) => codec.write(to, { callback, ...payload })),
      );
    }
  }

  /** From now on the client has to answer. */
  startKeepalive(): void {
    if (this.#keepalive) return;
    const { clock, timings } = this.daemon.fleet;
    this.#keepalive = new Keepalive(
      { intervalMs: timings.keepaliveInterval, count: timings.keepaliveCount },
      clock,
      () => this.#sendKeepalive(keepaliveProcedure.ping),
      () => this.hangUp(),
    );
  }

  #sendKeepalive(procedure: number): void {
    const header = { program: programs.keepalive, procedure, type: packetType.message, serial: 0 };
    this.#send(encodePacket({ ...header, status: packetStatus.ok }));
  }

  // --- Sending -----------------------------------------------------------------------------------------

  async #reply(answer: Buffer, place: { host: string; connection: number; call?: ProcedureName }): Promise<void> {
    const { faults, fleet } = this.daemon;
    if (faults.take('garbage', place)) {
      return this.#send(Buffer.from('\x7fELF\x02\x01\x01 this is no packet at all\r\n'));
    }
    if (faults.take('hangup-mid-packet', place)) {
      this.#send(answer.subarray(0, Math.ceil(answer.length / 2)));
      this.#flush();
      this.#duplex.end();
      return this.hangUpSoon();
    }
    const held = faults.at('event-before-reply', place);
    if (held) await fleet.clock.sleep(held.delayMs ?? REPLY_HELD_MS);
    if (!faults.at('reply-out-of-order', place)) return this.#send(answer);
    this.#reversed.push(answer);
    if (this.#reversed.length > 1) return;
    fleet.clock.after(REPLY_HELD_MS, () => this.#send(...this.#reversed.splice(0).reverse()));
  }

  readonly #reversed: Buffer[] = [];

  /** Once what was written has had its time to leave. */
  hangUpSoon(): void {
    this.daemon.fleet.clock.after(REPLY_HELD_MS, () => this.hangUp());
  }

  #lastWords(answer: Buffer): void {
    this.#send(answer);
    this.#flush();
    this.#duplex.end();
    this.hangUpSoon();
  }

  #send(...bytes: Buffer[]): void {
    if (this.#gone) return;
    this.#out.push(...bytes);
    if (this.#flushing) return;
    this.#flushing = true;
    // What is said in one turn leaves as one piece.
    setImmediate(() => this.#flush());
  }

  #flush(): void {
    this.#flushing = false;
    const out = this.#out;
    this.#out = [];
    if (out.length > 0 && !this.#gone && this.#duplex.writable) this.#duplex.write(Buffer.concat(out));
  }
}

function writeError(to: Writer, { code, domain, message }: Refusal): void {
  errorInfo.write(to, { code, domain, message, level: 2, str1: '%s', str2: message, int1: -1, int2: -1 });
}
