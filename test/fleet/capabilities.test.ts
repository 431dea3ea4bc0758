// What a host says that it can run.
import { expect, test } from 'vitest';
import { readCapabilities } from '../../src-main/fleet/capabilities.ts';

test('a host’s own words', () => {
  const { guests, ...host } = readCapabilities(`<capabilities>
    <host><uuid>a1</uuid><cpu><arch>x86_64</arch><model>EPYC-Rome</model><feature name='x'/></cpu></host>
    <guest><os_type>hvm</os_type><arch name='x86_64'>
      <machine canonical='pc-q35-7.2' maxCpus='288'>q35</machine><machine maxCpus='255'>pc-i440fx-7.2</machine>
      <domain type='qemu'/><domain type='kvm'><machine>pc-q35-rhel9</machine></domain>
    </arch></guest>
    <guest><os_type>hvm</os_type><arch name='aarch64'><machine>virt</machine><domain type='qemu'/></arch></guest>
  </capabilities>`);
  expect(host).toEqual({ uuid: 'a1', arch: 'x86_64', cpuModel: 'EPYC-Rome', hostCpu: 'EPYC-Rome  x' });
  expect([...guests.keys()]).toEqual(['x86_64', 'aarch64']);
  expect([...(guests.get('x86_64')?.machines ?? [])].sort()).toEqual([
    'pc-i440fx-7.2',
    'pc-q35-7.2',
    'pc-q35-rhel9',
    'q35',
  ]);
  expect([...(guests.get('x86_64')?.virtTypes ?? [])]).toEqual(['qemu', 'kvm']);
});

test('one that says little', () => {
  expect(readCapabilities('<capabilities><host/></capabilities>')).toEqual({
    uuid: null,
    arch: null,
    cpuModel: null,
    hostCpu: null,
    guests: new Map(),
  });
});

test('what is no capabilities', () => {
  expect(() => readCapabilities('<domain/>')).toThrow(/domain/);
});
