import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { systemClock } from '../../src-main/discovery/clock.ts';
import { answers, question } from '../../src-main/discovery/suggest/dns-message.ts';
import { askMdns } from '../../src-main/discovery/suggest/mdns.ts';
import { addressesOfTable } from '../../src-main/discovery/suggest/neighbour-table.ts';
import { suggest } from '../../src-main/discovery/suggest/suggestions.ts';
import { random, seed } from './random.ts';

const service = '_libvirt._tcp.local';
const name = (text: string) =>
  Buffer.concat([...text.split('.').map((part) => Buffer.from([part.length, ...Buffer.from(part)])), Buffer.from([0])]);
function record(owner: Buffer, type: number, data: Buffer): Buffer {
  const head = Buffer.alloc(10);
  head.writeUInt16BE(type, 0);
  head.writeUInt16BE(1, 2);
  head.writeUInt16BE(data.length, 8);
  return Buffer.concat([owner, head, data]);
}
/** kvm7 announces itself, its service's name as a pointer back. */
const linkLocal = record(name('kvm7.local'), 28, Buffer.from('fe800000000000000000000000000007', 'hex'));
function announcement(...more: Buffer[]): Buffer {
  const header = Buffer.from([0, 0, 0x84, 0, 0, 0, 0, 1, 0, 0, 0, 2 + more.length]);
  const pointer = Buffer.from([4, ...Buffer.from('kvm7'), 0xc0, 12]); // to the service's name, right after the header
  const srv = Buffer.concat([Buffer.from([0, 0, 0, 0, 0x40, 0x7d]), name('kvm7.local')]);
  return Buffer.concat([
    header,
    record(name(service), 12, pointer),
    record(name(`kvm7.${service}`), 33, srv),
    record(name('kvm7.local'), 1, Buffer.from([10, 0, 0, 7])),
    ...more,
  ]);
}

describe('mDNS', () => {
  let responder: Socket;
  beforeEach(async () => {
    responder = createSocket('udp4').bind(0, '127.0.0.1');
    await once(responder, 'listening');
  });
  afterEach(() => responder.close());
  const to = () => ({ address: '127.0.0.1', port: responder.address().port });

  it('finds who announces libvirt, asking once', async () => {
    let asked = 0;
    responder.on('message', (message, { port, address }) => {
      asked += 1;
      expect(message.equals(question(service))).toBe(true);
      responder.send(announcement(), port, address);
    });
    expect(await askMdns({ by: ['127.0.0.1'], to: to(), clock: systemClock })).toEqual([
      { name: 'kvm7.local', host: '10.0.0.7', port: 22, addresses: ['10.0.0.7'], from: 'mDNS' },
    ]);
    expect(asked).toBe(1);
  });

  it('asks by IPv6 as well, and tells an address of one link with its link', async () => {
    const v6 = createSocket('udp6').bind(0, '::1');
    try {
      await once(v6, 'listening');
      v6.on('message', (_, { port, address }) => v6.send(announcement(linkLocal), port, address));
      const to = { address: '::1', port: v6.address().port };
      expect(await askMdns({ by: ['::1'], to, clock: systemClock })).toEqual([
        {
          name: 'kvm7.local',
          host: '10.0.0.7',
          port: 22,
          // Loopback has no zone to tell; a real link's stands behind the address.
          addresses: ['10.0.0.7', 'fe80::7'],
          from: 'mDNS',
        },
      ]);
    } finally {
      v6.close();
    }
  });

  it('ends in its time, whatever comes back', async () => {
    responder.on('message', (_, { port, address }) => {
      for (let n = 0; n < 2000; n += 1) responder.send(Buffer.alloc(1200, n), port, address);
    });
    expect(await askMdns({ by: ['127.0.0.1'], to: to(), clock: systemClock })).toEqual([]);
  });
});

