// Frames: the same packets come out however the bytes are cut, and what is no packet is never one.
import { describe, expect, test } from 'vitest';
import {
  encodePacket,
  errorInfo,
  FrameReader,
  HEADER,
  PACKET_MAX,
  packetStatus,
  packetType,
  procedureName,
  procedures,
  programs,
  Reader,
  Writer,
} from '../../src-main/libvirt/index.ts';
import type { AnyCodec, Packet } from '../../src-main/libvirt/index.ts';
import { eventName, events } from '../../src-main/libvirt/events.ts';
import { captures } from './captures.ts';
import { cuts, random, seed } from './random.ts';

const recorded = captures();

function packetsOf(parts: Buffer[]): Packet[] {
  const frames = new FrameReader();
  const packets = parts.flatMap((part) => [...frames.feed(part)]);
  expect(frames.partial).toBe(0);
  return packets;
}

const plain = (packets: Packet[]) =>
  packets.map((packet) => ({ ...packet, payload: packet.payload.toString('base64') }));

/** The layout that a packet's payload should have; null for raw bytes, and for calls that this client never makes. */
function layoutOf({ program, procedure, type, status }: Packet): AnyCodec | null {
  if (program !== programs.remote) return null;
  if (type === packetType.message) {
    const name = eventName(procedure);
    return name ? events[name].payload : null;
  }
  if (status === packetStatus.error) return type === packetType.reply ? errorInfo : null;
  const name = procedureName(procedure);
  if (!name) return null;
  if (type === packetType.call) return procedures[name].args;
  return type === packetType.reply ? procedures[name].result : null;
}

test('there are recordings of a real daemon', () => {
  expect(recorded.length).toBeGreaterThanOrEqual(12);
});

describe.each(recorded)('$what', ({ bytes }) => {
  test(`gives the same packets however it is cut (seed ${seed})`, () => {
    const whole = plain(packetsOf([bytes]));
    expect(whole.length).toBeGreaterThan(2);
    for (const parts of cuts(bytes, random(seed))) expect(plain(packetsOf(parts))).toEqual(whole);
  });

  test('is understood to the last byte, and written again it is the same', () => {
    let understood = 0;
    for (const packet of packetsOf([bytes])) {
      const layout = layoutOf(packet);
      if (!layout) continue;
      const from = new Reader(packet.payload);
      const value: unknown = layout.read(from);
      from.end();
      const { payload, ...header } = packet;
      const again = encodePacket(header, (to) => layout.write(to, value));
      expect(again.subarray(HEADER).equals(payload)).toBe(true);
      understood += 1;
    }
    expect(understood).toBeGreaterThan(2);
  });
});

describe('a peer out of step', () => {
  const lengths = [0, 3, HEADER - 1, PACKET_MAX + 1, 0x7fffffff, 0xffffffff];
  test.each(lengths)('a packet of %i bytes is refused before anything is kept for it', (length) => {
    const bytes = Buffer.alloc(4);
    bytes.writeUInt32BE(length);
    for (const parts of cuts(bytes, random(1), 0)) expect(() => packetsOf(parts)).toThrow(`packet of ${length} bytes`);
  });

  test('the longest packet there can be is waited for, and taken', () => {
    const head = encodePacket({ program: programs.remote, procedure: 1, type: 3, serial: 1, status: 2 });
    head.writeUInt32BE(PACKET_MAX, 0);
    const body = Buffer.alloc(1 << 20, 'x');
    const frames = new FrameReader();
    let [left, got] = [PACKET_MAX - HEADER, [...frames.feed(head)]];
    for (; left > 0; left -= body.length) got = [...frames.feed(body.subarray(0, Math.min(left, body.length)))];
    expect(got.map(({ payload }) => payload.length)).toEqual([PACKET_MAX - HEADER]);
  });

  test('random bytes never make it crash otherwise', () => {
    const chance = random(seed);
    for (let i = 0; i < 2_000; i++) {
      const bytes = Buffer.from(Array.from({ length: Math.floor(chance() * 80) }, () => Math.floor(chance() * 256)));
      // Half of them with a length that is plausible.
      if (i % 2 && bytes.length >= 4) bytes.writeUInt32BE(Math.floor(chance() * 100), 0);
      try {
        void [...new FrameReader().feed(bytes)];
      } catch (error) {
        expect(String(error), `seed ${seed}`).toMatch(/^ProtocolError: /);
      }
    }
  });
});

test('every layout survives mangled payloads with an error of its own kind', () => {
  const chance = random(seed);
  const samples = recorded.flatMap(({ bytes }) => packetsOf([bytes])).filter((packet) => layoutOf(packet));
  for (let i = 0; i < 5_000; i++) {
    const packet = samples[Math.floor(chance() * samples.length)] as Packet;
    const payload = Buffer.from(packet.payload.subarray(0, Math.floor(chance() * (packet.payload.length + 1))));
    for (let flips = 0; flips < 3 && payload.length > 0; flips++) {
      payload[Math.floor(chance() * payload.length)] = Math.floor(chance() * 256);
    }
    try {
      layoutOf(packet)?.read(new Reader(payload));
    } catch (error) {
      expect(String(error), `seed ${seed}`).toMatch(/^XdrError: /);
    }
  }
});

test('a packet that cannot be written leaves nothing behind', () => {
  const to = new Writer(8);
  const header = { program: programs.remote, procedure: 1, type: 0, serial: 1, status: 0 };
  to.u32(42);
  expect(() =>
    encodePacket(header, () => {
      throw new RangeError('no');
    }),
  ).toThrow('no');
  expect(to.bytes().readUInt32BE(0)).toBe(42);
});

test('a large packet in small pieces is not copied again with every piece, which would take minutes', () => {
  const packet = encodePacket({ program: programs.remote, procedure: 1, type: 3, serial: 1, status: 2 }, (to) =>
    to.raw(Buffer.alloc(1 << 23)),
  );
  const frames = new FrameReader();
  let packets = 0;
  for (let at = 0; at < packet.length; at += 64) packets += [...frames.feed(packet.subarray(at, at + 64))].length;
  expect(packets).toBe(1);
});
