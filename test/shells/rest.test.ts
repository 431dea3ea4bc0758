import { beforeEach, describe, expect, it } from 'vitest';
import { calls, type CallName } from '../../contract/calls.ts';
import { Failure, statusOf, type FailureCode } from '../../contract/failure.ts';
import { lifecycleActions } from '../../contract/model.ts';
import { served, token, type Served } from './served.ts';

const uuid = '0a1b2c3d-0000-4000-8000-00000000abcd';
const print = `SHA256:${'A'.repeat(43)}`;
const options = { mode: 'live', bandwidthMiBps: 10 };

/** For each call with a door: a request as API.md writes it, and the arguments that have to arrive. */
const requests: Partial<Record<CallName, [string, string, unknown, object]>> = {
  'fleet.health': ['GET', '/health', undefined, {}],
  'fleet.diagnostics': ['GET', '/diagnostics', undefined, {}],
  'hosts.list': ['GET', '/hosts', undefined, {}],
  'hosts.get': ['GET', '/hosts/h1', undefined, { id: 'h1' }],
  'hosts.add': [
    'POST',
    '/hosts',
    { uri: 'qemu+ssh://a/system', label: 'a', trust: print },
    { uri: 'qemu+ssh://a/system', label: 'a', trust: print },
  ],
  'hosts.trust': [
    'POST',
    '/hosts/h1/trust',
    { fingerprint: print, replace: true },
    { id: 'h1', fingerprint: print, replace: true },
  ],
  'hosts.connect': ['POST', '/hosts/h1/connect', undefined, { id: 'h1' }],
  'hosts.disconnect': ['POST', '/hosts/h1/disconnect', {}, { id: 'h1' }],
  'hosts.update': ['PATCH', '/hosts/h1', { label: 'b' }, { id: 'h1', label: 'b' }],
  'hosts.remove': ['DELETE', '/hosts/h1', undefined, { id: 'h1' }],
  'hosts.domains': ['GET', '/hosts/h1/domains', undefined, { id: 'h1' }],
  'hosts.evacuate': [
    'POST',
    '/hosts/h1/evacuate',
    { to: ['h2'], parallel: 2, options, dryRun: true },
    { id: 'h1', to: ['h2'], parallel: 2, options, dryRun: true },
  ],
  'domains.list': [
    'GET',
    '/domains?host=h1&state=running&q=we%20b',
    undefined,
    { host: 'h1', state: 'running', q: 'we b' },
  ],
  'domains.get': ['GET', `/hosts/h1/domains/${uuid}`, undefined, { hostId: 'h1', uuid }],
  'domains.xml': ['GET', `/hosts/h1/domains/${uuid}/xml?inactive=1`, undefined, { hostId: 'h1', uuid, inactive: true }],
  'domains.act': ['POST', `/hosts/h1/domains/${uuid}/start`, undefined, { hostId: 'h1', uuid, action: 'start' }],
  'domains.update': [
    'PATCH',
    `/hosts/h1/domains/${uuid}`,
    { autostart: true },
    { hostId: 'h1', uuid, autostart: true },
  ],
  'domains.history': ['GET', `/hosts/h1/domains/${uuid}/history`, undefined, { hostId: 'h1', uuid }],
  'domains.events': ['GET', `/hosts/h1/domains/${uuid}/events`, undefined, { hostId: 'h1', uuid }],
  'domains.redefine': [
    'POST',
    `/hosts/h1/domains/${uuid}/xml`,
    { xml: '<domain/>', was: '<domain></domain>' },
    { hostId: 'h1', uuid, xml: '<domain/>', was: '<domain></domain>' },
  ],
  'domains.define': ['POST', '/hosts/h1/domains', { xml: '<domain/>' }, { id: 'h1', xml: '<domain/>' }],
  'domains.undefine': [
    'DELETE',
    `/hosts/h1/domains/${uuid}?storage=0&nvram=1`,
    undefined,
    { hostId: 'h1', uuid, storage: false, nvram: true },
  ],
  'snapshots.list': ['GET', `/hosts/h1/domains/${uuid}/snapshots`, undefined, { hostId: 'h1', uuid }],
  'snapshots.create': [
    'POST',
    `/hosts/h1/domains/${uuid}/snapshots`,
    { name: 'before the update', description: 'why', diskOnly: true },
    { hostId: 'h1', uuid, name: 'before the update', description: 'why', diskOnly: true },
  ],
  'snapshots.revert': [
    'POST',
    `/hosts/h1/domains/${uuid}/snapshots/before%20the%2Fupdate/revert`,
    { force: true },
    { hostId: 'h1', uuid, name: 'before the/update', force: true },
  ],
  'snapshots.delete': [
    'DELETE',
    `/hosts/h1/domains/${uuid}/snapshots/old?children=1`,
    undefined,
    { hostId: 'h1', uuid, name: 'old', children: true },
  ],
  'migrations.preflight': ['POST', '/migrations/preflight', { uuid, from: 'h1' }, { uuid, from: 'h1' }],
  'migrations.remedy': [
    'POST',
    '/migrations/preflight/remedy',
    { uuid, from: 'h1', to: 'h2', remedy: 'eject-sda' },
    { uuid, from: 'h1', to: 'h2', remedy: 'eject-sda' },
  ],
  'migrations.start': [
    'POST',
    '/migrations',
    { uuid, from: 'h1', to: 'h2', options },
    { uuid, from: 'h1', to: 'h2', options },
  ],
  'migrations.list': ['GET', '/migrations', undefined, {}],
  'migrations.options': ['GET', '/migrations/options', undefined, {}],
  'migrations.get': ['GET', '/migrations/m1', undefined, { id: 'm1' }],
  'migrations.cancel': ['POST', '/migrations/m1/cancel', undefined, { id: 'm1' }],
  'migrations.postcopy': ['POST', '/migrations/m1/postcopy', undefined, { id: 'm1' }],
  'migrations.update': ['PATCH', '/migrations/m1', { maxDowntimeMs: 300 }, { id: 'm1', maxDowntimeMs: 300 }],
  'migrations.resolve': [
    'POST',
    '/migrations/m1/resolve',
    { action: 'undefine-source' },
    { id: 'm1', action: 'undefine-source' },
  ],
  'scans.start': [
    'POST',
    '/scans',
    { cidr: '10.0.0.0/24', identify: { user: 'root' } },
    { cidr: '10.0.0.0/24', identify: { user: 'root' } },
  ],
  'scans.get': ['GET', '/scans/s1', undefined, { id: 's1' }],
  'scans.cancel': ['DELETE', '/scans/s1', undefined, { id: 's1' }],
  'scans.update': ['PATCH', '/scans/s1', { whileMigrating: true }, { id: 's1', whileMigrating: true }],
  'scans.forecast': ['POST', '/scans/forecast', { cidr: '10.0.0.0/24' }, { cidr: '10.0.0.0/24' }],
  'schedules.get': ['GET', '/schedules', undefined, {}],
  'schedules.set': ['PATCH', '/schedules', {}, {}],
  'schedules.run': ['POST', '/schedules/known/run', undefined, { pass: 'known' }],
  'neighbours.list': ['GET', '/neighbours', undefined, {}],
  'neighbours.suggestions': ['GET', '/neighbours/suggestions?mdns=1', undefined, { mdns: true }],
  'demo.start': ['POST', '/demo', undefined, {}],
  'demo.stop': ['DELETE', '/demo', undefined, {}],
  'demo.faults': ['GET', '/demo/faults', undefined, {}],
  'demo.fault': ['POST', '/demo/faults', { kind: 'down', host: 'kvm1' }, { kind: 'down', host: 'kvm1' }],
  'demo.clear': ['DELETE', '/demo/faults?kind=down', undefined, { kind: 'down' }],
  'neighbours.adopt': [
    'POST',
    '/neighbours/adopt',
    { addresses: ['10.0.0.1'], trust: { '10.0.0.1': print } },
    { addresses: ['10.0.0.1'], trust: { '10.0.0.1': print } },
  ],
};

