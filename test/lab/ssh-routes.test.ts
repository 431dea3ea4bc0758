// OpenSSH's configuration on the lab's hosts: jump hosts, commands, and what ssh itself makes of the same files.
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import type { Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from 'vitest';
import {
  connectSsh,
  KnownHosts,
  openLibvirt,
  Routes,
  SecretCache,
  SshConfig,
  type SshConnection,
  type SshError,
  type SshOptions,
} from '../../src-main/ssh/index.ts';
import { dial } from '../../src-main/ssh/dial.ts';
import { person } from '../ssh/peers.ts';
import { Lab } from './lab.ts';
import { until } from './run.ts';

let lab: Lab;
let routes: Routes;
const folder = mkdtempSync(join(tmpdir(), 'drover-lab-routes-'));
const file = join(folder, 'config');
const own = join(folder, 'own');
const open: SshConnection[] = [];
const undo: (() => Promise<unknown>)[] = [];

beforeAll(async () => {
  lab = await Lab.open();
  await lab.reset();
});
beforeEach(() => {
  routes = new Routes(new SshConfig({ user: file, system: join(folder, 'none'), home: folder }));
});
afterEach(async () => {
  for (const ssh of open.splice(0)) ssh.close();
  for (const back of undo.splice(0).reverse()) await back();
  rmSync(own, { force: true });
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const usual = () => `Host *
  IdentityFile ${lab.admin.keys.ed25519}
  IdentitiesOnly yes
  UserKnownHostsFile ${lab.admin.knownHosts}
  GlobalKnownHostsFile none
  User root
`;
const write = (...lines: string[]) => writeFileSync(file, `${lines.join('\n')}\n${usual()}`);

async function login(host: string, more: Partial<SshOptions> & { port?: number } = {}): Promise<SshConnection> {
  const { port = null, ...options } = more;
  const knownHosts = new KnownHosts({ own, user: [], system: [] });
  const target = { host, port, user: null, label: host };
  const ssh = await connectSsh({ target, knownHosts, prompts: null, agent: null, home: folder, routes, ...options });
  open.push(ssh);
  return ssh;
}

const theirs = (host: string, command: string) =>
  execFileSync('ssh', ['-F', file, '-o', 'BatchMode=yes', host, command], { encoding: 'utf8' });

/** TCP connections to a host's SSH servers, as the host sees them. */
async function connections(name: string, port = 22): Promise<number> {
  const said = await lab.exec(name, ['cat', '/proc/net/tcp']);
  const hex = port.toString(16).toUpperCase().padStart(4, '0');
  return [...said.matchAll(new RegExp(`^ *\\d+: \\w+:${hex} \\w+:\\w+ 01 `, 'gm'))].length;
}

async function otherServer(name: string, port: number, ...options: string[]): Promise<void> {
  const argv = ['/usr/sbin/sshd', '-D', '-o', `Port=${port}`, ...options.flatMap((option) => ['-o', option])];
  const server = lab.spawn(name, [...argv, '-o', 'PidFile=none']);
  undo.push(async () => server.kill());
  const there = ['bash', '-c', `exec 3<>/dev/tcp/127.0.0.1/${port} && read -r -t 5 line <&3`];
  await until(`a second sshd on ${name} answers`, () =>
    lab.exec(name, there).then(
      () => true,
      () => false,
    ),
  );
}

const address = (name: string) => lab.host(name).address;

it('a name of the configuration leads where ssh leads', async () => {
  write(`Host green\n HostName ${address('kvm3')}\n User ops`);
  const ssh = await login('green');
  expect((await ssh.run('id -un; uname -n')).stdout).toBe(theirs('green', 'id -un; uname -n'));
  expect(ssh.address).toBe(address('kvm3'));
});

/** Lines of the admin's /etc/hosts, beside those that it has. */
function names(...lines: string[]): void {
  const before = readFileSync('/etc/hosts', 'utf8');
  writeFileSync('/etc/hosts', `${before}${lines.join('\n')}\n`);
  undo.push(async () => writeFileSync('/etc/hosts', before));
}
const nobody = () => address('kvm1').replace(/\d+$/, '99');

it.each(['any', 'inet'])(
  'a name with two addresses leads to the one that answers (AddressFamily %s)',
  async (family) => {
    const ports = family === 'any' ? [2281, 2282] : [2283, 2284];
    await otherServer('kvm1', ports[0]!);
    await otherServer('kvm2', ports[1]!);
    names(`${address('kvm1')} several`, `${address('kvm2')} several`);
    const host = (name: string) => ` AddressFamily ${family}\n HostKeyAlias ${address(name)}`;
    // Whichever of them comes first, it is not the one for one of the ports.
    for (const [at, name] of ['kvm1', 'kvm2'].entries()) {
      write(`Host several\n Port ${ports[at]}\n${host(name)}`);
      expect(theirs('several', 'uname -n')).toBe(`${name}\n`);
      expect((await (await login('several')).run('uname -n')).stdout).toBe(`${name}\n`);
    }
  },
);

it('an address that answers late is waited for, though the name has another, where nobody is', async () => {
  names(`${address('kvm1')} late`, `${nobody()} late`);
  write(`Host late\n HostKeyAlias ${address('kvm1')}`);
  const rule = ['INPUT', '-p', 'tcp', '--syn', '--dport', '22', '-j', 'DROP'];
  await lab.exec('kvm1', ['iptables', '-A', ...rule]);
  const attempt = login('late', { timeouts: { connectMs: 15_000 } });
  attempt.catch(() => undefined); // awaited below
  try {
    // Its first packet is lost, and what stands behind it was tried meanwhile: nobody answers for that address.
    await until('it was called', async () =>
      /^\s*[1-9]\d* .*DROP/m.test(await lab.exec('kvm1', ['iptables', '-L', 'INPUT', '-nvx'])),
    );
    await until('the other address was given up', async () => {
      const said = await lab.exec('adm', ['ip', 'neigh', 'show', nobody()]);
      return said.includes('FAILED') || said === '';
    });
  } finally {
    await lab.exec('kvm1', ['iptables', '-D', ...rule]);
  }
  expect((await (await attempt).run('uname -n')).stdout).toBe('kvm1\n');
  expect(await connections('kvm1')).toBe(1);
});

it('a name that the machine itself knows does not wait behind those that no name server answers for', async () => {
  const file = join(folder, 'resolv.conf');
  writeFileSync(file, `nameserver ${nobody()}\n`);
  const before = readFileSync('/etc/nsswitch.conf', 'utf8');
  await lab.exec('adm', ['mount', '--bind', file, '/etc/resolv.conf']);
  undo.push(() => lab.exec('adm', ['umount', '/etc/resolv.conf']));
  writeFileSync('/etc/nsswitch.conf', before.replace(/^hosts:.*/m, 'hosts: files dns'));
  undo.push(async () => writeFileSync('/etc/nsswitch.conf', before));
  const abort = new AbortController();
  const to = (host: string, timeoutMs: number) =>
    dial({ host, port: 22, label: host, timeoutMs, signal: abort.signal }).catch((error: SshError) => error);
  const others = [1, 2, 3, 4, 5, 6].map((n) => to(`kvm${n}.nowhere.example`, 60_000));
  const socket = await to('kvm1', 4000);
  expect(socket).toMatchObject({ remoteAddress: address('kvm1') });
  (socket as Socket).destroy();
  abort.abort();
  for (const error of await Promise.all(others)) expect(error).toMatchObject({ kind: 'cancelled' });
});

it('through two jump hosts, each with its own key and login', async () => {
  write(
    `Host end\n HostName ${address('kvm2')}\n ProxyJump first,${'ops'}@${address('kvm3')}`,
    `Host first\n HostName ${address('kvm1')}`,
  );
  const ssh = await login('end');
  expect((await ssh.run('uname -n; echo $SSH_CONNECTION')).stdout).toMatch(
    new RegExp(`^kvm2\n${address('kvm3').replaceAll('.', '\\.')} `),
  );
  expect(theirs('end', 'echo ${SSH_CONNECTION%% *}').trim()).toBe(address('kvm3'));
  const { duplex } = await openLibvirt(ssh, { uri: 'qemu:///system' });
  duplex.on('error', () => undefined).destroy();
});

it('thirty hosts behind a jump host that bears two logins at a time, on one connection to it', async () => {
  await otherServer('kvm1', 2210, 'MaxStartups=2', 'MaxSessions=1');
  await otherServer('kvm2', 2211, 'MaxStartups=2');
  const names = Array.from({ length: 30 }, (_, n) => `guest${n}`);
  write(
    `Host gate\n HostName ${address('kvm1')}\n Port 2210\n HostKeyAlias ${address('kvm1')}`,
    `Host guest*\n HostName ${address('kvm2')}\n Port 2211\n HostKeyAlias ${address('kvm2')}\n ProxyJump gate`,
  );
  const began = performance.now();
  const all = await Promise.all(names.map((name) => login(name)));
  console.log(`30 hosts behind one jump host: ${Math.round(performance.now() - began)} ms`);
  expect((await all[29]!.run('uname -n')).stdout).toBe('kvm2\n');
  expect(await connections('kvm1', 2210)).toBe(1);
  expect(await connections('kvm2', 2211)).toBe(30);
});

it('hosts behind a jump host that answer nothing hold up no others', async () => {
  const silent = Array.from({ length: 8 }, (_, n) => nobody().replace(/\d+$/, `${96 + n}`));
  const rule = ['OUTPUT', '-d', `${silent[0]}/29`, '-j', 'DROP'];
  await lab.exec('kvm1', ['iptables', '-A', ...rule]);
  undo.push(() => lab.exec('kvm1', ['iptables', '-D', ...rule]));
  write(`Host gate\n HostName ${address('kvm1')}`, `Host * !gate\n ProxyJump gate`);
  const abort = new AbortController();
  const others = silent.map((host) => login(host, { signal: abort.signal }).catch((error: SshError) => error));
  let ended = 0;
  for (const other of others) void other.then(() => (ended += 1));
  await until('as many as may be are called', async () => {
    const said = await lab.exec('kvm1', ['iptables', '-L', 'OUTPUT', '-nvx']);
    return Number(/^\s*(\d+) .*DROP/m.exec(said)?.[1]) >= 4;
  });
  expect((await (await login(address('kvm2'))).run('uname -n')).stdout).toBe('kvm2\n');
  expect(ended).toBe(0); // each of them waits for its own limit, 10 s
  abort.abort();
  for (const error of await Promise.all(others)) expect(error).toMatchObject({ kind: 'cancelled' });
});

it('a ProxyCommand that is an ssh of its own does not run into MaxStartups either', async () => {
  await otherServer('kvm1', 2212, 'MaxStartups=2');
  write(
    `Host gate\n HostName ${address('kvm1')}\n Port 2212\n HostKeyAlias ${address('kvm1')}`,
    `Host guest*\n HostName ${address('kvm2')}\n HostKeyAlias ${address('kvm2')}`,
    ` ProxyCommand ssh -F ${file} -o BatchMode=yes -W [%h]:%p gate`,
  );
  const all = await Promise.all(Array.from({ length: 10 }, (_, n) => login(`guest${n}`)));
  expect((await all[9]!.run('uname -n')).stdout).toBe('kvm2\n');
  for (const ssh of open.splice(0)) ssh.close();
  await until('the commands have ended', async () => (await connections('kvm1', 2212)) === 0);
});

it.each(['a password', 'a passphrase'])(
  'a ProxyCommand that is an ssh of its own asks for %s where Drover asks, and fails only once for that',
  async (what) => {
    const lines = what === 'a password' ? 'PubkeyAuthentication no' : `IdentityFile ${lab.admin.keys.locked}`;
    const gate = join(folder, 'gate.conf');
    writeFileSync(
      gate,
      `Host gate\n HostName ${address('kvm1')}\n User root\n IdentityAgent none\n IdentitiesOnly yes\n UserKnownHostsFile ${lab.admin.knownHosts}\n ${lines}\n`,
    );
    const command = ` ProxyCommand ssh -F ${gate} -W %h:%p gate`;
    write(`Host one two\n HostName ${address('kvm2')}\n${command}`);
    const answer = what === 'a password' ? lab.state.password : lab.admin.passphrase;
    const prompts = person(answer, answer);
    const secrets = new SecretCache();
    expect((await (await login('one', { prompts, secrets })).run('uname -n')).stdout).toBe('kvm2\n');
    expect(prompts.questions).toHaveLength(1);
    const log = () =>
      lab.exec('kvm1', [
        'sh',
        '-c',
        'grep -c "^Connection closed by authenticating" /var/log/libvirt/sshd.log || true',
      ]);
    const before = await log();
    await login('two', { prompts, secrets });
    expect(await log()).toBe(before);
    await expect(login('one')).rejects.toMatchObject({
      message: expect.stringContaining('The ProxyCommand') as string,
    });
  },
);

it('a jump host’s unknown key is asked for under its own name, and nothing goes through before', async () => {
  writeFileSync(
    file,
    `Host end\n HostName ${address('kvm2')}\n ProxyJump gate\n UserKnownHostsFile ${lab.admin.knownHosts}\nHost gate\n HostName ${address('kvm1')}\n UserKnownHostsFile none\nHost *\n User root\n IdentityFile ${lab.admin.keys.ed25519}\n GlobalKnownHostsFile none\n`,
  );
  const seen: string[] = [];
  const attempt = login('end', { onHostKey: (key) => seen.push(`${key.of.host} ${key.status}`) });
  const error = await attempt.catch((error: unknown) => error);
  expect(error).toMatchObject({ kind: 'untrusted' });
  expect((error as SshError).message).toContain('The host key of gate (jump host) is not known yet');
  expect(seen).toEqual([`${address('kvm1')} unknown`]);
  const { of, key } = (error as SshError).hostKey!;
  await new KnownHosts({ own, user: [], system: [] }).pin(of.host, of.port, key);
  expect((await (await login('end')).run('uname -n')).stdout).toBe('kvm2\n');
});

it('one question for a jump host’s password, whichever hosts wait for it', async () => {
  writeFileSync(
    file,
    `Host guest*\n HostName ${address('kvm2')}\n HostKeyAlias ${address('kvm2')}\n ProxyJump gate\n IdentityFile ${lab.admin.keys.ed25519}\nHost gate\n HostName ${address('kvm1')}\n IdentityFile none\nHost *\n User root\n UserKnownHostsFile ${lab.admin.knownHosts}\n`,
  );
  const prompts = person(lab.state.password);
  await Promise.all(Array.from({ length: 5 }, (_, n) => login(`guest${n}`, { prompts })));
  expect(prompts.questions).toMatchObject([{ kind: 'password', title: 'root@gate (jump host)' }]);
});

it('what a jump host cannot reach, refuses or does not answer, is told with its name', async () => {
  await otherServer('kvm1', 2213, 'AllowTcpForwarding=no');
  write(
    `Host shut\n HostName ${address('kvm2')}\n Port 9\n ProxyJump gate`,
    `Host forbidden\n HostName ${address('kvm2')}\n ProxyJump strict`,
    `Host gone\n ProxyCommand false`,
    `Host gate\n HostName ${address('kvm1')}`,
    `Host strict\n HostName ${address('kvm1')}\n Port 2213\n HostKeyAlias ${address('kvm1')}`,
    `Host loop1\n ProxyJump loop2`,
    `Host loop2\n ProxyJump loop1`,
  );
  await expect(login('shut')).rejects.toThrow(/shut cannot be reached from gate \(jump host\) at .* port 9/);
  await expect(login('forbidden')).rejects.toThrow(/AllowTcpForwarding/);
  await expect(login('gone')).rejects.toThrow(/The ProxyCommand to gone failed/);
  await expect(login('loop1')).rejects.toThrow(/where it leads in a circle/);
});

it('StrictHostKeyChecking accept-new keeps a new key, and stops at a changed one', async () => {
  writeFileSync(
    file,
    `Host *\n StrictHostKeyChecking accept-new\n HashKnownHosts yes\n UserKnownHostsFile none\n GlobalKnownHostsFile none\n User root\n IdentityFile ${lab.admin.keys.ed25519}\n`,
  );
  await login(address('kvm1'));
  expect((await login(address('kvm1'))).hostKey.status).toBe('trusted');
  const other = Buffer.from(lab.host('kvm1').publicKeys.ed25519.split(' ')[1]!, 'base64');
  const known = new KnownHosts({ own, user: [], system: [] });
  expect(await known.lookup(address('kvm1'), 22, other)).toBe('trusted');
  await known.pin(address('kvm2'), 22, other);
  await expect(login(address('kvm2'))).rejects.toMatchObject({ kind: 'changed' });
});

it('algorithms are those that are configured', async () => {
  write(
    `Host slow\n HostName ${address('kvm1')}\n Ciphers aes256-ctr\n MACs hmac-sha2-512\n KexAlgorithms ecdh-sha2-nistp384`,
  );
  expect((await (await login('slow')).run('uname -n')).stdout).toBe('kvm1\n');
  write(`Host odd\n HostName ${address('kvm1')}\n Ciphers chacha20-poly1305@openssh.com\n MACs umac-64@openssh.com`);
  // What Drover's own SSH does not speak, the system's ssh does.
  expect((await (await login('odd')).run('uname -n')).stdout).toBe('kvm1\n');
});
