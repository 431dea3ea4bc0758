// What stands where on the server: the API's routes, its streams and sockets, and the window's files.
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import { WebSocketServer, type WebSocket } from 'ws';
import { Failure } from '../../contract/failure.ts';
import { linkPath, linkProtocol } from '../../contract/wire.ts';
import type { Drover } from '../api/drover.ts';
import { consoleRequest, serveConsole, type ConsoleCall } from './console-socket.ts';
import type { Guard } from './guard.ts';
import { serveWindow } from './link-socket.ts';
import { describeApi } from './openapi.ts';
import type { Pace } from './pace.ts';
import { HttpFailure, refuseUpgrade, reply, replyFailure, replyJson } from './reply.ts';
import { carryOut, matchOf } from './rest.ts';
import { apiRoot, findRoute, type Route } from './routes.ts';
import { streamEvents } from './sse.ts';
import { windowHeaders, type WindowFiles } from './static.ts';
import { addressWith, type Tickets } from './token.ts';

export interface SiteOptions {
  /** Requests wait for it. */
  starting: Promise<Drover>;
  guard: Guard;
  tickets: Tickets;
  files: WindowFiles;
  log: (line: string) => void;
  /** Somebody answers questions in this process itself. */
  attended?: boolean;
  /** Of the API's requests, all callers together. */
  pace: Pace;
}

interface Asked {
  /** As in the address, encoded. */
  path: string;
  /** The segments below `/api/v1`, decoded; null for anything else. */
  api: string[] | null;
  query: URLSearchParams;
}

/** What a console's route opens. */
const consoleCalls: Partial<Record<Route['serves'], ConsoleCall>> = {
  console: 'consoles.open',
  graphics: 'consoles.graphics',
};

/** A VM's XML, and what is around it. */
const linkFrameBytes = 8 * 1024 * 1024;
const consoleFrameBytes = 1024 * 1024;
/** How long a socket may take to say goodbye. */
const partingMs = 500;

