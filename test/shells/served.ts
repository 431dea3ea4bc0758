// The real server on a free port of loopback, with a stand-in behind it, ended with the test.
import { request as httpRequest, type IncomingHttpHeaders } from 'node:http';
import { onTestFinished } from 'vitest';
import { WebSocket, type ClientOptions } from 'ws';
import { listenOf, type ListenFlags } from '../../src-main/shells/listen.ts';
import type { Pace } from '../../src-main/shells/pace.ts';
import { serve, type Serving } from '../../src-main/shells/serve.ts';
import { WindowFiles } from '../../src-main/shells/static.ts';
import { StandIn } from './stand-in.ts';

export const token = 'a-token-of-the-tests';

export interface Answered {
  status: number;
  headers: IncomingHttpHeaders;
  text: string;
  /** The envelope. */
  body: { err: { code: string; message: string; detail?: Record<string, unknown> } | null; data: unknown };
}

export interface Asking {
  method?: string;
  headers?: Record<string, string>;
  /** Sent as JSON, or as it is where it is a string. */
  body?: unknown;
}

export class Served {
  readonly drover = new StandIn();
  readonly lines: string[] = [];
  serving!: Serving;

  get port(): number {
    return Number(new URL(this.serving.url).port);
  }

  /** One request as a caller with the token makes it. */
  ask(path: string, { method = 'GET', headers = {}, body }: Asking = {}): Promise<Answered> {
    const payload = body === undefined ? undefined : typeof body === 'string' ? body : JSON.stringify(body);
    return this.askBare(path, {
      method,
      headers: {
        authorization: `Bearer ${token}`,
        ...(payload === undefined
          ? {}
          : { 'content-type': 'application/json', 'content-length': String(Buffer.byteLength(payload)) }),
        ...headers,
      },
      body: payload,
    });
  }

  /** One request with these headers only. */
  askBare(path: string, { method = 'GET', headers = {}, body }: Asking = {}): Promise<Answered> {
    return new Promise((resolve, reject) => {
      const request = httpRequest(
        { host: '127.0.0.1', port: this.port, path, method, headers, agent: false },
        (response) => {
          const chunks: Buffer[] = [];
          response.on('data', (chunk: Buffer) => chunks.push(chunk));
          response.on('end', () => {
            const text = Buffer.concat(chunks).toString();
            const isJson = response.headers['content-type']?.startsWith('application/json') && text !== '';
            const envelope = (isJson ? JSON.parse(text) : null) as Answered['body'];
            resolve({ status: response.statusCode ?? 0, headers: response.headers, text, body: envelope });
          });
        },
      );
      request.on('error', reject);
      request.end(body as string | undefined);
    });
  }

  socket(path: string, protocols: string[] = [], options: ClientOptions = {}): WebSocket {
    const socket = new WebSocket(`ws://127.0.0.1:${this.port}${path}`, protocols, options);
    socket.on('error', () => {});
    onTestFinished(() => socket.terminate());
    return socket;
  }
}

/** @param folder of the window's files */
export async function served(folder = '/nonexistent', flags: ListenFlags = {}, pace?: Pace): Promise<Served> {
  const it = new Served();
  it.serving = await serve(async () => it.drover, {
    listen: listenOf({ listen: '127.0.0.1:0', ...flags }),
    token,
    log: (line) => it.lines.push(line),
    files: new WindowFiles(folder),
    ...(pace && { pace }),
  });
  onTestFinished(() => it.serving.close());
  return it;
}
