// From an empty start to a fleet: sweep, approve, adopt; and what an admin gets wrong on the way.
import { copyFile, mkdir, mkdtemp, rm } from 'node:fs/promises';
import { createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Err } from '../../contract/failure.ts';
import type { Adopted, HostView, Neighbour, ScanView } from '../../contract/model.ts';
import { Lab } from './lab.ts';
import { until } from './run.ts';
import { Served } from './served.ts';

const lab = await Lab.open();
const home = await mkdtemp(join(tmpdir(), 'drover-home-'));
let drover: Served;

beforeAll(async () => {
  await lab.reset();
  // A home with a key and nothing else: no host is known yet.
  await mkdir(join(home, '.ssh'));
  await copyFile(lab.admin.keys.ed25519, join(home, '.ssh/id_ed25519'));
  drover = await Served.start({ env: { HOME: home } });
});
afterAll(async () => {
  await drover.remove();
  await rm(home, { recursive: true });
});

async function scan(body: object): Promise<ScanView> {
  const { id } = await drover.get<ScanView>('POST', '/scans', body);
  return until('the scan has ended', async () => {
    const view = await drover.get<ScanView>('GET', `/scans/${id}`);
    return view.state !== 'running' && view;
  });
}

async function settled(id: string): Promise<HostView> {
  return until('the host is no longer connecting', async () => {
    const host = await drover.get<HostView>('GET', `/hosts/${id}`);
    return host.state !== 'connecting' && host;
  });
}

/** Adds a host by its URI, tells what became of it, and forgets it. */
async function tried(uri: string, trust?: string): Promise<{ host: HostView; error: Err }> {
  const { id } = await drover.get<HostView>('POST', '/hosts', { uri, ...(trust && { trust }) });
  const host = await settled(id);
  await drover.get('DELETE', `/hosts/${id}`);
  return { host, error: host.error as Err };
}

describe('from an empty start', () => {
  it('finds the hosts of a subnet, says that host bits were dropped, and adopts them by fingerprint', async () => {
    const cidr = lab.state.subnet.replace('.0/', '.77/');
    const swept = await scan({ cidr });
    expect(swept).toMatchObject({ state: 'completed', cidr: lab.state.subnet });
    expect(swept.notes.join(' ')).toContain(lab.state.subnet);
    expect(swept.found.map(({ address }) => address).sort()).toEqual(lab.hosts.map(({ address }) => address).sort());

    const [one, two] = [lab.host('kvm1'), lab.host('kvm2')];
    const trust = Object.fromEntries(swept.found.map(({ address, fingerprint }) => [address, fingerprint]));
    const adopted = await drover.get<Adopted>('POST', '/neighbours/adopt', {
      addresses: [one.address, two.address],
      user: 'root',
      trust: { ...trust, [two.address]: `SHA256:${'A'.repeat(43)}` },
    });
    expect(adopted.hosts.map(({ uri }) => uri)).toEqual([`qemu+ssh://root@${one.address}/system`]);
    expect(adopted.failed).toMatchObject([{ address: two.address, err: { code: 'conflict' } }]);
    expect((await settled(adopted.hosts[0]?.id as string)).state).toBe('online');
    const neighbours = await drover.get<Neighbour[]>('GET', '/neighbours');
    expect(neighbours.find(({ address }) => address === one.address)).toMatchObject({
      kind: 'libvirt',
      libvirtVersion: '9.0.0',
      hostId: adopted.hosts[0]?.id,
    });
  });

  it('tells libvirt hosts from others by logging in, but only where the key is trusted', async () => {
    const { address, fingerprints } = lab.host('kvm2');
    const identify = { user: 'root', keyfile: lab.admin.keys.ed25519 };
    expect((await scan({ cidr: address, identify })).found).toMatchObject([{ kind: 'ssh' }]);
    await tried(`qemu+ssh://root@${address}/system`, fingerprints.ed25519);
    const { found } = await scan({ cidr: address, identify });
    expect(found).toMatchObject([{ address, kind: 'libvirt', libvirtVersion: '9.0.0' }]);
  });

  it('asks again before a wide or a public range is swept', async () => {
    for (const cidr of ['10.0.0.0/8', '8.8.8.0/24']) {
      const { err, status } = await drover.ask('POST', '/scans', { cidr });
      expect([err?.code, status]).toEqual(['bad-request', 400]);
      expect(err?.message).toMatch(/confirm/i);
    }
    for (const cidr of ['', 'no-range', '10.0.0.0/33', '10.0.0.9-10.0.0.1']) {
      expect((await drover.ask('POST', '/scans', { cidr })).err?.code).toBe('bad-request');
    }
  });
});

