// Every answer over HTTP in the one envelope, whoever gives it.
import { STATUS_CODES, type ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import { Failure, statusOf, toErr } from '../../contract/failure.ts';
import type { Answer } from '../../contract/link.ts';

const headers = {
  'content-type': 'application/json; charset=utf-8',
  'cache-control': 'no-store',
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'no-referrer',
};

/** A failure with a status or headers of its own, where HTTP knows better than the code's status. */
export class HttpFailure extends Failure {
  readonly status: number;
  readonly headers: Record<string, string>;

  constructor(failure: Failure, status: number, headers: Record<string, string> = {}) {
    super(failure.code, failure.message, failure.detail);
    this.status = status;
    this.headers = headers;
  }
}

export function reply(response: ServerResponse, answer: Answer<unknown>, success = 200): void {
  // What returns nothing says null: `data` is always there.
  const body = { err: answer.err, data: answer.data ?? null };
  replyJson(response, body, answer.err ? statusOf[answer.err.code] : success);
}

export function replyFailure(response: ServerResponse, thrown: unknown): void {
  const { status, extra } = told(thrown);
  replyJson(response, { err: toErr(thrown), data: null }, status, extra);
}

/** Bare, for what has a form of its own. */
export function replyJson(
  response: ServerResponse,
  value: unknown,
  status = 200,
  extra: Record<string, string> = {},
): void {
  if (response.headersSent || response.destroyed) return;
  const body = JSON.stringify(value);
  response.writeHead(status, { ...headers, ...extra, 'content-length': Buffer.byteLength(body) });
  response.end(body); // for HEAD, Node leaves the body out
}

/** The same, to one who asked for another protocol and whose socket is therefore bare. */
export function refuseUpgrade(socket: Duplex, thrown: unknown): void {
  const { status, extra } = told(thrown);
  const body = JSON.stringify({ err: toErr(thrown), data: null });
  const lines = Object.entries({
    ...headers,
    ...extra,
    'content-length': Buffer.byteLength(body),
    connection: 'close',
  });
  socket.end(
    `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ''}\r\n` +
      lines.map(([name, value]) => `${name}: ${value}\r\n`).join('') +
      `\r\n${body}`,
  );
}

function told(thrown: unknown): { status: number; extra: Record<string, string> } {
  if (thrown instanceof HttpFailure) return { status: thrown.status, extra: thrown.headers };
  return { status: statusOf[toErr(thrown).code], extra: {} };
}
