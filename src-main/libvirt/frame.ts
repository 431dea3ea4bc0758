// Bytes in, packets out, and back: the 28 bytes that every packet begins with.
import { programs } from './constants.ts';
import { ProtocolError } from './errors.ts';
import { Writer } from './xdr.ts';

export const packetType = {
  call: 0,
  reply: 1,
  message: 2,
  stream: 3,
  callWithFds: 4,
  replyWithFds: 5,
  streamHole: 6,
} as const;
export const packetStatus = { ok: 0, error: 1, continue: 2 } as const;

/** Length word (which counts itself), then program, version, procedure, type, serial, status. */
export const HEADER = 28;
/** Longest packet, its length word included. One byte more and a daemon hangs up. */
export const PACKET_MAX = 33_554_436;

export interface Header {
  program: number;
  procedure: number;
  type: number;
  serial: number;
  status: number;
}

export interface Packet extends Header {
  /** What follows the header; a view of the bytes that came in, not a copy. */
  payload: Buffer;
}

const knownPrograms = new Set<number>(Object.values(programs));

/** Takes bytes however they are cut. Throws ProtocolError when the peer is out of step: then hang up. */
export class FrameReader {
  #held: Buffer[] = [];
  #length = 0;
  #first = true;

  /** Bytes of a packet whose rest has not come yet. */
  get partial(): number {
    return this.#length;
  }

  *feed(chunk: Buffer): Generator<Packet, void, undefined> {
    this.#held.push(chunk);
    this.#length += chunk.length;
    while (this.#length >= 4) {
      const size = this.#size();
      if (size < HEADER || size > PACKET_MAX) throw this.#outOfStep(size);
      if (this.#length < size) return;
      // One copy for a packet that came in several chunks, however many; none for one that came in one.
      const all = this.#held.length === 1 ? (this.#held[0] as Buffer) : Buffer.concat(this.#held, this.#length);
      const rest = all.subarray(size);
      this.#held = rest.length > 0 ? [rest] : [];
      this.#length = rest.length;
      this.#first = false;
      // The state is whole again before the yield: the taker may stop here.
      yield parse(all.subarray(0, size));
    }
  }

  /** The length word, which may itself be cut. */
  #size(): number {
    const head = this.#held[0] as Buffer;
    if (head.length >= 4) return head.readUInt32BE(0);
    const all = Buffer.concat(this.#held, this.#length);
    this.#held = [all];
    return all.readUInt32BE(0);
  }

  #outOfStep(size: number): ProtocolError {
    if (!this.#first) return new ProtocolError(`The far end is out of step: it announced a packet of ${size} bytes.`);
    const said = printable(Buffer.concat(this.#held, this.#length));
    return new ProtocolError(
      said
        ? `The far end sent text where libvirt's protocol was expected: “${said}”. ` +
            'Something there prints it at login, such as a shell startup file; it has to be quiet for programs.'
        : `The far end does not speak libvirt's protocol: it announced a packet of ${size} bytes.`,
    );
  }
}

/** The first line or so, if it is text at all. */
function printable(raw: Buffer): string {
  const head = raw.subarray(0, 200).toString('latin1').trim();
  const text = head.replace(/[^\x20-\x7e]+/g, ' ').trim();
  return text.length >= Math.max(4, head.length / 2) ? text.slice(0, 120) : '';
}

function parse(whole: Buffer): Packet {
  const program = whole.readUInt32BE(4);
  const version = whole.readUInt32BE(8);
  const type = whole.readInt32BE(16);
  const status = whole.readInt32BE(24);
  if (!knownPrograms.has(program) || version !== 1 || type < 0 || type > 6 || status < 0 || status > 2) {
    throw new ProtocolError(
      'The far end is out of step: it sent a packet of ' +
        `program 0x${program.toString(16)}, version ${version}, type ${type}, status ${status}.`,
    );
  }
  return {
    program,
    procedure: whole.readInt32BE(12),
    type,
    serial: whole.readUInt32BE(20),
    status,
    payload: whole.subarray(HEADER),
  };
}

/** Writes a packet behind what is there. @throws XdrError, and ProtocolError when it is too long; then nothing is written. */
export function writePacket(to: Writer, header: Header, body?: (to: Writer) => void): void {
  const start = to.length;
  try {
    writeHeader(to, header, 0);
    body?.(to);
    const size = to.length - start;
    if (size > PACKET_MAX) throw new ProtocolError(`A packet of ${size} bytes is more than libvirt takes.`);
    to.patchU32(start, size);
  } catch (error) {
    to.truncate(start);
    throw error;
  }
}

/** Only the header, of a packet whose `payload` bytes follow on their own. */
export function writeHeader(to: Writer, header: Header, payload: number): void {
  to.u32(HEADER + payload);
  to.u32(header.program);
  to.u32(1);
  to.i32(header.procedure);
  to.i32(header.type);
  to.u32(header.serial);
  to.i32(header.status);
}

/** One packet as bytes of its own. */
export function encodePacket(header: Header, body?: (to: Writer) => void): Buffer {
  const to = new Writer();
  writePacket(to, header, body);
  return to.bytes();
}
