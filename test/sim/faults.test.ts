// Each named fault, as Drover's own SSH and libvirt clients meet it.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Connection, ConnectionLost, LibvirtError, PeerGone, ProtocolError } from '../../src-main/libvirt/index.ts';
import { connectSsh, KnownHosts, openLibvirt, type SshConnection, SshError } from '../../src-main/ssh/index.ts';
import { SimFleet } from '../../src-sim/index.ts';
import { direct } from './reach.ts';

let sim: SimFleet;
let folder: string;
const undos: (() => void)[] = [];

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'drover-faults-'));
  sim = await SimFleet.start({
    seed: 'faults',
    hosts: [{ name: 'kvm1' }, { name: 'kvm2' }],
    domains: [
      { name: 'web01', host: 'kvm1', disks: [{ path: '/srv/shared/web01.qcow2' }] },
      { name: 'off01', host: 'kvm1', running: false, disks: [{ path: '/var/lib/libvirt/images/off01.qcow2' }] },
    ],
  });
  await sim.writeFiles(folder);
});
afterEach(async () => {
  for (const undo of undos.splice(0)) undo();
  expect(sim.problems).toEqual([]);
  await sim.close();
  await rm(folder, { recursive: true });
});

async function login(name = 'kvm1'): Promise<SshConnection> {
  const { address, port } = sim.host(name);
  const { keyFile, knownHosts } = sim.files ?? { keyFile: '', knownHosts: '' };
  const ssh = await connectSsh({
    target: { host: address, port, user: 'root', label: name, keyFiles: [keyFile], knownHostsFile: knownHosts },
    knownHosts: new KnownHosts({ own: join(folder, 'own'), user: [], system: [] }),
    prompts: null,
    agent: null,
    home: folder,
  });
  undos.push(() => ssh.close());
  return ssh;
}

async function open(ssh: SshConnection, proxy: 'auto' | 'native' | 'netcat' = 'auto') {
  const tunnel = await openLibvirt(ssh, { uri: 'qemu:///system', proxy });
  const connection = await Connection.open(tunnel.duplex, { uri: 'qemu:///system', timeoutMs: 5_000 });
  undos.push(() => connection.destroy());
  return { connection, how: tunnel.how };
}

const failure = (promise: Promise<unknown>): Promise<unknown> =>
  promise.then(
    () => 'it went well',
    (error: unknown) => error,
  );
const names = async (connection: Connection) =>
  (await connection.call('connect_list_all_domains', { need: 1 })).domains.map(({ name }) => name);

describe('the ways to libvirt', () => {
  it.each([
    ['auto', 'streamlocal /run/libvirt/libvirt-sock'],
    ['native', 'virt-ssh-helper'],
    ['netcat', 'netcat'],
  ] as const)('%s goes by %s', async (proxy, how) => {
    const opened = await open(await login(), proxy);
    expect(opened.how).toBe(how);
    expect(await names(opened.connection)).toEqual(['web01', 'off01']);
  });
  it('carry many connections at once', async () => {
    const ssh = await login();
    const all = await Promise.all(Array.from({ length: 30 }, () => open(ssh)));
    const lists = await Promise.all(all.map(({ connection }) => names(connection)));
    expect(lists).toHaveLength(30);
  });
  it('tell which file stands behind a path', async () => {
    const stat = (path: string) => `stat -L -c %i -- ${path} 2>&1`;
    const script = `${stat('/srv/shared/web01.qcow2')}; ${stat('/nowhere')}`;
    const [here, there] = await Promise.all(['kvm1', 'kvm2'].map(async (name) => (await login(name)).run(script)));
    expect(here?.stdout).toMatch(/^\d+ [0-9a-f]{16} nfs\nabsent\n$/);
    expect(there?.stdout).toBe(here?.stdout);
  });
});

describe('at the door', () => {
  it('auth-refused: no key is taken, until it is cleared', async () => {
    const undo = sim.faults.set({ kind: 'auth-refused', host: 'kvm1' });
    expect(await failure(login())).toMatchObject({ kind: 'auth-failed' });
    await login('kvm2');
    undo();
    await login();
  });
  it('key-changed: another key is shown, and never trusted', async () => {
    sim.faults.set({ kind: 'key-changed', host: 'kvm1' });
    expect(await failure(login())).toMatchObject({ kind: 'changed' });
    sim.faults.clear();
    await login();
  });
  it('down: nobody listens, what was connected is cut, and it comes back with its guests off', async () => {
    const { connection } = await open(await login());
    sim.faults.set({ kind: 'down', host: 'kvm1' });
    expect(await connection.ended).toBeInstanceOf(Error);
    expect(await failure(login())).toBeInstanceOf(SshError);
    sim.faults.clear('down');
    await expect.poll(() => sim.host('kvm1').down).toBe(false);
    await login();
    expect(sim.where('web01')).toMatchObject([{ state: 'shutoff', executes: false }]);
  });
});

