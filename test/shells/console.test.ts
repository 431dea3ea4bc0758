import { expect, it } from 'vitest';
import type { WebSocket } from 'ws';
import type { ConsoleNote } from '../../contract/events.ts';
import { Failure } from '../../contract/failure.ts';
import { tokenProtocol } from '../../contract/wire.ts';
import type { Caller } from '../../src-main/api/api.ts';
import { served, token, type Served } from './served.ts';

const uuid = '0a1b2c3d-0000-4000-8000-00000000abcd';
const at = `/api/v1/hosts/h1/domains/${uuid}/console`;

interface Viewed {
  socket: WebSocket;
  bytes: () => string;
  notes: ConsoleNote[];
  closed: Promise<number>;
}

function view(socket: WebSocket): Viewed {
  const chunks: Buffer[] = [];
  const notes: ConsoleNote[] = [];
  socket.on('message', (data, binary) => {
    if (binary) chunks.push(data as Buffer);
    else notes.push(JSON.parse((data as Buffer).toString()) as ConsoleNote);
  });
  const closed = new Promise<number>((resolve) => socket.on('close', resolve));
  return { socket, notes, closed, bytes: () => Buffer.concat(chunks).toString() };
}

/** A console that can be opened; the caller that opened it. */
function openable(it_: Served): { caller: Caller | null; ended: boolean } {
  const state: { caller: Caller | null; ended: boolean } = { caller: null, ended: false };
  it_.drover.carry['consoles.open'] = (_, caller) => {
    state.caller = caller;
    caller.onEnd(() => (state.ended = true));
    caller.send('console.note', { consoleId: 'c1', note: { type: 'open' } });
    return { consoleId: 'c1' };
  };
  it_.drover.carry['consoles.write'] = () => null;
  it_.drover.carry['consoles.ack'] = () => null;
  return state;
}

const asked = (it_: Served, name: string) =>
  it_.drover.asked.filter((one) => one.name === name).map(({ args }) => args);

it.each([
  ['the query', `?token=${token}`, [], {}],
  ['a header', '', [], { authorization: `Bearer ${token}` }],
  ['a subprotocol', '', ['my.console', tokenProtocol(token)], {}],
] as const)('opens with the token in %s', async (_, query, protocols, headers) => {
  const it_ = await served();
  openable(it_);
  const viewer = view(it_.socket(at + query, [...protocols], { headers }));
  await expect.poll(() => viewer.notes).toEqual([{ type: 'open' }]);
  expect(asked(it_, 'consoles.open')).toEqual([{ hostId: 'h1', uuid }]);
});

it('passes the target and the wish to take over on', async () => {
  const it_ = await served();
  openable(it_);
  const viewer = view(it_.socket(`${at}?token=${token}&target=serial1&takeover=1`));
  await expect.poll(() => viewer.notes.length).toBe(1);
  expect(asked(it_, 'consoles.open')).toEqual([{ hostId: 'h1', uuid, target: 'serial1', takeover: true }]);
});

it('opens a graphical console beside it, which nobody can take over', async () => {
  const it_ = await served();
  openable(it_);
  it_.drover.carry['consoles.graphics'] = it_.drover.carry['consoles.open'];
  const graphics = at.replace(/console$/, 'graphics');
  const viewer = view(it_.socket(`${graphics}?token=${token}&target=vnc1`));
  await expect.poll(() => viewer.notes).toEqual([{ type: 'open' }]);
  expect(asked(it_, 'consoles.graphics')).toEqual([{ hostId: 'h1', uuid, target: 'vnc1' }]);
  const refused = view(it_.socket(`${graphics}?token=${token}&takeover=1`));
  await refused.closed;
  expect(refused.notes).toMatchObject([{ type: 'closed', err: { code: 'bad-request' } }]);
});

it.each(['?token=wrong', ''])('no screen opens without the token: “%s”', async (query) => {
  const it_ = await served();
  it_.drover.carry['consoles.graphics'] = () => ({ consoleId: 'c1' });
  const socket = it_.socket(at.replace(/console$/, 'graphics') + query);
  await new Promise((resolve) => socket.on('error', resolve));
  expect(asked(it_, 'consoles.graphics')).toEqual([]);
});

it('carries bytes both ways in order, acknowledges what was sent, and tells notes as JSON', async () => {
  const it_ = await served();
  const state = openable(it_);
  const viewer = view(it_.socket(`${at}?token=${token}`));
  await expect.poll(() => state.caller).not.toBeNull();
  const send = (text: string) => state.caller?.send('console.data', { consoleId: 'c1', bytes: Buffer.from(text) });
  send('tick 1\r\n');
  state.caller?.send('console.note', { consoleId: 'c1', note: { type: 'moved', from: 'h1', to: 'h2' } });
  send('tick 2\r\n');
  await expect.poll(viewer.bytes).toBe('tick 1\r\ntick 2\r\n');
  expect(viewer.notes).toEqual([{ type: 'open' }, { type: 'moved', from: 'h1', to: 'h2' }]);
  const acknowledged = () => asked(it_, 'consoles.ack').reduce((sum, { bytes }) => sum + (bytes as number), 0);
  await expect.poll(acknowledged).toBe(16);

  for (const text of ['l', 's', '\r']) viewer.socket.send(Buffer.from(text));
  viewer.socket.send(Buffer.alloc(150 * 1024, 'x'));
  const typed = () => asked(it_, 'consoles.write').map(({ bytes }) => Buffer.from(bytes as Uint8Array));
  await expect.poll(() => Buffer.concat(typed()).length).toBe(3 + 150 * 1024);
  expect(Buffer.concat(typed()).subarray(0, 4).toString()).toBe('ls\rx');
  expect(Math.max(...typed().map((chunk) => chunk.length))).toBeLessThanOrEqual(64 * 1024);
});

