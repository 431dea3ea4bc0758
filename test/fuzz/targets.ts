// Every parser that sees what others wrote: its samples, and how an input is fed to it.
import { calls } from '../../contract/calls.ts';
import { parseHostUri } from '../../contract/uri.ts';
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
import { anyOf, parseConfig, valuesFor } from '../../src-main/ssh/config-files.ts';
import { interpret } from '../../src-main/ssh/config.ts';
import { hopOf } from '../../src-main/ssh/hop.ts';
import { printable } from '../../src-main/ssh/index.ts';
import { matches, parseLine } from '../../src-main/ssh/known-hosts.ts';
import { readProbe } from '../../src-main/ssh/no-libvirt.ts';
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
};
