// The system's own ssh to the lab's hosts: certificates, passwords, jump hosts, and libvirt over one connection.
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from 'vitest';
import { parseHostUri } from '../../contract/uri.ts';
import { openReach } from '../../src-main/fleet/reach.ts';
import {
  connectSsh,
  KnownHosts,
  openLibvirt,
  Routes,
  SecretCache,
  SshConfig,
  type SshConnection,
  type SshOptions,
} from '../../src-main/ssh/index.ts';
import { person } from '../ssh/peers.ts';
import { Lab } from './lab.ts';
import { until } from './run.ts';

let lab: Lab;
let routes: Routes;
const folder = mkdtempSync(join(tmpdir(), 'drover-lab-system-'));
const file = join(folder, 'config');
const own = join(folder, 'own');
const ca = join(folder, 'ca');
const certified = join(folder, 'certified');
const open: { close(): void }[] = [];
const undo: (() => Promise<unknown>)[] = [];

beforeAll(async () => {
  lab = await Lab.open();
  for (const key of [ca, certified]) execFileSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-f', key]);
  execFileSync('ssh-keygen', ['-q', '-s', ca, '-I', 'admin', '-n', 'root', `${certified}.pub`]);
});
beforeEach(() => {
  routes = new Routes(new SshConfig({ user: file, system: join(folder, 'none'), home: folder }));
  writeFileSync(file, usual());
});
afterEach(async () => {
  for (const one of open.splice(0)) one.close();
  for (const back of undo.splice(0).reverse()) await back();
  rmSync(own, { force: true });
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const usual = (key = lab.admin.keys.ed25519) => `Host *
  IdentityFile ${key}
  IdentitiesOnly yes
  UserKnownHostsFile ${lab.admin.knownHosts}
  GlobalKnownHostsFile none
  User root
`;
const address = (name: string) => lab.host(name).address;
const knownHosts = () => new KnownHosts({ own, user: [], system: [] });

async function login(
  host: string,
  more: Omit<Partial<SshOptions>, 'target'> & { target?: object } = {},
): Promise<SshConnection> {
  const { target, ...options } = more;
  const ssh = await connectSsh({
    target: { host, port: null, user: null, label: host, system: true, ...target },
    knownHosts: knownHosts(),
    prompts: null,
    agent: null,
    home: folder,
    routes,
    ...options,
  });
  open.push(ssh);
  return ssh;
}

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

it('a host that takes only certificates is reached by one, with one connection for all that libvirt needs', async () => {
  await lab.exec('kvm1', [
    'bash',
    '-c',
    `echo '${execFileSync('cat', [`${ca}.pub`], { encoding: 'utf8' }).trim()}' >/etc/ssh/user-ca.pub`,
  ]);
  await otherServer('kvm1', 2220, 'TrustedUserCAKeys=/etc/ssh/user-ca.pub', 'AuthorizedKeysFile=none');
  writeFileSync(
    file,
    `Host kvm1\n HostName ${address('kvm1')}\n Port 2220\n HostKeyAlias ${address('kvm1')}\n${usual(certified)}`,
  );
  const reach = await openReach({
    uri: parseHostUri('qemu+ssh://root@kvm1/system'),
    label: 'kvm1',
    logins: { knownHosts: knownHosts(), secrets: new SecretCache(), routes },
    prompts: null,
    trust: null,
    signal: new AbortController().signal,
    onHostKey: () => undefined,
  });
  open.push(reach);
  const all = await Promise.all(Array.from({ length: 4 }, () => reach.open({ keepalive: true })));
  for (const libvirt of all) expect((await libvirt.call('connect_get_hostname', {})).hostname).toBe('kvm1');
  expect((await reach.run('uname -n'))?.stdout).toBe('kvm1\n');
  expect(await connections('kvm1', 2220)).toBe(1);
  expect(reach.connections).toBe(1);
  reach.close();
  await until('the connection is gone', async () => (await connections('kvm1', 2220)) === 0);
});

it('every way to libvirt', async () => {
  const ssh = await login(address('kvm1'));
  for (const [wish, how] of [
    [{}, 'streamlocal /run/libvirt/libvirt-sock'],
    [{ proxy: 'native' }, 'virt-ssh-helper'],
    [{ proxy: 'netcat' }, 'netcat'],
  ] as const) {
    const tunnel = await openLibvirt(ssh, { uri: 'qemu:///system', ...wish });
    expect(tunnel.how).toBe(how);
    tunnel.duplex.on('error', () => undefined).destroy();
  }
});

it.each(['kvm1', 'kvm2'])('a password on %s is asked for once, and remembered for both transports', async (name) => {
  writeFileSync(file, `PubkeyAuthentication no\n${usual()}`);
  const secrets = new SecretCache();
  const prompts = person('wrong', lab.state.password);
  const nothing = { keyFiles: [] };
  await login(address(name), { prompts, secrets, target: nothing });
  expect(prompts.questions.map(({ again }) => again)).toEqual([false, true]);
  expect(prompts.questions[0]?.title).toBe(`root@${address(name)}`);
  await login(address(name), { prompts, secrets, target: nothing });
  await login(address(name), { prompts, secrets, target: { ...nothing, system: false } });
  expect(prompts.questions).toHaveLength(2);
});

it('hosts behind a jump host share one connection to it', async () => {
  writeFileSync(
    file,
    `Host guest*\n HostName ${address('kvm2')}\n HostKeyAlias ${address('kvm2')}\n ProxyJump gate\nHost gate\n HostName ${address('kvm1')}\n HostKeyAlias ${address('kvm1')}\n${usual()}`,
  );
  const before = await connections('kvm1');
  const all = await Promise.all(Array.from({ length: 6 }, (_, n) => login(`guest${n}`)));
  expect((await all[5]!.run('uname -n')).stdout).toBe('kvm2\n');
  expect((await connections('kvm1')) - before).toBe(1);
});

it('what a jump host cannot reach is told with its name', async () => {
  writeFileSync(
    file,
    `Host shut\n HostName ${address('kvm2')}\n Port 9\n ProxyJump gate\nHost gate\n HostName ${address('kvm1')}\n${usual()}`,
  );
  await expect(login('shut')).rejects.toThrow(/shut cannot be reached from gate \(jump host\) at .* port 9/);
});

it('a host that vanished from the network is noticed', async () => {
  const ssh = await login(address('kvm2'), { keepalive: { intervalMs: 500, count: 3 } });
  const block = (how: string) =>
    lab.exec('kvm2', ['iptables', how, 'INPUT', '-p', 'tcp', '--dport', '22', '-j', 'DROP']);
  await block('-A');
  undo.push(() => block('-D'));
  expect((await ssh.ended)?.message).toContain('has not answered for 1.5 s');
});
