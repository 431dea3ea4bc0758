// The commands as programs of their own, against simulated hosts on real SSH: what they print, and how they end.
import { readFileSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, onTestFinished, vi } from 'vitest';
import type { DomainView, EvacuationPlan, Found, HostView, MigrationView } from '../../contract/model.ts';
import { SimFleet } from '../../src-sim/index.ts';
import { folder, Program, signalsAreSent, type Run } from './program.ts';

// Each test starts many programs, which a busy machine does one after the other.
vi.setConfig({ testTimeout: 90_000 });

let program: Program;
beforeAll(async () => (program = await Program.build()));
afterAll(() => program.remove());

/** Listens until the test is over. */
async function portOf(server: Server): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return (server.address() as AddressInfo).port;
}

interface StartOptions {
  /** All hosts are known to Drover already. */
  added?: boolean;
  speed?: number;
  login?: 'key' | 'password';
}

/** Three hosts; each test has its own, and a data folder. */
class Setting {
  readonly data = folder();
  readonly sim: SimFleet;

  static async start({ added = true, speed = 20, login }: StartOptions = {}): Promise<Setting> {
    const sim = await SimFleet.start({
      seed: 'cli',
      speed,
      hosts: ['kvm1', 'kvm2', 'kvm3'].map((name) => ({ name, ...(login && { login }) })),
      domains: [
        { name: 'web01', host: 'kvm1', memoryMiB: 512, profile: { tickMs: 20, dirtyMiBps: 1 } },
        { name: 'db01', host: 'kvm1', memoryMiB: 256 },
        { name: 'mail01', host: 'kvm2', memoryMiB: 256, running: false },
      ],
    });
    onTestFinished(async () => {
      await sim.close();
      expect(sim.problems).toEqual([]);
    });
    const setting = new Setting(sim);
    await sim.writeFiles(setting.data);
    if (added) {
      for (const { name } of sim.hosts) await setting.json('add', setting.uri(name), '--label', name);
    }
    return setting;
  }

  private constructor(sim: SimFleet) {
    this.sim = sim;
  }

  uri(name: string): string {
    return this.sim.host(name).uri();
  }

  run(...args: string[]): Run {
    return program.run([...args, '--data', this.data]);
  }

  /** Runs it to its end, which has to be a good one. */
  async json<T>(...args: string[]): Promise<T> {
    const run = this.run(...args, '--json');
    expect([await run.ended, run.err]).toEqual([0, '']);
    return JSON.parse(run.out) as T;
  }

  /** One object a line. */
  async lines<T>(...args: string[]): Promise<T[]> {
    const run = this.run(...args, '--json');
    expect([await run.ended, run.err]).toEqual([0, '']);
    return run.out
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as T);
  }

  async serve(): Promise<Run> {
    const run = this.run('serve', '--listen', '127.0.0.1:0');
    await run.ready();
    return run;
  }

  whereabouts(name: string): string[] {
    return this.sim.where(name).flatMap(({ host, executes }) => (executes ? [host] : []));
  }
}

