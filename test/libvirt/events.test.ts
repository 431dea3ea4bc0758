// Events: registering, delivery, and what happens with those that are late, early, unknown or broken.
import { afterEach, expect, test } from 'vitest';
import type { Connection } from '../../src-main/libvirt/index.ts';
import { connected, turn, web01 } from './peer.ts';

let open: Connection | undefined;
const begin = async () => {
  const all = await connected();
  open = all.connection;
  return all;
};
afterEach(() => open?.destroy());

const register = 'connect_domain_event_callback_register_any';
const deregister = 'connect_domain_event_callback_deregister_any';
const started = { callback: 7, dom: web01, event: 2, detail: 0 };

test('an event is asked for once, however many listen, and no longer when the last has gone', async () => {
  const { connection, peer } = await begin();
  const seen: string[] = [];
  const first = connection.on('lifecycle', ({ dom }) => seen.push(`first ${dom.name}`));
  const second = connection.on('lifecycle', ({ dom }) => seen.push(`second ${dom.name}`));
  const asked = await peer.call(register);
  expect(asked.args).toEqual({ event: 0, dom: null });
  asked.answer({ callback: 7 });
  await connection.eventsReady();
  peer.raw(peer.event('lifecycle', started));
  await turn();
  expect(seen).toEqual(['first web01', 'second web01']);
  first();
  first();
  peer.raw(peer.event('lifecycle', started));
  await turn();
  expect(seen).toEqual(['first web01', 'second web01', 'second web01']);
  second();
  const undone = await peer.call(deregister);
  expect(undone.args).toEqual({ callback: 7 });
  peer.raw(peer.event('lifecycle', started));
  undone.answer({});
  await turn();
  expect(seen).toHaveLength(3);
  expect(peer.unseen).toEqual([]);
});

test('an event that comes before the reply which names its id is not lost', async () => {
  const { connection, peer } = await begin();
  const seen: number[] = [];
  connection.on('lifecycle', ({ event }) => seen.push(event));
  const { serial } = await peer.call(register);
  peer.raw(
    peer.event('lifecycle', { ...started, event: 4 }),
    peer.event('lifecycle', started),
    peer.reply(register, serial, { callback: 7 }),
  );
  await connection.eventsReady();
  expect(seen).toEqual([4, 2]);
});

test('listening again while the daemon still undoes the last registration asks anew, after that', async () => {
  const { connection, peer } = await begin();
  const off = connection.on('lifecycle', () => {});
  (await peer.call(register)).answer({ callback: 7 });
  await connection.eventsReady();
  off();
  const undone = await peer.call(deregister);
  connection.on('lifecycle', () => {});
  await turn();
  expect(peer.unseen).toEqual([]);
  undone.answer({});
  (await peer.call(register)).answer({ callback: 8 });
  expect(await connection.eventsReady()).toEqual([]);
});

test('an event that the daemon does not have is told, and is no failure', async () => {
  const { connection, peer, warnings } = await begin();
  connection.on('lifecycle', () => {});
  connection.on('nic_mac_change', () => {});
  (await peer.call(register)).answer({ callback: 1 });
  (await peer.call(register)).refuse(1, 7, 'unsupported event ID 27');
  expect(await connection.eventsReady()).toEqual(['nic_mac_change']);
  expect(warnings).toEqual([]);
});

test('a registration that fails for another reason warns', async () => {
  const { connection, peer, warnings } = await begin();
  connection.on('lifecycle', () => {});
  (await peer.call(register)).refuse(88, 7, 'access denied');
  expect(await connection.eventsReady()).toEqual(['lifecycle']);
  expect(warnings).toEqual(['The daemon refused lifecycle events: access denied']);
});

test('power management events have their reason before their domain', async () => {
  const { connection, peer } = await begin();
  const seen: unknown[] = [];
  connection.on('pmsuspend', (event) => seen.push(event));
  (await peer.call(register)).answer({ callback: 7 });
  const bytes = peer.event('pmsuspend', { callback: 7, reason: 5, dom: web01 });
  expect(bytes.readInt32BE(32)).toBe(5);
  peer.raw(bytes);
  await turn();
  expect(seen).toEqual([{ callback: 7, reason: 5, dom: web01 }]);
});

test('one that cannot be read warns, and harms no other', async () => {
  const { connection, peer, warnings } = await begin();
  const seen: number[] = [];
  connection.on('lifecycle', ({ detail }) => seen.push(detail));
  (await peer.call(register)).answer({ callback: 7 });
  const broken = peer.event('lifecycle', started);
  broken.writeUInt32BE(0x7fffffff, 32);
  const unknown = peer.event('lifecycle', started);
  unknown.writeInt32BE(999, 12);
  peer.raw(broken, unknown, peer.event('lifecycle', started));
  await turn();
  expect(seen).toEqual([0]);
  expect(warnings).toEqual([
    'The daemon sent a lifecycle event that cannot be read: dom.name: 2147483647 bytes of text, where 4194304 are allowed',
    'The daemon sent an event of the unknown number 999.',
  ]);
});

test('a listener that throws is warned of, and the others still hear', async () => {
  const { connection, peer, warnings } = await begin();
  const seen: number[] = [];
  connection.on('lifecycle', () => {
    throw new Error('oops');
  });
  connection.on('lifecycle', ({ event }) => seen.push(event));
  (await peer.call(register)).answer({ callback: 7 });
  peer.raw(peer.event('lifecycle', started));
  await turn();
  expect(seen).toEqual([2]);
  expect(warnings).toEqual(['A listener to lifecycle failed: oops']);
});

test('networks, pools and node devices have registrations of their own', async () => {
  const { connection, peer } = await begin();
  const seen: unknown[] = [];
  connection.on('network_lifecycle', ({ net }) => seen.push(net.name));
  connection.on('storage_pool_refresh', ({ pool }) => seen.push(pool.name));
  connection.on('node_device_lifecycle', ({ device }) => seen.push(device.name));
  connection.on('connection_closed', ({ reason }) => seen.push(reason));
  (await peer.call('connect_network_event_register_any')).answer({ callback: 1 });
  const refresh = await peer.call('connect_storage_pool_event_register_any');
  expect(refresh.args).toEqual({ event: 1, pool: null });
  refresh.answer({ callback: 2 });
  (await peer.call('connect_node_device_event_register_any')).answer({ callback: 3 });
  (await peer.call('connect_register_close_callback')).answer({});
  const uuid = web01.uuid;
  peer.raw(
    peer.event('network_lifecycle', { callback: 1, net: { name: 'default', uuid }, event: 2, detail: 0 }),
    peer.event('storage_pool_refresh', { callback: 2, pool: { name: 'images', uuid } }),
    peer.event('node_device_lifecycle', { callback: 3, device: { name: 'net_eth0' }, event: 0, detail: 0 }),
    peer.event('connection_closed', { reason: 1 }),
  );
  await turn();
  expect(seen).toEqual(['default', 'images', 'net_eth0', 1]);
});

test('the end of the connection is no refusal, and warns of nothing', async () => {
  const { connection, peer, warnings } = await begin();
  connection.on('lifecycle', () => {});
  await peer.call(register);
  peer.hangUp();
  expect(await connection.eventsReady()).toEqual([]);
  expect(warnings).toEqual([]);
});