let it_: Served;
beforeEach(async () => {
  it_ = await served();
});

const withDoor = (Object.keys(calls) as CallName[]).filter((name) => calls[name].door);

describe('a request', () => {
  it.each(withDoor)('reaches %s with its arguments and status', async (name) => {
    const [method, path, body, args] = requests[name] ?? ['', '', undefined, {}];
    const answer = await it_.ask(`/api/v1${path}`, { method, body });
    expect(answer.body).toEqual({ err: null, data: { call: name } });
    expect(answer.status).toBe(calls[name].status);
    expect(answer.headers['content-type']).toMatch(/^application\/json/);
    expect(it_.drover.asked).toEqual([{ name, args }]);
  });

  it.each(lifecycleActions)('of a VM may be to %s it', async (action) => {
    await it_.ask(`/api/v1/hosts/h1/domains/${uuid}/${action}`, { method: 'POST' });
    expect(it_.drover.asked).toEqual([{ name: 'domains.act', args: { hostId: 'h1', uuid, action } }]);
  });

  it('whose call fails gets its code’s status, its sentence and its detail', async () => {
    for (const code of Object.keys(statusOf) as FailureCode[]) {
      it_.drover.carry['hosts.list'] = () => {
        throw new Failure(code, `It is ${code}.`, { number: 42 });
      };
      const { status, body } = await it_.ask('/api/v1/hosts');
      expect(status).toBe(statusOf[code]);
      expect(body).toEqual({ err: { code, message: `It is ${code}.`, detail: { number: 42 } }, data: null });
    }
  });

  it('whose call has a bug gets internal, and the bug is reported', async () => {
    it_.drover.carry['hosts.list'] = () => {
      throw new TypeError('x is undefined');
    };
    expect((await it_.ask('/api/v1/hosts')).status).toBe(500);
    expect(it_.drover.bugs).toHaveLength(1);
  });

  it('whose call returns nothing still gets data', async () => {
    it_.drover.carry['hosts.connect'] = () => undefined;
    expect((await it_.ask('/api/v1/hosts/h/connect', { method: 'POST' })).body).toEqual({ err: null, data: null });
  });

  it('ends its session when the asker hangs up', async () => {
    const ended = new Promise<void>((resolve) => {
      it_.drover.carry['hosts.list'] = (_, caller) => {
        caller.onEnd(resolve);
        return new Promise(() => {});
      };
    });
    const gone = new AbortController();
    const asked = fetch(`${it_.serving.url}api/v1/hosts`, {
      headers: { authorization: `Bearer ${token}` },
      signal: gone.signal,
    });
    await expect.poll(() => it_.drover.asked.length).toBe(1);
    gone.abort();
    await expect(asked).rejects.toThrow();
    await ended;
  });
});

