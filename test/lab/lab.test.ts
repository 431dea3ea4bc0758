// The lab itself: that it is what the other tests take it for.
import { spawn } from 'node:child_process';
import { existsSync, readFileSync, readlinkSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Lab } from './lab.ts';
import { directoryOf, sweep } from './registry.ts';
import { run, RunError, succeeds, until } from './run.ts';

const lab = await Lab.open();
const system = (name: string) => {
  const { user } = lab.host(name);
  return `qemu+ssh://${user}@${name}/system?keyfile=${lab.admin.keys.ed25519}`;
};
const virsh = (...args: string[]) => run(['virsh', '-q', ...args]);
const migrate = (guest: string, from: string, to: string) =>
  virsh('-c', system(from), 'migrate', '--live', '--persistent', '--undefinesource', guest, system(to));

/** What ssh says when a person types `secret` at whatever it asks. */
async function ssh(name: string, secret: string, ...options: string[]): Promise<string> {
  const askpass = join(lab.admin.home, 'askpass');
  await writeFile(askpass, `#!/bin/sh\necho '${secret}'\n`, { mode: 0o700 });
  const { user } = lab.host(name);
  return run(['ssh', '-o', 'IdentitiesOnly=yes', ...options, `${user}@${name}`, 'hostname'], {
    env: { SSH_ASKPASS: askpass, SSH_ASKPASS_REQUIRE: 'force' },
  });
}

/** The nearest process above this one that is not in the admin's network: it is in the machine's own. */
function outside(): number {
  const network = (pid: number | string) => readlinkSync(`/proc/${pid}/ns/net`);
  for (
    let pid = process.ppid;
    pid > 1;
    pid = Number(/^PPid:\s*(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1])
  ) {
    if (network(pid) !== network('self')) return pid;
  }
  throw new Error('these tests were not started from the machine’s own network');
}

beforeAll(() => lab.reset());
afterAll(() => lab.reset());

describe('the hosts', () => {
  it('answer virsh over ssh from the admin’s side, each with its own name and UUID', async () => {
    const uuids = new Set<string>();
    for (const { name } of lab.hosts) {
      expect((await virsh('-c', system(name), 'hostname')).trim()).toBe(name);
      uuids.add(/<uuid>(.*?)<\/uuid>/.exec(await virsh('-c', system(name), 'capabilities'))?.[1] ?? '');
    }
    expect(uuids.size).toBe(3);
  });

  it('let an ordinary user of group libvirt in on kvm3, where QEMU is not root', async () => {
    const process = (await lab.exec('kvm3', ['ps', '-C', 'qemu-system-x86_64', '-o', 'user:20=']))?.trim();
    expect(process).toBe('libvirt-qemu');
    expect((await ssh('kvm3', '', '-i', lab.admin.keys.ed25519)).trim()).toBe('kvm3');
    await expect(
      lab.exec('kvm3', ['su', 'nobody', '-s', '/bin/sh', '-c', 'virsh -c qemu:///system list']),
    ).rejects.toThrow(/Permission denied/);
  });

  it('take each kind of key, one with a passphrase, a password and a keyboard-interactive login', async () => {
    const { keys, passphrase } = lab.admin;
    for (const key of [keys.ed25519, keys.ecdsa, keys.rsa])
      expect((await ssh('kvm1', '', '-i', key)).trim()).toBe('kvm1');
    expect((await ssh('kvm1', passphrase, '-i', keys.locked)).trim()).toBe('kvm1');
    const typed = ['-o', 'PubkeyAuthentication=no', '-o', 'PreferredAuthentications=password,keyboard-interactive'];
    for (const { name } of lab.hosts) expect((await ssh(name, lab.state.password, ...typed)).trim()).toBe(name);
    const wrong = ssh('kvm1', 'wrong', ...typed, '-o', 'NumberOfPasswordPrompts=1');
    await expect(wrong).rejects.toThrow(/Permission denied \(publickey,password\)/);
  });

  it('have host keys whose fingerprints the lab knows', async () => {
    const said = await run(['sh', '-c', `ssh-keyscan ${lab.host('kvm2').address} 2> /dev/null | ssh-keygen -lf -`]);
    for (const fingerprint of Object.values(lab.host('kvm2').fingerprints)) expect(said).toContain(fingerprint);
  });

  it('come back after their daemon was killed', async () => {
    await lab.kill('kvm2', 'libvirtd');
    expect(await succeeds(['virsh', '-c', system('kvm2'), 'uri'])).toBe(false);
    await lab.start('kvm2', 'libvirtd');
    expect(await virsh('-c', system('kvm2'), 'list', '--all')).toContain('mail01');
  });

  it('are silent, not refusing, when their cable is out', async () => {
    const knock = () => run(['nc', '-z', '-w', '2', lab.host('kvm2').address, '22']);
    await knock();
    await lab.link('kvm2', 'down');
    const began = performance.now();
    await expect(knock()).rejects.toThrow(RunError);
    expect(performance.now() - began).toBeGreaterThan(1500);
    await lab.link('kvm2', 'up');
    await until('kvm2 answers again', () => succeeds(['nc', '-z', '-w', '1', lab.host('kvm2').address, '22']));
  });
});

