import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { listenOf } from '../../src-main/shells/listen.ts';
import { served, token } from './served.ts';

const bearer = { authorization: `Bearer ${token}` };

/** A folder as the build leaves it, with a secret beside it. */
function builtFolder(): string {
  const top = mkdtempSync(join(tmpdir(), 'drover-window-'));
  onTestFinished(() => rmSync(top, { recursive: true }));
  const folder = join(top, 'window');
  mkdirSync(join(folder, 'assets'), { recursive: true });
  writeFileSync(join(folder, 'index.html'), '<!doctype html><title>Drover</title>');
  writeFileSync(join(folder, 'assets', 'main-1a2b.js'), 'export {};');
  writeFileSync(join(top, 'secret.json'), '{}');
  symlinkSync(join(top, 'secret.json'), join(folder, 'link.json'));
  return folder;
}

it('lets in who has the token, and nobody else', async () => {
  const it_ = await served();
  const statusWith = async (headers: Record<string, string>) =>
    (await it_.askBare('/api/v1/hosts', { headers })).status;
  expect(await statusWith(bearer)).toBe(200);
  expect(await statusWith({ authorization: `bearer  ${token} ` })).toBe(200);
  it_.drover.asked.length = 0;
  for (const wrong of ['', token.slice(1), `${token}x`, token.toUpperCase(), `${token}${token}`, 'x'.repeat(5000)]) {
    expect(await statusWith({ authorization: `Bearer ${wrong}` })).toBe(401);
  }
  expect(await statusWith({ authorization: `Basic ${Buffer.from(`:${token}`).toString('base64')}` })).toBe(401);
  expect(await statusWith({ authorization: token })).toBe(401);
  const without = await it_.askBare('/api/v1/hosts');
  expect(without.status).toBe(401);
  expect(without.body.err?.code).toBe('unauthorized');
  expect(without.headers['www-authenticate']).toMatch(/Bearer/);
  // In an address it would land in logs and histories: consoles alone take it there.
  expect((await it_.askBare(`/api/v1/hosts?token=${token}`)).status).toBe(401);
  expect((await it_.askBare('/api/v1/openapi.json')).status).toBe(401);
  expect((await it_.askBare('/api/v1/nothing')).status).toBe(401);
  expect(it_.drover.asked).toEqual([]);
});

it('tells its health without a token', async () => {
  const it_ = await served();
  expect((await it_.askBare('/api/v1/health')).status).toBe(200);
});

it('refuses a foreign Host and a foreign Origin, whatever the token', async () => {
  const it_ = await served();
  const { port } = it_;
  const answer = async (headers: Record<string, string>, path = '/api/v1/hosts') => {
    const { status, body } = await it_.askBare(path, { headers: { ...bearer, ...headers } });
    return [status, body?.err?.code];
  };
  for (const host of [`127.0.0.1:${port}`, `localhost:${port}`, `LOCALHOST:${port}`, `[::1]:${port}`]) {
    expect(await answer({ host })).toEqual([200, undefined]);
    expect(await answer({ host, origin: `http://${host.toLowerCase()}` })).toEqual([200, undefined]);
  }
  it_.drover.asked.length = 0;
  const foreign = [
    'evil.example',
    `evil.example:${port}`,
    '127.0.0.1',
    `127.0.0.1:${port + 1}`,
    `localhost.evil:${port}`,
  ];
  for (const host of foreign) {
    expect([host, ...(await answer({ host }))]).toEqual([host, 403, 'forbidden']);
    expect(await answer({ host }, '/')).toEqual([403, 'forbidden']);
    expect(await answer({ host }, '/api/v1/health')).toEqual([403, 'forbidden']);
  }
  const own = `http://127.0.0.1:${port}`;
  for (const origin of [
    'null',
    'http://evil.example',
    `https://127.0.0.1:${port}`,
    `${own}.evil.example`,
    'http://127.0.0.1',
    `${own}, ${own}`,
  ]) {
    expect(await answer({ origin })).toEqual([403, 'forbidden']);
  }
  expect(it_.drover.asked).toEqual([]);
});

it('takes the public name’s Host and Origin behind a proxy', async () => {
  const it_ = await served(undefined, { publicUrl: 'https://drover.example:8443/' });
  const status = async (headers: Record<string, string>) =>
    (await it_.askBare('/api/v1/hosts', { headers: { ...bearer, ...headers } })).status;
  expect(await status({ host: 'drover.example:8443', origin: 'https://drover.example:8443' })).toBe(200);
  expect(await status({ origin: 'https://drover.example:8443' })).toBe(200);
  expect(await status({ host: 'drover.example:8443', origin: 'http://drover.example:8443' })).toBe(403);
  expect(await status({ host: 'drover.example' })).toBe(403);
});

it('says to a proxy what is amiss with its Host', async () => {
  const said = async (flags: { publicUrl?: string }, host: string) =>
    (await (await served(undefined, flags)).askBare('/', { headers: { host } })).body.err?.message;
  expect(await said({}, 'drover.example')).toMatch(/^Drover is not “drover\.example”: .*--public-url\.$/);
  expect(await said({ publicUrl: 'https://drover.example:8443' }, 'drover.example')).toMatch(
    /^Drover is not “drover\.example”: it is found at https:\/\/drover\.example:8443\/, .* Host header/,
  );
});

