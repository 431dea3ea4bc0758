// Speaks to the control socket of an ssh that is a master (ControlMaster), and over it SSH's own channels
// (OpenSSH's PROTOCOL.mux, “proxy”): no process a stream, and each opening is answered by the host itself.
import { mkdtempSync, rmSync } from 'node:fs';
import { connect, createServer, type Socket } from 'node:net';
import { dirname, join } from 'node:path';
import type { Duplex } from 'node:stream';
import type { Carrier, Channel, OpenError } from './carrier.ts';
import { MuxChannel, windowSize, packetSize } from './mux-channel.ts';

/** Messages to and from the master. */
const mux = {
  hello: 1,
  aliveCheck: 0x10000004,
  terminate: 0x10000005,
  openForward: 0x10000006,
  closeForward: 0x10000007,
  proxy: 0x1000000f,
  ok: 0x80000001,
  failure: 0x80000003,
  proxied: 0x8000000f,
} as const;
const version = 4;
const remoteForward = 2;
/** A path in place of a host and a port. */
const pathPort = 0xfffffffe;

/** SSH's messages about channels (RFC 4254). */
export const ssh = {
  open: 90,
  opened: 91,
  openFailed: 92,
  window: 93,
  data: 94,
  extendedData: 95,
  eof: 96,
  close: 97,
  request: 98,
  success: 99,
  failure: 100,
} as const;

/** The master speaks of no longer packets than SSH has, and some around it. */
const packetLimit = 1 << 20;
/** How long a master may take for what it does by itself. */
const answersMs = 5000;

export function uint32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value >>> 0);
  return bytes;
}

export function text(value: string | Buffer): Buffer {
  const bytes = Buffer.from(value as string);
  return Buffer.concat([uint32(bytes.length), bytes]);
}

/** Takes a packet apart. @throws RangeError where it is cut */
export class Fields {
  #left: Buffer;

  constructor(packet: Buffer) {
    this.#left = packet;
  }

  byte(): number {
    return this.#take(1)[0] ?? 0;
  }

  uint32(): number {
    return this.#take(4).readUInt32BE();
  }

  bytes(): Buffer {
    return this.#take(this.uint32());
  }

  text(): string {
    return this.bytes().toString('utf8');
  }

  #take(length: number): Buffer {
    if (length > this.#left.length) throw new RangeError('a packet of ssh was cut');
    const taken = this.#left.subarray(0, length);
    this.#left = this.#left.subarray(length);
    return taken;
  }
}

/** Bytes in, packets out: each has its length before it. */
export class Packets {
  #held: Buffer = Buffer.alloc(0);