describe('a host key', () => {
  const unknown = () => {
    const { address } = lab.host('kvm3');
    const { keys, emptyKnownHosts } = lab.admin;
    return `qemu+ssh://ops@${address}/system?keyfile=${keys.ed25519}&known_hosts=${emptyKnownHosts}`;
  };

  it('that is unknown is shown before anything is sent, and pinned only when it is the one that was shown', async () => {
    const { id } = await drover.get<HostView>('POST', '/hosts', { uri: unknown() });
    const host = await settled(id);
    expect(host).toMatchObject({
      state: 'untrusted',
      connections: 0,
      hostKey: { algorithm: 'ssh-ed25519', fingerprint: lab.host('kvm3').fingerprints.ed25519, status: 'unknown' },
      error: { code: 'untrusted-host-key', detail: { fingerprint: lab.host('kvm3').fingerprints.ed25519 } },
    });
    const other = await drover.ask('POST', `/hosts/${id}/trust`, { fingerprint: `SHA256:${'B'.repeat(43)}` });
    expect(other.err?.code).toBe('conflict');
    await drover.get('POST', `/hosts/${id}/trust`, { fingerprint: host.hostKey?.fingerprint });
    await until('it is online', async () => (await drover.get<HostView>('GET', `/hosts/${id}`)).state === 'online');
    expect((await drover.get<HostView>('GET', `/hosts/${id}`)).hostKey?.status).toBe('trusted');
    await drover.get('DELETE', `/hosts/${id}`);
    // Pinned: the next time it is known.
    const again = await drover.get<HostView>('POST', '/hosts', { uri: unknown() });
    expect((await settled(again.id)).state).toBe('online');
    await drover.get('DELETE', `/hosts/${again.id}`);
  });
});

describe('what cannot be connected to is told in a sentence', () => {
  const servers: Server[] = [];
  afterAll(() => servers.forEach((server) => server.close()));

  /** A port on the admin's own side that greets so; never answers where it says nothing. */
  async function listener(greeting: string | null): Promise<number> {
    const server = createServer((socket) => {
      socket.on('error', () => {});
      if (greeting !== null) socket.end(greeting);
    });
    servers.push(server);
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return (server.address() as { port: number }).port;
  }

  it('a URI that cannot be', async () => {
    for (const uri of [
      'kvm1',
      'http://kvm1/',
      'qemu+ssh://kvm1',
      'qemu+ssh://root:secret@kvm1/system',
      'qemu+tls://kvm1/system',
      'qemu+ssh://-oProxyCommand=x/system',
    ]) {
      const { err, status } = await drover.ask('POST', '/hosts', { uri });
      expect([err?.code, status]).toEqual(['bad-request', 400]);
    }
  });

  it('an address where nobody is, a closed port, a name that is none', async () => {
    const silent = lab.state.subnet.replace('.0/24', '.200');
    expect((await tried(`qemu+ssh://root@${silent}/system`)).host.state).toBe('unreachable');
    expect((await tried('qemu+ssh://root@127.0.0.1:1/system')).error.message).toContain('127.0.0.1');
    expect((await tried('qemu+ssh://root@no-such-host.invalid/system')).error.message).toContain(
      'no-such-host.invalid',
    );
  });

  it('a port that speaks no SSH', async () => {
    const port = await listener('HTTP/1.1 400 Bad Request\r\n\r\n');
    const { host, error } = await tried(`qemu+ssh://root@127.0.0.1:${port}/system`);
    expect(host.state).toBe('unreachable');
    expect(error.message).toMatch(/SSH/);
  });

  it('a login that is refused', async () => {
    const { address } = lab.host('kvm1');
    const { keys, knownHosts } = lab.admin;
    const { host, error } = await tried(
      `qemu+ssh://stranger@${address}/system?keyfile=${keys.ed25519}&known_hosts=${knownHosts}`,
    );
    expect(host.state).toBe('auth-failed');
    expect(error).toMatchObject({ code: 'auth-failed' });
    expect(error.message).toContain('stranger');
  });

  it('a host whose libvirt is gone, and which comes back', async () => {
    await lab.kill('kvm2', 'libvirtd');
    try {
      const { id } = await drover.get<HostView>('POST', '/hosts', { uri: lab.host('kvm2').uri });
      const host = await settled(id);
      expect(host.state).toBe('not-libvirt');
      expect(host.error?.message).toMatch(/libvirt/);
      await lab.start('kvm2', 'libvirtd');
      await until('it is online', async () => (await drover.get<HostView>('GET', `/hosts/${id}`)).state === 'online');
      expect((await drover.ask('POST', '/hosts', { uri: lab.host('kvm2').uri })).err).toMatchObject({
        code: 'conflict',
        detail: { id },
      });
      await drover.get('DELETE', `/hosts/${id}`);
    } finally {
      await lab.start('kvm2', 'libvirtd').catch(() => {});
    }
  });

  it('a VM that is not there', async () => {
    const hosts = await drover.get<HostView[]>('GET', '/hosts');
    const path = `/hosts/${hosts[0]?.id}/domains/00000000-0000-4000-8000-000000000000`;
    for (const [method, tail] of [
      ['GET', ''],
      ['GET', '/xml'],
      ['POST', '/start'],
      ['DELETE', ''],
    ] as const) {
      const { err, status } = await drover.ask(method, path + tail);
      expect([err?.code, status]).toEqual(['not-found', 404]);
    }
    expect((await drover.ask('GET', '/hosts/nobody')).err?.code).toBe('not-found');
  });
});

it('complained of nothing meanwhile', () => {
  expect(drover.log).toEqual([]);
});