it('takes the public address of a folder, which a proxy keeps to itself', async () => {
  const publicUrl = 'https://drover.example/drover?a#b';
  expect(listenOf({ publicUrl }).publicUrl?.href).toBe('https://drover.example/drover/');
  const it_ = await served(undefined, { publicUrl });
  const headers = { ...bearer, host: 'drover.example', origin: 'https://drover.example' };
  expect((await it_.askBare('/api/v1/hosts', { headers })).status).toBe(200);
});

it('answers to the address that it listens on, be it any', async () => {
  const it_ = await served(undefined, { listen: '0.0.0.0:0', allowRemote: true, publicUrl: 'https://drover.example' });
  const host = `0.0.0.0:${it_.port}`;
  expect(it_.serving.url).toBe(`http://${host}/`);
  expect((await it_.askBare('/api/v1/hosts', { headers: { ...bearer, host } })).status).toBe(200);
});

it('guards its WebSockets alike', async () => {
  const it_ = await served();
  const console = '/api/v1/hosts/h/domains/0a1b2c3d-0000-4000-8000-00000000abcd/console';
  const refused = (path: string, headers: Record<string, string>) =>
    new Promise((resolve) => {
      const socket = it_.socket(path, [], { headers });
      socket.on('unexpected-response', (_, { statusCode }) => resolve(statusCode));
      socket.on('open', () => resolve('open'));
    });
  for (const path of ['/link', console]) {
    expect(await refused(path, {})).toBe(401);
    expect(await refused(path, { authorization: 'Bearer wrong' })).toBe(401);
    expect(await refused(path, { ...bearer, origin: 'http://evil.example' })).toBe(403);
    expect(await refused(path, { ...bearer, host: 'evil.example' })).toBe(403);
    expect(await refused(path, { ...bearer, origin: `http://localhost:${it_.port}` })).toBe('open');
  }
  expect(await refused(`/link?token=${token}`, {})).toBe(401);
  expect(await refused('/api/v1/hosts', bearer)).toBe(404);
});

it('serves the window to anyone on this machine, under a policy that lets nothing in', async () => {
  const it_ = await served(builtFolder());
  const page = await it_.askBare('/');
  expect([page.status, page.headers['content-type']]).toEqual([200, 'text/html; charset=utf-8']);
  const policy = String(page.headers['content-security-policy']);
  expect(policy).toContain("default-src 'none'");
  expect(policy).toContain("script-src 'self';");
  expect(policy).toContain("frame-ancestors 'none'");
  expect(policy).toContain(`connect-src 'self' ws://127.0.0.1:${it_.port}`);
  expect(page.headers['x-content-type-options']).toBe('nosniff');
  expect(page.headers['referrer-policy']).toBe('no-referrer');
  const script = await it_.askBare('/assets/main-1a2b.js');
  expect([script.status, script.headers['cache-control']]).toEqual([200, 'public, max-age=31536000, immutable']);
  expect((await it_.askBare('/', { method: 'POST' })).status).toBe(405);
});

it('answers no path out of the window’s folder', async () => {
  const it_ = await served(builtFolder());
  const paths = [
    '/../secret.json',
    '/assets/../../secret.json',
    '/%2e%2e/secret.json',
    '/..%2fsecret.json',
    '/link.json',
    '//etc/passwd',
    '/assets',
    '/index.html%00.js',
  ];
  for (const path of paths) expect([path, (await it_.askBare(path)).status]).toEqual([path, 404]);
  expect((await it_.askBare('http://evil.example/secret.json')).status).toBe(400);
});

it('exchanges a ticket for the token once', async () => {
  const it_ = await served(builtFolder());
  const path = it_.serving.ticket().replace(it_.serving.url, '/');
  expect((await it_.askBare(path, { headers: { host: 'evil.example' } })).status).toBe(403);
  const first = await it_.askBare(path);
  expect([first.status, first.headers.location]).toEqual([303, `./#token=${token}`]);
  const second = await it_.askBare(path);
  expect([second.status, second.headers.location]).toEqual([303, './']);
  expect(it_.lines).toEqual([expect.stringMatching(/ticket.*refused/)]);
  expect(it_.lines.join()).not.toContain(token);
});

/** What the server says to these bytes before it hangs up. */
const saidTo = (port: number, bytes: string) =>
  new Promise<string>((resolve) => {
    let text = '';
    const socket = connect(port, '127.0.0.1', () => socket.write(bytes));
    socket.on('data', (chunk) => (text += String(chunk)));
    socket.on('close', () => resolve(text));
  });

it('refuses a request that names no Host, and hangs up on what is no HTTP', async () => {
  const { port } = await served();
  expect(await saidTo(port, 'GET /api/v1/health HTTP/1.0\r\n\r\n')).toMatch(/^HTTP\/1.1 403 /);
  expect(await saidTo(port, 'GET /api/v1/health HTTP/1.1\r\nConnection: close\r\n\r\n')).toMatch(/^HTTP\/1.1 400 /);
  expect(await saidTo(port, 'SSH-2.0-lost\r\n\r\n')).toMatch(/^HTTP\/1.1 400 /);
  expect(await saidTo(port, `GET / HTTP/1.1\r\nX: ${'x'.repeat(20_000)}\r\n\r\n`)).toMatch(/^HTTP\/1.1 431 /);
});
