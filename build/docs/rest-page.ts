// The reference of the API's calls, as a page, made from its own description.
export interface OpenApi {
  paths: Record<string, Record<string, Operation>>;
}

interface Operation {
  operationId: string;
  summary: string;
  tags?: string[];
  parameters?: { name: string; in: string; required?: boolean; schema: Schema }[];
  requestBody?: { content: { 'application/json': { schema: Schema } } };
  responses: Record<string, { description?: string }>;
}

interface Schema {
  type?: string | string[];
  enum?: unknown[];
  anyOf?: Schema[];
  items?: Schema;
  properties?: Record<string, Schema>;
  required?: string[];
  minimum?: number;
  maximum?: number;
  pattern?: string;
}

const titles: Record<string, string> = {
  fleet: 'Drover',
  hosts: 'Hosts',
  domains: 'VMs',
  migrations: 'Migrations',
  scans: 'Scans',
  schedules: 'Schedules',
  neighbours: 'Neighbours',
  demo: 'The demo fleet',
  '': 'Besides calls',
};

function typeOf(schema: Schema): string {
  if (schema.enum) return schema.enum.map((one) => JSON.stringify(one)).join(' or ');
  if (schema.anyOf) return [...new Set(schema.anyOf.map(typeOf))].join(' or ');
  if (schema.type === 'array') return `list of ${typeOf(schema.items ?? {})}`;
  const name = Array.isArray(schema.type) ? schema.type.join(' or ') : (schema.type ?? 'anything');
  const { minimum, maximum } = schema;
  const bounded = name === 'integer' && minimum !== undefined && maximum !== undefined && maximum < 1e9;
  return bounded ? `${name}, ${minimum} to ${maximum}` : name;
}

const cell = (text: string) => text.replaceAll('|', '\\|').replaceAll('<', '&lt;');

function rows(place: string, properties: Record<string, Schema>, required: readonly string[], prefix = ''): string[] {
  return Object.entries(properties).flatMap(([name, schema]) => {
    const must = required.includes(name) ? 'yes' : '';
    const row = `| \`${prefix}${name}\` | ${place} | ${cell(typeOf(schema))} | ${must} |`;
    return schema.properties
      ? [row, ...rows(place, schema.properties, schema.required ?? [], `${prefix}${name}.`)]
      : [row];
  });
}

function section(path: string, method: string, operation: Operation): string[] {
  const { summary, parameters = [], requestBody, responses, operationId } = operation;
  const body = requestBody?.content['application/json'].schema;
  const all = [
    ...parameters.flatMap(({ name, in: place, required, schema }) =>
      rows(place, { [name]: schema }, required ? [name] : []),
    ),
    ...(body?.properties ? rows('body', body.properties, body.required ?? []) : []),
  ];
  const status = Object.keys(responses).find((code) => code !== 'default') ?? '200';
  return [
    '',
    `### \`${method.toUpperCase()} ${path}\` {#${operationId.replaceAll('.', '-')}}`,
    '',
    `${summary.replaceAll('<', '&lt;')} Answers ${status}.`,
    ...(all.length > 0 ? ['', '| argument | in | type | needed |', '| --- | --- | --- | --- |', ...all] : []),
  ];
}

export function restPage({ paths }: OpenApi): string {
  const all = Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({ path, method, operation, tag: operation.tags?.[0] ?? '' })),
  );
  const tags = [...new Set(all.map(({ tag }) => tag))].sort((a, b) => Number(a === '') - Number(b === ''));
  return `${[
    '---',
    'outline: [2, 2]',
    '---',
    '# API calls',
    '',
    'Made from the contract that the window uses, too; a running Drover gives the same as an OpenAPI document at',
    '`GET /api/v1/openapi.json`. How to begin is told in [The automation API](../api.md). All paths are below `/api/v1`.',
    ...tags.flatMap((tag) => [
      '',
      `## ${titles[tag] ?? tag}`,
      ...all
        .filter((one) => one.tag === tag)
        .flatMap(({ path, method, operation }) => section(path, method, operation)),
    ]),
  ].join('\n')}\n`;
}
