// SSH servers that are configured strictly, restarted, or cut off in any phase: each ends in a sentence of its own.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { connectSsh, KnownHosts, openLibvirt, type SshConnection, type SshOptions } from '../../src-main/ssh/index.ts';
import { Connection } from '../../src-main/libvirt/index.ts';
import { Lab } from './lab.ts';
import { until } from './run.ts';

let lab: Lab;
const folder = mkdtempSync(join(tmpdir(), 'drover-lab-servers-'));
const open: SshConnection[] = [];
const undo: (() => Promise<unknown>)[] = [];

beforeAll(async () => {
  lab = await Lab.open();
});
afterEach(async () => {
  for (const ssh of open.splice(0)) ssh.close();
  for (const back of undo.splice(0).reverse()) await back();
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const address = (name: string) => lab.host(name).address;

async function login(port: number, system: boolean, more: Partial<SshOptions> = {}): Promise<SshConnection> {
  const knownHosts = new KnownHosts({ own: join(folder, 'own'), user: [lab.admin.knownHosts], system: [] });
  const ssh = await connectSsh({
    target: { host: address('kvm1'), port, user: 'root', label: 'kvm1', keyFiles: [lab.admin.keys.ed25519], system },
    knownHosts,
    prompts: null,
    agent: null,
    home: folder,
    ...more,
  });
  open.push(ssh);
  return ssh;
}

async function server(port: number, ...options: string[]): Promise<ReturnType<Lab['spawn']>> {
  const argv = ['/usr/sbin/sshd', '-D', '-o', `Port=${port}`, ...options.flatMap((option) => ['-o', option])];
  const running = lab.spawn('kvm1', [...argv, '-o', 'PidFile=none']);
  undo.push(async () => running.kill());
  const there = ['bash', '-c', `exec 3<>/dev/tcp/127.0.0.1/${port} && read -r -t 5 line <&3`];
  await until('the SSH server answers', () =>
    lab.exec('kvm1', there).then(
      () => true,
      () => false,
    ),
  );
  return running;
}

/** From now on nothing comes in at a port: nobody is told. */
async function pull(port: number): Promise<void> {
  const rule = ['INPUT', '-p', 'tcp', '--dport', `${port}`, '-j', 'DROP'];
  await lab.exec('kvm1', ['iptables', '-A', ...rule]);
  undo.push(() => lab.exec('kvm1', ['iptables', '-D', ...rule]));
}

describe.each([
  ['Drover’s own SSH', false],
  ['the system’s ssh', true],
])('by %s', (_way, system) => {
  const base = system ? 2240 : 2230;

  it('with one session allowed libvirt is reached, several times over', async () => {
    await server(base, 'MaxSessions=1');
    const ssh = await login(base, system);
    const all = await Promise.all(Array.from({ length: 3 }, () => openLibvirt(ssh, { uri: 'qemu:///system' })));
    expect(all.map(({ how }) => how)).toEqual(Array(3).fill('streamlocal /run/libvirt/libvirt-sock'));
    for (const { duplex } of all) duplex.on('error', () => undefined).destroy();
    expect((await ssh.run('echo one')).stdout).toBe('one\n');
  });

  it('without stream forwarding libvirt is reached by its helper', async () => {
    await server(base + 1, 'AllowStreamLocalForwarding=no');
    const { how, duplex } = await openLibvirt(await login(base + 1, system), { uri: 'qemu:///system' });
    expect(how).toBe('virt-ssh-helper');
    duplex.on('error', () => undefined).destroy();
  });

  it('with a forced command libvirt is reached by forwarding; without that either, the sentence says what to allow', async () => {
    await server(base + 2, 'ForceCommand=echo not for you');
    const { how, duplex } = await openLibvirt(await login(base + 2, system), { uri: 'qemu:///system' });
    expect(how).toMatch(/^streamlocal/);
    duplex.on('error', () => undefined).destroy();
    await server(base + 3, 'ForceCommand=echo not for you', 'AllowStreamLocalForwarding=no');
    await expect(openLibvirt(await login(base + 3, system), { uri: 'qemu:///system' })).rejects.toMatchObject({
      kind: 'no-libvirt',
      message: expect.stringMatching(/forced command, a restricted shell.*it said “not for you”/) as string,
    });
  });

  it('where the helper is what the SSH server runs, whatever it is asked for, libvirt is reached by it', async () => {
    await server(base + 7, 'ForceCommand=virt-ssh-helper qemu:///system', 'AllowStreamLocalForwarding=no');
    const { how, duplex } = await openLibvirt(await login(base + 7, system), { uri: 'qemu:///system' });
    expect(how).toBe('virt-ssh-helper');
    const libvirt = await Connection.open(duplex, { uri: 'qemu:///system' });
    expect((await libvirt.call('connect_get_type')).type).toBe('QEMU');
    await libvirt.close();
  });

  it('a server that is restarted leaves the connection as it is; one whose processes are killed ends it, and can be reached again', async () => {
    const first = await server(base + 4);
    const ssh = await login(base + 4, system);
    first.kill();
    await server(base + 4);
    expect((await ssh.run('echo still here')).stdout).toBe('still here\n');
    const killed = ssh.run('kill -9 $PPID').catch(() => null);
    expect(await ssh.ended).toMatchObject({ kind: 'lost', phase: 'established' });
    await killed;
    expect((await (await login(base + 4, system)).run('echo again')).stdout).toBe('again\n');
  });

  it('a cable that is pulled before TCP', async () => {
    await pull(base + 5);
    await expect(login(base + 5, system, { timeouts: { connectMs: 700 } })).rejects.toMatchObject({
      kind: 'timeout',
      phase: 'connect',
      message: expect.stringContaining('does a firewall let SSH through?') as string,
    });
  });

  it('a cable that is pulled while a stream is opened, and while all is quiet: within 15 s', async () => {
    await server(base + 6);
    const ssh = await login(base + 6, system, { timeouts: { openMs: 700 } });
    await pull(base + 6);
    const began = performance.now();
    await expect(ssh.openUnix('/run/libvirt/libvirt-sock')).rejects.toMatchObject({ kind: 'timeout', phase: 'open' });
    expect((await ssh.ended)?.message).toContain('kvm1 has not answered for 9 s');
    // What is promised, not how fast this machine is: the limit itself is 12 s.
    expect(performance.now() - began).toBeLessThan(15_000);
  }, 30_000);
});
