// Calls: their order, their answers, and every way to get none.
import { afterEach, describe, expect, test } from 'vitest';
import { CallTimeout, ConnectionLost, LibvirtError, ProtocolError, XdrError } from '../../src-main/libvirt/index.ts';
import type { Connection } from '../../src-main/libvirt/index.ts';
import { connected, failure, settled, turn, web01 } from './peer.ts';

let open: Connection | undefined;
const begin = async (options?: Parameters<typeof connected>[0]) => {
  const all = await connected(options);
  open = all.connection;
  return all;
};
afterEach(() => open?.destroy());

describe('answers', () => {
  test('find their calls in whatever order they come', async () => {
    const { connection, peer } = await begin();
    const state = connection.call('domain_get_state', { dom: web01 });
    const name = connection.call('connect_get_hostname');
    const first = await peer.call('domain_get_state');
    const second = await peer.call('connect_get_hostname');
    expect(first.args).toEqual({ dom: web01, flags: 0 });
    second.answer({ hostname: 'kvm1' });
    expect(await name).toEqual({ hostname: 'kvm1' });
    first.answer({ state: 1, reason: 5 });
    expect(await state).toEqual({ state: 1, reason: 5 });
  });

  test('with an error carry its numbers, and are told apart by them', async () => {
    const { connection, peer } = await begin();
    const asked = failure(connection.call('domain_lookup_by_name', { name: 'gone' }));
    (await peer.call('domain_lookup_by_name')).refuse(42, 10, 'Domäne nicht gefunden');
    const error = await asked;
    expect(error).toBeInstanceOf(LibvirtError);
    expect(error).toMatchObject({
      code: 42,
      domain: 10,
      message: 'Domäne nicht gefunden',
      procedure: 'domain_lookup_by_name',
    });
    expect(LibvirtError.is(error, 'no_domain')).toBe(true);
    expect(LibvirtError.is(error, 'no_network', 'rpc')).toBe(false);
  });

  test('that nobody waits for, and stray stream packets, are ignored', async () => {
    const { connection, peer } = await begin();
    peer.raw(
      peer.reply('connect_get_hostname', 4711, { hostname: 'stray' }),
      peer.stream('domain_open_console', 4712, 'stray'),
      peer.stream('domain_open_console', 4712, '', 0),
    );
    const asked = connection.call('connect_get_hostname');
    (await peer.call('connect_get_hostname')).answer({ hostname: 'kvm1' });
    expect(await asked).toEqual({ hostname: 'kvm1' });
  });

  test('that cannot be read fail their call alone', async () => {
    const { connection, peer } = await begin();
    const asked = failure(connection.call('connect_get_hostname'));
    const { serial } = await peer.call('connect_get_hostname');
    // A length of a gigabyte where a short string should be.
    const bad = peer.reply('connect_get_hostname', serial, { hostname: 'kvm1' });
    bad.writeUInt32BE(2 ** 30, 28);
    peer.raw(bad);
    expect(await asked).toBeInstanceOf(ProtocolError);
    expect((await asked).message).toMatch(/connect_get_hostname cannot be read/);
    expect(connection.over).toBe(false);
  });

  test('with more in them than they should have are not taken', async () => {
    const { connection, peer } = await begin();
    const asked = failure(connection.call('connect_get_hostname'));
    const { serial } = await peer.call('connect_get_hostname');
    const long = Buffer.concat([peer.reply('connect_get_hostname', serial, { hostname: 'kvm1' }), Buffer.alloc(4)]);
    long.writeUInt32BE(long.length, 0);
    peer.raw(long);
    expect((await asked).message).toMatch(/4 bytes too many/);
  });
});

