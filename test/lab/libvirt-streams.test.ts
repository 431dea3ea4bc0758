// Streams of the libvirt client on a real daemon: consoles, volumes, screenshots, and one that nobody reads.
import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { pipeline } from 'node:stream/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { consoleFlags, Hole, LibvirtError, procedureName, procedures } from '../../src-main/libvirt/index.ts';
import type { Connection, Dom, LibvirtStream, Vol } from '../../src-main/libvirt/index.ts';
import { connectTo } from './daemon.ts';
import { domainXml, guestNamed } from './guests.ts';
import { Lab } from './lab.ts';
import { until } from './run.ts';

let lab: Lab;
/** For calls beside the streams. */
let kvm1: Connection;
const open: Connection[] = [];
const opened = new Set<string>();

async function connect() {
  const connection = await connectTo(lab, 'kvm1', {
    trace: ({ procedure }) => opened.add(procedureName(procedure) ?? ''),
  });
  open.push(connection);
  return connection;
}

const virsh = (...args: string[]) => lab.virsh('kvm1', ...args);
const domNamed = async (name: string): Promise<Dom> => (await kvm1.call('domain_lookup_by_name', { name })).dom;
const sha = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex');

/** Collects what a stream says; `until` waits for a pattern in it. */
function listen(stream: LibvirtStream) {
  let said = '';
  stream.on('data', (chunk: Buffer) => (said += chunk.toString('latin1')));
  return { until: (pattern: RegExp) => until(String(pattern), async () => pattern.exec(said)?.[0], 20_000) };
}

beforeAll(async () => {
  lab = await Lab.open();
  await lab.reset();
  kvm1 = await connectTo(lab, 'kvm1');
  open.push(kvm1);
});

afterAll(async () => {
  await Promise.all(open.map((connection) => connection.close()));
  await lab.reset();
});

describe('a console', () => {
  test('ticks, takes what is typed, and lets go when it is closed', async () => {
    const dom = await domNamed('web01');
    const connection = await connect();
    const console = await connection.openStream('domain_open_console', { dom, device: 'serial0' });
    const { until: said } = listen(console);
    await said(/tick \d+/);
    console.write('echo $((6 * 7))-answered\r');
    await said(/42-answered/);
    console.destroy();
    await once(console, 'close');
    const again = await connection.openStream('domain_open_console', { dom });
    await listen(again).until(/tick \d+/);
    await connection.close();
    expect(again.destroyed).toBe(true);
  });

  test('is one reader’s at a time; taking it over ends the other’s with an error', async () => {
    const dom = await domNamed('web01');
    const [mine, theirs] = [await connect(), await connect()];
    const first = await mine.openStream('domain_open_console', { dom });
    first.resume();
    const second = await theirs.openStream('domain_open_console', { dom }).catch((error: unknown) => error);
    expect(LibvirtError.is(second, 'operation_failed')).toBe(true);
    const lost = once(first, 'error');
    const taken = await theirs.openStream('domain_open_console', { dom, flags: consoleFlags.force });
    expect((await lost)[0]).toBeInstanceOf(LibvirtError);
    await listen(taken).until(/tick \d+/);
    expect(mine.over).toBe(false);
    await Promise.all([mine.close(), theirs.close()]);
  });

  test('of a device that is not there is refused', async () => {
    const dom = await domNamed('web01');
    const error: unknown = await kvm1
      .openStream('domain_open_console', { dom, device: 'serial7' })
      .catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ code: 1, domain: 10, procedure: 'domain_open_console' });
  });

  test('ends in peace when its guest stops', async () => {
    const temp = { ...guestNamed('web01'), name: 'temp02', uuid: '6a5e0000-1ab0-4000-8000-00000000beee' };
    await lab.define('kvm1', domainXml(temp));
    await virsh('start', 'temp02', '--paused');
    const connection = await connect();
    const console = await connection.openStream('domain_open_console', { dom: await domNamed('temp02') });
    const seen: string[] = [];
    for (const event of ['end', 'error']) console.on(event, () => seen.push(event));
    console.resume();
    const closed = once(console, 'close');
    await virsh('destroy', 'temp02');
    await closed;
    expect(seen).toEqual(['end']);
    await virsh('undefine', 'temp02');
  });
});