describe('the guests', () => {
  it('tick, one number after the other', async () => {
    for (const name of ['web01', 'db01', 'build01']) {
      const next = await lab.waitForTick(name);
      const ticks = await lab.ticks(name);
      expect(ticks).toEqual(Array.from({ length: ticks.length }, (_, index) => index + 1));
      expect(ticks).toContain(next);
    }
  });

  it('answer in a shell on the console, and shut down when they are asked to', async () => {
    const terminal = lab.spawn('kvm1', ['script', '-qfc', 'virsh -c qemu:///system console web01', '/dev/null']);
    let seen = '';
    terminal.stdout?.on('data', (chunk: Buffer) => (seen += chunk.toString('latin1')));
    await until('the console opens', () => seen.includes('Escape character'));
    terminal.stdin?.write('echo $((6 * 7))\r');
    await until('the shell answers', () => /^42\r/m.test(seen));
    terminal.stdin?.end('\x1d');
    await lab.virsh('kvm1', 'shutdown', 'web01');
    await until('web01 is off', async () => (await lab.whereabouts('web01'))[0]?.state === 'shut off');
    await lab.ensureRunning('web01');
  });

  it('migrate live there and back, without a tick lost', async () => {
    await migrate('web01', 'kvm1', 'kvm2');
    expect(await lab.whereabouts('web01')).toEqual([{ host: 'kvm2', state: 'running' }]);
    await lab.waitForTick('web01');
    await migrate('web01', 'kvm2', 'kvm1');
    expect(await lab.whereabouts('web01')).toEqual([{ host: 'kvm1', state: 'running' }]);
    await lab.waitForTick('web01');
    const ticks = await lab.ticks('web01');
    expect(ticks).toEqual(Array.from({ length: ticks.length }, (_, index) => index + 1));
  });

  it('with a disk on shared storage migrate, to a QEMU that is not root too', async () => {
    await migrate('db01', 'kvm1', 'kvm3');
    expect(await lab.whereabouts('db01')).toEqual([{ host: 'kvm3', state: 'running' }]);
    await lab.waitForTick('db01');
  });

  it('with a disk on local storage are refused', async () => {
    await lab.ensureRunning('files01');
    await expect(migrate('files01', 'kvm1', 'kvm2')).rejects.toThrow(/unsafe/i);
    expect(await lab.whereabouts('files01')).toEqual([{ host: 'kvm1', state: 'running' }]);
  });

  it('are back in their places after a reset', async () => {
    await lab.ensureRunning('mail01', 'kvm3');
    await lab.virsh('kvm1', 'suspend', 'web01');
    await lab.reset();
    expect(await lab.whereabouts('mail01')).toEqual([{ host: 'kvm2', state: 'shut off' }]);
    expect(await lab.whereabouts('web01')).toEqual([{ host: 'kvm1', state: 'running' }]);
    expect(await lab.whereabouts('files01')).toEqual([{ host: 'kvm1', state: 'shut off' }]);
    expect(await lab.whereabouts('db01')).toEqual([{ host: 'kvm1', state: 'running' }]);
  });
});

describe('the machine', () => {
  it('has nothing of the lab in its root namespace', async () => {
    const root = ['nsenter', '-t', String(outside()), '-n', 'ip', '-o'];
    const subnet = lab.state.subnet.split('.').slice(0, 3).join('.');
    expect(await run([...root, 'addr'])).not.toContain(`${subnet}.`);
    expect(await run([...root, 'route', 'show', 'table', 'all'])).not.toContain(`${subnet}.`);
    expect(await run([...root, 'link'])).not.toMatch(/kvm\d|bridge/);
  });

  it('cannot be left from the admin’s side', async () => {
    expect(await run(['ip', '-o', 'route'])).not.toContain('default');
  });

  it('is clean again after a run that was killed while it brought a lab up', async () => {
    const prefix = `k${process.pid}`;
    const cli = join(import.meta.dirname, 'cli.ts');
    const up = spawn(process.execPath, ['--import', 'tsx', cli, 'up', '--prefix', prefix, '--owner', 'self'], {
      stdio: 'ignore',
    });
    const inits = async () => (await run(['ip', 'netns', 'pids', `${prefix}-kvm1`]).catch(() => '')).trim() || null;
    const pids = (await until('a host of it runs', inits)).split('\n');
    up.kill('SIGKILL');
    await until('the run is gone', () => up.signalCode !== null);

    expect(await sweep()).toContain(prefix);
    expect(await run(['ip', 'netns', 'list'])).not.toContain(prefix);
    expect(existsSync(directoryOf(prefix))).toBe(false);
    for (const pid of pids) expect(existsSync(`/proc/${pid}/root/srv/shared`)).toBe(false);
  });
});