describe('calls', () => {
  test('made in one turn leave in one piece', async () => {
    const { connection, peer } = await begin();
    for (let i = 0; i < 100; i++) void connection.call('domain_get_state', { dom: web01 }).catch(() => {});
    await turn();
    expect(peer.chunks).toHaveLength(1);
    expect(peer.unseen).toHaveLength(100);
  });

  test('that can wait are four at a time, in their order; quick ones and rescues pass them', async () => {
    const { connection, peer } = await begin();
    const done: number[] = [];
    const resumes = [1, 2, 3, 4, 5, 6].map((n) =>
      connection.call('domain_resume', { dom: { ...web01, id: n } }).then(() => done.push(n)),
    );
    const quick = connection.call('domain_get_state', { dom: web01 });
    const abort = connection.call('domain_abort_job', { dom: web01 });
    const destroy = connection.call('domain_destroy_flags', { dom: web01 });
    expect(connection.outstanding).toEqual({ sent: 7, queued: 2 });
    const sent = [];
    for (let i = 0; i < 4; i++) sent.push(await peer.call('domain_resume'));
    (await peer.call('domain_get_state')).answer({ state: 1, reason: 1 });
    (await peer.call('domain_abort_job')).answer({});
    (await peer.call('domain_destroy_flags')).answer({});
    await Promise.all([quick, abort, destroy]);
    expect(peer.unseen).toEqual([]);
    sent[2]?.answer({});
    const fifth = await peer.call('domain_resume');
    expect(fifth.args.dom.id).toBe(5);
    await turn();
    expect(peer.unseen).toEqual([]);
    sent[0]?.refuse(55, 10);
    expect((await peer.call('domain_resume')).args.dom.id).toBe(6);
    await failure(Promise.all(resumes));
    expect(done).toEqual([3]);
  });

  test('wait or not by the version of the daemon, where that changed', async () => {
    const ask = ({ connection }: { connection: Connection }) => {
      for (let i = 0; i < 6; i++) connection.call('domain_get_xml_desc', { dom: web01 }).catch(() => {});
      return connection.outstanding;
    };
    const old = await begin({ libVersion: 9_000_000 });
    expect(ask(old)).toEqual({ sent: 6, queued: 0 });
    old.connection.destroy();
    const later = await begin({ libVersion: 11_000_000 });
    expect(ask(later)).toEqual({ sent: 4, queued: 2 });
  });

  test('with arguments that libvirt would not take are refused here, and the connection goes on', async () => {
    const { connection, peer } = await begin();
    const refused = [
      connection.call('domain_define_xml_flags', { xml: 'x'.repeat(4_194_305) }),
      connection.call('domain_define_xml_flags', { xml: '<domain>\0</domain>' }),
      connection.call('domain_lookup_by_uuid', { uuid: 'not one' }),
      connection.call('domain_get_state', { dom: web01, flags: -1 }),
      connection.call('domain_get_state', { dom: undefined as never }),
    ];
    const errors = await Promise.all(refused.map(failure));
    for (const error of errors) expect(error).toBeInstanceOf(XdrError);
    expect(errors.map(({ message }) => message.split(':')[0])).toEqual(['xml', 'xml', 'uuid', 'flags', 'dom.name']);
    expect(connection.outstanding).toEqual({ sent: 0, queued: 0 });
    const asked = connection.call('connect_get_hostname');
    (await peer.call('connect_get_hostname')).answer({ hostname: 'kvm1' });
    await asked;
  });

  test('that are never answered end at their limit; the late answer is dropped and frees the place', async () => {
    const { connection, peer, clock } = await begin();
    const slow = [1, 2, 3, 4].map(() =>
      failure(connection.call('domain_resume', { dom: web01 }, { timeoutMs: 1_000 })),
    );
    const queued = failure(connection.call('domain_suspend', { dom: web01 }, { timeoutMs: 1_500 }));
    const patient = connection.call('domain_reset', { dom: web01 }, { timeoutMs: 0 });
    const first = await peer.call('domain_resume');
    clock.advance(1_000);
    for (const error of await Promise.all(slow)) {
      expect(error).toBeInstanceOf(CallTimeout);
      expect(error).toMatchObject({ sent: true, procedure: 'domain_resume', timeoutMs: 1_000 });
    }
    // The daemon still works on all four: nothing more is sent to it.
    clock.advance(500);
    expect(await queued).toMatchObject({ name: 'CallTimeout', sent: false });
    expect(connection.outstanding).toEqual({ sent: 4, queued: 1 });
    for (let i = 0; i < 3; i++) await peer.call('domain_resume');
    first.answer({});
    (await peer.call('domain_reset')).answer({});
    await patient;
  });

  test('have a limit of a minute, but long ones have none', async () => {
    const { connection, clock } = await begin({ keepalive: false });
    const ordinary = failure(connection.call('domain_get_state', { dom: web01 }));
    const perform = connection.call('domain_migrate_perform3_params', {
      dom: web01,
      params: [],
      cookie: Buffer.alloc(0),
    });
    perform.catch(() => {});
    clock.advance(60_000);
    expect(await ordinary).toBeInstanceOf(CallTimeout);
    clock.advance(24 * 3_600_000);
    expect(await settled(perform)).toBe(false);
  });

  test('given up while they queue are not sent; given up later, they keep their place', async () => {
    const { connection, peer } = await begin();
    const stop = new AbortController();
    const running = [1, 2, 3, 4].map(() => connection.call('domain_resume', { dom: web01 }));
    const queued = failure(connection.call('domain_suspend', { dom: web01 }, { signal: stop.signal }));
    const quick = failure(connection.call('domain_get_state', { dom: web01 }, { signal: stop.signal }));
    stop.abort(new Error('changed my mind'));
    expect((await queued).message).toBe('changed my mind');
    expect((await quick).message).toBe('changed my mind');
    expect((await failure(connection.call('domain_get_state', { dom: web01 }, { signal: stop.signal }))).message).toBe(
      'changed my mind',
    );
    expect(connection.outstanding).toEqual({ sent: 5, queued: 0 });
    for (let i = 0; i < 4; i++) (await peer.call('domain_resume')).answer({});
    await Promise.all(running);
    (await peer.call('domain_get_state')).answer({ state: 1, reason: 1 });
    await turn();
    expect(peer.unseen).toEqual([]);
    expect(connection.outstanding).toEqual({ sent: 0, queued: 0 });
  });

  test('leave no timer and no listener behind', async () => {
    const { connection, peer, clock } = await begin({ keepalive: false });
    const before = clock.waiting;
    const { signal } = new AbortController();
    let listeners = 0;
    const add = signal.addEventListener.bind(signal);
    const remove = signal.removeEventListener.bind(signal);
    signal.addEventListener = (...args: Parameters<typeof add>) => (listeners++, add(...args));
    signal.removeEventListener = (...args: Parameters<typeof remove>) => (listeners--, remove(...args));
    const asked = connection.call('connect_get_hostname', {}, { signal });
    expect(listeners).toBe(1);
    expect(clock.waiting).toBe(before + 1);
    (await peer.call('connect_get_hostname')).answer({ hostname: 'kvm1' });
    await asked;
    expect(listeners).toBe(0);
    expect(clock.waiting).toBe(before);
  });
});

