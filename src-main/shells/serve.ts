// Drover without a desktop: listens, starts it, serves the automation API and the window, and ends all in order.
import { createServer, type Server } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import { isIP, type AddressInfo } from 'node:net';
import type { Drover } from '../api/drover.ts';
import { Guard } from './guard.ts';
import { listenFailure, type Listen } from './listen.ts';
import { Pace } from './pace.ts';
import { Site } from './site.ts';
import { WindowFiles } from './static.ts';
import { Tickets } from './token.ts';

export interface ServeOptions {
  listen: Listen;
  token: string;
  log: (line: string) => void;
  files?: WindowFiles;
  /** Somebody answers questions in this process itself. */
  attended?: boolean;
  /** Of the API's requests, all callers together. */
  pace?: Pace;
}

export interface Serving {
  /** Of the window, without the token. */
  readonly url: string;
  /** An address that opens the window once, soon. */
  ticket(): string;
  /** How many windows and commands are linked now; resolves when none is. */
  readonly links: number;
  unlinked(): Promise<void>;
  /** Takes no more calls, ends Drover, then every connection. */
  close(): Promise<void>;
}

/** What a peer may take of us before it has said anything sensible. */
const limits = {
  maxHeaderSize: 16 * 1024,
  headersTimeout: 10_000,
  requestTimeout: 60_000,
  keepAliveTimeout: 10_000,
  connectionsCheckingInterval: 2_000,
};
const maxConnections = 1_000;
/** Far more than a person or a script has use for; the hosts' own work goes on beside it. */
const requestsPerSecond = 1_000;

/**
 * Listens first, so that a port in use is told before any host is connected to; what is asked meanwhile waits.
 * @throws Failure where it cannot listen; what `start` throws
 */
export async function serve(start: () => Promise<Drover>, options: ServeOptions): Promise<Serving> {
  const { listen, token, log, files = new WindowFiles(), attended = false } = options;
  const { pace = new Pace({ perSecond: requestsPerSecond }) } = options;
  const server = listen.tls ? createTlsServer({ ...limits, ...listen.tls }) : createServer(limits);
  server.maxConnections = maxConnections;
  const { address, port } = await listening(server, listen);

  const guard = new Guard({ token, address, port, tls: listen.tls !== null, publicUrl: listen.publicUrl });
  const tickets = new Tickets(token);
  const starting = start();
  const site = new Site({ starting, guard, tickets, files, log, attended, pace });
  server.on('request', (request, response) => site.answer(request, response));
  server.on('upgrade', (request, socket, head) => void site.upgrade(request, socket, head));
  try {
    await starting;
  } catch (error) {
    server.close();
    server.closeAllConnections();
    throw error;
  }

  const url = `${listen.tls ? 'https' : 'http'}://${isIP(address) === 6 ? `[${address}]` : address}:${port}/`;
  const end = async () => {
    server.close();
    await site.close();
    server.closeAllConnections();
  };
  let ended: Promise<void> | null = null;
  return {
    url,
    get links() {
      return site.links;
    },
    unlinked: () => site.unlinked(),
    ticket: () => `${url}open?ticket=${tickets.issue()}`,
    close: () => (ended ??= end()),
  };
}

function listening(server: Server, listen: Listen): Promise<AddressInfo> {
  return new Promise((resolve, reject) => {
    server.once('error', (error) => reject(listenFailure(error, listen)));
    server.listen(listen.port, listen.address, () => resolve(server.address() as AddressInfo));
  });
}
