// The system's own ssh as the way to a host, against the real OpenSSH server.
import { execFileSync, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Duplex } from 'node:stream';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import {
  connectSsh,
  KnownHosts,
  Routes,
  SecretCache,
  SshConfig,
  SshError,
  type HostKeySeen,
  type SshConnection,
  type SshOptions,
} from '../../src-main/ssh/index.ts';
import { person, rawPeer, wireTo, type Wire } from './peers.ts';
import { freePort, keygen, sshdIsHere, startSshd, type Sshd } from './sshd.ts';

const folder = mkdtempSync(join(tmpdir(), 'drover-system-test-'));
const at = (name: string) => join(folder, name);
const config = at('config');
const open: SshConnection[] = [];
const stops: (() => Promise<unknown>)[] = [];
let sshd: Sshd;
let knownHosts: KnownHosts;

/** Signs a public key: a user's certificate for root, or a host's. */
function certify(ca: string, key: string, ...more: string[]) {
  execFileSync('ssh-keygen', ['-q', '-s', ca, '-I', 'test', ...more, `${key}.pub`]);
}

const blob = (line = '') => Buffer.from(line.split(' ')[1] ?? '', 'base64');
const routes = () => new Routes(new SshConfig({ user: config, system: at('none'), home: folder }));

async function login(
  more: Omit<Partial<SshOptions>, 'target'> & { target?: object } = {},
  server: { host: string; port: number } = sshd,
) {
  const { target, ...options } = more;
  const ssh = await connectSsh({
    target: { host: server.host, port: server.port, user: 'root', label: 'kvm1', ...target },
    knownHosts,
    prompts: null,
    agent: null,
    home: folder,
    routes: routes(),
    ...options,
  });
  open.push(ssh);
  return ssh;
}

async function refusal(attempt: Promise<unknown>): Promise<SshError> {
  const error: unknown = await attempt.then(
    () => new Error('it succeeded'),
    (error: unknown) => error,
  );
  if (!(error instanceof SshError)) throw error;
  return error;
}

async function said(stream: Duplex): Promise<string> {
  let text = '';
  for await (const chunk of stream) text += String(chunk);
  return text;
}

/** Logins that the server has seen. */
const logins = (server: Sshd) => server.log().match(/Accepted publickey for/g)?.length ?? 0;