describe('a connection that ends', () => {
  const ends: [string, RegExp, (peer: Awaited<ReturnType<typeof begin>>['peer']) => void][] = [
    ['by hanging up', /hung up/, (peer) => peer.hangUp()],
    [
      'in the middle of a packet',
      /in the middle of a packet/,
      (peer) => (peer.raw(Buffer.from([0, 0, 0, 40, 1])), peer.hangUp()),
    ],
    ['by garbage', /out of step/, (peer) => peer.raw(Buffer.from('\xff\xff\xff\xff garbage', 'latin1'))],
    ['by a length that is too short', /packet of 27 bytes/, (peer) => peer.raw(Buffer.from([0, 0, 0, 27]))],
    ['by a length of 32 MiB and more', /packet of 33554437 bytes/, (peer) => peer.raw(Buffer.from([2, 0, 0, 5]))],
    [
      'by a packet of an unknown program',
      /program 0x666/,
      (peer) => {
        const packet = peer.keepalive(1);
        packet.writeUInt32BE(0x666, 4);
        peer.raw(packet);
      },
    ],
    [
      'by an answer to something else',
      /answered domain_resume with procedure 59/,
      (peer) => peer.raw(peer.reply('connect_get_hostname', 13, { hostname: 'kvm1' })),
    ],
    [
      'by a packet that carries file descriptors',
      /type 5/,
      (peer) => {
        const packet = peer.reply('connect_close', 1, {});
        packet.writeInt32BE(5, 16);
        peer.raw(packet);
      },
    ],
  ];
  test.each(ends)('%s ends every waiting call, once, saying whether it was sent', async (_, why, end) => {
    const { connection, peer } = await begin();
    const seen: Error[] = [];
    const calls = [1, 2, 3, 4, 5, 6].map((n) =>
      connection.call('domain_resume', { dom: { ...web01, id: n } }).catch((error: Error) => void seen.push(error)),
    );
    const ended: (Error | null)[] = [];
    connection.onEnd(() => {
      throw new Error('a listener of its own trouble');
    });
    connection.onEnd((error) => ended.push(error));
    await peer.call('domain_resume');
    end(peer);
    await Promise.all(calls);
    await peer.gone();
    for (const error of seen) expect(error).toBeInstanceOf(ConnectionLost);
    expect(seen.map((error) => (error as ConnectionLost).sent)).toEqual([true, true, true, true, false, false]);
    expect(String(await connection.ended)).toMatch(why);
    expect(seen[0]?.cause).toBe(await connection.ended);
    expect(ended).toEqual([await connection.ended]);
    const after = await failure(connection.call('connect_get_hostname'));
    expect(after).toMatchObject({ name: 'ConnectionLost', sent: false });
  });

  test('by our leave says goodbye, and ended resolves to null', async () => {
    const { connection, peer } = await begin();
    const waiting = failure(connection.call('domain_resume', { dom: web01 }));
    const closing = connection.close();
    await peer.call('domain_resume');
    (await peer.call('connect_close')).answer({});
    await closing;
    expect(await connection.ended).toBeNull();
    expect(await waiting).toMatchObject({ name: 'ConnectionLost', sent: true });
    await peer.gone();
    await connection.close();
  });

  test('by our leave does not wait for a daemon that is stuck', async () => {
    const { connection, peer, clock } = await begin();
    const closing = connection.close();
    await peer.call('connect_close');
    clock.advance(2_000);
    await closing;
    expect(await connection.ended).toBeNull();
    clock.advance(2_000);
    await peer.gone();
    expect(clock.waiting).toBe(0);
  });

  test('tells even those who ask later', async () => {
    const { connection, peer } = await begin();
    peer.hangUp();
    await connection.ended;
    const told = await new Promise((resolve) => connection.onEnd(resolve));
    expect(String(told)).toMatch(/hung up/);
  });
});

