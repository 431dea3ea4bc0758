// Every parser that sees what others wrote: its samples, and how an input is fed to it.
import * as ws from 'ws';
import { calls } from '../../contract/calls.ts';
import { parseHostUri } from '../../contract/uri.ts';
import { decodeFrame, encodeFrame } from '../../contract/wire.ts';
import { readCapabilities } from '../../src-main/fleet/capabilities.ts';
import { readDomainXml } from '../../src-main/fleet/domain-xml.ts';
import { eventName, events } from '../../src-main/libvirt/events.ts';
import {
  errorInfo,
  FrameReader,
  packetStatus,
  packetType,
  procedureName,
  procedures,
  Reader,
} from '../../src-main/libvirt/index.ts';
import type { Outbox } from '../../src-main/libvirt/outbox.ts';
import { Streams } from '../../src-main/libvirt/streams.ts';
import { anyOf, parseConfig, valuesFor } from '../../src-main/ssh/config-files.ts';
import { interpret } from '../../src-main/ssh/config.ts';
import { hopOf } from '../../src-main/ssh/hop.ts';
import { printable } from '../../src-main/ssh/index.ts';
import { matches, parseLine } from '../../src-main/ssh/known-hosts.ts';
import { MuxChannel } from '../../src-main/ssh/mux-channel.ts';
import { Fields, Packets, ssh, type MuxCarrier } from '../../src-main/ssh/mux.ts';
import { readProbe } from '../../src-main/ssh/no-libvirt.ts';
import { keyRefusal, SystemLog, whyLeft } from '../../src-main/ssh/system-log.ts';
import { captures } from '../libvirt/captures.ts';

export interface Target {
  samples: Buffer[];
  /** Throws where the input is refused. @throws TypeError never: that is a crash */
  feed: (input: Buffer) => void;
}

const texts = (...samples: string[]) => samples.map((sample) => Buffer.from(sample));
const recorded = captures().map(({ bytes }) => bytes.subarray(0, 32_768));

/** Packets that were recorded, each alone. */
const packets = recorded.flatMap((bytes) => {
  const cut: Buffer[] = [];
  for (let at = 0; at + 4 <= bytes.length;) {
    const size = bytes.readUInt32BE(at);
    cut.push(bytes.subarray(at, at + size));
    at += size;
  }
  return cut.filter(({ length }) => length < 8192);
});

const found = (pattern: RegExp) =>
  recorded.flatMap((bytes) => [...bytes.toString('latin1').matchAll(pattern)].map(([xml]) => xml));

function feedPackets(input: Buffer): void {
  for (const { program, procedure, type, status, payload } of new FrameReader().feed(input)) {
    const from = new Reader(payload);
    const event = eventName(procedure);
    const call = procedureName(procedure);
    if (status === packetStatus.error) errorInfo.read(from);
    else if (type === packetType.message && event) events[event].payload.read(from);
    else if (call) (type === packetType.call ? procedures[call].args : procedures[call].result).read(from);
    else if (program === 0) return;
  }
}

/** One packet of a stream: a header that says so, and the rest of the recorded one. */
function streamPacket(type: number, status: number, payload: Buffer): Buffer {
  const head = Buffer.alloc(28);
  for (const [at, word] of [28 + payload.length, 0x2000_8086, 1, 201, type, 1, status].entries()) {
    head.writeUInt32BE(word, at * 4);
  }
  return Buffer.concat([head, payload]);
}

const outbox = { data: () => undefined, packet: () => undefined } as unknown as Outbox;
const stoppedClock = { now: () => 0, after: () => () => undefined };

function feedStream(input: Buffer): void {
  const streams = new Streams(outbox, stoppedClock, () => undefined);
  const procedure = { name: 'domain_open_console', number: 201 };
  const stream = streams.add({ procedure, serial: 1, kind: 'console' as never, sparse: true });
  stream.on('error', () => undefined).resume();
  stream.opened(undefined);
  for (const packet of new FrameReader().feed(input)) streams.receive({ ...packet, serial: 1 });
  stream.destroy();
}

interface WebSocketParts {
  Receiver: new (options: object) => NodeJS.WritableStream;
}

