// Streams: both ways, to their end, to an error, away in the middle, and with a reader who does not read.
import { once } from 'node:events';
import { buffer } from 'node:stream/consumers';
import { pipeline } from 'node:stream/promises';
import { Readable } from 'node:stream';
import { afterEach, describe, expect, test } from 'vitest';
import {
  ConnectionLost,
  Hole,
  LibvirtError,
  packetStatus,
  packetType,
  STREAM_CHUNK,
} from '../../src-main/libvirt/index.ts';
import type { Connection, StreamProcedureName } from '../../src-main/libvirt/index.ts';
import { connected, failure, settled, turn, web01 } from './peer.ts';

let open: Connection | undefined;
const begin = async (options: Parameters<typeof connected>[0] = { keepalive: false }) => {
  const all = await connected(options);
  open = all.connection;
  return all;
};
afterEach(() => open?.destroy());

const consoleName = 'domain_open_console';
const vol = { pool: 'default', name: 'disk', key: '/disk' };
const all = { vol, offset: 0, length: 0 };

async function withConsole(options?: Parameters<typeof connected>[0]) {
  const base = await begin(options);
  const opening = base.connection.openStream(consoleName, { dom: web01 });
  const { serial, answer } = await base.peer.call(consoleName);
  answer({});
  return { ...base, stream: await opening, serial };
}

async function withVolume<N extends 'storage_vol_upload' | 'storage_vol_download'>(name: N, flags = 0) {
  const base = await begin();
  const opening = base.connection.openStream(name as 'storage_vol_upload', { ...all, flags });
  const { serial, answer } = await base.peer.call(name as 'storage_vol_upload');
  answer({});
  return { ...base, stream: await opening, serial };
}

const finished = (name: StreamProcedureName, serial: number, peer: Awaited<ReturnType<typeof begin>>['peer']) =>
  peer.stream(name, serial, '', packetStatus.ok);