describe('keepalive', () => {
  test('a PING is answered, even by a connection that sends none', async () => {
    const { peer } = await begin({ keepalive: false });
    peer.raw(peer.keepalive(1));
    expect(await peer.next()).toMatchObject({ program: 0x6b656570, procedure: 2, type: 2, serial: 0 });
  });

  test('a silent daemon is asked five times, then given up', async () => {
    const { connection, peer, clock } = await begin();
    const waiting = failure(connection.call('domain_resume', { dom: web01 }));
    await peer.call('domain_resume');
    for (let i = 0; i < 5; i++) {
      clock.advance(4_999);
      await turn();
      expect(peer.unseen).toEqual([]);
      clock.advance(1);
      expect(await peer.next()).toMatchObject({ program: 0x6b656570, procedure: 1 });
    }
    clock.advance(4_999);
    expect(connection.over).toBe(false);
    clock.advance(1);
    expect(String(await connection.ended)).toMatch(/no sign of life for 30 s/);
    expect(await waiting).toMatchObject({ name: 'ConnectionLost', sent: true });
  });

  test('anything heard starts the count again', async () => {
    const { connection, peer, clock } = await begin();
    for (let i = 0; i < 20; i++) {
      clock.advance(5_000);
      await peer.next();
      peer.raw(peer.keepalive(2));
      await turn();
    }
    expect(connection.over).toBe(false);
  });

  test('one that was asked for none sends none, however silent the daemon', async () => {
    const { connection, peer, clock } = await begin({ keepalive: false });
    clock.advance(3_600_000);
    await turn();
    expect(peer.unseen).toEqual([]);
    expect(connection.over).toBe(false);
  });
});
