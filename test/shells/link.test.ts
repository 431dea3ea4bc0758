import { createBirpc } from 'birpc';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { WebSocket, WebSocketServer } from 'ws';
import type { LinkEvents } from '../../contract/events.ts';
import { Failure } from '../../contract/failure.ts';
import { decodeFrame, encodeFrame, linkProtocol, tokenOf, tokenProtocol } from '../../contract/wire.ts';
import { serveWindow, type LinkSocketOptions } from '../../src-main/shells/link-socket.ts';
import { whyRefused } from '../../src-renderer/link/refused.ts';
import { SocketLink, type SocketOptions } from '../../src-renderer/link/socket.ts';
import { link as words } from '../../src-renderer/words/link.ts';
import { served, token } from './served.ts';
import { StandIn } from './stand-in.ts';

const openWs = (url: string, protocols: string[]) => new WebSocket(url, protocols) as unknown as globalThis.WebSocket;

function linkTo(port: number, options: Partial<SocketOptions> = {}): SocketLink {
  const link = new SocketLink({ url: `ws://127.0.0.1:${port}/link`, token, open: openWs, retryMs: 20, ...options });
  onTestFinished(() => link.close());
  return link;
}

/** What a link tells, as it comes. */
function heard(link: SocketLink) {
  const ups: boolean[] = [];
  const deltas: LinkEvents['deltas'][] = [];
  link.on('up', (up) => ups.push(up));
  link.on('deltas', (batch) => deltas.push(batch));
  return { ups, deltas };
}

