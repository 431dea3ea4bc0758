// Opening a connection: what is asked in which order, who is let in, and what a wrong far end gets told.
import { describe, expect, test } from 'vitest';
import { AuthFailed, Connection, LibvirtError, PeerGone, ProtocolError } from '../../src-main/libvirt/index.ts';
import type { ConnectionOptions } from '../../src-main/libvirt/index.ts';
import { HandClock } from './hand-clock.ts';
import { connected, failure, Peer, turn } from './peer.ts';

function opening(options: Partial<ConnectionOptions> = {}) {
  const peer = new Peer();
  const clock = new HandClock();
  const result = Connection.open(peer.near, { uri: 'qemu:///system', clock, ...options });
  result.catch(() => {});
  return { peer, clock, result };
}

describe('opening', () => {
  test('asks for the login, keepalive and the driver in one piece, and for what the daemon can in a second', async () => {
    const { peer, result } = opening();
    const auth = await peer.call('auth_list');
    const keepalive = await peer.call('connect_supports_feature');
    const open = await peer.call('connect_open');
    expect(peer.chunks).toHaveLength(1);
    expect(keepalive.args).toEqual({ feature: 10 });
    expect(open.args).toEqual({ name: 'qemu:///system', flags: 0 });
    open.answer({});
    keepalive.answer({ supported: 1 });
    auth.answer({ types: [0] });
    const version = await peer.call('connect_get_lib_version');
    expect(peer.chunks).toHaveLength(2);
    version.answer({ version: 10_001_002 });
    for (let i = 0; i < 8; i++) {
      const asked = await peer.call('connect_supports_feature');
      asked.answer({ supported: [4, 13].includes(asked.args.feature) ? 1 : 0 });
    }
    const connection = await result;
    expect(connection.libVersion).toBe(10_001_002);
    expect([...connection.features]).toEqual(['migration_p2p', 'migration_params']);
    connection.destroy();
  });

  test('without keepalive never asks feature 10, which would start the daemon’s', async () => {
    const { peer } = opening({ keepalive: false });
    await peer.call('auth_list');
    await peer.call('connect_open');
    await turn();
    expect(peer.unseen).toEqual([]);
    peer.hangUp();
  });

  test('read-only says so', async () => {
    const { peer } = opening({ readOnly: true, keepalive: false });
    await peer.call('auth_list');
    expect((await peer.call('connect_open')).args.flags).toBe(1);
    peer.hangUp();
  });

  test('through polkit logs in first, then opens again', async () => {
    const { peer, result } = opening();
    (await peer.call('auth_list')).answer({ types: [2] });
    (await peer.call('connect_supports_feature')).refuse(39, 7, 'authentication required');
    (await peer.call('connect_open')).refuse(39, 7, 'authentication required');
    (await peer.call('auth_polkit')).answer({ complete: 1 });
    (await peer.call('connect_supports_feature')).answer({ supported: 1 });
    (await peer.call('connect_open')).answer({});
    (await peer.call('connect_get_lib_version')).answer({ version: 9_000_000 });
    for (let i = 0; i < 8; i++) (await peer.call('connect_supports_feature')).answer({ supported: 1 });
    (await result).destroy();
  });

  test('refused by polkit says which group would help', async () => {
    const { peer, result } = opening();
    (await peer.call('auth_list')).answer({ types: [2] });
    (await peer.call('connect_supports_feature')).refuse(39, 7);
    (await peer.call('connect_open')).refuse(39, 7);
    (await peer.call('auth_polkit')).refuse(94, 7, 'no polkit agent available');
    const error = await failure(result);
    expect(error).toBeInstanceOf(AuthFailed);
    expect(error.message).toMatch(/no polkit agent available.*group libvirt/);
    expect(LibvirtError.is(error.cause, 'auth_unavailable')).toBe(true);
    await peer.gone();
  });

  test('where only SASL is offered says so', async () => {
    const { peer, result } = opening();
    (await peer.call('auth_list')).answer({ types: [1] });
    expect((await failure(result)).message).toMatch(/SASL/);
    await peer.gone();
  });

  test('of a driver that is not there fails with the daemon’s own error', async () => {
    const { peer, result } = opening({ uri: 'xen:///system' });
    (await peer.call('auth_list')).answer({ types: [0] });
    (await peer.call('connect_supports_feature')).answer({ supported: 1 });
    (await peer.call('connect_open')).refuse(5, 0, 'no connection driver available for xen:///system');
    expect(await failure(result)).toMatchObject({ code: 5, procedure: 'connect_open' });
    await peer.gone();
  });
});

describe('a far end that is no libvirt', () => {
  test('a login banner is shown, with what it comes from', async () => {
    const { peer, result } = opening();
    peer.raw(Buffer.from('Welcome to kvm1!\r\nLast login: today\r\n'));
    const error = await failure(result);
    expect(error).toBeInstanceOf(ProtocolError);
    expect(error.message).toMatch(/“Welcome to kvm1! Last login: today”.*startup file/);
    await peer.gone();
  });

  test('binary is not shown', async () => {
    const { peer, result } = opening();
    peer.raw(Buffer.from([0xff, 0xfe, 0x01, 0x02, 0x03, 0x90]));
    expect((await failure(result)).message).toBe(
      "The far end does not speak libvirt's protocol: it announced a packet of 4294836482 bytes.",
    );
  });

  test('one that hangs up', async () => {
    const { peer, result } = opening();
    peer.hangUp();
    expect(await failure(result)).toBeInstanceOf(PeerGone);
  });

  test('one that says nothing ends at the limit', async () => {
    const { peer, clock, result } = opening({ timeoutMs: 3_000 });
    await turn();
    clock.advance(3_000);
    expect((await failure(result)).message).toMatch(/not answered auth_list within 3 s/);
    clock.advance(2_000);
    await peer.gone();
    expect(clock.waiting).toBe(0);
  });
});

test('opening can be called off', async () => {
  const stop = new AbortController();
  const { peer, result } = opening({ signal: stop.signal });
  await peer.call('auth_list');
  stop.abort(new Error('not wanted any more'));
  expect((await failure(result)).message).toBe('not wanted any more');
  await peer.gone();
});

test('an open connection is no longer bound to the signal that it was opened with', async () => {
  const stop = new AbortController();
  const { connection } = await connected({ signal: stop.signal });
  stop.abort();
  expect(connection.over).toBe(false);
  connection.destroy();
});
