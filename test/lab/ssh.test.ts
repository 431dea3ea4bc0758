// SSH on the lab's hosts: every way to log in, every way to libvirt, and what a host without one of them is told.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { Connection } from '../../src-main/libvirt/index.ts';
import {
  connectSsh,
  KnownHosts,
  openLibvirt,
  SshError,
  type LibvirtWish,
  type SshConnection,
  type SshOptions,
} from '../../src-main/ssh/index.ts';
import { person } from '../ssh/peers.ts';
import { Lab } from './lab.ts';
import { until } from './run.ts';

let lab: Lab;
const folder = mkdtempSync(join(tmpdir(), 'drover-lab-ssh-'));
const open: SshConnection[] = [];
const undo: (() => Promise<unknown>)[] = [];

beforeAll(async () => {
  lab = await Lab.open();
  await lab.reset();
});
afterEach(async () => {
  for (const ssh of open.splice(0)) ssh.close();
  for (const back of undo.splice(0).reverse()) await back();
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

interface Where {
  user?: string;
  port?: number;
  keyFiles?: string[];
}

async function login(name: string, where: Where = {}, more: Partial<SshOptions> = {}): Promise<SshConnection> {
  const host = lab.host(name);
  const { user = host.user, port = 22, keyFiles = [lab.admin.keys.ed25519] } = where;
  const knownHosts = new KnownHosts({ own: join(folder, 'own'), user: [lab.admin.knownHosts], system: [] });
  const target = { host: host.address, port, user, label: name, keyFiles };
  const ssh = await connectSsh({ target, knownHosts, prompts: null, agent: null, home: folder, ...more });
  open.push(ssh);
  return ssh;
}

/** Another SSH server on the host, configured otherwise. Its host keys are those of port 22. */
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

async function guestsThrough(
  ssh: SshConnection,
  wish: Partial<LibvirtWish> = {},
): Promise<{ how: string; names: string[] }> {
  const uri = 'qemu:///system';
  const { duplex, how } = await openLibvirt(ssh, { uri, ...wish });
  const libvirt = await Connection.open(duplex, { uri, readOnly: wish.readOnly ?? false });
  const { domains } = await libvirt.call('connect_list_all_domains', { need: 1, flags: 0 });
  await libvirt.close();
  return { how, names: domains.map(({ name }) => name).sort() };
}

const guestsOf = async (name: string) =>
  (await lab.virsh(name, 'list', '--all', '--name')).split('\n').filter(Boolean).sort();

async function refusal(attempt: Promise<unknown>): Promise<SshError> {
  const error: unknown = await attempt.then(
    () => new Error('it succeeded'),
    (error: unknown) => error,
  );
  if (!(error instanceof SshError)) throw error;
  return error;
}

describe('a login', () => {
  it.each(['ed25519', 'ecdsa', 'rsa'] as const)('by the %s key', async (kind) => {
    for (const { name, user } of lab.hosts) {
      const ssh = await login(name, { keyFiles: [lab.admin.keys[kind]] });
      expect((await ssh.run('id -un')).stdout.trim()).toBe(user);
    }
  });

  it('by a key behind a passphrase', async () => {
    const prompts = person(lab.admin.passphrase);
    await login('kvm1', { keyFiles: [lab.admin.keys.locked] }, { prompts });
    expect(prompts.questions).toHaveLength(1);
  });

  it.each([
    ['kvm1', 'password'],
    ['kvm2', 'keyboard-interactive'],
    ['kvm3', 'password'],
  ])('on %s by %s', async (name, kind) => {
    const prompts = person('wrong', lab.state.password);
    await login(name, { keyFiles: [] }, { prompts });
    expect(prompts.questions.map((question) => question.kind)).toEqual([kind, kind]);
  });

  it('shows the key that the host has', async () => {
    const ssh = await login('kvm1');
    expect(ssh.hostKey).toMatchObject({ fingerprint: lab.host('kvm1').fingerprints.ed25519, status: 'trusted' });
  });
});

describe('the way to libvirt', () => {
  it.each([
    ['kvm1', 'auto', 'streamlocal /run/libvirt/libvirt-sock'],
    ['kvm1', 'native', 'virt-ssh-helper'],
    ['kvm1', 'netcat', 'netcat'],
    ['kvm3', 'auto', 'streamlocal /run/libvirt/libvirt-sock'],
    ['kvm3', 'native', 'virt-ssh-helper'],
    ['kvm3', 'netcat', 'netcat'],
  ] as const)('on %s with proxy=%s is %s', async (name, proxy, how) => {
    const ssh = await login(name);
    expect(await guestsThrough(ssh, { proxy })).toEqual({ how, names: await guestsOf(name) });
  });

  it('is the one that worked last, tried first', async () => {
    const ssh = await login('kvm1');
    const unix = vi.spyOn(ssh, 'openUnix');
    const { how } = await guestsThrough(ssh, { remember: 'virt-ssh-helper' });
    expect(how).toBe('virt-ssh-helper');
    expect(unix).not.toHaveBeenCalled();
    expect((await guestsThrough(ssh, { remember: 'streamlocal /gone' })).how).toBe(
      'streamlocal /run/libvirt/libvirt-sock',
    );
  });

  it('may be a socket of its own, or the read-only one', async () => {
    const ssh = await login('kvm1');
    const names = await guestsOf('kvm1');
    const socket = '/run/libvirt/libvirt-sock-ro';
    expect(await guestsThrough(ssh, { socket })).toEqual({ how: `streamlocal ${socket}`, names });
    expect(await guestsThrough(ssh, { readOnly: true })).toEqual({ how: `streamlocal ${socket}`, names });
    expect((await guestsThrough(ssh, { readOnly: true, proxy: 'native' })).names).toEqual(names);
    expect((await guestsThrough(ssh, { mode: 'legacy' })).how).toBe('streamlocal /run/libvirt/libvirt-sock');
  });

  it('is found where the SSH server forwards nothing', async () => {
    await otherServer('kvm1', 2201, 'AllowStreamLocalForwarding=no');
    const ssh = await login('kvm1', { port: 2201 });
    expect(await guestsThrough(ssh)).toEqual({ how: 'virt-ssh-helper', names: await guestsOf('kvm1') });
  });

  it('bears a login shell that prints things on its own', async () => {
    await otherServer(
      'kvm1',
      2202,
      'DisableForwarding=yes',
      'ForceCommand=echo Welcome to kvm1; eval "$SSH_ORIGINAL_COMMAND"',
    );
    const ssh = await login('kvm1', { port: 2202 });
    expect(await guestsThrough(ssh)).toEqual({ how: 'virt-ssh-helper', names: await guestsOf('kvm1') });
    expect((await guestsThrough(ssh, { proxy: 'netcat' })).how).toBe('netcat');
  });

  it('to a session’s daemon is its helper', async () => {
    const ssh = await login('kvm3');
    const tunnel = await openLibvirt(ssh, { uri: 'qemu:///session' });
    expect(tunnel.how).toBe('virt-ssh-helper');
    tunnel.duplex.on('error', () => undefined).destroy();
  });

  it('leaves no program behind on the host', async () => {
    const ssh = await login('kvm1');
    for (const proxy of ['native', 'netcat'] as const) await guestsThrough(ssh, { proxy });
    const left = () => lab.exec('kvm1', ['sh', '-c', 'ps ax | grep -E "[v]irt-ssh-helper|[n]c .*-U" || true']);
    await vi.waitFor(async () => expect((await left()).trim()).toBe(''), 5000);
  });
});

describe('no way to libvirt is told', () => {
  it('to a user who may not open the socket', async () => {
    const ssh = await login('kvm1', { user: 'ops' });
    const error = await refusal(guestsThrough(ssh, { proxy: 'netcat' }).catch(cause));
    expect(error).toMatchObject({ kind: 'no-permission' });
    const automatic = await refusal(guestsThrough(ssh).catch(cause));
    expect(automatic.message).toContain(
      'ops may not use libvirt on kvm1: /run/libvirt/libvirt-sock belongs to user root',
    );
  });

  it('with the group that would help', async () => {
    await lab.exec('kvm3', ['chgrp', 'kvm', '/run/libvirt/libvirt-sock']);
    undo.push(() => lab.exec('kvm3', ['chgrp', 'libvirt', '/run/libvirt/libvirt-sock']));
    const error = await refusal(guestsThrough(await login('kvm3')).catch(cause));
    expect(error.kind).toBe('no-permission');
    expect(error.message).toContain('belongs to group kvm, and ops is in ops, libvirt.');
    expect(error.message).toContain('usermod -aG kvm ops');
  });

  it('where the daemon does not run', async () => {
    undo.push(() => lab.start('kvm2', 'libvirtd'));
    await lab.kill('kvm2', 'libvirtd');
    const ssh = await login('kvm2');
    for (const proxy of ['auto', 'native', 'netcat'] as const) {
      const error = await refusal(guestsThrough(ssh, { proxy }).catch(cause));
      expect(error.kind).toBe('no-libvirt');
      expect(error.message).toMatch(/kvm2.*libvirtd/);
    }
  });

  it('where a forced command stands in the way', async () => {
    await otherServer('kvm1', 2203, 'DisableForwarding=yes', 'ForceCommand=echo backups only');
    const error = await refusal(guestsThrough(await login('kvm1', { port: 2203 })));
    expect(error.kind).toBe('no-libvirt');
    expect(error.message).toContain('forced command');
  });
});

/** The libvirt client's errors have the stream's as their cause. */
function cause(error: unknown): never {
  throw error instanceof Error && error.cause instanceof SshError ? error.cause : error;
}

describe('a network that falls silent', () => {
  it('is noticed within 15 s, and frees what waited', async () => {
    const ssh = await login('kvm1');
    const silent = vi.fn();
    ssh.on('silent', silent);
    undo.push(() => lab.link('kvm1', 'up'));
    await lab.link('kvm1', 'down');
    const began = performance.now();
    const error = await ssh.ended;
    expect(performance.now() - began).toBeLessThan(15_000);
    expect(error).toMatchObject({ kind: 'lost' });
    expect(silent).toHaveBeenCalledTimes(1);
  });

  it('is waited out while a migration holds the connection', async () => {
    const ssh = await login('kvm1', {}, { keepalive: { intervalMs: 500, count: 2 } });
    const events: string[] = [];
    ssh.on('silent', () => events.push('silent'));
    ssh.on('heard', () => events.push('heard'));
    const release = ssh.hold();
    undo.push(() => lab.link('kvm1', 'up'));
    await lab.link('kvm1', 'down');
    await vi.waitFor(() => expect(events).toEqual(['silent']), 5000);
    await new Promise((resolve) => setTimeout(resolve, 2000)); // four times what ends a connection that is not held
    await lab.link('kvm1', 'up');
    await vi.waitFor(() => expect(events).toEqual(['silent', 'heard']), 15_000);
    release();
    expect((await ssh.run('echo still here')).stdout).toBe('still here\n');
  });
});