describe('a window’s link', () => {
  it('calls, also before it is up, and gets results and failures as they were thrown', async () => {
    const it_ = await served();
    const link = linkTo(it_.port);
    it_.drover.carry['hosts.get'] = ({ id }) => {
      throw new Failure('not-found', `There is no host ${String(id)}.`, { id });
    };
    expect(await link.call('hosts.list', {})).toEqual({ call: 'hosts.list' });
    const failure = link.call('hosts.get', { id: 'h9' });
    await expect(failure).rejects.toBeInstanceOf(Failure);
    await expect(failure).rejects.toMatchObject({
      code: 'not-found',
      message: 'There is no host h9.',
      detail: { id: 'h9' },
    });
  });

  it('carries bytes as bytes, and leaves out what is undefined', async () => {
    const it_ = await served();
    const link = linkTo(it_.port);
    await link.call('consoles.write', { consoleId: 'c', bytes: Uint8Array.of(0, 255, 10) });
    await link.call('hosts.add', { uri: 'qemu:///system', label: undefined });
    const [write, add] = it_.drover.asked;
    expect(write?.args['bytes']).toBeInstanceOf(Uint8Array);
    expect([...(write?.args['bytes'] as Uint8Array)]).toEqual([0, 255, 10]);
    expect(Object.keys(add?.args ?? {})).toEqual(['uri']);
  });

  it('tells of changes in order, and of consoles that it opened', async () => {
    const it_ = await served();
    it_.drover.carry['consoles.open'] = (_, caller) => {
      caller.send('console.data', { consoleId: 'c1', bytes: Buffer.from('tick 1') });
      caller.send('console.note', { consoleId: 'c1', note: { type: 'open' } });
      return { consoleId: 'c1' };
    };
    const link = linkTo(it_.port);
    const { deltas } = heard(link);
    const data: LinkEvents['console.data'][] = [];
    const notes: LinkEvents['console.note'][] = [];
    link.on('console.data', (event) => data.push(event));
    link.on('console.note', (event) => notes.push(event));
    await link.call('consoles.open', { hostId: 'h', uuid: '0a1b2c3d-0000-4000-8000-00000000abcd' });
    it_.drover.notice('one');
    it_.drover.notice('two');
    await expect.poll(() => deltas.flatMap((batch) => batch.deltas).length).toBe(2);
    expect(deltas[0]?.epoch).toBe(it_.drover.feed.epoch);
    expect(deltas.flatMap((batch) => batch.deltas.map(({ seq }) => seq))).toEqual([1, 2]);
    expect(Buffer.from(data[0]?.bytes ?? []).toString()).toBe('tick 1');
    expect(notes).toEqual([{ consoleId: 'c1', note: { type: 'open' } }]);
  });

  it('stops listening when told to, harmlessly twice', async () => {
    const it_ = await served();
    const link = linkTo(it_.port);
    const first: unknown[] = [];
    const undo = link.on('deltas', (batch) => first.push(batch));
    const { deltas } = heard(link);
    await link.call('hosts.list', {});
    undo();
    undo();
    it_.drover.notice('one');
    await expect.poll(() => deltas.length).toBe(1);
    expect(first).toEqual([]);
  });

  it('ends its session when it goes, and is counted as a window while it is there', async () => {
    const it_ = await served();
    const ended = vi.fn();
    it_.drover.carry['hosts.list'] = (_, caller) => caller.onEnd(ended);
    const link = linkTo(it_.port);
    await link.call('hosts.list', {});
    await expect.poll(() => it_.drover.windowCount).toBe(1);
    link.close();
    await expect.poll(() => ended.mock.calls.length).toBe(1);
    await expect.poll(() => it_.drover.windowCount).toBe(0);
  });

  it('says at a loss that it is down, refuses what waits, and comes back by itself', async () => {
    const { drover, port, hangUp } = await bareServer();
    drover.carry['hosts.list'] = () => new Promise(() => {});
    const link = linkTo(port);
    const { ups } = heard(link);
    const waiting = link.call('hosts.list', {});
    await expect.poll(() => drover.asked.length).toBe(1);
    hangUp();
    await expect(waiting).rejects.toMatchObject({ code: 'unreachable' });
    await expect.poll(() => ups).toEqual([false, true, false, true]);
    expect(await link.call('hosts.connect', { id: 'h' })).toEqual({ call: 'hosts.connect' });
  });

  it('refuses at once while nothing answers, saying why', async () => {
    const explain = async () => new Failure('unauthorized', 'The token is another one’s.');
    const it_ = await served();
    const link = linkTo(it_.port, { token: 'wrong', explain, retryMs: 60_000 });
    await expect(link.call('hosts.list', {})).rejects.toMatchObject({ code: 'unauthorized' });
    await expect(link.call('hosts.list', {})).rejects.toMatchObject({ code: 'unauthorized' });
    expect(it_.drover.asked).toEqual([]);
  });

  it('tells a wrong token, a login before it, and a proxy that passes no WebSocket from one another', async () => {
    const bare = await served();
    const { port } = bare;
    const ask = (given: string) =>
      fetch(`http://127.0.0.1:${port}/api/v1/migrations/options`, {
        method: 'HEAD',
        headers: { authorization: `Bearer ${given}` },
      });
    expect(whyRefused(await ask('wrong'))).toMatchObject({ code: 'unauthorized', message: words.wrongToken });
    expect(whyRefused(await ask(token))).toMatchObject({ code: 'forbidden', message: words.noSocket });
    const page = { 'content-type': 'text/html; charset=utf-8' };
    const login = [
      new Response('', { status: 401, headers: { ...page, 'www-authenticate': 'Basic realm="Drover"' } }),
      new Response('', { status: 403, headers: page }),
      new Response('', { status: 200, headers: page }),
      { type: 'opaqueredirect', status: 0, ok: false, headers: new Headers() } as Response,
    ];
    for (const one of login) {
      expect(whyRefused(one)).toMatchObject({ code: 'unauthorized', message: words.login });
    }
    const down = new Response('', { status: 502, headers: page });
    expect(whyRefused(down)).toMatchObject({ code: 'unreachable', message: words.unreachable });
    const { status, headers } = await bare.askBare('/api/v1/migrations/options', {
      method: 'HEAD',
      headers: { host: 'drover.example' },
    });
    const misled = new Response('', { status, headers: { 'content-type': String(headers['content-type']) } });
    expect(whyRefused(misled)).toMatchObject({ code: 'forbidden', message: words.noSocket });
    const stopping = new Response('', { status: 502, headers: { 'content-type': 'application/json' } });
    expect(whyRefused(stopping)).toMatchObject({ code: 'unreachable', message: words.noWindow });
  });

  it('counts silence as a loss', async () => {
    const { port, drover } = await bareServer({ beatMs: 60_000 });
    const link = linkTo(port, { silenceMs: 30 });
    const { ups } = heard(link);
    await expect.poll(() => ups.length, { interval: 5 }).toBeGreaterThanOrEqual(4);
    expect(drover.asked).toEqual([]);
  });

  it('is kept up by beats where nothing else happens', async () => {
    const { port } = await bareServer({ beatMs: 50 });
    const socket = new WebSocket(`ws://127.0.0.1:${port}/link`, [linkProtocol, tokenProtocol(token)]);
    onTestFinished(() => socket.terminate());
    let beats = 0;
    socket.on('message', (data) => {
      if ((decodeFrame(data as Buffer) as { m?: string }).m === 'beat') beats += 1;
    });
    await expect.poll(() => beats).toBeGreaterThan(2);
    expect(socket.readyState).toBe(WebSocket.OPEN);
  });
});

