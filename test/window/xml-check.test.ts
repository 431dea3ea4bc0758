// Where libvirt's refusals point at in an edited definition, by what libvirt 9.0 really says.
import { expect, test } from 'vitest';
import { pointedLine } from '../../src-renderer/parts/xml-check.ts';

const xml = `<domain type='kvm'>
  <name>web01</name>
  <vcpu placement='static'>many</vcpu>
  <os>
    <type arch='x86_64' machine='pc-99'>hvm</type>
  </os>
  <devices>
    <gadget/>
    <emulator>/usr/bin/qemu-system-x86_64</emulator>
    <disk type='file'/>
    <disk type='file'/>
  </devices>
</domain>
`;
const schema =
  'XML document failed to validate against schema: Unable to validate doc against /usr/share/libvirt/schemas/domain.rng\n';

test.each([
  [`${schema}Extra element devices in interleave\nElement domain failed to validate content\n`, 7],
  [`${schema}Extra element vcpu in interleave\nInvalid sequence in interleave\nElement domain failed\n`, 3],
  ["unsupported configuration: Emulator '/usr/bin/qemu-system-x86_64' does not support machine type 'pc-99'", 5],
  ['(domain_definition):12: Opening and ending tag mismatch: devices line 7 and domain', 12],
])('%s', (message, line) => {
  expect(pointedLine(message, xml)).toBe(line);
});

test('a refusal that may mean several lines, or none, points nowhere', () => {
  expect(pointedLine(`${schema}Invalid element disk\n`, xml)).toBeNull();
  expect(pointedLine('XML error: maximum vcpus count must be an integer', xml)).toBeNull();
});
