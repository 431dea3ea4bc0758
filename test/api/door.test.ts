// The door: unknown calls, arguments that cannot be, failures and bugs, all answered in one form.
import { describe, expect, it } from 'vitest';
import { Failure } from '../../contract/failure.ts';
import type { Api } from '../../src-main/api/api.ts';
import { Session } from '../../src-main/api/api.ts';
import { Door } from '../../src-main/api/door.ts';
import { Feed } from '../../src-main/api/feed.ts';

const uuid = '8f6a3c1e-0b1d-4c7e-9a53-1f1e5d3b7a01';

function door(api: Partial<Record<keyof Api, (args: never) => unknown>>) {
  const reports: string[] = [];
  const opened = new Door(api as unknown as Api, new Feed(), (error, name) =>
    reports.push(`${name}: ${String(error)}`),
  );
  return { reports, ask: (name: string, args: unknown = {}) => opened.call(name, args, new Session()) };
}

it('answers what the call answers', async () => {
  const { ask } = door({ 'hosts.list': () => [], 'hosts.remove': async () => ({ removed: true, id: 'a' }) });
  expect(await ask('hosts.list')).toEqual({ err: null, data: [] });
  expect(await ask('hosts.remove', { id: 'a' })).toEqual({ err: null, data: { removed: true, id: 'a' } });
});

it.each(['hosts.explode', '', 'constructor', '__proto__', 'toString', 'hasOwnProperty'])(
  'has no call “%s”',
  async (name) => {
    const { ask, reports } = door({});
    expect((await ask(name)).err).toMatchObject({ code: 'not-found' });
    expect(reports).toEqual([]);
  },
);

describe('arguments', () => {
  it('reach the call checked and in their right form', async () => {
    const { ask } = door({ 'domains.xml': (args) => args });
    const { data } = await ask('domains.xml', { hostId: 'a', uuid: uuid.toUpperCase(), inactive: '1' });
    expect(data).toEqual({ hostId: 'a', uuid, inactive: true });
  });

  const bad: [string, unknown, RegExp][] = [
    ['hosts.get', {}, /“id”/],
    ['hosts.get', { id: '' }, /“id”/],
    ['hosts.get', { id: 'a', colour: 'red', shape: 'round' }, /unknown field “colour”, “shape”/],
    ['hosts.get', null, /cannot be taken/],
    ['hosts.get', undefined, /cannot be taken/],
    ['hosts.get', 'a', /cannot be taken/],
    ['hosts.get', [], /cannot be taken/],
    ['domains.get', { hostId: 'a', uuid: 'web01' }, /“uuid”: is no UUID/],
    ['domains.act', { hostId: 'a', uuid, action: 'explode' }, /“action”/],
    ['migrations.start', { uuid, from: 'a', to: 'b', options: { mode: 'warp' } }, /“options\.mode”/],
    ['migrations.start', { uuid, from: 'a', to: 'b', options: { colour: 1 } }, /unknown field “colour”/],
    ['consoles.write', { consoleId: 'a', bytes: new Uint8Array(65_537) }, /“bytes”: is over 64 KiB/],
    ['consoles.write', { consoleId: 'a', bytes: [1, 2] }, /“bytes”/],
    ['questions.answer', { id: 'a', answers: 'secret' }, /“answers”/],
    ['scans.start', {}, /“cidr” is missing\.$/],
    ['scans.start', { cidr: '' }, /“cidr” is empty\.$/],
    ['scans.start', { cidr: 5 }, /“cidr” has to be text or a list\.$/],
    ['scans.start', { cidr: 'a', ports: [] }, /“ports” is empty\.$/],
    ['scans.start', { cidr: 'a', ports: [70000] }, /“ports\.0”: .*65535/],
    ['scans.start', { cidr: 'a', ports: '30-20' }, /“ports”: “30-20” is upside down/],
    ['scans.start', { cidr: 'a', rate: 'fast' }, /“rate” has to be a number\.$/],
  ];
  it.each(bad)('that cannot be are named: %s %j', async (name, args, why) => {
    const carried: unknown[] = [];
    const { ask, reports } = door({ [name]: (given: unknown) => carried.push(given) });
    const { err, data } = await ask(name, args);
    expect(data).toBeNull();
    expect(err?.code).toBe('bad-request');
    expect(err?.message).toMatch(why);
    expect(err?.message).toMatch(/\.$/);
    expect([carried, reports]).toEqual([[], []]);
  });

  it('that are secret are not repeated in what is said about them', async () => {
    const { ask } = door({ 'questions.answer': () => ({ taken: true }) });
    const { err } = await ask('questions.answer', { id: 'a', answers: 'hunter2' });
    expect(err?.message).not.toContain('hunter2');
  });

  it('cannot reach a prototype', async () => {
    const { ask } = door({ 'hosts.get': (args) => args });
    const { err } = await ask('hosts.get', JSON.parse('{"id":"a","__proto__":{"admin":true}}'));
    expect(err?.code ?? 'taken').toBe('bad-request');
    expect(({} as { admin?: boolean }).admin).toBeUndefined();
  });
});

describe('what fails', () => {
  it('as a failure travels as it is, and is reported to nobody', async () => {
    const { ask, reports } = door({
      'hosts.list': () => {
        throw new Failure('conflict', 'Not now.', { id: 'a' });
      },
    });
    expect(await ask('hosts.list')).toEqual({
      err: { code: 'conflict', message: 'Not now.', detail: { id: 'a' } },
      data: null,
    });
    expect(reports).toEqual([]);
  });

  it('as a bug is internal, and is reported', async () => {
    const { ask, reports } = door({ 'hosts.list': () => Promise.reject(new TypeError('x is undefined')) });
    expect((await ask('hosts.list')).err?.code).toBe('internal');
    expect(reports).toEqual(['hosts.list: TypeError: x is undefined']);
  });
});

describe('a session', () => {
  it('undoes what it opened when it ends, once', () => {
    const undone: string[] = [];
    const session = new Session();
    session.onEnd(() => undone.push('a'));
    session.onEnd(() => undone.push('b'));
    expect(undone).toEqual([]);
    session.end();
    session.end();
    expect(undone).toEqual(['a', 'b']);
  });

  it('undoes at once what comes after its end', () => {
    const session = new Session();
    session.end();
    let undone = false;
    session.onEnd(() => (undone = true));
    expect(undone).toBe(true);
  });
});