describe('the main side of a link', () => {
  it('cuts off a window that does not read', async () => {
    const { drover, port, sockets } = await bareServer({ backlogBytes: 100_000 });
    const socket = new WebSocket(`ws://127.0.0.1:${port}/link`, [linkProtocol, tokenProtocol(token)]);
    const closed = new Promise((resolve) => socket.on('close', resolve));
    await new Promise((resolve) => socket.on('open', resolve));
    socket.pause();
    const pour = setInterval(() => drover.notice('x'.repeat(50_000)), 0);
    onTestFinished(() => clearInterval(pour));
    await expect.poll(() => sockets.size, { timeout: 10_000 }).toBe(0);
    socket.resume();
    await closed;
  });

  it('ends a window that answers no ping', async () => {
    const { port, sockets } = await bareServer({ beatMs: 10 });
    const socket = new WebSocket(`ws://127.0.0.1:${port}/link`, [linkProtocol, tokenProtocol(token)], {
      autoPong: false,
    });
    socket.on('error', () => {});
    await new Promise((resolve) => socket.on('open', resolve));
    expect(sockets.size).toBe(1);
    await expect.poll(() => sockets.size).toBe(0);
  });

  it('lets a window that sends too much wait, and loses nothing of it', async () => {
    const seconds: (() => void)[] = [];
    const { drover, port, sockets } = await bareServer({ perSecond: 10, later: (_, run) => void seconds.push(run) });
    const link = linkTo(port);
    const data = 'x'.repeat(300_000);
    const all = Promise.all(Array.from({ length: 25 }, () => link.call('preferences.set', { window: { data } })));
    await expect.poll(() => [...sockets].some((socket) => socket.isPaused)).toBe(true);
    const first = drover.asked.length;
    expect(first).toBeLessThan(20);
    await expect
      .poll(() => {
        seconds.shift()?.();
        return drover.asked.length;
      })
      .toBe(25);
    await all;
  });

  it('waits no longer than it has to: what comes with the message that was one too many is not waited for again', async () => {
    const seconds: (() => void)[] = [];
    const { port, sockets } = await bareServer({ perSecond: 10, later: (_, run) => void seconds.push(run) });
    const link = linkTo(port);
    // Small ones: many come in one piece, and are there when the socket is paused.
    const all = Promise.all(Array.from({ length: 300 }, () => link.call('hosts.list', {})));
    let passed = 0;
    await expect
      .poll(() => {
        const next = seconds.shift();
        if (next) passed += 1;
        next?.();
        return passed > 0 && seconds.length === 0 && [...sockets].every((socket) => !socket.isPaused);
      })
      .toBe(true);
    await all;
    expect(passed).toBeLessThan(30);
  });

  it('answers no name but its own, and no more calls at once than it may', async () => {
    const { drover, port } = await bareServer({ maxCalls: 2 });
    drover.carry['hosts.list'] = () => new Promise(() => {});
    const socket = new WebSocket(`ws://127.0.0.1:${port}/link`, [linkProtocol, tokenProtocol(token)]);
    onTestFinished(() => socket.terminate());
    await new Promise((resolve) => socket.on('open', resolve));
    const rpc = createBirpc<Record<string, (...args: unknown[]) => unknown>, object, false>(
      {},
      {
        proxify: false,
        serialize: encodeFrame,
        deserialize: decodeFrame,
        post: (frame: Uint8Array) => socket.send(frame),
        on: (take) => void socket.on('message', (data) => take(data)),
      },
    );
    for (const name of ['constructor', 'toString', '__proto__', 'hosts.list']) {
      await expect(rpc.$call(name)).rejects.toBeTruthy();
    }
    for (const name of ['constructor', '__proto__', '', 'hosts', 7, null, { toString: 1 }]) {
      expect(await rpc.$call('call', name, {})).toMatchObject({ err: { code: expect.any(String) as string } });
    }
    void rpc.$call('call', 'hosts.list', {}).catch(() => {});
    void rpc.$call('call', 'hosts.list', {}).catch(() => {});
    await expect.poll(() => drover.asked.length).toBe(2);
    expect(await rpc.$call('call', 'hosts.get', { id: 'h' })).toMatchObject({ err: { code: 'conflict' } });
    rpc.$close();
  });

  it.each([
    ['text', 'hello'],
    ['bytes', Buffer.from([0xc1])],
    ['a number', Buffer.from(encodeFrame(7))],
    ['a list', Buffer.from(encodeFrame([]))],
    ['nothing', Buffer.alloc(0)],
  ])('hangs up on %s that is no frame', async (_, frame) => {
    const it_ = await served();
    const socket = it_.socket('/link', [linkProtocol, tokenProtocol(token)]);
    await new Promise((resolve) => socket.on('open', resolve));
    expect(socket.protocol).toBe(linkProtocol); // and not the token
    socket.send(frame);
    expect(await new Promise((resolve) => socket.on('close', resolve))).toBe(1002);
  });

  it('hangs up on a frame that is too long', async () => {
    const it_ = await served();
    const socket = it_.socket('/link', [linkProtocol, tokenProtocol(token)]);
    await new Promise((resolve) => socket.on('open', resolve));
    socket.send(Buffer.alloc(9 * 1024 * 1024));
    expect(await new Promise((resolve) => socket.on('close', resolve))).toBe(1009);
  });
});

it('a token travels in a subprotocol whatever its signs', () => {
  for (const sign of ['plain-token_1', 'a/b+c=', '(quoted)"\\', 'ä;,']) {
    const protocol = tokenProtocol(sign);
    expect(protocol).toMatch(/^[!#$%&'*+.^_`|~\w-]+$/);
    expect(tokenOf(['other', protocol])).toBe(sign);
  }
  expect(tokenOf(['drover.token.%zz'])).toBeNull();
  expect(tokenOf([linkProtocol])).toBeNull();
});

/** Links alone, with limits of the test's own. */
async function bareServer(options: LinkSocketOptions = {}) {
  const drover = new StandIn();
  const server: Server = createServer();
  const sockets = new WebSocketServer({ server, handleProtocols: () => linkProtocol });
  sockets.on('connection', (socket) => serveWindow(socket, drover.door, options));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const hangUp = () => {
    for (const socket of sockets.clients) socket.terminate();
  };
  onTestFinished(() => {
    hangUp();
    server.close();
  });
  return { drover, port: (server.address() as AddressInfo).port, hangUp, sockets: sockets.clients };
}
