// The far end of a connection, played by the test: sees every packet, and says whatever the test wants.
import { duplexPair } from 'node:stream';
import type { Duplex } from 'node:stream';
import {
  Connection,
  encodePacket,
  errorInfo,
  events,
  FrameReader,
  packetStatus,
  packetType,
  procedureName,
  procedures,
  programs,
  Reader,
} from '../../src-main/libvirt/index.ts';
import type {
  AnyCodec,
  ArgsReadOf,
  ConnectionOptions,
  EventName,
  EventWrittenOf,
  Header,
  Packet,
  ProcedureName,
  ResultWrittenOf,
} from '../../src-main/libvirt/index.ts';
import { HandClock } from './hand-clock.ts';

export const web01 = { name: 'web01', uuid: '8f6a3c1e-0b1d-4c7e-9a53-1f1e5d3b7a01', id: 3 };

export class Peer {
  /** What the connection under test is given. */
  readonly near: Duplex;
  readonly #far: Duplex;
  readonly #packets: Packet[] = [];
  readonly #asking: (() => void)[] = [];
  /** Chunks as they came: what left together arrives together. */
  readonly chunks: Buffer[] = [];
  hungUp = false;

  constructor() {
    [this.near, this.#far] = duplexPair();
    const frames = new FrameReader();
    this.#far.on('data', (chunk: Buffer) => {
      this.chunks.push(chunk);
      this.#packets.push(...frames.feed(chunk));
      for (const ask of this.#asking.splice(0)) ask();
    });
    const gone = () => {
      this.hungUp = true;
      for (const ask of this.#asking.splice(0)) ask();
    };
    this.#far.on('error', gone);
    this.#far.on('end', gone);
    this.#far.on('close', gone);
    this.near.on('close', gone);
  }

  /** The next packet, whatever it is. */
  async next(): Promise<Packet> {
    for (;;) {
      const packet = this.#packets.shift();
      if (packet) return packet;
      if (this.hungUp) throw new Error('the client hung up');
      await this.#more();
    }
  }

  /** Puts one back, to be read once more. */
  again(packet: Packet): void {
    this.#packets.unshift(packet);
  }

  /** The next packet, which has to be this call: its arguments, and how to answer. */
  async call<N extends ProcedureName>(name: N) {
    const packet = await this.next();
    const seen = packet.type === packetType.call ? procedureName(packet.procedure) : `type ${packet.type}`;
    if (seen !== name) throw new Error(`expected ${name}, and got ${seen}`);
    const from = new Reader(packet.payload);
    const args = procedures[name].args.read(from) as ArgsReadOf<N>;
    from.end();
    const { serial } = packet;
    return {
      args,
      serial,
      answer: (result: ResultWrittenOf<N>) => this.raw(this.reply(name, serial, result)),
      refuse: (code: number, domain: number, message = 'no') =>
        this.raw(this.error(name, serial, code, domain, message)),
    };
  }

  /** Packets that have come and were not asked for. */
  get unseen(): string[] {
    return this.#packets.map(({ procedure }) => procedureName(procedure) ?? String(procedure));
  }

  reply<N extends ProcedureName>(name: N, serial: number, result: ResultWrittenOf<N>): Buffer {
    const { number } = procedures[name];
    const codec: AnyCodec = procedures[name].result;
    return encodePacket(header(number, packetType.reply, serial), (to) => codec.write(to, result));
  }

  error(name: ProcedureName, serial: number, code: number, domain: number, message: string, stream = false): Buffer {
    const type = stream ? packetType.stream : packetType.reply;
    return encodePacket(header(procedures[name].number, type, serial, packetStatus.error), (to) =>
      errorInfo.write(to, { code, domain, message, level: 2 }),
    );
  }

  event<N extends EventName>(name: N, payload: EventWrittenOf<N>): Buffer {
    const codec: AnyCodec = events[name].payload;
    return encodePacket(header(events[name].number, packetType.message, 0), (to) => codec.write(to, payload));
  }

  stream(name: ProcedureName, serial: number, data: Buffer | string, status: number = packetStatus.continue): Buffer {
    const head = encodePacket(header(procedures[name].number, packetType.stream, serial, status));
    const payload = Buffer.from(data);
    head.writeUInt32BE(head.length + payload.length, 0);
    return Buffer.concat([head, payload]);
  }

  hole(name: ProcedureName, serial: number, length: number): Buffer {
    return encodePacket(header(procedures[name].number, packetType.streamHole, serial, packetStatus.continue), (to) => {
      to.i64(BigInt(length));
      to.u32(0);
    });
  }

  keepalive(procedure: 1 | 2): Buffer {
    return encodePacket({ ...header(procedure, packetType.message, 0), program: programs.keepalive });
  }

  raw(...bytes: Uint8Array[]): void {
    this.#far.write(Buffer.concat(bytes));
  }

  hangUp(): void {
    this.#far.end();
  }

  /** Resolves when the client has hung up. */
  async gone(): Promise<void> {
    while (!this.hungUp) await this.#more();
  }

  /** Answers what a connection asks when it is opened. */
  async welcome(libVersion = 9_000_000): Promise<void> {
    for (let asked = 0; asked < 2;) {
      const { procedure, serial } = await this.next();
      const name = procedureName(procedure);
      if (name === 'auth_list') this.raw(this.reply(name, serial, { types: [0] }));
      else if (name === 'connect_open') this.raw(this.reply(name, serial, {}));
      else if (name === 'connect_supports_feature') this.raw(this.reply(name, serial, { supported: 1 }));
      else if (name === 'connect_get_lib_version') this.raw(this.reply(name, serial, { version: libVersion }));
      if (name === 'connect_open' || name === 'connect_get_lib_version') asked += 1;
    }
    // The features asked after the version.
    for (let i = 0; i < 8; i++) (await this.call('connect_supports_feature')).answer({ supported: 1 });
    this.chunks.length = 0;
  }

  #more(): Promise<void> {
    return new Promise((resolve) => this.#asking.push(resolve));
  }
}

const header = (procedure: number, type: number, serial: number, status: number = packetStatus.ok): Header => ({
  program: programs.remote,
  procedure,
  type,
  serial,
  status,
});

/** An open connection and the far end of it. */
export async function connected(options: Partial<ConnectionOptions> & { libVersion?: number } = {}) {
  const peer = new Peer();
  const clock = new HandClock();
  const warnings: string[] = [];
  const { libVersion, ...rest } = options;
  const opening = Connection.open(peer.near, {
    uri: 'qemu:///system',
    clock,
    warning: (message) => warnings.push(message),
    ...rest,
  });
  await peer.welcome(libVersion);
  return { connection: await opening, peer, clock, warnings };
}

/** What a promise was rejected with. */
export async function failure(promise: Promise<unknown>): Promise<Error> {
  try {
    await promise;
  } catch (error) {
    return error as Error;
  }
  throw new Error('it should have failed');
}

/** Whether a promise is settled by now, after everything due has run. */
export async function settled(promise: Promise<unknown>): Promise<boolean> {
  let is = false;
  promise.then(
    () => (is = true),
    () => (is = true),
  );
  await turn();
  return is;
}

/** Lets everything that is due run: not a sleep, a full turn of the event loop. */
export const turn = () => new Promise((resolve) => setImmediate(() => setImmediate(resolve)));
