// Real hosts that are cut from each other by a firewall: their VMs go through the admin's machine, whoever logs in.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { HostView, MigrationView, Preflight } from '../../contract/model.ts';
import { domainXml, guestNamed } from './guests.ts';
import { Lab } from './lab.ts';
import { until } from './run.ts';
import { Served } from './served.ts';

const lab = await Lab.open();
let drover: Served;
let hosts: Record<string, HostView>;
const name = 'relayed01';
const uuid = '6a5e0000-1ab0-4000-8000-00000000f002';
const disk = `/var/lib/libvirt/images/${name}.qcow2`;

const sh = async (host: string, command: string) => (await lab.exec(host, ['sh', '-c', command])).trim();
const idOf = (host: string) => hosts[host]?.id ?? '';

/** Every host reaches the admin's machine alone. */
async function cut(host: string, how: '-A' | '-D'): Promise<void> {
  for (const { name: other, address } of lab.hosts) {
    if (other !== host) await lab.exec(host, ['iptables', how, 'INPUT', '-s', address, '-j', 'DROP']);
  }
}

beforeAll(async () => {
  await lab.reset();
  for (const host of lab.hosts) await cut(host.name, '-A');
  drover = await Served.start();
  hosts = await drover.addLab(lab);
});
afterAll(async () => {
  for (const host of lab.hosts) {
    await cut(host.name, '-D');
    await lab.virsh(host.name, 'destroy', name).catch(() => '');
    await sh(host.name, `rm -f ${disk}`);
  }
  await drover.remove();
  await lab.reset();
});

const leftovers = async (host: string) => sh(host, 'ls -d /run/drover-* /tmp/drover-* 2>/dev/null || true');

async function migrate(from: string, to: string, options: object): Promise<MigrationView> {
  await until(`${name} is seen`, () => drover.domain(name, from).catch(() => null));
  const body = { uuid, from: idOf(from), to: idOf(to), options };
  const { id } = await drover.get<MigrationView>('POST', '/migrations', body);
  return drover.migrated(id);
}

/** It runs on a host, with a disk that only this host has. */
async function begin(host: string): Promise<void> {
  const local = `<disk type="file" device="disk"><driver name="qemu" type="qcow2" cache="none"/><source file="${disk}"/><target dev="vda" bus="virtio"/></disk>`;
  const xml = domainXml({ ...guestNamed('web01'), name, uuid }).replace('<devices>', `<devices>${local}`);
  await sh(host, `qemu-img create -q -f qcow2 ${disk} 32M; qemu-io -f qcow2 -c 'write -P 0x42 1M 8M' ${disk}`);
  await lab.define(host, xml);
  await lab.virsh(host, 'start', name);
  await lab.waitForTick(name, 0);
}

describe('a relay, with the VM’s disk', () => {
  it.each([
    ['kvm1', 'kvm2', 'as root on both'],
    ['kvm1', 'kvm3', 'to a host where login and QEMU are not root'],
    ['kvm3', 'kvm1', 'from such a host'],
  ])('%s to %s: %s', async (from, to) => {
    await begin(from);
    try {
      await until(`${name} is seen`, () => drover.domain(name, from).catch(() => null));
      const route = { uuid, from: idOf(from), to: idOf(to), options: { transport: 'direct', storage: 'copy' } };
      const direct = await drover.get<Preflight>('POST', '/migrations/preflight', route);
      expect(direct.checks.find(({ id }) => id === 'path')).toMatchObject({ level: 'error' });
      const ended = await migrate(from, to, { storage: 'copy' });
      expect(ended.error).toBeNull();
      expect(ended).toMatchObject({ state: 'completed', options: { transport: 'relay' } });
      expect(await lab.whereabouts(name)).toEqual([{ host: to, state: 'running' }]);
      await lab.waitForTick(name);
      const content = (host: string) =>
        sh(host, `qemu-img convert -U -O raw ${disk} /tmp/$$ && tail -c +4097 /tmp/$$ | sha256sum; rm -f /tmp/$$`);
      expect(await content(to)).toBe(await content(from));
      for (const host of [from, to]) expect(await leftovers(host)).toBe('');
    } finally {
      for (const { host } of await lab.whereabouts(name)) {
        await lab.virsh(host, 'destroy', name).catch(() => '');
        await lab.virsh(host, 'undefine', name).catch(() => '');
      }
      for (const host of [from, to]) await sh(host, `rm -f ${disk}`);
    }
  });
});