  /** @throws RangeError for one that is too long */
  *feed(chunk: Buffer): Generator<Buffer> {
    this.#held = this.#held.length > 0 ? Buffer.concat([this.#held, chunk]) : chunk;
    while (this.#held.length >= 4) {
      const size = this.#held.readUInt32BE();
      if (size > packetLimit) throw new RangeError(`a packet of ${size} bytes`);
      if (this.#held.length < 4 + size) return;
      const packet = this.#held.subarray(4, 4 + size);
      this.#held = this.#held.subarray(4 + size);
      yield packet;
    }
  }
}

/** A connection to the master that has said hello. @throws Error */
async function greet(path: string): Promise<{ socket: Socket; next: () => Promise<Fields>; packets: Packets }> {
  const socket = connect(path);
  const packets = new Packets();
  const came: Buffer[] = [];
  let wake = () => {};
  let broken: Error | null = null;
  const over = (error: Error) => {
    broken ??= error;
    wake();
  };
  const take = (chunk: Buffer) => {
    try {
      for (const packet of packets.feed(chunk)) came.push(packet);
    } catch (error) {
      over(error as Error);
    }
    wake();
  };
  socket.on('data', take);
  socket.on('error', over);
  socket.on('close', () => over(new Error('ssh ended the connection to its control socket')));
  const timer = setTimeout(() => socket.destroy(new Error('ssh does not answer at its control socket')), answersMs);
  const next = async (): Promise<Fields> => {
    for (;;) {
      const packet = came.shift();
      if (packet) return new Fields(packet);
      if (broken) throw broken;
      await new Promise<void>((resolve) => (wake = resolve));
    }
  };
  const settled = async () => {
    const fields = await next();
    clearTimeout(timer);
    if (fields.uint32() !== mux.hello || fields.uint32() !== version) {
      throw new Error('ssh speaks another version of its control protocol');
    }
  };
  try {
    send(socket, uint32(mux.hello), uint32(version));
    await settled();
    return { socket, next, packets };
  } catch (error) {
    clearTimeout(timer);
    socket.destroy();
    throw error;
  }
}

function send(socket: Socket, ...fields: Buffer[]): void {
  const body = Buffer.concat(fields);
  socket.write(Buffer.concat([uint32(body.length), body]));
}

/** One request to the master. @throws Error with its words, where it says no */
async function ask(path: string, ...request: Buffer[]): Promise<void> {
  const { socket, next } = await greet(path);
  try {
    const [type = Buffer.alloc(4), ...rest] = request;
    send(socket, type, uint32(1), ...rest);
    const fields = await next();
    const answer = fields.uint32();
    fields.uint32();
    if (answer !== mux.ok) throw new Error(fields.text() || 'ssh refused it');
  } finally {
    socket.destroy();
  }
}

/** Has the master leave, whatever is under way. One that is gone already is fine. */
export async function terminate(path: string): Promise<void> {
  await ask(path, uint32(mux.terminate)).catch(() => undefined);
}

/** Channels over a master's connection. */
export class MuxCarrier implements Carrier {
  readonly #path: string;
  readonly #socket: Socket;
  readonly #packets: Packets;
  readonly #channels = new Map<number, MuxChannel>();
  readonly #opening = new Map<number, { channel: MuxChannel; done: (error?: OpenError) => void }>();
  readonly #overs = new Set<(error: Error | null) => void>();
  #next = 0;
  #over = false;