describe('on the wire', () => {
  it('silent: no byte comes until it is cleared, and nothing is lost', async () => {
    const { connection } = await open(await login());
    sim.faults.set({ kind: 'silent', host: 'kvm1' });
    const asked = names(connection);
    const other = await open(await login('kvm2'));
    await names(other.connection);
    expect(connection.outstanding.sent).toBe(1);
    sim.faults.clear('silent');
    expect(await asked).toEqual(['web01', 'off01']);
  });
  it('slow-link: every piece takes its time each way', async () => {
    const { connection } = await open(await login());
    sim.faults.set({ kind: 'slow-link', host: 'kvm1', delayMs: 60 });
    const began = performance.now();
    await names(connection);
    expect(performance.now() - began).toBeGreaterThanOrEqual(119);
  });
});

describe('of the daemon', () => {
  it('never-answers: that call alone stays open', async () => {
    const connection = await direct(sim.host('kvm1'));
    sim.faults.set({ kind: 'never-answers', call: 'connect_get_hostname' });
    const asked = failure(connection.call('connect_get_hostname'));
    await names(connection);
    expect(connection.outstanding.sent).toBe(1);
    connection.destroy();
    expect(await asked).toBeInstanceOf(ConnectionLost);
  });
  it('hangup-mid-packet: half an answer, then the end', async () => {
    const connection = await direct(sim.host('kvm1'));
    sim.faults.set({ kind: 'hangup-mid-packet', call: 'connect_get_hostname', times: 1 });
    const error = await failure(connection.call('connect_get_hostname'));
    expect((error as Error).cause).toBeInstanceOf(ProtocolError);
    await names(await direct(sim.host('kvm1')));
  });
  it('garbage: what comes is no packet', async () => {
    const connection = await direct(sim.host('kvm1'));
    sim.faults.set({ kind: 'garbage', times: 1 });
    const error = await failure(names(connection));
    expect((error as Error).cause).toBeInstanceOf(ProtocolError);
  });
  it('fails: with the error that was asked for, so many times', async () => {
    const connection = await direct(sim.host('kvm1'));
    sim.faults.set({ kind: 'fails', call: 'connect_get_hostname', code: 1, domain: 10, times: 1 });
    expect(await failure(connection.call('connect_get_hostname'))).toMatchObject({ code: 1, domain: 10 });
    expect(await connection.call('connect_get_hostname')).toEqual({ hostname: 'kvm1' });
  });
  it('fails: only on the host that it is set on', async () => {
    const [here, there] = await Promise.all([direct(sim.host('kvm1')), direct(sim.host('kvm2'))]);
    sim.faults.set({ kind: 'fails', host: 'kvm2', call: 'connect_get_type', code: 38, domain: 7 });
    expect(await here.call('connect_get_type')).toEqual({ type: 'QEMU' });
    expect(await failure(there.call('connect_get_type'))).toBeInstanceOf(LibvirtError);
  });
  it('event-before-reply: what a call causes is told before its answer', async () => {
    const connection = await direct(sim.host('kvm1'));
    const order: string[] = [];
    connection.on('lifecycle', () => order.push('event'));
    await connection.eventsReady();
    sim.faults.set({ kind: 'event-before-reply', call: 'domain_suspend' });
    await connection.call('domain_suspend', { dom: { name: 'web01', uuid: sim.uuid('web01') } });
    order.push('reply');
    expect(order).toEqual(['event', 'reply']);
  });
  it('reply-out-of-order: the last asked is the first answered', async () => {
    const connection = await direct(sim.host('kvm1'));
    sim.faults.set({ kind: 'reply-out-of-order' });
    const order: string[] = [];
    await Promise.all([
      connection.call('connect_get_hostname').then(() => order.push('hostname')),
      connection.call('connect_get_type').then(() => order.push('type')),
      connection.call('connect_get_version').then(() => order.push('version')),
    ]);
    expect(order).toEqual(['version', 'type', 'hostname']);
  });
  it('is killed and started anew: connections end, guests do not', async () => {
    const connection = await direct(sim.host('kvm1'));
    sim.host('kvm1').daemon.restart();
    expect(await connection.ended).toBeInstanceOf(PeerGone);
    expect(sim.where('web01')).toMatchObject([{ state: 'running', executes: true }]);
  });
});