describe('reading', () => {
  test('the reply, data and the end in one read', async () => {
    const { connection, peer } = await begin();
    const opening = connection.openStream('storage_vol_download', all);
    const { serial } = await peer.call('storage_vol_download');
    peer.raw(
      peer.reply('storage_vol_download', serial, {}),
      peer.stream('storage_vol_download', serial, 'first '),
      peer.stream('storage_vol_download', serial, 'last'),
      peer.stream('storage_vol_download', serial, ''),
    );
    const content = buffer(await opening);
    expect(await peer.next()).toMatchObject({ type: packetType.stream, status: packetStatus.ok, serial });
    peer.raw(finished('storage_vol_download', serial, peer));
    expect((await content).toString()).toBe('first last');
  });

  test('ends only when the daemon has confirmed that all went well', async () => {
    const { peer, stream, serial } = await withVolume('storage_vol_download');
    const content = buffer(stream);
    peer.raw(peer.stream('storage_vol_download', serial, 'half'), peer.stream('storage_vol_download', serial, ''));
    await peer.next();
    expect(await settled(content)).toBe(false);
    peer.raw(peer.error('storage_vol_download', serial, 38, 18, 'I/O error on the disk', true));
    const error = await failure(content);
    expect(error).toBeInstanceOf(LibvirtError);
    expect(error).toMatchObject({ code: 38, message: 'I/O error on the disk', procedure: 'storage_vol_download' });
  });

  test('an error in the middle', async () => {
    const { connection, peer, stream, serial } = await withConsole();
    const failed = once(stream, 'error');
    peer.raw(peer.error(consoleName, serial, 39, 38, 'I/O failure', true));
    expect((await failed)[0]).toMatchObject({ name: 'LibvirtError', code: 39 });
    expect(connection.over).toBe(false);
    await turn();
    // The daemon has let go already: nothing is to be aborted.
    expect(peer.unseen).toEqual([]);
  });

  test('a reader who does not read stops the connection, and starts it again', async () => {
    const { connection, peer, stream, serial } = await withConsole();
    const piece = Buffer.alloc(64 * 1024, 'x');
    let sent = 0;
    for (; sent < 100 && !peer.near.isPaused(); sent++) {
      peer.raw(peer.stream(consoleName, serial, piece));
      await turn();
    }
    expect(peer.near.isPaused()).toBe(true);
    expect(stream.readableLength).toBeLessThan(1.5 * 2 ** 20);
    const asked = connection.call('connect_get_hostname');
    (await peer.call('connect_get_hostname')).answer({ hostname: 'kvm1' });
    expect(await settled(asked)).toBe(false);
    let read = 0;
    stream.on('data', (chunk: Buffer) => (read += chunk.length));
    expect(await asked).toEqual({ hostname: 'kvm1' });
    expect(read).toBe(sent * piece.length);
    expect(peer.near.isPaused()).toBe(false);
  });

  test('while it does not read, the silence that it hears is not taken for death', async () => {
    const { connection, peer, clock, stream, serial } = await withConsole({});
    while (!peer.near.isPaused()) {
      peer.raw(peer.stream(consoleName, serial, Buffer.alloc(2 ** 18)));
      await turn();
    }
    clock.advance(600_000);
    expect(connection.over).toBe(false);
    stream.resume();
    await turn();
    clock.advance(4_000);
    expect(peer.unseen).toEqual([]);
    clock.advance(1_000);
    expect(await peer.next()).toMatchObject({ program: 0x6b656570, procedure: 1 });
  });

  test('one that stopped the connection frees it when it is closed', async () => {
    const { connection, peer, stream, serial } = await withConsole();
    while (!peer.near.isPaused()) {
      peer.raw(peer.stream(consoleName, serial, Buffer.alloc(2 ** 18)));
      await turn();
    }
    stream.destroy();
    const asked = connection.call('connect_get_hostname');
    expect(await peer.next()).toMatchObject({ type: packetType.stream, status: packetStatus.error });
    (await peer.call('connect_get_hostname')).answer({ hostname: 'kvm1' });
    await asked;
  });

  test('holes come between the data of a sparse download', async () => {
    const { peer, stream, serial } = await withVolume('storage_vol_download', 1);
    peer.raw(
      peer.stream('storage_vol_download', serial, 'data'),
      peer.hole('storage_vol_download', serial, 2 ** 40),
      peer.stream('storage_vol_download', serial, ''),
      finished('storage_vol_download', serial, peer),
    );
    const parts: unknown[] = await stream.toArray();
    expect(parts).toEqual([Buffer.from('data'), new Hole(2 ** 40)]);
  });

  test('a hole that was not asked for ends the stream alone', async () => {
    const { connection, peer, stream, serial } = await withVolume('storage_vol_download');
    const failed = once(stream, 'error');
    peer.raw(peer.hole('storage_vol_download', serial, 512));
    expect(await peer.next()).toMatchObject({ type: packetType.stream, status: packetStatus.error });
    peer.raw(finished('storage_vol_download', serial, peer));
    expect(String((await failed)[0])).toMatch(/a hole in storage_vol_download/);
    expect(connection.over).toBe(false);
  });
});

describe('writing', () => {
  test('is cut into pieces that every version takes', async () => {
    const { peer, stream, serial } = await withVolume('storage_vol_upload');
    const content = Buffer.from(Array.from({ length: 3 * STREAM_CHUNK - 5 }, (_, i) => i & 0xff));
    const done = pipeline(Readable.from([content]), stream);
    const got: Buffer[] = [];
    for (;;) {
      const packet = await peer.next();
      expect(packet).toMatchObject({ type: packetType.stream, serial });
      if (packet.status === packetStatus.ok) break;
      expect(packet.payload.length).toBeLessThanOrEqual(STREAM_CHUNK);
      got.push(packet.payload);
    }
    expect(got).toHaveLength(3);
    expect(Buffer.concat(got).equals(content)).toBe(true);
    expect(await settled(done)).toBe(false);
    peer.raw(finished('storage_vol_upload', serial, peer));
    await done;
  });

  test('finishes with the daemon’s error where the last bytes could not be written', async () => {
    const { peer, stream, serial } = await withVolume('storage_vol_upload');
    const done = failure(pipeline(Readable.from(['data']), stream));
    expect((await peer.next()).payload.toString()).toBe('data');
    await peer.next();
    peer.raw(peer.error('storage_vol_upload', serial, 38, 18, 'No space left on device', true));
    expect(await done).toMatchObject({ name: 'LibvirtError', message: 'No space left on device' });
  });

  test('holes on end are sent as one', async () => {
    const { peer, stream, serial } = await withVolume('storage_vol_upload', 1);
    for (const part of [Buffer.from('a'), new Hole(512), new Hole(1024), Buffer.from('b'), new Hole(4096)])
      stream.write(part);
    stream.end();
    const seen = [];
    for (let i = 0; i < 5; i++) {
      const { type, status, payload } = await peer.next();
      seen.push(
        type === packetType.streamHole
          ? Number(payload.readBigInt64BE(0))
          : status === 2
            ? payload.toString()
            : 'finish',
      );
    }
    expect(seen).toEqual(['a', 1536, 'b', 4096, 'finish']);
    peer.raw(finished('storage_vol_upload', serial, peer));
    await once(stream, 'close');
  });

  test('keys of a console leave at once, each in its packet', async () => {
    const { peer, stream } = await withConsole();
    stream.write('l');
    stream.write('s\r');
    expect((await peer.next()).payload.toString()).toBe('l');
    expect((await peer.next()).payload.toString()).toBe('s\r');
  });
});