  private constructor(path: string, socket: Socket, packets: Packets) {
    this.#path = path;
    this.#socket = socket;
    this.#packets = packets;
    socket.removeAllListeners();
    socket.on('data', (chunk: Buffer) => this.#take(chunk));
    socket.on('error', (error) => this.#end(error));
    socket.on('close', () => this.#end(null));
  }

  /** @param path The control socket. @throws Error */
  static async open(path: string): Promise<MuxCarrier> {
    const { socket, next, packets } = await greet(path);
    send(socket, uint32(mux.proxy), uint32(1));
    const answer = await next();
    if (answer.uint32() !== mux.proxied) {
      socket.destroy();
      throw new Error('ssh does not lend its connection (it is older than 7.4)');
    }
    return new MuxCarrier(path, socket, packets);
  }

  get bytesRead(): number {
    return this.#socket.bytesRead;
  }

  openUnix(path: string, done: (error: OpenError | undefined, channel: Channel) => void): void {
    this.#open('direct-streamlocal@openssh.com', [text(path), text(''), uint32(0)], done);
  }

  openTcp(host: string, port: number, done: (error: OpenError | undefined, channel: Channel) => void): void {
    this.#open('direct-tcpip', [text(host), uint32(port), text('127.0.0.1'), uint32(0)], done);
  }

  exec(command: string, done: (error: OpenError | undefined, channel: Channel) => void): void {
    this.#open('session', [], (error, channel) => {
      if (error) done(error, channel);
      else {
        channel.request('exec', text(command), (taken) => {
          if (taken) return;
          channel.close();
          channel.destroy();
        });
        done(undefined, channel);
      }
    });
  }

  listenUnix(path: string, taken: (channel: Duplex) => void, done: (error?: OpenError) => void): () => void {
    // The master connects each of them to a socket of ours.
    const folder = mkdtempSync(join(dirname(this.#path), 'l'));
    const near = join(folder, 's');
    const server = createServer((socket) => taken(socket.on('error', () => undefined)));
    const forward = [uint32(remoteForward), text(path), uint32(pathPort), text(near), uint32(pathPort)];
    const undo = () => {
      server.close();
      rmSync(folder, { recursive: true, force: true });
    };
    server.on('error', (error) => {
      undo();
      done(error);
    });
    server.listen(near, () => {
      ask(this.#path, uint32(mux.openForward), ...forward).then(
        () => done(),
        (error: Error) => {
          undo();
          done(error);
        },
      );
    });
    this.#overs.add(undo);
    return () => {
      undo();
      ask(this.#path, uint32(mux.closeForward), ...forward).catch(() => undefined);
    };
  }

  /** A request that no server knows, which each of them refuses. */
  ping(): void {
    const [channel] = this.#channels.values();
    if (channel) channel.request('keepalive@openssh.com', Buffer.alloc(0), () => undefined);
    else this.#open('keepalive@drover', [], () => undefined);
  }

  on(event: 'data', listener: () => void): void {
    this.#socket.on(event, listener);
  }

  onOver(listener: (error: Error | null) => void): void {
    this.#overs.add(listener);
  }

  hangUp(): void {
    void terminate(this.#path).finally(() => this.#socket.destroy());
  }

  /** One of SSH's own packets: no padding, no check, as it goes to the master only. */
  send(type: number, ...fields: Buffer[]): boolean {
    if (this.#over) return false;
    const body = Buffer.concat(fields);
    const head = Buffer.alloc(6);
    head.writeUInt32BE(2 + body.length);
    head[5] = type;
    this.#socket.cork();
    this.#socket.write(head);
    const more = this.#socket.write(body);
    this.#socket.uncork();
    return more;
  }

  /** Called when a channel has nothing more to say or hear. */
  forget(channel: MuxChannel): void {
    this.#channels.delete(channel.id);
  }

  #open(kind: string, fields: Buffer[], done: (error: OpenError | undefined, channel: MuxChannel) => void): void {
    if (this.#over) throw new Error('the connection is closed');
    const id = (this.#next += 1);
    const channel = new MuxChannel(this, id);
    this.#opening.set(id, { channel, done: (error) => done(error, channel) });
    this.send(ssh.open, text(kind), uint32(id), uint32(windowSize), uint32(packetSize), ...fields);
  }

  #take(chunk: Buffer): void {
    try {
      for (const packet of this.#packets.feed(chunk)) this.#packet(new Fields(packet));
    } catch (error) {
      this.#end(error as Error);
      this.#socket.destroy();
    }
  }

  #packet(fields: Fields): void {
    fields.byte(); // of padding there is none
    const type = fields.byte();
    if (type < ssh.open || type > ssh.failure || type === ssh.open) return; // nothing of ours
    const id = fields.uint32();
    const opening = this.#opening.get(id);
    if (opening && (type === ssh.opened || type === ssh.openFailed)) {
      this.#opening.delete(id);
      if (type === ssh.opened) {
        this.#channels.set(id, opening.channel);
        opening.channel.opened(fields.uint32(), fields.uint32(), fields.uint32());
        opening.done();
      } else {
        const reason = fields.uint32();
        opening.channel.destroy();
        opening.done(Object.assign(new Error(fields.text()), { reason }));
      }
    } else this.#channels.get(id)?.hear(type, fields);
  }

  #end(error: Error | null): void {
    if (this.#over) return;
    this.#over = true;
    for (const { done, channel } of this.#opening.values()) {
      channel.destroy();
      done(error ?? new Error('the connection ended'));
    }
    this.#opening.clear();
    for (const channel of [...this.#channels.values()]) channel.broke();
    for (const listener of [...this.#overs]) listener(error);
  }
}
