// One real libvirt host: namespaces of its own, with sshd and libvirtd in them.
import { spawn } from 'node:child_process';
import { chmod, chown, mkdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { Readable } from 'node:stream';
import { fingerprintOf, makeHostKeys, type KeyType } from './keys.ts';
import { namespaceOf } from './namespaces.ts';
import { processId, type ProcessId } from './processes.ts';
import { run, RunError, succeeds, until, type RunOptions } from './run.ts';

export interface HostPlan {
  name: string;
  uuid: string;
  /** Who logs in. Anyone but root is an ordinary user in group libvirt, and QEMU then runs as libvirt-qemu. */
  user: 'root' | 'ops';
  /** How it takes a password: asked for plainly, or through PAM as keyboard-interactive. */
  password: 'password' | 'keyboard-interactive';
}

export const hostPlans: HostPlan[] = [
  { name: 'kvm1', uuid: '0d0e0001-1ab0-4000-8000-000000000001', user: 'root', password: 'password' },
  { name: 'kvm2', uuid: '0d0e0001-1ab0-4000-8000-000000000002', user: 'root', password: 'keyboard-interactive' },
  { name: 'kvm3', uuid: '0d0e0001-1ab0-4000-8000-000000000003', user: 'ops', password: 'password' },
];

export interface HostRecord {
  name: string;
  address: string;
  user: string;
  password: HostPlan['password'];
  /** What the admin connects to: by address, with the lab's key and known_hosts. */
  uri: string;
  namespace: string;
  /** Its process 1, as the machine sees it. */
  init: ProcessId;
  publicKeys: Record<KeyType, string>;
  fingerprints: Record<KeyType, string>;
}

/** The password of root and ops on every host. */
export const PASSWORD = 'lab-password';
const PASSWORD_HASH =
  '$6$droverlab$U5Q3.Y1VianofTLtgRhjuPrxajiNDiRmkmQDSlhstUQt.v1E.uZec.GUsGXWIBU8JV8qRzMGpYw0dP3tZGSUJ1';

export type Daemon = 'sshd' | 'libvirtd';

const daemonArgv: Record<Daemon, string[]> = {
  libvirtd: ['libvirtd', '-d', '-p', '/run/libvirtd.pid'],
  sshd: ['/usr/sbin/sshd', '-E', '/var/log/libvirt/sshd.log'],
};

/** Runs inside the host, as its root. */
export const inside = (host: { init: ProcessId }, argv: string[]): string[] => [
  ...['nsenter', '-t', String(host.init.pid), '-m', '-u', '-i', '-n', '-p', '--'],
  ...['env', '-C', '/', 'HOME=/root', ...argv],
];

export const runOn = (host: HostRecord, argv: string[], options?: RunOptions) => run(inside(host, argv), options);

/** Starts a daemon, and waits until it answers. */
export async function startDaemon(host: HostRecord, daemon: Daemon): Promise<void> {
  await runOn(host, daemonArgv[daemon]);
  const answers =
    daemon === 'libvirtd'
      ? ['virsh', '-c', 'qemu:///system', 'uri']
      : ['bash', '-c', 'exec 3<>/dev/tcp/127.0.0.1/22 && read -r -t 5 line <&3'];
  await until(`${daemon} on ${host.name} answers`, () => succeeds(inside(host, answers)), 40_000);
}

/** Kills every process of that name at once: for sshd, its sessions too. */
export async function killDaemon(host: HostRecord, daemon: Daemon): Promise<void> {
  await runOn(host, ['busybox', 'killall', '-KILL', daemon]).catch((error: unknown) => {
    if (!(error instanceof RunError && /no process/i.test(error.stderr))) throw error;
  });
  await until(`${daemon} on ${host.name} ends`, async () => (await pidsOf(host, daemon)).length === 0);
}

/** Pids as the host itself counts them. */
export async function pidsOf(host: HostRecord, program: string): Promise<number[]> {
  const said = await runOn(host, ['busybox', 'pidof', program]).catch(() => '');
  return said.split(/\s+/).filter(Boolean).map(Number);
}

interface Setting {
  prefix: string;
  /** The host's own tree. */
  own: string;
  /** What every host sees as /srv/shared. */
  shared: string;
  address: string;
  /** Lines of /etc/hosts. */
  hostsFile: string;
  authorizedKeys: string[];
}

/** Writes the host's tree and starts its process 1; daemons come after. */
export async function createHost(plan: HostPlan, setting: Setting): Promise<Omit<HostRecord, 'uri'>> {
  const { own, prefix, address, shared } = setting;
  const publicKeys = await writeTree(plan, setting);
  const namespace = namespaceOf(prefix, plan.name);
  const init = await startInit(plan.name, namespace, own, shared);
  const fingerprints = Object.fromEntries(
    Object.entries(publicKeys).map(([type, line]) => [type, fingerprintOf(line)]),
  ) as Record<KeyType, string>;
  return {
    name: plan.name,
    address,
    user: plan.user,
    password: plan.password,
    namespace,
    init,
    publicKeys,
    fingerprints,
  };
}

async function startInit(name: string, namespace: string, own: string, shared: string): Promise<ProcessId> {
  const child = spawn(
    'ip',
    [
      ...['netns', 'exec', namespace, 'unshare', '--mount', '--uts', '--ipc', '--pid', '--fork', '--kill-child'],
      ...['bash', join(import.meta.dirname, 'host-init.sh'), name, own, shared],
    ],
    { detached: true, cwd: '/', stdio: ['ignore', 'pipe', 'pipe'], env: { PATH: process.env.PATH, LC_ALL: 'C' } },
  );
  let said = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk: Buffer) => (said += chunk.toString()));
  const pid = await until(`host ${name} starts`, () => {
    if (child.exitCode !== null) throw new Error(`host ${name} did not start: ${said.trim()}`);
    return /^ready (\d+)$/m.exec(said)?.[1];
  });
  for (const stream of [child.stdout, child.stderr] as Readable[]) stream.destroy();
  child.unref();
  const init = processId(Number(pid));
  if (!init) throw new Error(`host ${name} ended at once: ${said.trim()}`);
  return init;
}

