// The trace: packets in words, and no secret among them.
import { expect, test } from 'vitest';
import { encodePacket, formatPacket, FrameReader, procedures, withoutSecrets } from '../../src-main/libvirt/index.ts';
import type { ArgsOf, CallName, Packet } from '../../src-main/libvirt/index.ts';
import { captures } from './captures.ts';
import { connected, Peer, web01 } from './peer.ts';

const only = (bytes: Buffer): Packet => {
  const [packet] = new FrameReader().feed(bytes);
  if (!packet) throw new Error('no packet');
  return packet;
};

const call = <N extends CallName>(name: N, args: ArgsOf<N>) =>
  only(
    encodePacket({ program: 0x20008086, procedure: procedures[name].number, type: 0, serial: 7, status: 0 }, (to) =>
      (procedures[name].args as { write(to: unknown, args: unknown): void }).write(to, args),
    ),
  );

test('calls, answers, errors, events, streams and keepalive in words', () => {
  const peer = new Peer();
  const name = 'domain_open_console';
  const lines: [Packet, string][] = [
    [call('domain_get_state', { dom: web01 }), '#7 domain_get_state { dom: web01, flags: 0 }'],
    [
      only(peer.reply('domain_get_state', 7, { state: 1, reason: 5 })),
      '#7 domain_get_state ok { state: 1, reason: 5 }',
    ],
    [only(peer.reply('domain_abort_job', 7, {})), '#7 domain_abort_job ok'],
    [
      only(peer.event('lifecycle', { callback: 1, dom: web01, event: 2, detail: 0 })),
      'event lifecycle { callback: 1, dom: web01, event: 2, detail: 0 }',
    ],
    [only(peer.stream(name, 7, 'secret typed here')), `#7 ${name} stream 17 bytes`],
    [only(peer.stream(name, 7, '')), `#7 ${name} stream ends after 0 bytes`],
    [only(peer.stream(name, 7, '', 0)), `#7 ${name} stream finished`],
    [only(peer.hole(name, 7, 512)), `#7 ${name} stream hole`],
    [only(peer.keepalive(1)), 'PING'],
  ];
  for (const [packet, line] of lines) expect(formatPacket(packet, 'in')).toBe(`← ${line}`);
  expect(formatPacket(only(peer.error('domain_abort_job', 7, 55, 10, 'no job')), 'in')).toMatch(
    /^← #7 domain_abort_job ERROR \{ code: 55, domain: 10, message: "no job"/,
  );
  const cookie = { dom: web01, params: [], cookie: Buffer.alloc(900), cancelled: 1 };
  expect(formatPacket(call('domain_migrate_confirm3_params', cookie), 'out')).toBe(
    '→ #7 domain_migrate_confirm3_params { dom: web01, params: [], cookie: <900 bytes>, flags: 0, cancelled: 1 }',
  );
});

test('passwords and keys never show', () => {
  const shown = [
    formatPacket(call('domain_set_user_password', { dom: web01, user: 'root', password: 'hunter2' }), 'out'),
    formatPacket(call('domain_send_key', { dom: web01, codeset: 0, holdtime: 0, keycodes: [35, 22] }), 'out'),
    formatPacket(call('domain_define_xml_flags', { xml: "<graphics type='vnc' passwd='hunter2'/>" }), 'out'),
    formatPacket(
      call('domain_define_xml_flags', { xml: '<graphics passwd = "hunter2"/><password x="1">hunter2</password>' }),
      'out',
    ),
  ].join('\n');
  expect(shown).toContain('domain_set_user_password { dom: web01, user: root, password: ***');
  expect(shown).not.toMatch(/hunter2|35|22/);
  expect(withoutSecrets("<a passwd='x' passwdValidTo='2030'/>")).toBe("<a passwd='***' passwdValidTo='***'/>");
});

test('one packet is one line, however long and odd its text', () => {
  const line = formatPacket(call('domain_define_xml_flags', { xml: '<a>\n\x1b[31m'.repeat(1_000) }), 'out');
  for (const raw of ['\n', '\x1b']) expect(line).not.toContain(raw);
  expect(line.length).toBeLessThan(600);
  expect(line).toContain('9000 characters');
});

test('nothing that a real daemon said trips it', () => {
  for (const { bytes, from } of captures()) {
    for (const packet of new FrameReader().feed(bytes)) {
      const line = formatPacket(packet, from === 'client' ? 'out' : 'in');
      expect(line).toMatch(/^[→←] \S/);
      expect(line).not.toMatch(/cannot be read|\n/);
    }
  }
});

test('a connection shows both directions as they go', async () => {
  const seen: string[] = [];
  const { connection, peer } = await connected({
    trace: (packet, direction) => seen.push(formatPacket(packet, direction)),
  });
  expect(seen.slice(0, 3)).toEqual([
    '→ #1 auth_list',
    '→ #2 connect_supports_feature { feature: 10 }',
    '→ #3 connect_open { name: qemu:///system, flags: 0 }',
  ]);
  expect(seen).toContain('← #1 auth_list ok { types: [0] }');
  peer.raw(peer.keepalive(1));
  await peer.next();
  expect(seen.slice(-2)).toEqual(['← PING', '→ PONG']);
  connection.destroy();
});