describe('a request that cannot be understood', () => {
  const bad = async (path: string, asking: object, status: number, code: string, says: RegExp) => {
    const answer = await it_.ask(path, asking);
    expect([answer.status, answer.body.err?.code, answer.body.data]).toEqual([status, code, null]);
    expect(answer.body.err?.message).toMatch(says);
    expect(it_.drover.asked).toEqual([]);
    return answer;
  };

  it('is told that nothing is there', async () => {
    await bad('/api/v1/nothing', {}, 404, 'not-found', /nothing at \/api\/v1\/nothing/);
    await bad('/api/v1/hosts/', {}, 404, 'not-found', /nothing/);
    await bad('/api/v1/', {}, 404, 'not-found', /nothing/);
    await bad('/api/v2/hosts', {}, 404, 'not-found', /no/);
    await bad(`/api/v1/hosts/h1/domains/${uuid}/explode`, { method: 'POST' }, 404, 'not-found', /explode/);
    await bad('/api/v1/constructor', {}, 404, 'not-found', /constructor/);
  });

  it('is told which methods a path takes, literal paths before ids', async () => {
    const answer = await bad('/api/v1/hosts', { method: 'PUT' }, 405, 'bad-request', /takes HEAD, GET, POST, not PUT/);
    expect(answer.headers.allow).toBe('HEAD, GET, POST');
    await bad('/api/v1/migrations/preflight', {}, 405, 'bad-request', /takes POST/);
    await bad('/api/v1/migrations/options', { method: 'PATCH', body: {} }, 405, 'bad-request', /takes HEAD, GET,/);
    await bad(`/api/v1/hosts/h/domains/${uuid}/xml`, { method: 'PATCH' }, 405, 'bad-request', /takes HEAD, GET, POST/);
    await bad('/api/v1/events', { method: 'POST' }, 405, 'bad-request', /takes/);
    await bad(`/api/v1/hosts/h/domains/${uuid}/console`, {}, 426, 'bad-request', /WebSocket/);
  });

  it('is told what is wrong with its body', async () => {
    const post = (body: unknown) => ({ method: 'POST', body });
    await bad('/api/v1/hosts', post('{"uri":'), 400, 'bad-request', /no JSON/);
    await bad('/api/v1/hosts', post('\xff\xfe'), 400, 'bad-request', /no JSON/);
    for (const body of ['[]', 'null', '"x"', '7'])
      await bad('/api/v1/hosts', post(body), 400, 'bad-request', /JSON object/);
    await bad('/api/v1/hosts', post({ uri: 'x', colour: 1 }), 400, 'bad-request', /unknown field “colour”/);
    await bad('/api/v1/hosts', post('{"uri":"x","__proto__":{"a":1}}'), 400, 'bad-request', /__proto__/);
    await bad('/api/v1/hosts', post({}), 400, 'bad-request', /“uri”/);
    await bad(
      '/api/v1/hosts/h/trust',
      post({ id: 'other', fingerprint: print }),
      400,
      'bad-request',
      /“id” is in the path already/,
    );
  });

  it('is told what is wrong with its address', async () => {
    await bad('/api/v1/hosts?uri=x', { method: 'POST', body: {} }, 400, 'bad-request', /body, not in the address/);
    await bad('/api/v1/domains?state=running&state=paused', {}, 400, 'bad-request', /twice/);
    await bad('/api/v1/domains?colour=red', {}, 400, 'bad-request', /unknown field “colour”/);
    await bad('/api/v1/domains?state=tired', {}, 400, 'bad-request', /“state”/);
    await bad('/api/v1/hosts/%zz', {}, 400, 'bad-request', /percent-encoded/);
    await bad('/api/v1/hosts/h/domains/not-a-uuid', {}, 400, 'bad-request', /is no UUID/);
  });

  it('is told that its body is too long, whether it says its length or not', async () => {
    const long = JSON.stringify({ label: 'x'.repeat(1024 * 1024) });
    await bad('/api/v1/hosts/h', { method: 'PATCH', body: long }, 413, 'bad-request', /over 1 MiB/);
    const headers = { authorization: `Bearer ${token}`, 'transfer-encoding': 'chunked' };
    const answer = await it_.askBare('/api/v1/hosts/h', { method: 'PATCH', body: long, headers });
    expect([answer.status, it_.drover.asked]).toEqual([413, []]);
  });

  it('may hold 2 MiB of XML where XML belongs', async () => {
    const xml = `<domain>${' '.repeat(2 * 1024 * 1024)}</domain>`;
    expect((await it_.ask('/api/v1/hosts/h/domains', { method: 'POST', body: { xml } })).status).toBe(201);
  });
});