export class Site {
  readonly #options: SiteOptions;
  readonly #links = new WebSocketServer({
    noServer: true,
    maxPayload: linkFrameBytes,
    handleProtocols: () => linkProtocol, // never the one that holds the token
  });
  readonly #consoles = new WebSocketServer({ noServer: true, maxPayload: consoleFrameBytes });
  /** Links of commands that nobody sits at: they answer no questions. */
  readonly #unattended = new WeakSet<WebSocket>();
  /** Answers under way: who stops waits for them. */
  readonly #answering = new Set<Promise<void>>();
  readonly #streams = new Set<ServerResponse>();
  #closing = false;

  constructor(options: SiteOptions) {
    this.#options = options;
  }

  answer(request: IncomingMessage, response: ServerResponse): void {
    const answered = this.#answer(request, response)
      .catch((error: unknown) => {
        if (response.destroyed) return; // the asker has gone, perhaps in the middle of its body
        if (!(error instanceof Failure)) this.#options.log(`a request failed: ${(error as Error).stack}`);
        replyFailure(response, error);
      })
      .finally(() => this.#answering.delete(answered));
    this.#answering.add(answered);
  }

  async upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): Promise<void> {
    socket.on('error', () => socket.destroy());
    try {
      this.#options.guard.checkOrigin(request);
      const { path, api, query } = addressed(request);
      const match = api && findRoute('GET', api);
      const console = match && 'route' in match ? consoleCalls[match.route.serves] : undefined;
      if (!console && path !== linkPath) throw new Failure('not-found', `There is no WebSocket at ${path}.`);
      this.#options.guard.checkToken(request, console ? query : undefined);
      const drover = await this.#drover();
      if (console && match && 'said' in match) {
        const { hostId = '', uuid = '' } = match.said;
        this.#consoles.handleUpgrade(request, socket, head, (opened) =>
          serveConsole(opened, drover.door, console, () => consoleRequest(console, hostId, uuid, query)),
        );
      } else {
        this.#links.handleUpgrade(request, socket, head, (opened) => {
          if (query.get('answers') === '0') this.#unattended.add(opened);
          this.#window(opened, drover);
        });
      }
    } catch (error) {
      refuseUpgrade(socket, error);
    }
  }

  /** How many windows and commands are linked now. */
  get links(): number {
    return this.#links.clients.size;
  }

  /** Resolves when none is. */
  async unlinked(): Promise<void> {
    while (this.links > 0) {
      await Promise.race(
        [...this.#links.clients].map((socket) => new Promise((resolve) => socket.once('close', resolve))),
      );
    }
  }

  /** Takes no more calls, ends Drover, then what still listens. */
  async close(): Promise<void> {
    this.#closing = true;
    await parted(this.#links.clients);
    await (await this.#options.starting).close();
    await within(partingMs, Promise.all(this.#answering)); // but not for who is slow to ask
    for (const stream of this.#streams) stream.end();
    await parted(this.#consoles.clients); // they have been told why
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    this.#options.guard.checkOrigin(request);
    const asked = addressed(request);
    if (asked.api) await this.#callOf(asked.api, asked.query, request, response);
    else this.#fileOf(asked, request, response);
  }

  async #callOf(api: string[], query: URLSearchParams, request: IncomingMessage, response: ServerResponse) {
    const { method = '' } = request;
    if (api.join('/') !== 'health') {
      this.#options.guard.checkToken(request);
      await this.#options.pace.turn();
      if (response.destroyed) return;
    }
    const found = matchOf(method, api);
    if ('allow' in found) {
      return replyJson(response, { err: null, data: found }, 200, { allow: found.allow.join(', ') });
    }
    const { route, said } = found;
    const { door, version } = await this.#drover();
    switch (route.serves) {
      case 'events':
        if (method === 'HEAD') return reply(response, { err: null, data: null });
        this.#streams.add(response);
        response.on('close', () => this.#streams.delete(response));
        return streamEvents(door, query, request, response);
      case 'openapi':
        return replyJson(response, describeApi(version));
      case 'console':
      case 'graphics':
        throw new HttpFailure(
          new Failure('bad-request', 'A console is a WebSocket: ask for it with “Upgrade: websocket”.'),
          426,
          { upgrade: 'websocket', connection: 'upgrade' },
        );
      default:
        return carryOut(door, route.serves, said, query, request, response);
    }
  }

  #fileOf({ path, query }: Asked, request: IncomingMessage, response: ServerResponse): void {
    const { method = '', headers } = request;
    if (method !== 'GET' && method !== 'HEAD') {
      throw new HttpFailure(new Failure('bad-request', `${path} takes HEAD, GET, not ${method}.`), 405, {
        allow: 'HEAD, GET',
      });
    }
    const { files, tickets, log } = this.#options;
    if (path === '/open') {
      const token = method === 'GET' ? tickets.redeem(query.get('ticket') ?? '') : null;
      if (!token) log('a ticket to open the window was refused: it was used already, or it was too old');
      // Without a token the page itself says what to do.
      response.writeHead(303, {
        location: token ? addressWith('./', token) : './',
        ...windowHeaders(),
        'cache-control': 'no-store',
      });
      return void response.end();
    }
    const file = files.get(path);
    if (!file) {
      throw new Failure(
        'not-found',
        files.built ? `There is no ${path} here.` : 'The window is not built: run “npm run build”.',
      );
    }
    const host = headers.host ?? '';
    response.writeHead(200, {
      ...windowHeaders([`ws://${host}`, `wss://${host}`]),
      ...file.headers,
      'content-length': file.body.length,
    });
    response.end(file.body); // for HEAD, Node leaves the body out
  }

  #window(socket: WebSocket, drover: Drover): void {
    const answers = (one: WebSocket) => one.readyState === one.OPEN && !this.#unattended.has(one);
    const count = () =>
      drover.windows([...this.#links.clients].filter(answers).length + (this.#options.attended ? 1 : 0));
    serveWindow(socket, drover.door);
    socket.on('close', count);
    setImmediate(count); // the server counts it once this is over
  }

  async #drover(): Promise<Drover> {
    if (this.#closing) throw new Failure('unreachable', 'Drover is stopping.');
    return this.#options.starting;
  }
}

/** @throws Failure where the address is none */
function addressed({ url = '' }: IncomingMessage): Asked {
  const at = url.indexOf('?');
  const path = at < 0 ? url : url.slice(0, at);
  const query = new URLSearchParams(at < 0 ? '' : url.slice(at + 1));
  if (!path.startsWith('/')) throw new Failure('bad-request', 'The address of a request has to begin with “/”.');
  if (!path.startsWith(`${apiRoot}/`)) return { path, api: null, query };
  try {
    return {
      path,
      api: path
        .slice(apiRoot.length + 1)
        .split('/')
        .map(decodeURIComponent),
      query,
    };
  } catch {
    throw new Failure('bad-request', `${path} is not percent-encoded as it should be.`);
  }
}

/** Says goodbye to all, and hangs up on those who do not answer. */
async function parted(sockets: Set<WebSocket>): Promise<void> {
  const leaving = [...sockets].map((socket) => new Promise((resolve) => socket.once('close', resolve)));
  for (const socket of sockets) socket.close(1001, 'Drover is stopping');
  await within(partingMs, Promise.all(leaving));
  for (const socket of sockets) socket.terminate();
}

/** Until it is done, or the time is over. */
async function within(ms: number, done: Promise<unknown>): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  await Promise.race([done, new Promise((resolve) => (timer = setTimeout(resolve, ms)))]);
  clearTimeout(timer);
}