describe('the end', () => {
  test('a guest that stops: end, finish, close', async () => {
    const { peer, stream, serial } = await withConsole();
    stream.resume();
    const closed = once(stream, 'close');
    peer.raw(peer.stream(consoleName, serial, 'bye'), peer.stream(consoleName, serial, ''));
    expect(await peer.next()).toMatchObject({ type: packetType.stream, status: packetStatus.ok });
    stream.write('typed too late');
    peer.raw(finished(consoleName, serial, peer));
    await closed;
    expect(peer.unseen).toEqual([]);
  });

  test('closing aborts, and is over when the daemon has let go', async () => {
    const { peer, stream, serial } = await withConsole();
    const closed = once(stream, 'close');
    stream.destroy();
    const abort = await peer.next();
    expect(abort).toMatchObject({ type: packetType.stream, status: packetStatus.error, serial });
    expect(abort.payload).toHaveLength(0);
    expect(await settled(closed)).toBe(false);
    // What was under way meets nobody.
    peer.raw(peer.stream(consoleName, serial, 'late'), finished(consoleName, serial, peer));
    await closed;
  });

  test('closing does not wait for a daemon that is stuck', async () => {
    const { clock, stream } = await withConsole();
    const closed = once(stream, 'close');
    stream.destroy();
    clock.advance(5_000);
    await closed;
  });

  test('the end of the connection ends its streams with an error', async () => {
    const { peer, stream } = await withConsole();
    const failed = once(stream, 'error');
    const closed = new Promise((resolve) => stream.once('close', resolve));
    peer.hangUp();
    expect((await failed)[0]).toBeInstanceOf(ConnectionLost);
    await closed;
  });

  test('our own leave closes them without an error, and without an end: what was read is not whole', async () => {
    const { connection, peer, stream, serial } = await withConsole();
    const seen: string[] = [];
    for (const event of ['error', 'end', 'close']) stream.on(event, () => seen.push(event));
    stream.resume();
    peer.raw(peer.stream(consoleName, serial, 'half'));
    const closing = connection.close();
    (await peer.call('connect_close')).answer({});
    await closing;
    await turn();
    expect(seen).toEqual(['close']);
  });
});

describe('opening', () => {
  test('refused by the daemon', async () => {
    const { connection, peer } = await begin();
    const opening = failure(connection.openStream(consoleName, { dom: web01, device: 'serial9' }));
    const { args, refuse } = await peer.call(consoleName);
    expect(args).toEqual({ dom: web01, device: 'serial9', flags: 0 });
    refuse(9, 10, 'Active console session exists for this domain');
    expect(LibvirtError.is(await opening, 'operation_failed')).toBe(true);
  });

  test('given up, and then opened after all, is aborted', async () => {
    const { connection, peer } = await begin();
    const stop = new AbortController();
    const opening = failure(connection.openStream(consoleName, { dom: web01 }, { signal: stop.signal }));
    const { serial, answer } = await peer.call(consoleName);
    stop.abort(new Error('tab closed'));
    expect((await opening).message).toBe('tab closed');
    answer({});
    expect(await peer.next()).toMatchObject({ type: packetType.stream, status: packetStatus.error, serial });
  });

  test('that the end of the connection meets fails once, by its call', async () => {
    const { connection, peer } = await begin();
    const opening = failure(connection.openStream(consoleName, { dom: web01 }));
    await peer.call(consoleName);
    peer.hangUp();
    expect(await opening).toBeInstanceOf(ConnectionLost);
    await turn();
  });

  test('hands over what the call answered', async () => {
    const { connection, peer } = await begin();
    const opening = connection.openStream('domain_screenshot', { dom: web01, screen: 0 });
    (await peer.call('domain_screenshot')).answer({ mime: 'image/png' });
    expect((await opening).result).toEqual({ mime: 'image/png' });
  });
});