describe.skipIf(!sshdIsHere)('the system’s ssh', () => {
  const key = at('id');
  const locked = at('locked');
  const certified = at('certified');
  const stranger = at('stranger');
  const userCa = at('user-ca');
  const hostCa = at('host-ca');

  beforeAll(async () => {
    for (const path of [key, certified, stranger, userCa, hostCa]) keygen(path, 'ed25519');
    keygen(locked, 'ed25519', { passphrase: 'open sesame' });
    certify(userCa, certified, '-n', 'root');
    sshd = await startSshd({
      authorized: [`${key}.pub`, `${locked}.pub`],
      lines: [`TrustedUserCAKeys ${userCa}.pub`],
    });
  }, 60_000);
  beforeEach(async () => {
    writeFileSync(config, 'IdentitiesOnly yes\n');
    knownHosts = new KnownHosts({ own: at('known_hosts'), user: [], system: [] });
    await knownHosts.pin(sshd.host, sshd.port, blob(sshd.hostKeys[0]));
  });
  afterEach(async () => {
    for (const ssh of open.splice(0)) ssh.close();
    for (const stop of stops.splice(0)) await stop();
    rmSync(at('known_hosts'), { force: true });
  });
  afterAll(async () => {
    await sshd.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  describe('is chosen by itself', () => {
    it('for a key with a certificate beside it, which logs in', async () => {
      const ssh = await login({ target: { keyFiles: [certified] } });
      expect(ssh.controlPath).not.toBeNull();
      expect(ssh.user).toBe('root');
      expect(ssh.banner).toMatch(/^SSH-2\.0-OpenSSH/);
      expect(await ssh.run('echo $((6 * 7)); echo aside >&2; exit 3')).toEqual({
        stdout: '42\n',
        stderr: 'aside\n',
        code: 3,
      });
    });

    it('for a CertificateFile of the configuration', async () => {
      const away = at('moved-cert.pub');
      writeFileSync(away, readFileSync(`${certified}-cert.pub`));
      const bare = at('bare');
      writeFileSync(bare, readFileSync(certified), { mode: 0o600 });
      writeFileSync(config, `Host 127.0.0.1\n CertificateFile ${away}\n IdentityFile ${bare}\n IdentitiesOnly yes\n`);
      expect((await (await login()).run('echo in')).stdout).toBe('in\n');
    });

    it('for a certificate in the agent', async () => {
      const socket = at('agent');
      const agent = spawnSync('ssh-agent', ['-a', socket], { encoding: 'utf8' });
      const pid = Number(/SSH_AGENT_PID=(\d+)/.exec(agent.stdout)?.[1]);
      stops.push(async () => process.kill(pid));
      execFileSync('ssh-add', ['-q', certified], { env: { ...process.env, SSH_AUTH_SOCK: socket } });
      writeFileSync(config, '');
      const ssh = await login({ agent: socket, target: { keyFiles: [] } });
      expect(ssh.controlPath).not.toBeNull();
    });

    it('for nothing else', async () => {
      expect((await login({ target: { keyFiles: [key] } })).controlPath).toBeNull();
    });
  });

  it.each(['too long for the path of a socket, '.repeat(3), 'it’s %h', 'not there'])(
    'gets in where the folder for temporary files is “%s”',
    async (name) => {
      const temporary = at(name);
      if (name !== 'not there') mkdirSync(temporary, { recursive: true });
      const before = { TMPDIR: process.env['TMPDIR'], XDG_RUNTIME_DIR: process.env['XDG_RUNTIME_DIR'] };
      Object.assign(process.env, { TMPDIR: temporary, XDG_RUNTIME_DIR: temporary });
      try {
        const ssh = await login({ target: { keyFiles: [key], system: true } });
        expect((await ssh.run('echo in')).stdout).toBe('in\n');
      } finally {
        for (const [variable, value] of Object.entries(before)) {
          if (value === undefined) delete process.env[variable];
          else process.env[variable] = value;
        }
      }
    },
  );

  it('says that a ProxyCommand was refused at another host, and tries that once more by the system’s ssh, no oftener', async () => {
    const tries = () => sshd.log().match(/Connection closed by authenticating/g)?.length ?? 0;
    const gate = `-F none -p ${sshd.port} -i ${stranger} -o IdentitiesOnly=yes -o UserKnownHostsFile=${at('known_hosts')}`;
    for (const [more, words] of [
      ['', /\(root@127\.0\.0\.1: Permission denied \(publickey\)/],
      ['-o HostKeyAlias=another -o StrictHostKeyChecking=yes', /known for another .* Host key verification failed\./],
    ] as const) {
      const before = tries();
      writeFileSync(config, `Host behind\n ProxyCommand ssh ${gate} ${more} -W %h:%p root@${sshd.host}\n`);
      const error = await refusal(login({ target: { host: 'behind' }, prompts: person() }));
      expect(error).toMatchObject({ kind: 'auth-failed', phase: 'connect' });
      expect(error.message).toMatch(/^The ProxyCommand to kvm1 failed/);
      expect(error.message).toMatch(words);
      expect(tries() - before).toBe(more === '' ? 2 : 0);
    }
  });

  it('does not try a ProxyCommand once more that may not be run', async () => {
    writeFileSync(at('no-program'), '');
    writeFileSync(config, `Host behind\n ProxyCommand ${at('no-program')}\n`);
    const error = await refusal(login({ target: { host: 'behind' }, prompts: person() }));
    expect(error.message).toMatch(/^The ProxyCommand to kvm1 failed \(.*Permission denied/);
  });

  it('is one connection and one login, whatever goes over it', async () => {
    const before = logins(sshd);
    const wire = await wireTo(sshd.host, sshd.port);
    stops.push(() => wire.stop());
    await knownHosts.pin(wire.host, wire.port, blob(sshd.hostKeys[0]));
    const ssh = await login({ target: { keyFiles: [certified] } }, wire);
    const echoes = await Promise.all(
      Array.from({ length: 8 }, async (_, n) => {
        const { stdio } = await ssh.exec('cat');
        stdio.end(`${n}`);
        return said(stdio);
      }),
    );
    expect(echoes).toEqual(['0', '1', '2', '3', '4', '5', '6', '7']);
    expect(wire.connections()).toBe(1);
    expect(logins(sshd) - before).toBe(1);
    ssh.close();
    await vi.waitFor(() => expect(wire.connections()).toBe(0), 5000);
  });

  describe('carries', () => {
    let ssh: SshConnection;
    beforeEach(async () => (ssh = await login({ target: { keyFiles: [key], system: true } })));

    it('a stream to a socket, in both directions and whole', async () => {
      const path = at('echo.sock');
      const server = createServer((socket) => socket.pipe(socket)).listen(path);
      stops.push(() => new Promise((resolve) => server.close(resolve)));
      await once(server, 'listening');
      const stream = await ssh.openUnix(path);
      const much = Buffer.alloc(9_000_000, 'drover');
      stream.end(much);
      const back: Buffer[] = [];
      for await (const chunk of stream) back.push(chunk as Buffer);
      expect(Buffer.concat(back).equals(much)).toBe(true);
    });

    it('a refusal of a socket that is not there, and goes on', async () => {
      const error = await refusal(ssh.openUnix(at('nothing')));
      expect(error).toMatchObject({ kind: 'channel-refused', phase: 'open' });
      expect((await ssh.run('echo on')).stdout).toBe('on\n');
    });

    it('a socket that the host listens on', async () => {
      const path = at('listen.sock');
      const undo = await ssh.listenUnix(path, (stream) => stream.end('from here'));
      expect(await said(connect(path))).toBe('from here');
      undo();
      await expect(refusal(ssh.listenUnix('/proc/none/x', () => undefined))).resolves.toMatchObject({
        kind: 'channel-refused',
      });
    });

    it('no more than the host sends while nobody reads: it waits', async () => {
      const { stdio } = await ssh.exec('head -c 50000000 /dev/zero');
      await vi.waitFor(() => expect(stdio.readableLength).toBeGreaterThan(0));
      let bytes = 0;
      for await (const chunk of stdio as AsyncIterable<Buffer>) bytes += chunk.length;
      expect(bytes).toBe(50_000_000);
    });

    it('a command’s signal', async () => {
      const { exited, stdio } = await ssh.exec('kill -9 $$');
      stdio.resume();
      expect(await exited).toEqual({ code: null, signal: 'SIGKILL' });
    });

    it('what the host refuses beyond MaxSessions', async () => {
      const busy = await Promise.all(Array.from({ length: 10 }, () => ssh.exec('cat')));
      expect((await refusal(ssh.exec('cat'))).message).toContain('MaxSessions');
      for (const { stdio: one } of busy) one.destroy();
    });

    it('nothing any more when its server is stopped under it, with the reason', async () => {
      const { exited, stdio } = await ssh.exec('kill -9 $PPID');
      stdio.on('error', () => undefined);
      await exited;
      expect(await ssh.ended).toMatchObject({ kind: 'lost', phase: 'established' });
    });
  });

  describe('asks through Drover', () => {
    it('for a passphrase, once for all hosts, and tells a wrong one', async () => {
      const secrets = new SecretCache();
      const prompts = person('wrong', 'open sesame');
      const target = { keyFiles: [locked], system: true };
      await Promise.all([1, 2, 3].map(() => login({ prompts, secrets, target })));
      expect(prompts.questions).toMatchObject([
        { kind: 'passphrase', title: locked, again: false },
        { kind: 'passphrase', title: locked, again: true },
      ]);
      // And not again where ssh2 logs in.
      expect((await login({ secrets, target: { keyFiles: [locked] } })).controlPath).toBeNull();
    });

    it('and takes a cancel for one', async () => {
      const error = await refusal(login({ prompts: person(null), target: { keyFiles: [locked], system: true } }));
      expect(error.kind).toBe('cancelled');
    });
  });

  describe('ends in a sentence', () => {
    const byKey = { keyFiles: [key], system: true };

    it('for a key that the host does not take', async () => {
      const error = await refusal(login({ target: { keyFiles: [stranger], system: true } }));
      expect(error).toMatchObject({ kind: 'auth-failed', phase: 'login' });
      expect(error.message).toContain('kvm1 refused the login as root: ssh tried publickey');
    });

    it('for a host key that is not known, which can then be trusted', async () => {
      rmSync(at('known_hosts'));
      const seen: HostKeySeen[] = [];
      const error = await refusal(login({ target: byKey, onHostKey: (one) => seen.push(one) }));
      expect(error).toMatchObject({ kind: 'untrusted', phase: 'key-exchange' });
      expect(error.hostKey).toEqual(seen.at(-1));
      const { of, key: shown, fingerprint } = error.hostKey!;
      expect(
        execFileSync('ssh-keygen', ['-lf', join(sshd.folder, 'host_ed25519.pub')], { encoding: 'utf8' }),
      ).toContain(fingerprint);
      await knownHosts.pin(of.host, of.port, shown);
      expect((await login({ target: byKey })).hostKey.status).toBe('trusted');
    });

    it('but for one that was approved beforehand, whichever of the host’s keys that is', async () => {
      rmSync(at('known_hosts'));
      const [, trust = ''] = execFileSync('ssh-keygen', ['-lf', join(sshd.folder, 'host_rsa.pub')], {
        encoding: 'utf8',
      }).split(' ');
      await login({ target: { ...byKey, trust } });
      expect(await knownHosts.lookup(sshd.host, sshd.port, blob(sshd.hostKeys[2]))).toBe('trusted');
    });

    it('for a changed key, and for a revoked one', async () => {
      rmSync(at('known_hosts'));
      await knownHosts.pin(sshd.host, sshd.port, blob(readFileSync(`${stranger}.pub`, 'utf8')));
      expect((await refusal(login({ target: byKey }))).message).toContain('shows another host key');
      writeFileSync(at('known_hosts'), `@revoked * ${sshd.hostKeys[0]}\n`);
      expect(await refusal(login({ target: byKey }))).toMatchObject({ kind: 'revoked' });
    });

    it('for a port where nothing listens, nothing speaks, or something else does', async () => {
      const port = await freePort('127.0.0.1');
      expect(await refusal(login({ target: byKey }, { host: '127.0.0.1', port }))).toMatchObject({ kind: 'refused' });
      const mute = await rawPeer();
      stops.push(() => mute.stop());
      const limits = { timeouts: { connectMs: 300 } };
      expect(await refusal(login({ target: byKey, ...limits }, mute))).toMatchObject({
        kind: 'timeout',
        phase: 'banner',
      });
      const shy = await rawPeer((socket) => socket.end());
      stops.push(() => shy.stop());
      const error = await refusal(login({ target: byKey }, shy));
      expect(error).toMatchObject({ kind: 'lost', phase: 'banner' });
      expect(error.message).toContain('MaxStartups');
    });

    it('for a file that ssh cannot read', async () => {
      writeFileSync(config, 'Host *\n CertificateFile x\n Nonsense yes\n');
      expect(await refusal(login())).toMatchObject({ kind: 'misconfigured' });
    });

    it('when it is called off', async () => {
      const mute = await rawPeer();
      stops.push(() => mute.stop());
      const abort = new AbortController();
      const attempt = refusal(login({ target: byKey, signal: abort.signal }, mute));
      setImmediate(() => abort.abort());
      expect(await attempt).toMatchObject({ kind: 'cancelled' });
    });
  });

  describe('over a cable that is pulled', () => {
    let wire: Wire;
    beforeEach(async () => {
      wire = await wireTo(sshd.host, sshd.port);
      await knownHosts.pin(wire.host, wire.port, blob(sshd.hostKeys[0]));
    });
    afterEach(() => wire.stop());
    const quick = { keepalive: { intervalMs: 60, count: 3 }, target: { keyFiles: [key], system: true } };

    it('is told silent, then lost', async () => {
      const ssh = await login(quick, wire);
      const silent = vi.fn();
      ssh.on('silent', silent);
      wire.pull();
      expect((await ssh.ended)?.message).toContain('kvm1 has not answered for 0.18 s');
      expect(silent).toHaveBeenCalledTimes(1);
    });

    it('stays while the host answers, though nothing is going on', async () => {
      const ssh = await login(quick, wire);
      const silent = vi.fn();
      ssh.on('silent', silent);
      const before = wire.answers();
      await vi.waitFor(() => expect(wire.answers()).toBeGreaterThan(before + 12), 10_000);
      expect(silent).not.toHaveBeenCalled();
      expect((await ssh.run('echo here')).stdout).toBe('here\n');
    });

    it('waits while it is held, and goes on where it was', async () => {
      const ssh = await login(quick, wire);
      const events: string[] = [];
      ssh.on('silent', () => events.push('silent'));
      ssh.on('heard', () => events.push('heard'));
      const release = ssh.hold();
      const { stdio } = await ssh.exec('cat');
      wire.pull();
      await vi.waitFor(() => expect(events).toEqual(['silent']), 5000);
      stdio.write('after all');
      wire.plug();
      expect(String((await once(stdio, 'data'))[0])).toBe('after all');
      release();
    });
  });

  describe('checks host keys that an authority signed', () => {
    let signed: Sshd;
    beforeAll(async () => {
      const hostKey = at('signed-host');
      keygen(hostKey, 'ed25519');
      certify(hostCa, hostKey, '-h', '-n', '127.0.0.1');
      signed = await startSshd({
        authorized: [`${key}.pub`],
        hostKeyTypes: [],
        lines: [`HostKey ${hostKey}`, `HostCertificate ${hostKey}-cert.pub`],
      });
    });
    afterAll(() => signed.stop());
    const ca = () => readFileSync(`${hostCa}.pub`, 'utf8').trim();
    const target = { keyFiles: [key] };

    it('is chosen for them, and takes them', async () => {
      writeFileSync(at('known_hosts'), `@cert-authority [127.0.0.1]:* ${ca()}\n`);
      const ssh = await login({ target }, signed);
      expect(ssh.controlPath).not.toBeNull();
      expect(ssh.hostKey.status).toBe('trusted');
    });

    it('not when another authority signed, or this one is revoked', async () => {
      writeFileSync(at('known_hosts'), `@cert-authority [127.0.0.1]:* ${readFileSync(`${userCa}.pub`, 'utf8')}`);
      expect(await refusal(login({ target }, signed))).toMatchObject({ kind: 'untrusted' });
      writeFileSync(at('known_hosts'), `@cert-authority [127.0.0.1]:* ${ca()}\n@revoked * ${ca()}\n`);
      expect(['revoked', 'untrusted']).toContain((await refusal(login({ target }, signed))).kind);
    });
  });
});