describe('on its own', () => {
  it('adds hosts, lists them and their VMs, acts, and moves a VM', async () => {
    const setting = await Setting.start({ added: false });
    const add = setting.run('add', setting.uri('kvm1'), '--label', 'kvm1');
    expect([await add.ended, add.err]).toEqual([0, '']);
    expect(add.out).toMatch(/^kvm1: Online, libvirt \d+\.\d+\.\d+, QEMU [\d.]+, 2 VMs\n$/);
    await setting.json<HostView>('add', setting.uri('kvm2'), '--label', 'kvm2');

    expect((await setting.json<HostView[]>('hosts')).map(({ label, state }) => [label, state])).toEqual([
      ['kvm1', 'online'],
      ['kvm2', 'online'],
    ]);
    const vms = await setting.json<DomainView[]>('vms');
    expect(vms.map(({ name, state }) => [name, state])).toEqual([
      ['db01', 'running'],
      ['mail01', 'shutoff'],
      ['web01', 'running'],
    ]);
    const table = setting.run('vms', 'web');
    expect(await table.ended).toBe(0);
    expect(table.out).toMatch(/^VM +HOST +STATE.*\nweb01 +kvm1 +Running .*512 MiB\n$/);

    const act = setting.run('suspend', 'web01', 'kvm1/db01');
    expect([await act.ended, act.out, act.err]).toEqual([0, 'web01 on kvm1: Paused\ndb01 on kvm1: Paused\n', '']);
    expect((await setting.lines<DomainView>('resume', 'web01', 'db01')).map(({ state }) => state)).toEqual([
      'running',
      'running',
    ]);

    const moved = setting.run('migrate', 'web01', 'kvm2');
    expect(await moved.ended, moved.err).toBe(0);
    expect(moved.out).toMatch(/^web01: Check\n/);
    expect(moved.out).toMatch(/\nweb01: Completed after .*\nweb01 runs on kvm2; its definition is on kvm2\.\n$/);
    expect(setting.whereabouts('web01')).toEqual(['kvm2']);
  });

  it('tags VMs, finds them by a tag, and puts hosts into groups', async () => {
    const setting = await Setting.start();
    expect((await setting.json<DomainView>('tag', 'web01', '--add', 'web, prod')).tags).toEqual(['web', 'prod']);
    expect((await setting.json<DomainView>('tag', 'web01', '--add', 'new', '--remove', 'WEB')).tags).toEqual([
      'prod',
      'new',
    ]);
    const shown = setting.run('tag', 'web01');
    expect([await shown.ended, shown.out]).toEqual([0, 'prod new\n']);
    expect((await setting.json<DomainView[]>('vms', '--tag', 'Prod')).map(({ name }) => name)).toEqual(['web01']);
    expect(await setting.json<DomainView[]>('vms', '--tag', 'pro')).toEqual([]);
    expect(await setting.json<HostView>('group', 'kvm1', 'Rack A')).toMatchObject({ group: 'Rack A' });
    expect((await setting.json<HostView[]>('hosts')).map(({ group }) => group)).toEqual(['Rack A', null, null]);
    expect(await setting.json<HostView>('group', 'kvm1')).toMatchObject({ group: null });
  });

  it('tells of each VM that cannot, and does the others', async () => {
    const setting = await Setting.start();
    const run = setting.run('shutdown', 'nothing', 'mail01', 'kvm1/web01');
    expect(await run.ended).toBe(4);
    expect(run.err).toMatch(/There is no VM “nothing”/);
    expect(run.err).toMatch(/mail01/);
    expect(run.out).toMatch(/^web01 on kvm1: /);
  });

  it('shows the key of a host that is not known, and takes it by its fingerprint', async () => {
    const setting = await Setting.start({ added: false });
    writeFileSync(join(setting.data, 'known_hosts'), '');
    const run = setting.run('add', setting.uri('kvm1'), '--label', 'kvm1', '--json');
    expect([await run.ended, run.out]).toEqual([6, '']);
    const { code, message } = JSON.parse(run.err) as { code: string; message: string };
    expect(code).toBe('untrusted-host-key');
    const [, fingerprint = ''] = /drover trust kvm1 (SHA256:\S+)/.exec(message) ?? [];
    expect(await setting.json<HostView>('trust', 'kvm1', fingerprint)).toMatchObject({ state: 'online' });
  });

  it.skipIf(process.platform === 'win32')(
    'asks at the terminal what a login wants to know, without showing the answer, and whether a key is right',
    async () => {
      const setting = await Setting.start({ added: false, login: 'password' });
      writeFileSync(join(setting.data, 'known_hosts'), '');
      const terminal = program.onTerminal(['add', setting.uri('kvm1'), '--label', 'kvm1', '--data', setting.data]);
      await terminal.says(/Trust this key\? \[yes\/No\]/);
      terminal.type('yes\r');
      await terminal.says(/Password of root on kvm1: /);
      terminal.type(`${setting.sim.password}\r`);
      expect(await terminal.ended, terminal.out).toBe(0);
      expect(terminal.out).toMatch(/kvm1: Online/);
      expect(terminal.out).not.toContain(`: ${setting.sim.password}`);
    },
  );

  it('refuses what a check says no to, and says what', async () => {
    const setting = await Setting.start();
    await setting.json('disconnect', 'kvm3');
    const run = setting.run('migrate', 'web01', 'kvm1');
    expect(await run.ended).toBe(3);
    expect(run.err).toMatch(/drover: web01 cannot migrate from kvm1 to kvm1/);
    const away = setting.run('migrate', 'web01', 'nowhere');
    expect([await away.ended, away.err]).toEqual([
      4,
      expect.stringMatching(/no host “nowhere”. There are: kvm1, kvm2, kvm3\./),
    ]);
    expect(setting.whereabouts('web01')).toEqual(['kvm1']);
  });

  it.skipIf(!signalsAreSent)('cancels a migration at Ctrl+C: the VM runs where it was', async () => {
    const setting = await Setting.start({ speed: 1 });
    const run = setting.run('migrate', 'web01', 'kvm2', '--bandwidth', '1', '--transport', 'direct');
    await run.says(/Copy memory/);
    run.signal('SIGINT');
    expect(await run.ended, run.err).toBe(7);
    expect(run.out).toMatch(/web01: Cancelled/);
    expect(setting.whereabouts('web01')).toEqual(['kvm1']);
  });

  it('empties a host, and shows the plan before', async () => {
    const setting = await Setting.start();
    const plan = await setting.json<EvacuationPlan>('evacuate', 'kvm1', '--dry-run');
    expect(plan.plan.map(({ name }) => name).sort()).toEqual(['db01', 'web01']);
    const run = setting.run('evacuate', 'kvm1', '--to', 'kvm3', '--parallel', '1');
    expect(await run.ended, run.err).toBe(0);
    expect(run.out).toMatch(/^VM +TO +BECAUSE\n/);
    expect(run.out).toMatch(/2 of 2 moved off kvm1\.\n$/);
    expect([...setting.whereabouts('web01'), ...setting.whereabouts('db01')]).toEqual(['kvm3', 'kvm3']);
  });

  it('prints what answers in a range', async () => {
    const setting = await Setting.start();
    const { address, port } = setting.sim.host('kvm1');
    const found = await setting.lines<Found>('scan', address, '--ports', String(port), '--timeout', '2000');
    expect(found).toMatchObject([{ address, port }]);
  });
});