it('writes what was typed while it was being opened', async () => {
  const it_ = await served();
  openable(it_);
  const open = it_.drover.carry['consoles.open'];
  let let_: (value: unknown) => void = () => {};
  const gate = new Promise((resolve) => (let_ = resolve));
  it_.drover.carry['consoles.open'] = async (args, caller) => (await gate, open?.(args, caller));
  const viewer = view(it_.socket(`${at}?token=${token}`));
  await new Promise((resolve) => viewer.socket.on('open', resolve));
  viewer.socket.send(Buffer.from('early'));
  await expect.poll(() => asked(it_, 'consoles.open').length).toBe(1);
  let_(null);
  await expect.poll(() => asked(it_, 'consoles.write').length).toBe(1);
  expect(asked(it_, 'consoles.write')[0]).toEqual({ consoleId: 'c1', bytes: Buffer.from('early') });
});

it.each([
  ['cannot be opened', new Failure('conflict', 'virsh holds it.'), at, 'conflict', /virsh holds it/],
  ['is of no VM', null, '/api/v1/hosts/h1/domains/none/console', 'bad-request', /is no UUID/],
  ['is asked for wrongly', null, `${at}?colour=red`, 'bad-request', /no “colour”/],
])('says so and closes where the console %s', async (_, failure, path, code, says) => {
  const it_ = await served();
  openable(it_);
  if (failure) {
    it_.drover.carry['consoles.open'] = () => {
      throw failure;
    };
  }
  const viewer = view(it_.socket(path, [tokenProtocol(token)]));
  expect(await viewer.closed).toBe(1000);
  expect(viewer.notes).toEqual([{ type: 'closed', err: { code, message: expect.stringMatching(says) as string } }]);
});

it('closes when the console does, saying why', async () => {
  const it_ = await served();
  const state = openable(it_);
  const viewer = view(it_.socket(`${at}?token=${token}`));
  await expect.poll(() => state.caller).not.toBeNull();
  state.caller?.send('console.note', { consoleId: 'c1', note: { type: 'closed', err: null } });
  expect(await viewer.closed).toBe(1000);
  expect(viewer.notes.at(-1)).toEqual({ type: 'closed', err: null });
});

it('closes where what was typed could not be written', async () => {
  const it_ = await served();
  openable(it_);
  it_.drover.carry['consoles.write'] = () => {
    throw new Failure('unreachable', 'h1 does not answer.');
  };
  const viewer = view(it_.socket(`${at}?token=${token}`));
  await new Promise((resolve) => viewer.socket.on('open', resolve));
  viewer.socket.send(Buffer.from('ls'));
  await viewer.closed;
  expect(viewer.notes.at(-1)).toEqual({ type: 'closed', err: { code: 'unreachable', message: 'h1 does not answer.' } });
});

it('types no text frame into a VM', async () => {
  const it_ = await served();
  openable(it_);
  const viewer = view(it_.socket(`${at}?token=${token}`));
  await new Promise((resolve) => viewer.socket.on('open', resolve));
  viewer.socket.send('{"type":"resize"}');
  await viewer.closed;
  expect(viewer.notes.at(-1)).toMatchObject({ type: 'closed', err: { code: 'bad-request' } });
  expect(asked(it_, 'consoles.write')).toEqual([]);
});

it('lets the console go when the viewer leaves', async () => {
  const it_ = await served();
  const state = openable(it_);
  const viewer = view(it_.socket(`${at}?token=${token}`));
  await expect.poll(() => state.caller).not.toBeNull();
  viewer.socket.terminate();
  await expect.poll(() => state.ended).toBe(true);
});

it('acknowledges nothing to a viewer that does not read', async () => {
  const it_ = await served();
  const state = openable(it_);
  const viewer = view(it_.socket(`${at}?token=${token}`));
  await expect.poll(() => viewer.notes.length).toBe(1);
  viewer.socket.pause();
  const chunk = Buffer.alloc(1024 * 1024);
  for (let sent = 0; sent < 64; sent++) state.caller?.send('console.data', { consoleId: 'c1', bytes: chunk });
  const acknowledged = () => asked(it_, 'consoles.ack').length;
  let before = -1;
  await expect
    .poll(
      () => {
        const settled = acknowledged() === before;
        before = acknowledged();
        return settled;
      },
      { interval: 100 },
    )
    .toBe(true);
  expect(acknowledged()).toBeLessThan(64);
  viewer.socket.resume();
  await expect.poll(acknowledged).toBe(64);
});
