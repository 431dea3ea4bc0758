// GET /openapi.json: the automation API, described from the contract itself.
import { z } from 'zod';
import { calls } from '../../contract/calls.ts';
import { statusOf } from '../../contract/failure.ts';
import { apiRoot, argumentsOf, routes, type Route } from './routes.ts';

type Json = Record<string, unknown>;

const ref = (name: string) => ({ $ref: `#/components/${name}` });
const json = (schema: Json) => ({ 'application/json': { schema } });

/** An OpenAPI 3.1 document. */
export function describeApi(version: string): Json {
  const paths: Record<string, Json> = {};
  for (const route of routes) {
    const path = `/${route.segments.map((segment) => segment.replace(/^:(.+)/, '{$1}')).join('/')}`;
    (paths[path] ??= {})[route.method.toLowerCase()] = operation(route);
  }
  return {
    openapi: '3.1.0',
    info: {
      title: 'Drover’s automation API',
      version,
      description:
        'Hosts with libvirt, their VMs, and moving these between those. Ids are opaque; times are ISO 8601 in UTC.',
    },
    servers: [{ url: apiRoot }],
    security: [{ token: [] }],
    paths,
    components: {
      securitySchemes: {
        token: { type: 'http', scheme: 'bearer', description: 'Printed by `drover serve` when it starts.' },
      },
      responses: {
        failed: { description: 'What failed, on which host, and what can be done.', content: json(failed) },
      },
    },
  };
}

const failed: Json = {
  type: 'object',
  required: ['err', 'data'],
  properties: {
    err: {
      type: 'object',
      required: ['code', 'message'],
      properties: {
        code: { enum: Object.keys(statusOf) },
        message: { type: 'string' },
        detail: { type: 'object' },
      },
    },
    data: { type: 'null' },
  },
};

const succeeded: Json = {
  type: 'object',
  required: ['err', 'data'],
  properties: { err: { type: 'null' }, data: {} },
};

function operation(route: Route): Json {
  const { serves, said } = route;
  switch (serves) {
    case 'events':
      return {
        operationId: 'events',
        summary: 'Every change as a server-sent event; the first is a snapshot, unless Last-Event-ID resumes.',
        parameters: [
          { name: 'Last-Event-ID', in: 'header', schema: { type: 'string' } },
          { name: 'lastEventId', in: 'query', schema: { type: 'string' } },
        ],
        responses: {
          200: { description: 'Until hung up.', content: { 'text/event-stream': { schema: { type: 'string' } } } },
          ...failures,
        },
      };
    case 'openapi':
      return {
        operationId: 'openapi',
        summary: 'This description.',
        responses: { 200: { description: 'An OpenAPI document.', content: json({ type: 'object' }) }, ...failures },
      };
    case 'console':
      return {
        operationId: 'console',
        summary: 'A WebSocket: binary frames are the console’s bytes, text frames are JSON notes.',
        parameters: [
          ...inPath(route, { hostId: z.string(), uuid: z.string() }),
          ...['token', 'target', 'takeover'].map((name) => ({ name, in: 'query', schema: { type: 'string' } })),
        ],
        responses: { 101: { description: 'The console.' }, ...failures },
      };
    case 'graphics':
      return {
        operationId: 'graphics',
        summary: 'A WebSocket: binary frames are RFB, as the VM’s VNC server speaks it, text frames are JSON notes.',
        parameters: [
          ...inPath(route, { hostId: z.string(), uuid: z.string() }),
          ...['token', 'target'].map((name) => ({ name, in: 'query', schema: { type: 'string' } })),
        ],
        responses: { 101: { description: 'The graphical console.' }, ...failures },
      };
    default: {
      const { does, status } = calls[serves];
      const shape = argumentsOf(serves);
      const word = Object.values(said).join('.');
      const free = Object.keys(shape).filter((name) => !route.segments.includes(`:${name}`) && !(name in said));
      const inBody = route.method === 'POST' || route.method === 'PATCH';
      return {
        operationId: word ? `${serves}.${word}` : serves,
        summary: word ? `${word}: ${does}` : does,
        tags: [serves.split('.')[0]],
        ...(serves === 'fleet.health' ? { security: [] } : {}),
        parameters: [...inPath(route, shape), ...(inBody ? [] : inQuery(free, shape))],
        ...(inBody && free.length > 0 ? { requestBody: bodyOf(free, shape) } : {}),
        responses: { [status]: { description: 'Done, or begun.', content: json(succeeded) }, ...failures },
      };
    }
  }
}

const failures = { default: ref('responses/failed') };

function inPath({ segments }: Route, shape: Record<string, z.ZodType>): Json[] {
  const names = segments.filter((segment) => segment.startsWith(':')).map((segment) => segment.slice(1));
  return names.map((name) => ({ name, in: 'path', required: true, schema: schemaOf(shape[name]) }));
}

function inQuery(names: string[], shape: Record<string, z.ZodType>): Json[] {
  return names.map((name) => ({ name, in: 'query', required: isRequired(shape[name]), schema: schemaOf(shape[name]) }));
}

function bodyOf(names: string[], shape: Record<string, z.ZodType>): Json {
  const required = names.filter((name) => isRequired(shape[name]));
  return {
    required: required.length > 0,
    content: json({
      type: 'object',
      properties: Object.fromEntries(names.map((name) => [name, schemaOf(shape[name])])),
      ...(required.length > 0 ? { required } : {}),
      additionalProperties: false,
    }),
  };
}

const isRequired = (check: z.ZodType | undefined) => !check?.safeParse(undefined).success;

function schemaOf(check: z.ZodType | undefined): Json {
  if (!check) return {};
  const { $schema: _, ...schema } = z.toJSONSchema(check, { io: 'input', unrepresentable: 'any' }) as Json;
  return schema;
}