describe('beside a running Drover', () => {
  it.skipIf(!signalsAreSent)('joins it: what one command does, the other sees', async () => {
    const setting = await Setting.start();
    const serve = await setting.serve();
    const status = setting.run('status');
    await status.ended;
    expect(status.out).toMatch(/is up for .*: 3 hosts/);
    const [last] = (await setting.lines<MigrationView>('migrate', 'web01', 'kvm2')).slice(-1);
    expect(last).toMatchObject({ name: 'web01', state: 'completed', verdict: { runningOn: [expect.any(String)] } });
    expect((await setting.json<MigrationView[]>('migrations')).map(({ id }) => id)).toEqual([last?.id]);
    const names = setting.run('complete', 'vms');
    await names.ended;
    expect(names.out.trim().split('\n').sort()).toEqual(['db01', 'mail01', 'web01']);
    serve.signal('SIGTERM');
    expect(await serve.ended).toBe(0);
  });

  it('is told an address and a token as serve prints them, and says when they are wrong', async () => {
    const setting = await Setting.start();
    const serve = await setting.serve();
    const printed = /(http:\S+)/.exec(serve.out)?.[1] ?? '';
    const hosts = program.run(['hosts', '--json', '--url', printed, '--data', folder()]);
    expect(await hosts.ended).toBe(0);
    expect(JSON.parse(hosts.out)).toHaveLength(3);
    const wrong = program.run(['hosts', '--url', printed.replace(/token=.*/, 'token=wrong')]);
    expect([await wrong.ended, wrong.err]).toEqual([
      6,
      expect.stringMatching(/The token is not the one of the Drover at/),
    ]);
    serve.signal('SIGTERM');
    await serve.ended;
    const gone = program.run(['hosts', '--url', printed]);
    expect([await gone.ended, gone.err]).toEqual([5, expect.stringMatching(/does not answer/)]);
  });

  it.each([
    ['a login by page', 200, { 'content-type': 'text/html' }, /^drover: A proxy at \S+ asks for a login of its own/],
    ['passwords', 401, { 'www-authenticate': 'Basic realm="Drover"' }, /^drover: A proxy at \S+ asks for a login/],
    ['a redirect', 302, { location: '/login' }, /^drover: A proxy at \S+ asks for a login/],
    ['no Drover behind it', 502, { 'content-type': 'text/html' }, /^drover: The Drover at \S+ does not answer/],
    [
      'no WebSocket',
      200,
      { 'content-type': 'application/json' },
      /^drover: The Drover at \S+ answers, but its WebSocket/,
    ],
  ] as const)('says what is in its way before another Drover: %s', async (_, status, headers, why) => {
    const proxy = createServer((_, response) => response.writeHead(status, headers).end());
    const run = program.run(['hosts', '--url', `http://127.0.0.1:${await portOf(proxy)}/#token=t`]);
    await run.ended;
    expect(run.err).toMatch(why);
  });

  it('says that it does not trust the certificate of another Drover', async () => {
    const tls = (name: string) => readFileSync(join(import.meta.dirname, '..', 'fixtures', 'tls', `${name}.pem`));
    const server = createTlsServer({ cert: tls('cert'), key: tls('key') });
    const run = program.run(['hosts', '--url', `https://localhost:${await portOf(server)}/#token=t`]);
    expect([await run.ended, run.err]).toEqual([
      3,
      expect.stringMatching(/^drover: The certificate of \S+ is not trusted: /),
    ]);
  });

  it('goes on when the command that began a migration is killed', async () => {
    const setting = await Setting.start({ speed: 1 });
    await setting.serve();
    const run = setting.run('migrate', 'web01', 'kvm2', '--bandwidth', '256', '--transport', 'direct');
    await run.says(/Copy memory/);
    run.signal('SIGKILL');
    const [migration] = await setting.json<MigrationView[]>('migrations');
    const watched = setting.run('watch', migration?.id ?? '');
    expect(await watched.ended, watched.err).toBe(0);
    expect(setting.whereabouts('web01')).toEqual(['kvm2']);
  });
});

describe('a console', () => {
  it.skipIf(process.platform === 'win32')(
    'is a raw terminal, goes with its VM while another command moves that, and ends at Ctrl+]',
    async () => {
      const setting = await Setting.start({ speed: 5 });
      const terminal = program.onTerminal(['console', 'web01', '--data', setting.data]);
      await terminal.says(/web01 on kvm1; Ctrl\+\] leaves the console/);
      await terminal.says(/tick \d+/);
      // No Drover runs besides: the second command joins the first.
      const moved = setting.run('migrate', 'web01', 'kvm2');
      expect(await moved.ended, moved.err).toBe(0);
      await terminal.says(/\[web01 moved from kvm1 to kvm2; so has this console\]/);
      const seen = terminal.out.length;
      await expect.poll(() => terminal.out.slice(seen)).toMatch(/tick \d+/);
      terminal.type('\x1d');
      expect(await terminal.ended, terminal.out).toBe(0);
    },
  );

  it('says why it cannot be opened', async () => {
    const setting = await Setting.start();
    const run = setting.run('console', 'web01', '--target', 'serial7');
    expect([await run.ended, run.err]).toEqual([4, expect.stringMatching(/no serial console “serial7”/)]);
  });
});
