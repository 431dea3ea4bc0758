import { readFileSync } from 'node:fs';
import { get } from 'node:https';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { listenOf, type ListenFlags } from '../../src-main/shells/listen.ts';
import { serve } from '../../src-main/shells/serve.ts';
import { addressWith, makeToken, Tickets } from '../../src-main/shells/token.ts';
import { served, token } from './served.ts';

const fixtures = join(import.meta.dirname, '..', 'fixtures', 'tls');
const tls = { tlsCert: join(fixtures, 'cert.pem'), tlsKey: join(fixtures, 'key.pem') };
const publicUrl = 'https://drover.example/';

describe('where Drover may listen', () => {
  it.each([
    [{}, '127.0.0.1', 7420],
    [{ listen: '127.0.0.1:0' }, '127.0.0.1', 0],
    [{ listen: '127.9.8.7:80' }, '127.9.8.7', 80],
    [{ listen: 'localhost:8080' }, '127.0.0.1', 8080],
    [{ listen: '[::1]:7420' }, '::1', 7420],
    [{ listen: '0.0.0.0:7420', allowRemote: true, ...tls }, '0.0.0.0', 7420],
    [{ listen: '[::]:7420', allowRemote: true, publicUrl }, '::', 7420],
    [{ publicUrl }, '127.0.0.1', 7420],
  ] satisfies [ListenFlags, string, number][])('%o', (flags, address, port) => {
    expect(listenOf(flags)).toMatchObject({ address, port });
  });

  it.each([
    [{ listen: '0.0.0.0:7420' }, /other machines.*--allow-remote/],
    [{ listen: '0.0.0.0:7420', allowRemote: true }, /--tls-cert FILE/],
    [{ listen: '0.0.0.0:7420', ...tls }, /--allow-remote/],
    [{ listen: '[::ffff:10.0.0.1]:7420' }, /other machines/],
    [{ listen: '128.0.0.1:7420' }, /other machines/],
    [{ listen: 'kvm1:7420' }, /“kvm1:7420” is no address/],
    [{ listen: '127.0.0.1' }, /ADDRESS:PORT/],
    [{ listen: ':7420' }, /ADDRESS:PORT/],
    [{ listen: '127.0.0.1:70000' }, /ADDRESS:PORT/],
    [{ listen: '127.1:80' }, /ADDRESS:PORT/],
    [{ listen: '::1:80' }, /ADDRESS:PORT/],
    [{ tlsCert: tls.tlsCert }, /belong together/],
    [{ ...tls, tlsKey: '/nonexistent' }, /--tls-key: ENOENT/],
    [{ publicUrl: 'http://drover.example/' }, /https:\/\//],
    [{ publicUrl: 'drover.example' }, /https:\/\//],
  ] satisfies [ListenFlags, RegExp][])('not %o', (flags, why) => {
    expect(() => listenOf(flags)).toThrow(why);
  });

  it('says that the port is in use, before it starts anything', async () => {
    const it_ = await served();
    let started = false;
    const second = serve(
      async () => {
        started = true;
        return it_.drover;
      },
      { listen: listenOf({ listen: `127.0.0.1:${it_.port}` }), token, log: () => {} },
    );
    await expect(second).rejects.toThrow(/in use/);
    expect(started).toBe(false);
  });

  it('lets the port go where Drover cannot start', async () => {
    const free = await served();
    const listen = listenOf({ listen: `127.0.0.1:${free.port}` });
    await free.serving.close();
    const failing = () => Promise.reject(new Error('the folder is locked'));
    await expect(serve(failing, { listen, token, log: () => {} })).rejects.toThrow('the folder is locked');
    const again = await serve(async () => free.drover, { listen, token, log: () => {} });
    await again.close();
  });
});

it('speaks TLS where it was given a certificate', async () => {
  const it_ = await served(undefined, tls);
  expect(it_.serving.url).toBe(`https://127.0.0.1:${it_.port}/`);
  const ca = readFileSync(tls.tlsCert);
  const status = (headers: Record<string, string>) =>
    new Promise((resolve, reject) => {
      const options = { ca, agent: false, headers: { authorization: `Bearer ${token}`, ...headers } };
      get(`${it_.serving.url}api/v1/hosts`, options, (response) => resolve(response.resume().statusCode)).on(
        'error',
        reject,
      );
    });
  expect(await status({})).toBe(200);
  expect(await status({ origin: `https://127.0.0.1:${it_.port}` })).toBe(200);
  expect(await status({ origin: `http://127.0.0.1:${it_.port}` })).toBe(403);
});

describe('the token', () => {
  it('is fresh and of 256 bits, unless the environment has one', () => {
    expect(makeToken('')).toMatch(/^[\w-]{43}$/);
    expect(makeToken('')).not.toBe(makeToken(''));
    expect(makeToken('my-own')).toBe('my-own');
    expect(() => makeToken('two words')).toThrow(/DROVER_TOKEN/);
    expect(() => makeToken('line\nbreak')).toThrow(/DROVER_TOKEN/);
  });

  it('is readable from the address as it was printed', () => {
    for (const sign of ['plain_1-', 'a+b/c==', '100%', '#&?"<>']) {
      const address = addressWith('http://127.0.0.1:1/', sign);
      expect(address).not.toMatch(/\s/);
      expect(decodeURIComponent(address.split('#token=')[1] ?? '')).toBe(sign);
    }
  });

  it('is got by a ticket once, and not late', () => {
    let now = 0;
    const tickets = new Tickets('secret', () => now);
    const [first, second] = [tickets.issue(), tickets.issue()];
    expect(tickets.redeem('')).toBeNull();
    expect(tickets.redeem(first)).toBe('secret');
    expect(tickets.redeem(first)).toBeNull();
    now = 60_001;
    expect(tickets.redeem(second)).toBeNull();
  });
});
