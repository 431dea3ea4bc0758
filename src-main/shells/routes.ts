// The contract's doors, and what is no call, as a table of routes. Where several fit a path, literals win.
import { z } from 'zod';
import { calls, type CallName } from '../../contract/calls.ts';

export const apiRoot = '/api/v1';

/** What stands in the API besides calls. */
const besides = {
  events: 'GET /events',
  openapi: 'GET /openapi.json',
  console: 'GET /hosts/:hostId/domains/:uuid/console',
  graphics: 'GET /hosts/:hostId/domains/:uuid/graphics',
} as const;

export interface Route {
  readonly method: string;
  /** Literals, and `:name` for an argument. */
  readonly segments: readonly string[];
  readonly serves: CallName | keyof typeof besides;
  /** Arguments that a literal stands for, e.g. `action: start`. */
  readonly said: Readonly<Record<string, string>>;
}

/** The checks of a call's arguments, by name. */
export function argumentsOf(call: CallName): Record<string, z.ZodType> {
  return calls[call].args.shape;
}

export const routes: readonly Route[] = [
  ...(Object.keys(calls) as CallName[]).flatMap(routesOf),
  ...Object.entries(besides).map(([serves, door]) => ({
    ...parts(door),
    serves: serves as keyof typeof besides,
    said: {},
  })),
];

/** One route, or where an argument of the path is a choice of words, one for each word. */
function routesOf(call: CallName): Route[] {
  const { door } = calls[call];
  if (!door) return [];
  const { method, segments } = parts(door);
  const shape = argumentsOf(call);
  for (const [at, segment] of segments.entries()) {
    const name = segment.slice(1);
    const check = segment.startsWith(':') ? shape[name] : undefined;
    if (!(check instanceof z.ZodEnum)) continue;
    return check.options.map(String).map((word) => ({
      method,
      segments: segments.with(at, word),
      serves: call,
      said: { [name]: word },
    }));
  }
  return [{ method, segments, serves: call, said: {} }];
}

function parts(door: string): Pick<Route, 'method'> & { segments: string[] } {
  const [method = '', path = ''] = door.split(' ');
  return { method, segments: path.split('/').slice(1) };
}

export interface Match {
  route: Route;
  /** The arguments that the path says. */
  said: Record<string, string>;
}

/** @param path below `apiRoot`, its segments decoded @returns null where nothing is at that path, whatever the method */
export function findRoute(method: string, path: readonly string[]): Match | { allow: string[] } | null {
  const there = routes.filter(
    ({ segments }) =>
      segments.length === path.length &&
      segments.every((segment, at) => (segment.startsWith(':') ? path[at] !== '' : segment === path[at])),
  );
  // Where one path fits several patterns, the one that has its literals first is meant.
  const best = there.map(pattern).sort()[0];
  const meant = there.filter((route) => pattern(route) === best);
  const route = meant.find((one) => one.method === (method === 'HEAD' ? 'GET' : method));
  if (!route) return meant.length > 0 ? { allow: meant.flatMap((one) => methodsOf(one)) } : null;
  const said: Record<string, string> = { ...route.said };
  for (const [at, segment] of route.segments.entries()) {
    if (segment.startsWith(':')) said[segment.slice(1)] = path[at] ?? '';
  }
  return { route, said };
}

const pattern = ({ segments }: Route) => segments.map((segment) => (segment.startsWith(':') ? '1' : '0')).join('');

const methodsOf = ({ method }: Route) => (method === 'GET' ? ['HEAD', 'GET'] : [method]);