describe('the server', () => {
  it('finishes what was asked, and takes no more calls once it is stopping', async () => {
    let finish: (data: unknown) => void = () => {};
    it_.drover.carry['hosts.list'] = () => new Promise((resolve) => (finish = resolve));
    let stop: () => void = () => {};
    it_.drover.onClose = () => new Promise((resolve) => (stop = resolve));
    const asked = it_.ask('/api/v1/hosts');
    await expect.poll(() => it_.drover.asked.length).toBe(1);
    const closed = it_.serving.close();
    await expect(it_.ask('/api/v1/hosts')).rejects.toThrow(/ECONNREFUSED/);
    finish('found');
    expect((await asked).body.data).toBe('found');
    stop();
    await closed;
    expect(it_.drover.closed).toBe(true);
  });

  it('takes JSON under any content type, and ids in any spelling', async () => {
    await it_.ask('/api/v1/hosts/a%2Fb%20c', {
      method: 'PATCH',
      body: '{"label":"b"}',
      headers: { 'content-type': 'text/plain' },
    });
    expect(it_.drover.asked).toEqual([{ name: 'hosts.update', args: { id: 'a/b c', label: 'b' } }]);
  });

  it('answers HEAD without a body, and OPTIONS with the methods', async () => {
    const head = await it_.ask('/api/v1/hosts', { method: 'HEAD' });
    expect([head.status, head.text, Number(head.headers['content-length']) > 0]).toEqual([200, '', true]);
    const asked = await it_.ask('/api/v1/hosts', { method: 'OPTIONS' });
    expect([asked.status, asked.headers.allow]).toEqual([200, 'HEAD, GET, POST']);
    expect(asked.body).toEqual({ err: null, data: { allow: ['HEAD', 'GET', 'POST'] } });
    expect(asked.headers['access-control-allow-origin']).toBeUndefined();
  });
});
