// The command line as a process of its own, built as it is shipped.
import { spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { buildMain } from '../../build/build.mjs';

const cache = join(import.meta.dirname, '..', '..', '.cache');
let built: string;

beforeAll(async () => {
  mkdirSync(cache, { recursive: true });
  built = mkdtempSync(join(cache, 'cli-'));
  await buildMain(built);
});
afterAll(() => rmSync(built, { recursive: true }));

class Run {
  out = '';
  err = '';
  readonly ended: Promise<number | null>;
  readonly #child;

  constructor(args: string[], env: NodeJS.ProcessEnv = {}) {
    this.#child = spawn(process.execPath, [join(built, 'main.js'), ...args], {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...process.env, DROVER_TOKEN: '', ...env },
    });
    this.#child.stdout.on('data', (chunk) => (this.out += String(chunk)));
    this.#child.stderr.on('data', (chunk) => (this.err += String(chunk)));
    this.ended = new Promise((resolve) => this.#child.on('close', resolve));
    onTestFinished(() => void this.#child.kill('SIGKILL'));
  }

  async ready(): Promise<{ url: string; token: string }> {
    await expect.poll(() => this.out || this.err, { timeout: 15_000 }).toMatch(/\n/);
    const [, url = '', token = ''] = /^Drover listening on (http:\S+\/)#token=(\S+)\n$/.exec(this.out) ?? [];
    expect(url, this.err).not.toBe('');
    return { url, token };
  }

  signal(name: NodeJS.Signals): void {
    this.#child.kill(name);
  }
}

function folder(): string {
  const path = mkdtempSync(join(tmpdir(), 'drover-cli-'));
  onTestFinished(() => rmSync(path, { recursive: true, force: true }));
  return path;
}

describe('drover serve', () => {
  it.each(['SIGTERM', 'SIGINT'] as const)(
    'prints one line when it is ready, and ends in order at %s',
    async (signal) => {
      const run = new Run(['serve', '--listen', '127.0.0.1:0', '--data', folder()]);
      const { url, token } = await run.ready();
      expect(token).toMatch(/^[\w-]{43}$/);
      const ask = (path: string) => fetch(url + path, { headers: { authorization: `Bearer ${token}` } });
      expect(await (await ask('api/v1/health')).json()).toMatchObject({ err: null, data: { hosts: 0 } });
      expect(await (await ask('api/v1/hosts')).json()).toEqual({ err: null, data: [] });
      const events = await ask('api/v1/events');
      run.signal(signal);
      expect(await run.ended).toBe(0);
      await events.text().catch(() => {}); // it has an end
      expect(run.out.split('\n')).toHaveLength(2);
      expect(run.out + run.err).not.toContain('Error');
      expect(run.err).not.toContain(token);
    },
  );

  it('takes its token from the environment', async () => {
    const run = new Run(['serve', '--listen', '127.0.0.1:0', '--data', folder()], { DROVER_TOKEN: 'mine' });
    expect((await run.ready()).token).toBe('mine');
  });

  it('says why it cannot listen, and ends with 1', async () => {
    const other = createServer();
    await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve));
    onTestFinished(() => void other.close());
    const { port } = other.address() as AddressInfo;
    const run = new Run(['serve', '--listen', `127.0.0.1:${port}`, '--data', folder()]);
    expect(await run.ended).toBe(1);
    expect([run.out, run.err]).toEqual(['', expect.stringMatching(/^drover: 127\.0\.0\.1:\d+ is in use/)]);
  });

  it('refuses to be reached from elsewhere without TLS', async () => {
    const run = new Run(['serve', '--listen', '0.0.0.0:0', '--data', folder()]);
    expect(await run.ended).toBe(1);
    expect(run.err).toMatch(/--allow-remote/);
  });
});

describe('drover', () => {
  it.each([
    [['fly'], /no command “fly”/],
    [['serve', '--colour'], /Unknown option '--colour'/],
    [['serve', 'now'], /“now”/],
    [[], /Nothing to do/],
  ])('%j is told to be wrong, and ends with 2', async (args, says) => {
    const run = new Run(args);
    expect(await run.ended).toBe(2);
    expect([run.out, run.err]).toEqual(['', expect.stringMatching(says)]);
    expect(run.err.trim().split('\n')).toHaveLength(1);
  });

  it('tells how it is used, and its version', async () => {
    const [help, version] = [new Run(['--help']), new Run(['--version'])];
    expect([await help.ended, await version.ended]).toEqual([0, 0]);
    expect(help.out).toMatch(/drover serve \[options\]/);
    expect(version.out).toMatch(/^\d+\.\d+\.\d+\n$/);
  });
});