describe('a DNS answer', () => {
  it('that is cut or broken anywhere gives what came before, and never hangs', () => {
    const whole = announcement();
    expect(answers(whole)).toHaveLength(3);
    for (let length = 0; length < whole.length; length += 1) answers(whole.subarray(0, length));
    const next = random(seed);
    for (let n = 0; n < 2000; n += 1) {
      const broken = Buffer.from(whole);
      for (let flips = 0; flips < 4; flips += 1) broken[Math.floor(next() * broken.length)] = Math.floor(next() * 256);
      expect(() => answers(broken), `seed ${seed}`).not.toThrow();
    }
    const circle = Buffer.from([0, 0, 0x84, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0xc0, 12, 0, 12, 0, 1]);
    expect(answers(circle)).toEqual([]);
  });
});

describe('suggestions', () => {
  let home: string;
  beforeEach(async () => {
    home = await mkdtemp(join(tmpdir(), 'drover-suggest-'));
    await mkdir(join(home, '.ssh/config.d'), { recursive: true });
  });
  afterEach(() => rm(home, { recursive: true }));
  const asked = (table = '') =>
    suggest(
      {},
      {
        home,
        clock: systemClock,
        neighbourTable: async () => table,
        fleet: () => [{ id: 'h1', address: '10.0.0.1', port: 22, libvirtVersion: null, uri: 'qemu+ssh://kvm1/system' }],
      },
    );

  it('are the names of ssh_config and known_hosts, each host once, nothing hashed, no patterns', async () => {
    await writeFile(join(home, '.ssh/config'), 'Include config.d/*\nHost *\n User ops\n');
    await writeFile(join(home, '.ssh/config.d/lab'), 'Host kvm2 *.lab !x\n HostName 10.0.0.2\n Port 2222\n');
    await writeFile(
      join(home, '.ssh/known_hosts'),
      [
        'kvm1,10.0.0.1 ssh-ed25519 AAAA',
        '[10.0.0.2]:2222 ssh-ed25519 AAAA',
        '|1|c2FsdA==|aGFzaA== ssh-ed25519 AAAA',
        '@revoked evil ssh-ed25519 AAAA',
        '# nothing',
        '*.example ssh-ed25519 AAAA',
        'fd00::3 ssh-rsa AAAA',
        'a"b/c ssh-rsa AAAA',
      ].join('\n'),
    );
    expect(await asked()).toEqual({
      notes: [],
      suggestions: [
        {
          name: 'kvm2',
          port: 2222,
          user: 'ops',
          addresses: ['10.0.0.2'],
          from: ['ssh_config', 'known_hosts'],
          uri: 'qemu+ssh://kvm2/system',
        },
        {
          name: 'fd00::3',
          port: 22,
          addresses: ['fd00::3'],
          from: ['known_hosts'],
          uri: 'qemu+ssh://[fd00::3]/system',
        },
        {
          name: 'kvm1',
          port: 22,
          addresses: ['10.0.0.1'],
          from: ['known_hosts'],
          uri: 'qemu+ssh://kvm1/system',
          hostId: 'h1',
        },
      ],
    });
  });

  it('hold the IPv6 neighbours that answered, with their link, and no routers', async () => {
    const table = [
      'fe80::1 dev eth0 lladdr 02:00:00:00:00:01 router REACHABLE',
      'fe80::2 dev eth0 lladdr 02:00:00:00:00:02 STALE',
      'fd00::5 dev eth0 lladdr 02:00:00:00:00:05 REACHABLE',
      'fd00::6 dev eth0  FAILED',
    ].join('\n');
    expect(addressesOfTable(table).map((one) => one.name)).toEqual(['fe80::2%eth0', 'fd00::5']);
    expect(addressesOfTable('fe80::9%en0  2:0:0:0:0:9  en0 23h1m S').map((one) => one.name)).toEqual(['fe80::9%en0']);
    expect((await asked(table)).suggestions.map((one) => one.uri)).toContain('qemu+ssh://[fe80::2%25eth0]/system');
  });

  it('of a machine without any such file are none, without complaint', async () => {
    expect(await asked()).toEqual({ suggestions: [], notes: [] });
  });
});