test('a channel', async () => {
  const temp = { ...guestNamed('web01'), name: 'temp03', uuid: '6a5e0000-1ab0-4000-8000-00000000beed' };
  const channel = '<channel type="unix"><target type="virtio" name="org.drover.0"/></channel>';
  await lab.define('kvm1', domainXml(temp).replace('<devices>', `<devices>${channel}`));
  await virsh('start', 'temp03', '--paused');
  const dom = await domNamed('temp03');
  const stream = await (await connect()).openStream('domain_open_channel', { dom, channel: 'org.drover.0' });
  stream.destroy();
  await once(stream, 'close');
  await virsh('destroy', 'temp03');
  await virsh('undefine', 'temp03');
});

test('a screenshot', async () => {
  const stream = await (await connect()).openStream('domain_screenshot', { dom: await domNamed('web01'), screen: 0 });
  expect(stream.result.mime).toMatch(/^image\//);
  const picture = await buffer(stream);
  const magic = { 'image/png': '\x89PNG', 'image/x-portable-pixmap': 'P6' }[stream.result.mime ?? ''] ?? 'unknown';
  expect(picture.toString('latin1', 0, magic.length)).toBe(magic);
});

describe('a volume', () => {
  const megabytes = 64;
  const content = randomBytes(megabytes * 2 ** 20);
  let vol: Vol;

  async function fresh(name: string): Promise<Vol> {
    const { pool } = await kvm1.call('storage_pool_lookup_by_name', { name: 'default' });
    const xml = `<volume><name>${name}</name><capacity unit="MiB">${megabytes}</capacity><allocation>0</allocation><target><format type="raw"/></target></volume>`;
    return (await kvm1.call('storage_vol_create_xml', { pool, xml })).vol;
  }

  beforeAll(async () => {
    vol = await fresh('stream.img');
  });
  afterAll(() => kvm1.call('storage_vol_delete', { vol }));

  test('is written and read whole; calls beside it are answered meanwhile', async () => {
    const connection = await connect();
    let started = performance.now();
    const upload = await connection.openStream('storage_vol_upload', { vol, offset: 0, length: content.length });
    const uploading = pipeline(Readable.from(pieces(content)), upload);
    await connection.call('connect_get_hostname');
    await uploading;
    const up = megabytes / ((performance.now() - started) / 1000);
    expect(await lab.exec('kvm1', ['sha256sum', vol.key])).toContain(sha(content));

    started = performance.now();
    const download = await connection.openStream('storage_vol_download', { vol, offset: 0, length: 0 });
    expect(sha(await buffer(download))).toBe(sha(content));
    const down = megabytes / ((performance.now() - started) / 1000);
    console.log(`volume: up ${up.toFixed(0)} MiB/s, down ${down.toFixed(0)} MiB/s`);
    await connection.close();
  });

  test('is read in part', async () => {
    const stream = await kvm1.openStream('storage_vol_download', { vol, offset: 1_000_000, length: 12_345 });
    expect((await buffer(stream)).equals(content.subarray(1_000_000, 1_012_345))).toBe(true);
  });

  test('is given up in the middle, and the connection goes on', async () => {
    const connection = await connect();
    const stream = await connection.openStream('storage_vol_download', { vol, offset: 0, length: 0 });
    await once(stream, 'data');
    stream.destroy();
    await once(stream, 'close');
    expect(await connection.call('connect_get_hostname')).toEqual({ hostname: 'kvm1' });
    await connection.close();
  });

  test('that nobody reads holds its own connection, and no memory to speak of', async () => {
    const connection = await connect();
    const stream = await connection.openStream('storage_vol_download', { vol, offset: 0, length: 0 });
    await until('a full buffer', async () => stream.readableLength >= 2 ** 20, 10_000);
    const asked = connection.call('connect_get_hostname');
    expect(stream.readableLength).toBeLessThan(2 * 2 ** 20);
    expect(await kvm1.call('connect_get_hostname')).toEqual({ hostname: 'kvm1' });
    expect(connection.outstanding.sent).toBe(1);
    expect(sha(await buffer(stream))).toBe(sha(content));
    await asked;
    await connection.close();
  });

  test('more than it holds is refused, and the refusal is seen', async () => {
    const connection = await connect();
    const stream = await connection.openStream('storage_vol_upload', { vol, offset: 0, length: 4 });
    const error: unknown = await pipeline(Readable.from([Buffer.from('more than four')]), stream).catch(
      (thrown: unknown) => thrown,
    );
    expect(error).toBeInstanceOf(LibvirtError);
    expect(await connection.call('connect_get_hostname')).toEqual({ hostname: 'kvm1' });
    await connection.close();
  });

  test('with holes is written and read as holes', async () => {
    const connection = await connect();
    // A fresh one: where bytes stood before, a hole leaves them.
    const sparse = await fresh('sparse.img');
    const upload = await connection.openStream('storage_vol_upload', { vol: sparse, offset: 0, length: 0, flags: 1 });
    const data = Buffer.alloc(65_536, 'd');
    const parts = [data, new Hole(16 * 2 ** 20), new Hole(16 * 2 ** 20 - 2 * 65_536), data, new Hole(32 * 2 ** 20)];
    await pipeline(Readable.from(parts, { objectMode: true }), upload);
    const download = await connection.openStream('storage_vol_download', {
      vol: sparse,
      offset: 0,
      length: 0,
      flags: 1,
    });
    const runs: string[] = [];
    let length = 0;
    for await (const part of download as AsyncIterable<Buffer | Hole>) {
      const kind = part instanceof Hole ? 'hole' : 'data';
      if (runs.at(-1) !== kind) runs.push(kind);
      if (part instanceof Hole) expect(part.length).toBeGreaterThan(2 ** 20);
      else expect(part.every((byte) => byte === 0x64 || byte === 0)).toBe(true);
      length += part.length;
    }
    expect(length).toBe(megabytes * 2 ** 20);
    // Where the file system knows of no holes the daemon sends zeros.
    expect([['data', 'hole', 'data', 'hole'], ['data']]).toContainEqual(runs);
    await kvm1.call('storage_vol_delete', { vol: sparse });
    await connection.close();
  });
});

test('every kind of stream was opened', () => {
  const streams = Object.entries(procedures).filter(([, { stream }]) => stream !== null);
  expect(streams.map(([name]) => name).filter((name) => !opened.has(name))).toEqual([]);
});

test('a thousand calls, one after the other and all at once', async () => {
  const dom = await domNamed('web01');
  const figures = { sequential: 0, pipelined: 0 };
  for (let round = 0; round < 3; round++) {
    let started = performance.now();
    for (let i = 0; i < 1_000; i++) await kvm1.call('domain_get_state', { dom });
    figures.sequential = Math.max(figures.sequential, 1e6 / (performance.now() - started));
    started = performance.now();
    await Promise.all(Array.from({ length: 1_000 }, () => kvm1.call('domain_get_state', { dom })));
    figures.pipelined = Math.max(figures.pipelined, 1e6 / (performance.now() - started));
  }
  console.log(`calls a second: ${figures.sequential.toFixed(0)} one by one, ${figures.pipelined.toFixed(0)} pipelined`);
  // Far below what is measured, so that a busy machine does not fail it.
  expect(figures.sequential).toBeGreaterThan(500);
  expect(figures.pipelined).toBeGreaterThan(500);
});

/** As a file would be read. */
function* pieces(content: Buffer): Generator<Buffer> {
  for (let at = 0; at < content.length; at += 65_536) yield content.subarray(at, at + 65_536);
}
