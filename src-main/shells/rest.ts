// One request of the automation API: its route, its arguments, its call, its answer.
import type { IncomingMessage, ServerResponse } from 'node:http';
import { calls, type CallName } from '../../contract/calls.ts';
import { Failure } from '../../contract/failure.ts';
import { Session } from '../api/api.ts';
import type { Door } from '../api/door.ts';
import { HttpFailure, reply } from './reply.ts';
import { apiRoot, argumentsOf, findRoute, type Match } from './routes.ts';

const bodyLimit = 1024 * 1024;
/** Where a body may hold a VM's XML. */
const xmlBodyLimit = 4 * bodyLimit;

/**
 * @param path below the API's root, its segments decoded
 * @returns the route; for OPTIONS the methods there are
 * @throws Failure where nothing answers to it
 */
export function matchOf(method: string, path: readonly string[]): Match | { allow: string[] } {
  const found = findRoute(method, path);
  const asked = `${apiRoot}/${path.join('/')}`;
  if (!found) {
    throw new Failure('not-found', `There is nothing at ${asked}. ${apiRoot}/openapi.json tells what there is.`);
  }
  if ('route' in found || method === 'OPTIONS') return found;
  const allow = found.allow.join(', ');
  throw new HttpFailure(new Failure('bad-request', `${asked} takes ${allow}, not ${method}.`), 405, { allow });
}

/** Carries out a call and answers. @throws Failure where the request is not to be understood */
export async function carryOut(
  door: Door,
  call: CallName,
  said: Record<string, string>,
  query: URLSearchParams,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const args = joined([
    ['path', said],
    ['query', queryOf(request, query)],
    ['body', await bodyOf(call, request)],
  ]);
  const session = new Session();
  response.on('close', () => session.end());
  reply(response, await door.call(call, args, session), calls[call].status);
}

function queryOf({ method = '' }: IncomingMessage, query: URLSearchParams): Record<string, string> {
  if (['POST', 'PATCH'].includes(method) && query.size > 0) {
    throw new Failure('bad-request', `${method} takes its arguments as JSON in the body, not in the address.`);
  }
  for (const name of query.keys()) {
    if (query.getAll(name).length > 1) throw new Failure('bad-request', `“${name}” is there twice in the address.`);
  }
  return Object.fromEntries(query);
}

async function bodyOf(call: CallName, request: IncomingMessage): Promise<object> {
  const named = argumentsOf(call);
  const bytes = await read(request, 'xml' in named || 'options' in named ? xmlBodyLimit : bodyLimit);
  if (bytes.length === 0) return {};
  let body: unknown;
  try {
    body = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch (error) {
    throw new Failure('bad-request', `The body is no JSON: ${(error as Error).message}.`);
  }
  if (typeof body !== 'object' || body === null || Array.isArray(body)) {
    throw new Failure('bad-request', 'The body has to be a JSON object, e.g. {"label": "kvm1"}.');
  }
  return body;
}

async function read(request: IncomingMessage, limit: number): Promise<Buffer> {
  const said = `The body is over ${limit / 1024 / 1024} MiB, the most that this call takes.`;
  const tooLong = () => new HttpFailure(new Failure('bad-request', said), 413);
  if (Number(request.headers['content-length'] ?? 0) > limit) throw tooLong();
  const chunks: Buffer[] = [];
  let size = 0;
  // Not destroyed when left early: that would take the answer's way.
  for await (const chunk of request.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > limit) throw tooLong();
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

/** One object of all; each name from one place only. */
function joined(places: [place: string, said: object][]): object {
  const from = new Map<string, { place: string; value: unknown }>();
  for (const [place, said] of places) {
    for (const [name, value] of Object.entries(said)) {
      const other = from.get(name);
      if (other)
        throw new Failure('bad-request', `“${name}” is in the ${other.place} already, and in the ${place} too.`);
      from.set(name, { place, value });
    }
  }
  // Not by assignment: a “__proto__” in a body is a name like any other.
  return Object.fromEntries([...from].map(([name, { value }]) => [name, value]));
}
