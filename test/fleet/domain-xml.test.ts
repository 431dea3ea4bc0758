// What is read from a domain's XML, and what of it is no XML for us.
import { describe, expect, it, test } from 'vitest';
import { readDomainXml } from '../../src-main/fleet/domain-xml.ts';

const domain = (devices = '', rest = '') =>
  `<domain type='kvm'><name>web01</name><memory unit='KiB'>131072</memory>
   <os><type arch='x86_64' machine='pc-q35-7.2'>hvm</type></os>${rest}<devices>${devices}</devices></domain>`;
const consoles = (devices: string) => readDomainXml(domain(devices)).consoles.map(({ target }) => target);

test('what it is', () => {
  expect(readDomainXml(domain('<emulator>/usr/bin/qemu</emulator>'))).toEqual({
    name: 'web01',
    virtType: 'kvm',
    arch: 'x86_64',
    machine: 'pc-q35-7.2',
    emulator: '/usr/bin/qemu',
    memoryKiB: 131_072,
    consoles: [],
    tags: [],
    disks: [],
    interfaces: [],
    hostDevices: 0,
    nvram: null,
  });
});

test.each([
  ["<memory unit='KiB'>1024</memory>", 1024],
  ['<memory>1024</memory>', 1024],
  ["<memory unit='MiB'>2</memory>", 2048],
  ["<memory unit='M'>2</memory>", 2048],
  ["<memory unit='MB'>2</memory>", 1953],
  ["<memory unit='GiB'>1</memory>", 1_048_576],
  ["<memory unit='b'>4096</memory>", 4],
  ["<memory unit='TiB'>1</memory>", 1_073_741_824],
  ['<memory>much</memory>', 0],
  ['', 0],
])('memory %s', (xml, kib) => {
  expect(readDomainXml(`<domain><name>a</name>${xml}</domain>`).memoryKiB).toBe(kib);
});

describe('consoles', () => {
  it('are called by their aliases while it runs', () => {
    expect(
      consoles(
        `<serial type='pty'><alias name='serial0'/></serial><console type='pty'><target type='serial'/><alias name='serial0'/></console>`,
      ),
    ).toEqual(['serial0']);
  });

  it('are called in their order where it has none', () => {
    expect(
      consoles(
        `<serial type='pty'/><serial type='pty'/><console type='pty'><target type='serial' port='0'/></console><console type='pty'><target type='virtio'/></console>`,
      ),
    ).toEqual(['serial0', 'serial1', 'console1']);
  });

  it('hold the graphical ones after the serial ones, of the kinds that can be shown', () => {
    const { consoles: found } = readDomainXml(
      domain(`<graphics type='spice'/><graphics type='vnc'/><graphics type='sdl'/><serial type='pty'/>`),
    );
    expect(found).toEqual([
      { kind: 'serial', target: 'serial0' },
      { kind: 'spice', target: 'spice0' },
      { kind: 'vnc', target: 'vnc1' },
    ]);
  });
});

test('disks of every kind', () => {
  const { disks } = readDomainXml(
    domain(`
      <disk type='file' device='disk'><driver name='qemu' type='qcow2' cache='none'/><source file='/srv/a &amp; b.qcow2'/><target dev='vda'/></disk>
      <disk type='block'><source dev='/dev/vg/web'/><target dev='vdb'/><shareable/></disk>
      <disk type='file' device='cdrom'><target dev='sda'/><readonly/></disk>
      <disk type='volume' device='disk'><source pool='shared' volume='web.qcow2'/><target dev='vdc'/></disk>
      <disk type='network' device='disk'><source protocol='rbd' name='pool/image'/><target dev='vdd'/></disk>`),
  );
  const usual = { volume: null, format: null, cache: null, readonly: false, shareable: false };
  expect(disks).toEqual([
    { ...usual, target: 'vda', device: 'disk', type: 'file', path: '/srv/a & b.qcow2', format: 'qcow2', cache: 'none' },
    { ...usual, target: 'vdb', device: 'disk', type: 'block', path: '/dev/vg/web', shareable: true },
    { ...usual, target: 'sda', device: 'cdrom', type: 'file', path: null, readonly: true },
    {
      ...usual,
      target: 'vdc',
      device: 'disk',
      type: 'volume',
      path: null,
      volume: { pool: 'shared', name: 'web.qcow2' },
    },
    { ...usual, target: 'vdd', device: 'disk', type: 'network', path: null },
  ]);
});

test('networks and devices that it needs of its host', () => {
  const facts = readDomainXml(
    domain(
      `<interface type='network'><source network='default'/></interface><interface type='bridge'><source bridge='br0'/></interface><interface type='user'/><hostdev mode='subsystem'/>`,
    ),
  );
  expect(facts.interfaces).toEqual([
    { type: 'network', source: 'default' },
    { type: 'bridge', source: 'br0' },
    { type: 'user', source: null },
  ]);
  expect(facts.hostDevices).toBe(1);
});

test('what stands elsewhere is not taken for a device', () => {
  const metadata = `<metadata><x:a xmlns:x='urn:x'><devices><disk><target dev='vdz'/></disk></devices></x:a></metadata>`;
  expect(readDomainXml(domain('', metadata)).disks).toEqual([]);
});

test.each([
  '',
  'web01',
  '<domain>',
  '<domain><name>a</domain>',
  '<network><name>default</name></network>',
  '<domain><name>&unknown;</name></domain>',
  '<!DOCTYPE domain [<!ENTITY a SYSTEM "file:///etc/passwd">]><domain><name>&a;</name></domain>',
  '<!doctype domain><domain><name>a</name></domain>',
])('is no domain: %j', (xml) => {
  expect(() => readDomainXml(xml)).toThrow();
});
