// `drover serve`, and what the command line does not understand.
import { readFileSync, statSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { folder, Program, signalsAreSent } from './program.ts';

let program: Program;
beforeAll(async () => (program = await Program.build()));
afterAll(() => program.remove());

describe('drover serve', () => {
  it.skipIf(!signalsAreSent).each(['SIGTERM', 'SIGINT'] as const)(
    'prints one line when it is ready, and ends in order at %s',
    async (signal) => {
      const run = program.run(['serve', '--listen', '127.0.0.1:0', '--data', folder()]);
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
    const run = program.run(['serve', '--listen', '127.0.0.1:0', '--data', folder()], { DROVER_TOKEN: 'mine' });
    expect((await run.ready()).token).toBe('mine');
  });

  it.skipIf(!signalsAreSent)(
    'leaves its address and token for this user’s other commands, and takes them away again',
    async () => {
      const data = folder();
      const run = program.run(['serve', '--listen', '127.0.0.1:0', '--data', data]);
      const { url, token } = await run.ready();
      const path = join(data, 'running.json');
      expect(JSON.parse(readFileSync(path, 'utf8'))).toMatchObject({ url, token });
      expect(statSync(path).mode & 0o777).toBe(0o600);
      run.signal('SIGTERM');
      expect(await run.ended).toBe(0);
      expect(() => statSync(path)).toThrow();
    },
  );

  it('says why it cannot listen, and ends with 3', async () => {
    const other = createServer();
    await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve));
    onTestFinished(() => void other.close());
    const { port } = other.address() as AddressInfo;
    const run = program.run(['serve', '--listen', `127.0.0.1:${port}`, '--data', folder()]);
    expect(await run.ended).toBe(3);
    expect([run.out, run.err]).toEqual(['', expect.stringMatching(/^drover: 127\.0\.0\.1:\d+ is in use/)]);
  });

  it('tells where others find it, and the token on stdout alone', async () => {
    const run = program.run([
      'serve',
      '--listen',
      '127.0.0.1:0',
      '--public-url',
      'https://drover.example',
      '--data',
      folder(),
    ]);
    const { token } = await run.ready();
    await expect.poll(() => run.err).toContain('others find it at https://drover.example/, with the same “#token=…”');
    expect(run.err).not.toContain(token);
  });

  it('refuses to be reached from elsewhere without TLS', async () => {
    const run = program.run(['serve', '--listen', '0.0.0.0:0', '--data', folder()]);
    expect(await run.ended).toBe(3);
    expect(run.err).toMatch(/--allow-remote/);
  });
});

describe('drover', () => {
  it.each([
    [['fly'], /no command “fly”/],
    [['serve', '--colour'], /Unknown option '--colour'/],
    [['serve', 'now'], /“now”/],
    [['migrate', 'web01'], /needs HOST/],
    [['vms', '--state', 'blue'], /has to be one of: .*running/],
    [['vms', '--wait', 'long'], /whole number/],
    [['completion', 'csh'], /none of: bash, zsh, fish/],
    [[], /Nothing to do/],
  ])('%j is told to be wrong, and ends with 2', async (args, says) => {
    const run = program.run(args);
    expect(await run.ended).toBe(2);
    expect([run.out, run.err]).toEqual(['', expect.stringMatching(says)]);
    expect(run.err.trim().split('\n')).toHaveLength(1);
  });

  it('tells how it is used, and its version', async () => {
    const [help, version] = [program.run(['--help']), program.run(['--version'])];
    expect([await help.ended, await version.ended]).toEqual([0, 0]);
    expect(help.out).toMatch(/migrate VM HOST +Move a VM/);
    expect(version.out).toMatch(/^\d+\.\d+\.\d+\n$/);
  });
});
