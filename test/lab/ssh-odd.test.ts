// What admins have besides the usual: IPv6 jump hosts, two factors, servers that hear few keys, certificates that ran
// out, keys that are exchanged anew in the middle, login shells that talk. Where ssh gets in, Drover does.
import { execFileSync, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Duplex } from 'node:stream';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { parseHostUri } from '../../contract/uri.ts';
import { openReach } from '../../src-main/fleet/reach.ts';
import {
  connectSsh,
  KnownHosts,
  openLibvirt,
  openPlace,
  Routes,
  SecretCache,
  SshConfig,
  SshError,
  type SshConnection,
  type SshOptions,
} from '../../src-main/ssh/index.ts';
import { person } from '../ssh/peers.ts';
import { Lab } from './lab.ts';
import { run, until } from './run.ts';

let lab: Lab;
const folder = mkdtempSync(join(tmpdir(), 'drover-lab-odd-'));
const at = (name: string) => join(folder, name);
const file = at('config');
const open: { close(): void }[] = [];
const undo: (() => Promise<unknown>)[] = [];

beforeAll(async () => {
  lab = await Lab.open();
});
beforeEach(() => rmSync(at('own'), { force: true }));
afterEach(async () => {
  for (const one of open.splice(0)) one.close();
  for (const back of undo.splice(0).reverse()) await back();
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const address = (name: string) => lab.host(name).address;
const key = () => lab.admin.keys.ed25519;
const usual = () => `Host *
  IdentityFile ${key()}
  IdentitiesOnly yes
  UserKnownHostsFile ${lab.admin.knownHosts} ${at('known')}
  GlobalKnownHostsFile none
  User root
`;
const write = (text: string) => writeFileSync(file, text);

/** With ssh's help, without it, and by it. */
const ways = ['by Drover’s own SSH', 'where ssh is not installed', 'by the system’s ssh'] as const;
type Way = (typeof ways)[number];

async function login(host: string, way: Way, more: Partial<SshOptions> = {}): Promise<SshConnection> {
  const program = way === 'where ssh is not installed' ? null : 'ssh';
  const ssh = await connectSsh({
    target: { host, port: null, user: null, label: host, system: way === 'by the system’s ssh' },
    knownHosts: new KnownHosts({ own: at('own'), user: [], system: [] }),
    routes: new Routes(new SshConfig({ user: file, system: at('none'), home: folder, program })),
    prompts: null,
    agent: null,
    home: folder,
    ...more,
  });
  open.push(ssh);
  return ssh;
}

async function server(name: string, port: number, ...options: string[]): Promise<void> {
  const argv = ['/usr/sbin/sshd', '-D', '-o', `Port=${port}`, ...options.flatMap((option) => ['-o', option])];
  const running = lab.spawn(name, [...argv, '-o', 'PidFile=none']);
  undo.push(async () => running.kill());
  const there = ['bash', '-c', `exec 3<>/dev/tcp/localhost/${port} && read -r -t 5 line <&3`];
  await until('the SSH server answers', () =>
    lab.exec(name, there).then(
      () => true,
      () => false,
    ),
  );
}

/** What ssh itself comes to; @throws with what it said where it was refused. */
const theirs = (host: string) => run(['ssh', '-F', file, '-o', 'BatchMode=yes', '--', host, 'uname -n']);

describe.each(ways)('%s', (way) => {
  const base = 2300 + 20 * ways.indexOf(way);

  it('a host on IPv6 behind a jump host on IPv6, both on ports of their own', async () => {
    const prefix = 'fd0d:0:0:1';
    const plain = (name: string) => lab.host(name).publicKeys.ed25519.split(' ').slice(0, 2).join(' ');
    for (const [name, last] of [
      ['kvm1', '11'],
      ['kvm2', '12'],
    ] as const) {
      await lab.exec(name, ['ip', '-6', 'addr', 'replace', `${prefix}::${last}/64`, 'dev', 'eth0', 'nodad']);
    }
    await run(['ip', '-6', 'addr', 'replace', `${prefix}::1/64`, 'dev', 'eth0', 'nodad']);
    await server('kvm1', base);
    await server('kvm2', base + 1);
    writeFileSync(
      at('known'),
      `[fd0d:0:0:1::11]:${base} ${plain('kvm1')}\n[fd0d:0:0:1::12]:${base + 1} ${plain('kvm2')}\n`,
    );
    write(
      `Host end\n HostName FD0D:0:0:0001::12\n Port ${base + 1}\n ProxyJump root@[${prefix}::11]:${base}\n${usual()}`,
    );
    expect(await theirs('end')).toBe('kvm2\n');
    const ssh = await login('end', way);
    expect((await ssh.run('uname -n')).stdout).toBe('kvm2\n');
    const { duplex } = await openLibvirt(ssh, { uri: 'qemu:///system' });
    duplex.on('error', () => undefined).destroy();

    const local = /fe80\S+?(?=\/)/.exec(
      await lab.exec('kvm1', ['ip', '-6', '-o', 'addr', 'show', 'dev', 'eth0', 'scope', 'link']),
    )?.[0];
    writeFileSync(at('known'), `[${local}%eth0]:${base} ${plain('kvm1')}\n${plainLine('kvm2')}`);
    write(`Host end\n HostName ${address('kvm2')}\n ProxyJump [${local}%%eth0]:${base}\n${usual()}`);
    expect(await theirs('end')).toBe('kvm2\n');
    expect((await (await login('end', way)).run('uname -n')).stdout).toBe('kvm2\n');
  });

  it.each([
    ['kvm1', 'publickey,password', 'password'],
    ['kvm1', 'password,publickey', 'password'],
    ['kvm2', 'publickey,keyboard-interactive', 'keyboard-interactive'],
  ])('on %s AuthenticationMethods %s is one question', async (name, methods, kind) => {
    await server(name, base + 2, `AuthenticationMethods=${methods}`);
    write(`Host two\n HostName ${address(name)}\n Port ${base + 2}\n HostKeyAlias ${address(name)}\n${usual()}`);
    const prompts = person(lab.state.password);
    const secrets = new SecretCache();
    await login('two', way, { prompts, secrets });
    expect(prompts.questions.map((question) => question.kind)).toEqual([kind]);
    await login('two', way, { prompts, secrets });
    expect(prompts.questions).toHaveLength(1);
  });

  it('a host that waits for somebody’s tap on a phone, once it has the password, is waited for', async () => {
    const rules = join(lab.state.directory, 'kvm2/etc/pam.d/sshd');
    const before = readFileSync(rules, 'utf8');
    undo.push(async () => writeFileSync(rules, before));
    writeFileSync(rules, before.replace(/^auth .*$/m, '$&\nauth required pam_exec.so /bin/sleep 3'));
    write(`Host slow\n HostName ${address('kvm2')}\n PubkeyAuthentication no\n${usual()}`);
    const prompts = person(lab.state.password);
    const ssh = await login('slow', way, { prompts, timeouts: { loginMs: 2000 } });
    expect(prompts.questions).toHaveLength(1);
    expect((await ssh.run('uname -n')).stdout).toBe('kvm2\n');
  });

  it('a server that hears one key: the agent’s is offered, though a file is named that is not it', async () => {
    const socket = at(`agent-${base}`);
    const agent = spawn('ssh-agent', ['-D', '-a', socket], { stdio: 'ignore' });
    undo.push(async () => agent.kill());
    await until('the agent is there', async () => existsSync(socket));
    const wrong = at(`wrong-${base}`);
    execFileSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-f', wrong]);
    await run(['ssh-add', '-q', key()], { env: { SSH_AUTH_SOCK: socket } });
    await server('kvm1', base + 3, 'MaxAuthTries=1', 'LoginGraceTime=3', 'ClientAliveInterval=1');
    const host = (lines: string) =>
      write(
        `Host few\n HostName ${address('kvm1')}\n Port ${base + 3}\n HostKeyAlias ${address('kvm1')}\n User root\n UserKnownHostsFile ${lab.admin.knownHosts}\n IdentityAgent ${socket}\n${lines}`,
      );
    host(` IdentityFile ${wrong}\n`);
    expect(await theirs('few')).toBe('kvm1\n');
    await login('few', way, { agent: socket });
    // With five keys in the agent the one that is named is the one that is offered.
    for (const n of [1, 2, 3, 4]) {
      execFileSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-f', `${wrong}${n}`]);
      await run(['ssh-add', '-q', `${wrong}${n}`], { env: { SSH_AUTH_SOCK: socket } });
    }
    host(` IdentityFile ${key()}.pub\n`);
    expect(await theirs('few')).toBe('kvm1\n');
    await login('few', way, { agent: socket });
  });

  it('a server that hears one key, where none is named: the usual ones are offered in ssh’s order', async () => {
    const authorized = `/run/one-${base}`;
    const rsa = readFileSync(`${lab.admin.keys.rsa}.pub`, 'utf8');
    await lab.exec('kvm1', ['sh', '-c', `cat >${authorized}`], { input: rsa });
    await server('kvm1', base + 12, 'MaxAuthTries=1', `AuthorizedKeysFile=${authorized}`);
    write(
      `Host few\n HostName ${address('kvm1')}\n Port ${base + 12}\n HostKeyAlias ${address('kvm1')}\n User root\n UserKnownHostsFile ${lab.admin.knownHosts}\n IdentityAgent none\n`,
    );
    expect(await theirs('few')).toBe('kvm1\n');
    await login('few', way, { home: lab.admin.home });
  });

  it('ten at once, where one address may log in once at a time', async () => {
    await server('kvm1', base + 4, 'PerSourceMaxStartups=1');
    write(`Host one*\n HostName ${address('kvm1')}\n Port ${base + 4}\n HostKeyAlias ${address('kvm1')}\n${usual()}`);
    const all = await Promise.all(Array.from({ length: 10 }, (_, n) => login(`one${n}`, way)));
    expect((await all[9]!.run('uname -n')).stdout).toBe('kvm1\n');
  }, 60_000);

  it('megabytes both ways while keys are exchanged anew after each, and nothing is lost', async () => {
    await server('kvm1', base + 5, 'RekeyLimit=1M');
    write(`Host keys\n HostName ${address('kvm1')}\n Port ${base + 5}\n HostKeyAlias ${address('kvm1')}\n${usual()}`);
    const ssh = await login('keys', way);
    const path = `/tmp/odd-${process.pid}-${base}`;
    undo.push(() => lab.exec('kvm1', ['rm', '-f', path]));
    await ssh.listenUnix(path, (stream) => void stream.on('error', () => undefined).pipe(stream));
    const flood = ssh.run('seq 1 1500000', { timeoutMs: 60_000, maxBytes: 1 << 24 });
    flood.catch(() => undefined); // awaited below
    const sent = randomBytes(6 << 20);
    const echoed = await through(await ssh.openUnix(path), sent);
    expect(echoed.equals(sent)).toBe(true);
    const { stdout } = await flood;
    expect(stdout.split('\n').length).toBe(1_500_001);
    expect(stdout.endsWith('\n1499999\n1500000\n')).toBe(true);
    expect((await ssh.run('echo after')).stdout).toBe('after\n');
  }, 90_000);

  it('a stream where the SSH server forwards nothing is carried by a program on the host', async () => {
    await server('kvm1', base + 6, 'AllowTcpForwarding=no', 'AllowStreamLocalForwarding=no');
    write(`Host shut\n HostName ${address('kvm1')}\n Port ${base + 6}\n HostKeyAlias ${address('kvm1')}\n${usual()}`);
    const ssh = await login('shut', way);
    const stream = await openPlace(ssh, { host: '127.0.0.1', port: 22 });
    const [first] = (await stream.take(1).toArray()) as Buffer[];
    expect(first?.toString()).toMatch(/^SSH-2\.0-/);
    const nowhere = await openPlace(ssh, { host: '127.0.0.1', port: 9 });
    await expect(nowhere.toArray()).rejects.toThrow(/connection to 127\.0\.0\.1:9: it is not there/);
    // What neither way is there for is told with what would help.
    await server('kvm1', base + 7, 'DisableForwarding=yes', 'ForceCommand=/bin/false');
    write(`Host shut\n HostName ${address('kvm1')}\n Port ${base + 7}\n HostKeyAlias ${address('kvm1')}\n${usual()}`);
    const barred = await login('shut', way);
    await expect(openPlace(barred, { host: '127.0.0.1', port: 22 })).rejects.toThrow(/AllowTcpForwarding yes.*nc or/);
  });
});

/** A line of known_hosts. */
const plainLine = (name: string) => `${address(name)} ${lab.host(name).publicKeys.ed25519}\n`;

/** What comes back, as long as what was sent. */
async function through(stream: Duplex, sent: Buffer): Promise<Buffer> {
  const parts: Buffer[] = [];
  let length = 0;
  const all = new Promise<void>((resolve, reject) => {
    stream.on('error', reject).on('data', (chunk: Buffer) => {
      parts.push(chunk);
      length += chunk.length;
      if (length >= sent.length) resolve();
    });
  });
  for (let from = 0; from < sent.length; from += 65_536) {
    await new Promise<void>((done) => void stream.write(sent.subarray(from, from + 65_536), () => done()));
  }
  await all;
  stream.destroy();
  return Buffer.concat(parts);
}

it.each([false, true])('what a login shell prints on its own is no part of any answer (by ssh: %s)', async (system) => {
  const shell = 'echo hello from .bashrc; echo and more >&2; printf "no end"';
  await lab.exec('kvm1', ['sh', '-c', `printf '%s\\n' '${shell}' >/root/.bashrc`]);
  undo.push(() => lab.exec('kvm1', ['rm', '-f', '/root/.bashrc']));
  const uri = `${lab.host('kvm1').uri}&proxy=native${system ? '&command=ssh' : ''}`;
  const reach = await openReach({
    uri: parseHostUri(uri),
    label: 'kvm1',
    logins: { knownHosts: new KnownHosts({ own: at('own'), user: [], system: [] }), secrets: new SecretCache() },
    prompts: null,
    trust: null,
    signal: new AbortController().signal,
    onHostKey: () => undefined,
  });
  open.push(reach);
  const raw = await run([
    'ssh',
    '-i',
    key(),
    '-o',
    `UserKnownHostsFile=${lab.admin.knownHosts}`,
    `root@${address('kvm1')}`,
    'uname -n',
  ]);
  expect(raw).toContain('hello');
  expect(await reach.run('uname -n; exit 3')).toMatchObject({ stdout: 'kvm1\n', code: 3 });
  expect((await reach.run('if true; then echo "a  b"; fi'))?.stdout).toBe('a  b\n');
  const libvirt = await reach.open({ keepalive: false });
  expect((await libvirt.call('connect_get_hostname', {})).hostname).toBe('kvm1');
});

describe('a host’s certificate', () => {
  const authority = at('ca');
  let port = 2390;
  const known = (more = '') =>
    writeFileSync(at('known'), `@cert-authority certhost ${readFileSync(`${authority}.pub`, 'utf8')}${more}`);

  /** Signs a new host key and has a server show it. */
  async function certified(name: string, ...sign: string[]): Promise<string> {
    if (!existsSync(authority)) execFileSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-f', authority]);
    const path = at(name);
    execFileSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-f', path]);
    execFileSync('ssh-keygen', ['-q', '-s', authority, '-I', name, ...sign, `${path}.pub`]);
    for (const end of ['', '-cert.pub']) {
      const input = readFileSync(path + end, 'utf8');
      await lab.exec('kvm1', ['sh', '-c', `umask 077; cat >/etc/ssh/odd-${name}${end}`], { input });
    }
    undo.push(() => lab.exec('kvm1', ['sh', '-c', `rm -f /etc/ssh/odd-${name}*`]));
    port += 1; // the last one may still be there
    await server('kvm1', port, `HostKey=/etc/ssh/odd-${name}`, `HostCertificate=/etc/ssh/odd-${name}-cert.pub`);
    const told = execFileSync('ssh-keygen', ['-lf', `${path}.pub`], { encoding: 'utf8' });
    return told.split(' ')[1] ?? '';
  }
  const config = (more = '') =>
    write(
      `Host c\n HostName ${address('kvm1')}\n Port ${port}\n HostKeyAlias certhost\n User root\n IdentityFile ${key()}\n IdentitiesOnly yes\n UserKnownHostsFile ${at('known')}\n GlobalKnownHostsFile none\n${more}`,
    );
  async function refusal(): Promise<SshError> {
    await expect(theirs('c')).rejects.toThrow(/Host key verification failed/);
    const error: unknown = await login('c', 'by Drover’s own SSH').catch((thrown: unknown) => thrown);
    if (!(error instanceof SshError)) throw error;
    return error;
  }

  it.each([
    ['that ran out', 'expired', ['-h', '-n', 'certhost', '-V', '20200101:20200201'], 'expired'],
    ['for another name', 'other', ['-h', '-n', 'elsewhere'], 'name is not a listed principal'],
    ['that is a user’s', 'user', ['-n', 'certhost'], 'not a host certificate'],
  ])('%s is told, and its key can be trusted by itself', async (_what, name, sign, why) => {
    const print = await certified(name, ...sign);
    known();
    config();
    const error = await refusal();
    expect(error).toMatchObject({ kind: 'untrusted', hostKey: { algorithm: 'ssh-ed25519', fingerprint: print } });
    expect(error.message).toContain(`shows a certificate that does not count (${why})`);
    const { of, key: shown } = error.hostKey!;
    await new KnownHosts({ own: at('own'), user: [], system: [] }).pin(of.host, of.port, shown);
    expect((await (await login('c', 'by Drover’s own SSH')).run('uname -n')).stdout).toBe('kvm1\n');
  });

  it('that is revoked, or whose authority is, stops there', async () => {
    await certified('good', '-h', '-n', 'certhost');
    config();
    known();
    expect(await theirs('c')).toBe('kvm1\n');
    await login('c', 'by Drover’s own SSH');
    for (const revoked of ['good', 'ca']) {
      known(`@revoked * ${readFileSync(at(`${revoked}.pub`), 'utf8')}`);
      expect(await refusal()).toMatchObject({ kind: 'revoked' });
    }
  });

  it('of an authority that nobody knows: accept-new keeps the key itself, and stops at another', async () => {
    await certified('first', '-h', '-n', 'certhost');
    writeFileSync(at('known'), '');
    config(' StrictHostKeyChecking accept-new\n');
    await login('c', 'by the system’s ssh');
    const [, plain = ''] = readFileSync(at('first.pub'), 'utf8').split(' ');
    expect(readFileSync(at('own'), 'utf8')).toContain(plain);
    await certified('second', '-h', '-n', 'certhost');
    config(' StrictHostKeyChecking accept-new\n');
    await expect(login('c', 'by the system’s ssh')).rejects.toMatchObject({ kind: 'changed' });
  });

  it('or a key that is revoked stops there where checking is off, too', async () => {
    await certified('off', '-h', '-n', 'certhost');
    config(' StrictHostKeyChecking no\n');
    known(`@revoked * ${readFileSync(at('off.pub'), 'utf8')}`);
    for (const way of ways) await expect(login('c', way)).rejects.toMatchObject({ kind: 'revoked' });
  });

  it('or a key in RevokedHostKeys stops there, and so does a list that cannot be read', async () => {
    await certified('listed', '-h', '-n', 'certhost');
    const listed = readFileSync(at('listed.pub'), 'utf8');
    for (const text of ['', `certhost ${listed}`]) {
      known(text);
      config(` RevokedHostKeys ${at('listed.pub')}\n`);
      expect(await refusal()).toMatchObject({
        kind: 'revoked',
        message: expect.stringContaining('listed.pub') as string,
      });
    }
    await expect(login('c', 'where ssh is not installed')).rejects.toThrow(/RevokedHostKeys is set.*@revoked/);
    config(` RevokedHostKeys ${at('not-there')}\n`);
    expect(await refusal()).toMatchObject({ kind: 'misconfigured' });
  });
});