const webSocket = ws as unknown as WebSocketParts;

/** A masked frame of a WebSocket. */
function webSocketFrame(opcode: number, payload: string): Buffer {
  const head = Buffer.from([0x80 | opcode, 0x80 | payload.length, 0, 0, 0, 0]);
  return Buffer.concat([head, Buffer.from(payload)]);
}

const nowhere = { send: () => true, forget: () => undefined } as unknown as MuxCarrier;

function feedMux(input: Buffer): void {
  const channel = new MuxChannel(nowhere, 1);
  channel.on('error', () => undefined).resume();
  channel.opened(1, 1024, 1024);
  channel.request('exec', Buffer.alloc(0), () => undefined);
  for (const packet of new Packets().feed(input)) {
    const fields = new Fields(packet);
    fields.byte();
    const type = fields.byte();
    fields.uint32();
    channel.hear(type, fields);
  }
  channel.destroy();
}

const muxPacket = (type: number, ...more: number[]) =>
  Buffer.from([0, 0, 0, 6 + more.length, 0, type, 0, 0, 0, 1, ...more]);

export const targets: Record<string, Target> = {
  packets: { samples: [...packets, ...recorded.filter(({ length }) => length < 16_384)], feed: feedPackets },
  'domain XML': {
    samples: texts('<domain><name>a</name></domain>', ...found(/<domain [^]*?<\/domain>/g)),
    feed: (input) => void readDomainXml(input.toString()),
  },
  capabilities: {
    samples: texts(
      '<capabilities><host><uuid>x</uuid></host></capabilities>',
      ...found(/<capabilities>[^]*?<\/capabilities>/g),
    ).map((sample) => sample.subarray(0, 16_384)),
    feed: (input) => void readCapabilities(input.toString()),
  },
  known_hosts: {
    samples: texts(
      'kvm1,10.0.0.1 ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJ3MbGQHqMGDMqyzZs3zZUYzzkCM6QTEP2UeTQmQ+SCM',
      '@revoked *.lan,!a?b ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJ3MbGQHqMGDMqyzZs3zZUYzzkCM6QTEP2UeTQmQ+SCM comment',
      '|1|PUk8eQwOKbOPYXnyZLsQKA==|hWtqqCkdv7OsZd4lsKyy5SRhd2c= ssh-rsa AAAAB3NzaC1yc2E=',
      '[kvm1]:2222 ecdsa-sha2-nistp256 AAAAE2VjZHNhLXNoYTItbmlzdHAyNTY=',
    ),
    feed: (input) => {
      for (const line of input.toString('latin1').split('\n')) {
        const parsed = parseLine(line, 'file:1');
        if (parsed) matches(parsed.names, 'kvm1.lan', new Map());
      }
    },
  },
  'SSH configuration': {
    samples: texts(
      'Host kvm* !kvm9\n  HostName %h.lan\n  Port 22\n  IdentityFile "~/a b/%r"\n  ProxyJump u@a:1,[::1]:2\n',
      'Match host a,b user root !localuser x final\n ConnectTimeout 1m30s\n Ciphers a,b\nInclude x\n',
      'Match exec "true" all\n ProxyCommand=nc -X 5 "%h" %p\n UserKnownHostsFile a b\n',
    ),
    feed: (input) => {
      const asked = { host: 'kvm1', user: null, port: null };
      const { proxyJump } = interpret(valuesFor([parseConfig(input.toString())], asked), asked, '/home/admin');
      for (const hop of proxyJump) hopOf(hop);
    },
  },
  patterns: {
    samples: texts('a*b*c*d?*', '!x,*,?a?', '*'.repeat(200)),
    feed: (input) => void anyOf(input.toString().split(','), 'abcabc'.repeat(40)),
  },
  'host URIs': {
    samples: texts(
      'qemu+ssh://root@kvm1:22/system?keyfile=/a&no_verify=1&proxy=auto',
      'qemu+ssh://u%40x@[fe80::1%25eth0]:2/session',
      'qemu:///system',
    ),
    feed: (input) => void parseHostUri(input.toString()),
  },
  'what a probe of a host says': {
    samples: texts(
      'drover:shut srw-rw---- 1 root libvirt 0 Jan 1 00:00 /run/libvirt/libvirt-sock\ndrover:groups a b\ndrover:has nc\n',
    ),
    feed: (input) => {
      readProbe(input.toString());
      printable(input.toString());
    },
  },
  'API bodies': {
    samples: texts(
      '{"uri":"qemu+ssh://a/system","label":"a","trust":"SHA256:AAAA"}',
      '{"uuid":"6f4ab0a4-6f4a-4f4a-8f4a-6f4ab0a46f4a","from":"a","to":"b","options":{"mode":"live","parallel":2,"__proto__":{"x":1}}}',
      '{"cidr":"10.0.0.0/8","pass":"full"}',
      '{"id":"a","answers":["b"],"bytes":1e999}',
    ),
    feed: (input) => {
      const body: unknown = JSON.parse(input.toString());
      for (const { args } of Object.values(calls)) args.safeParse(body);
      if (Object.hasOwn(Object.prototype, 'x')) throw new TypeError('Object.prototype was changed');
    },
  },
  'libvirt streams': {
    samples: [
      streamPacket(3, 2, Buffer.from('tick 1\r\n')),
      streamPacket(6, 2, Buffer.from([0, 0, 0, 0, 0, 0, 16, 0, 0, 0, 0, 0])),
      streamPacket(3, 0, Buffer.alloc(0)),
      ...packets.filter((packet) => [3, 6].includes(packet.readUInt32BE(16))).slice(0, 40),
    ],
    feed: feedStream,
  },
  'link frames': {
    samples: [
      { m: 'call', a: ['domains.start', { hostId: 'a', uuid: 'b' }], i: 'x', t: 'q' },
      { m: 'call', a: ['hosts.add', { uri: 'qemu+ssh://a/system' }], i: 'y', t: 'q' },
      { m: '__proto__', a: [new Uint8Array(9)], i: 'y', t: 's' },
    ].map((frame) => Buffer.from(encodeFrame(frame))),
    feed: (input) => {
      try {
        decodeFrame(input);
      } catch (error) {
        // What decodes, and is no frame, is refused with a TypeError.
        throw (error as Error).message === 'no frame' ? new RangeError('no frame') : error;
      }
    },
  },
  WebSocket: {
    samples: [
      webSocketFrame(1, '{"call":"hosts.list"}'),
      webSocketFrame(2, 'bytes of a console'),
      webSocketFrame(8, '\x03\xe8bye'),
      webSocketFrame(9, 'ping'),
    ],
    feed: (input) => {
      const { Receiver } = webSocket;
      const receiver = new Receiver({ isServer: true, maxPayload: 1 << 20, extensions: {} });
      receiver.on('error', () => undefined);
      receiver.write(input);
    },
  },
  'channels over a control socket': {
    samples: [
      muxPacket(ssh.data, 0, 0, 0, 2, 104, 105),
      muxPacket(ssh.extendedData, 0, 0, 0, 1, 0, 0, 0, 1, 33),
      muxPacket(ssh.window, 0, 0, 16, 0),
      muxPacket(ssh.request, 0, 0, 0, 11, ...Buffer.from('exit-status'), 0, 0, 0, 0, 3),
      muxPacket(ssh.success),
      muxPacket(ssh.eof),
      muxPacket(ssh.close),
    ],
    feed: feedMux,
  },
  'what ssh says': {
    samples: texts(
      "debug1: Remote protocol version 2.0, remote software version OpenSSH_9.2p1\ndebug1: Authenticating to a:22 as 'root'\n",
      'debug1: Server host key: ssh-ed25519 SHA256:abc\nOffending ED25519 key in /a:3\nHost key verification failed.\n',
      'root@a: Permission denied (publickey,password).\nssh: connect to host a port 22: Connection refused\n',
    ),
    feed: (input) => {
      const log = new SystemLog(() => undefined);
      for (const line of input.toString().split('\n')) log.line(line);
      keyRefusal(log);
      whyLeft(log, { host: 'a', port: 22, label: 'a', via: null });
    },
  },
};
