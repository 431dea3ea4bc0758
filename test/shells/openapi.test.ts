import { expect, it } from 'vitest';
import { calls, type CallName } from '../../contract/calls.ts';
import { lifecycleActions, scanPasses } from '../../contract/model.ts';
import { describeApi } from '../../src-main/shells/openapi.ts';
import { served } from './served.ts';

interface Operation {
  operationId: string;
  parameters?: { name: string; in: string; required?: boolean; schema: object }[];
  requestBody?: { content: { 'application/json': { schema: { properties: object; required?: string[] } } } };
  responses: Record<string, object>;
}
const described = describeApi('1.2.3') as { paths: Record<string, Record<string, Operation>>; [key: string]: unknown };
const operations = Object.entries(described.paths).flatMap(([path, methods]) =>
  Object.entries(methods).map(([method, operation]) => ({ path, method, operation })),
);

it('is served as it is, without an envelope', async () => {
  const it_ = await served();
  const { text, status } = await it_.ask('/api/v1/openapi.json');
  expect(status).toBe(200);
  expect(JSON.parse(text)).toMatchObject({ openapi: '3.1.0', info: { version: '0.0.0-test' } });
});

it('describes every call that has a door, and what stands besides', () => {
  const ids = operations.map(({ operation }) => operation.operationId);
  // A path that ends in one of a few words is described word by word.
  const spelled = ['domains.act', 'schedules.run'];
  const doors = (Object.keys(calls) as CallName[]).filter((name) => calls[name].door && !spelled.includes(name));
  const actions = [
    ...lifecycleActions.map((action) => `domains.act.${action}`),
    ...scanPasses.map((pass) => `schedules.run.${pass}`),
  ];
  expect([...ids].sort()).toEqual([...doors, ...actions, 'console', 'graphics', 'events', 'openapi'].sort());
  expect(new Set(ids).size).toBe(ids.length);
});

it('names each argument of a path, and no other', () => {
  for (const { path, operation } of operations) {
    const inPath = (operation.parameters ?? []).filter((one) => one.in === 'path');
    expect(inPath.map(({ name }) => `{${name}}`)).toEqual(path.match(/\{\w+\}/g) ?? []);
    expect(inPath.every(({ required }) => required)).toBe(true);
  }
});

it('says what a body may hold, what it must, and what success is', () => {
  const add = described.paths['/hosts']?.['post'];
  const schema = add?.requestBody?.content['application/json'].schema;
  expect(Object.keys(schema?.properties ?? {})).toEqual(['uri', 'label', 'trust']);
  expect(schema?.required).toEqual(['uri']);
  expect(Object.keys(add?.responses ?? {})).toEqual(['201', 'default']);
  const update = described.paths['/hosts/{id}']?.['patch']?.requestBody?.content['application/json'].schema;
  expect(update?.required).toBeUndefined();
  const start = described.paths['/migrations']?.['post']?.requestBody?.content['application/json'].schema;
  expect(start).toMatchObject({ required: ['uuid', 'from', 'to'], additionalProperties: false });
});

it('is plain JSON whose references lead somewhere', () => {
  const text = JSON.stringify(described);
  expect(JSON.parse(text)).toEqual(described);
  expect(text).not.toContain('$schema');
  const references = [...text.matchAll(/"\$ref":"#\/([^"]+)"/g)].map(([, path = '']) => path);
  expect(references.length).toBeGreaterThan(0);
  for (const path of references) {
    const found = path
      .split('/')
      .reduce<unknown>((at, key) => (at as Record<string, unknown> | undefined)?.[key], described);
    expect([path, typeof found]).toEqual([path, 'object']);
  }
});
