// The table of calls as a whole: its doors, its checks, its sentences.
import { describe, expect, it, test } from 'vitest';
import { type CallName, calls } from '../../contract/calls.ts';

const doors = Object.entries(calls)
  .map(([name, { door }]) => ({ name: name as CallName, door }))
  .filter((one): one is { name: CallName; door: NonNullable<typeof one.door> } => one.door !== null);
const parts = (door: string) => {
  const [method = '', path = ''] = door.split(' ');
  return { method, segments: path.split('/').slice(1) };
};
const shape = (door: string) => door.replace(/:\w+/g, ':');

test('every door is a door of its own', () => {
  const shapes = doors.map(({ door }) => shape(door));
  expect(shapes.filter((one, at) => shapes.indexOf(one) !== at)).toEqual([]);
});

test('where a request fits two doors, one of them says more of it literally, from the left on', () => {
  const fits = (a: string[], b: string[]) =>
    a.length === b.length && a.every((one, at) => one.startsWith(':') || b[at]?.startsWith(':') || one === b[at]);
  const unclear: string[] = [];
  for (const a of doors) {
    for (const b of doors) {
      const [one, two] = [parts(a.door), parts(b.door)];
      if (a.name >= b.name || one.method !== two.method || !fits(one.segments, two.segments)) continue;
      const differs = one.segments.findIndex((part, at) => part.startsWith(':') !== two.segments[at]?.startsWith(':'));
      if (differs < 0) unclear.push(`${a.door} and ${b.door}`);
    }
  }
  expect(unclear).toEqual([]);
});

describe.each(doors)('$name at $door', ({ name, door }) => {
  const { args } = calls[name];
  const named = parts(door)
    .segments.filter((part) => part.startsWith(':'))
    .map((part) => part.slice(1));

  it('has an argument for each part of its path that is named', () => {
    const shapeOf = 'shape' in args ? Object.keys(args.shape) : [];
    expect(named.filter((one) => !shapeOf.includes(one))).toEqual([]);
  });

  it('refuses fields that it does not know', () => {
    const { error } = args.safeParse({ surely_unknown: 1 });
    const refused = error?.issues.some((issue) => issue.code === 'unrecognized_keys') ?? false;
    // A fault is the simulation's own word: its shape is not the contract's.
    expect(refused).toBe(name !== 'demo.fault');
  });
});

test('every call says in a sentence what it does, and none answers without a body', () => {
  for (const [name, { does, status }] of Object.entries(calls)) {
    expect(does, name).toMatch(/^[A-Z].*\.$/);
    expect([200, 201, 202], name).toContain(status);
  }
});

test('no door of the automation API was dropped', () => {
  const there = doors.map(({ door }) => shape(door));
  expect(
    [
      'GET /health',
      'GET /hosts',
      'POST /hosts',
      'GET /hosts/:',
      'PATCH /hosts/:',
      'DELETE /hosts/:',
      'POST /hosts/:/trust',
      'POST /hosts/:/connect',
      'POST /hosts/:/disconnect',
      'POST /hosts/:/evacuate',
      'GET /hosts/:/domains',
      'POST /hosts/:/domains',
      'GET /domains',
      'GET /hosts/:/domains/:',
      'PATCH /hosts/:/domains/:',
      'DELETE /hosts/:/domains/:',
      'GET /hosts/:/domains/:/xml',
      'POST /hosts/:/domains/:/:',
      'POST /migrations/preflight',
      'GET /migrations',
      'POST /migrations',
      'GET /migrations/options',
      'GET /migrations/:',
      'PATCH /migrations/:',
      'POST /migrations/:/cancel',
      'POST /migrations/:/postcopy',
      'POST /migrations/:/resolve',
      'POST /scans',
      'GET /scans/:',
      'DELETE /scans/:',
      'GET /neighbours',
      'POST /neighbours/adopt',
    ].filter((door) => !there.includes(door)),
  ).toEqual([]);
});
