// libvirt's own client against the simulated hosts, over OpenSSH: it knows nothing of Drover.
import { execFile, spawn, spawnSync } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { SimFleet } from '../../src-sim/index.ts';

const missing = ['virsh', 'ssh', 'script'].filter((name) => spawnSync('which', [name]).status !== 0);
if (missing.length > 0 && process.env['CI'] === 'true') throw new Error(`missing here: ${missing.join(', ')}`);

describe.skipIf(missing.length > 0)(
  missing.length > 0 ? `virsh (skipped, missing here: ${missing.join(', ')})` : 'virsh',
  () => {
    let sim: SimFleet;
    let folder: string;

    beforeAll(async () => {
      folder = await mkdtemp(join(tmpdir(), 'drover-virsh-'));
      sim = await SimFleet.start({
        seed: 'virsh',
        hosts: [{ name: 'kvm1' }, { name: 'kvm2' }],
        domains: [
          { name: 'web01', host: 'kvm1', memoryMiB: 256, disks: [{ path: '/srv/shared/web01.qcow2' }], vnc: true },
          { name: 'db01', host: 'kvm1', running: false, memoryMiB: 2048, vcpus: 2 },
          { name: 'files01', host: 'kvm1', disks: [{ path: '/var/lib/libvirt/images/files01.qcow2' }] },
          { name: 'mail01', host: 'kvm1', memoryMiB: 256 },
        ],
      });
      const { knownHosts } = await sim.writeFiles(folder);
      // OpenSSH looks for known hosts in the user's own home, whatever HOME says: so it is told where.
      const ssh = `exec ssh -F /dev/null -o GlobalKnownHostsFile=/dev/null -o UserKnownHostsFile=${knownHosts} "$@"`;
      await writeFile(join(folder, 'ssh'), `#!/bin/sh\n${ssh}\n`, { mode: 0o755 });
    });
    afterAll(async () => {
      expect(sim.problems).toEqual([]);
      await sim.close();
      await rm(folder, { recursive: true });
    });

    const uri = (host: string) =>
      sim.host(host).uri({ parameters: { proxy: 'native', no_tty: '1', command: join(folder, 'ssh') } });
    const virsh = async (...words: string[]) => {
      const run = promisify(execFile);
      try {
        return (await run('virsh', ['-q', '-c', uri('kvm1'), ...words], { timeout: 15_000 })).stdout.trim();
      } catch (error) {
        return `failed: ${(error as { stderr: string }).stderr.trim()}`;
      }
    };
    const columns = (text: string) => text.split('\n').map((line) => line.trim().split(/\s{2,}/));

    it('lists the domains, running and off', async () => {
      const rows = columns(await virsh('list', '--all'));
      expect(rows.map(([, name, state]) => [name, state])).toEqual([
        ['web01', 'running'],
        ['files01', 'running'],
        ['mail01', 'running'],
        ['db01', 'shut off'],
      ]);
    });
    it('shows one', async () => {
      const facts: Record<string, string> = Object.fromEntries(
        (await virsh('dominfo', 'db01')).split('\n').map((line) => line.split(/:\s+/) as [string, string]),
      );
      expect(facts).toMatchObject({
        Name: 'db01',
        UUID: sim.uuid('db01'),
        State: 'shut off',
        'CPU(s)': '2',
        'Max memory': '2097152 KiB',
        Persistent: 'yes',
        Autostart: 'disable',
        'OS Type': 'hvm',
      });
    });
    it('says of none that it is not there', async () => {
      expect(await virsh('dominfo', 'nobody')).toContain("failed to get domain 'nobody'");
    });
    it.each([
      ['domblkstat', 'web01', 'vda'],
      ['vcpuinfo', 'web01'],
      ['freecell', '--all'],
      ['nwfilter-list'],
      ['save', 'web01', '/x'],
    ])('is told of what these hosts do not do, in libvirt’s own way: %s', async (...words) => {
      expect(await virsh(...words)).toContain('this function is not supported by the connection driver');
    });
    it('dumps its XML, and takes it back', async () => {
      const xml = await virsh('dumpxml', '--inactive', 'db01');
      expect(xml).toMatch(/^<domain type='kvm'>\n {2}<name>db01<\/name>/);
      const file = join(folder, 'db01.xml');
      await writeFile(file, xml);
      expect(await virsh('define', file)).toBe('');
      expect(await virsh('dumpxml', '--inactive', 'db01')).toBe(xml);
    });
    it('starts and destroys one', async () => {
      expect(await virsh('start', 'db01')).toBe('');
      expect(await virsh('domstate', '--reason', 'db01')).toBe('running (booted)');
      expect(await virsh('start', 'db01')).toContain('Domain is already active');
      expect(await virsh('destroy', 'db01')).toBe('');
      expect(await virsh('domstate', '--reason', 'db01')).toBe('shut off (destroyed)');
    });
    it('shows pools, volumes and networks', async () => {
      expect(columns(await virsh('pool-list', '--all'))).toEqual([
        ['default', 'active', 'yes'],
        ['shared', 'active', 'yes'],
      ]);
      expect(columns(await virsh('vol-list', 'shared'))).toEqual([['web01.qcow2', '/srv/shared/web01.qcow2']]);
      expect(columns(await virsh('net-list', '--all'))).toEqual([['default', 'active', 'yes', 'yes']]);
    });
    it('opens a console, which ticks and answers', async () => {
      const quoted = ['virsh', '-c', uri('kvm1'), 'console', 'web01'].map((word) => `'${word}'`).join(' ');
      const terminal = spawn('script', ['-qfc', quoted, '/dev/null']);
      let said = '';
      terminal.stdout.on('data', (bytes: Buffer) => (said += bytes.toString()));
      const closed = new Promise((resolve) => terminal.once('close', resolve));
      await expect.poll(() => said, { timeout: 10_000 }).toMatch(/tick \d+/);
      terminal.stdin.write('hostname\r');
      await expect.poll(() => said, { timeout: 10_000 }).toMatch(/\nweb01\r/);
      terminal.stdin.write('\x1d');
      await closed;
    });
    it('migrates one live, its own client driving', async () => {
      const options = ['--live', '--persistent', '--undefinesource'];
      expect(await virsh('migrate', ...options, 'web01', uri('kvm2'))).toBe('');
      const [only, ...more] = sim.where('web01');
      expect(only).toMatchObject({ host: 'kvm2', state: 'running', reason: 'migrated', executes: true, defined: true });
      expect(more).toEqual([]);
    });
    it('migrates one peer to peer, the source’s daemon driving', async () => {
      const options = ['--live', '--p2p', '--persistent', '--undefinesource'];
      expect(await virsh('migrate', ...options, 'mail01', uri('kvm2'))).toBe('');
      expect(sim.where('mail01').map(({ host, state }) => `${host} ${state}`)).toEqual(['kvm2 running']);
    });
    it('is refused to migrate one whose disk is not shared', async () => {
      expect(await virsh('migrate', '--live', 'files01', uri('kvm2'))).toContain('Unsafe migration');
      expect(sim.where('files01').map(({ host, state }) => `${host} ${state}`)).toEqual(['kvm1 running']);
    });
  },
);