async function writeTree(plan: HostPlan, setting: Setting): Promise<Record<KeyType, string>> {
  const { own, hostsFile, authorizedKeys } = setting;
  const ordinary = plan.user !== 'root';
  const write = async (path: string, text: string, mode = 0o644) => {
    await mkdir(dirname(join(own, path)), { recursive: true });
    await writeFile(join(own, path), text, { mode });
  };
  for (const folder of ['qemu/networks', 'storage', 'nwfilter']) {
    await mkdir(join(own, 'etc/libvirt', folder), { recursive: true });
  }
  for (const folder of ['lib/libvirt/images', 'lib/libvirt/boot', 'cache/libvirt', 'log/libvirt']) {
    await mkdir(join(own, 'var', folder), { recursive: true });
  }
  await write('etc/hosts', hostsFile);
  await write('etc/nsswitch.conf', 'passwd: files\ngroup: files\nshadow: files\nhosts: files\n');
  await write('etc/passwd', (await readFile('/etc/passwd', 'utf8')) + 'ops:x:60001:60001::/home/ops:/bin/bash\n');
  const groups = await readFile('/etc/group', 'utf8');
  await write('etc/group', groups.replace(/^libvirt:.*:$/m, (line) => `${line}ops`) + 'ops:x:60001:\n');
  const locked = (await readFile('/etc/passwd', 'utf8')).matchAll(/^(?!root:)([^:\n]+):/gm);
  const shadow = ['root', 'ops'].map((user) => `${user}:${PASSWORD_HASH}:19000:0:99999:7:::`);
  for (const [, user] of locked) shadow.push(`${user}:*:19000:0:99999:7:::`);
  await write('etc/shadow', shadow.join('\n') + '\n', 0o600);
  await mkdir(join(own, 'etc/sudoers.d'), { recursive: true });
  await mkdir(join(own, 'home/ops'), { recursive: true });
  await chown(join(own, 'home/ops'), 60001, 60001);

  await write('etc/ssh/authorized_keys', authorizedKeys.join('\n') + '\n');
  const keyboard = plan.password === 'keyboard-interactive';
  await write('etc/ssh/sshd_config', sshdConfig(keyboard));
  if (keyboard) await write('etc/pam.d/sshd', PAM);
  await write('etc/libvirt/libvirtd.conf', libvirtdConf(plan.uuid, ordinary));
  await write('etc/libvirt/qemu.conf', qemuConf(ordinary), 0o600);
  await chmod(join(own, 'var/lib/libvirt/images'), 0o711);
  await chmod(join(own, 'var/lib/libvirt/boot'), 0o711);
  return makeHostKeys(join(own, 'etc/ssh'));
}

const sshdConfig = (keyboard: boolean) => `Port 22
PidFile /run/sshd.pid
HostKey /etc/ssh/ssh_host_ed25519_key
HostKey /etc/ssh/ssh_host_ecdsa_key
HostKey /etc/ssh/ssh_host_rsa_key
AuthorizedKeysFile /etc/ssh/authorized_keys
StrictModes no
PermitRootLogin yes
UseDNS no
UsePAM ${keyboard ? 'yes' : 'no'}
PasswordAuthentication ${keyboard ? 'no' : 'yes'}
KbdInteractiveAuthentication ${keyboard ? 'yes' : 'no'}
PrintMotd no
`;

const PAM = `auth required pam_unix.so
account required pam_permit.so
session optional pam_permit.so
`;

const libvirtdConf = (uuid: string, ordinary: boolean) => `host_uuid = "${uuid}"
auth_unix_ro = "none"
auth_unix_rw = "none"
unix_sock_group = "${ordinary ? 'libvirt' : 'root'}"
unix_sock_ro_perms = "0777"
unix_sock_rw_perms = "0770"
log_outputs = "3:file:/var/log/libvirt/libvirtd.log"
`;

const qemuConf = (ordinary: boolean) => `${ordinary ? '' : 'user = "root"\ngroup = "root"\n'}security_driver = "none"
cgroup_controllers = [ ]
stdio_handler = "file"
`;
