// The definition of a domain that is part of the fleet from its beginning.
import { macOf, uuidOf, type Seed } from './chance.ts';
import { canonical, type Definition, type Disk, type HostDefaults, type Nic } from './definition.ts';
import type { DomainSpec } from './specs.ts';
import { escaped } from './xml.ts';

const GIB = 2 ** 30;

const cpuOf = ({ features = [] }: DomainSpec) =>
  features.length === 0
    ? "  <cpu mode='host-model' check='partial'/>\n"
    : `  <cpu mode='custom' match='exact' check='full'>
    <model fallback='forbid'>kvm64</model>
${features.map((name) => `    <feature policy='require' name='${name}'/>\n`).join('')}  </cpu>
`;

const tagged = (tags: string[]) =>
  tags.length === 0
    ? ''
    : `  <metadata>
    <drover:vm xmlns:drover='urn:drover:vm:1'>
${tags.map((tag) => `      <drover:tag>${escaped(tag)}</drover:tag>\n`).join('')}    </drover:vm>
  </metadata>
`;

/** Without its XML until that is asked for: there may be many. */
export function definitionOf(spec: DomainSpec, defaults: HostDefaults, seed: Seed): Definition {
  const { name, memoryMiB = 1024, vcpus = 1, type = 'kvm', nics = ['default'], vnc = false } = spec;
  const uuid = spec.uuid ?? uuidOf(seed, 'domain', name);
  const machine = canonical(spec.machine ?? 'q35', defaults.machines);
  const disks = (spec.disks ?? []).map(({ path, target, cache = 'none' }, at): Disk => ({
    target: target ?? `vd${String.fromCharCode(97 + at)}`,
    device: 'disk',
    type: 'file',
    path,
    cache,
    readonly: false,
    shareable: false,
  }));
  const cards = nics.map((each): Nic => {
    const bridge = /^bridge:(.+)/.exec(each)?.[1];
    return bridge ? { type: 'bridge', source: bridge } : { type: 'network', source: each };
  });
  const slot = (at: number) =>
    `<address type='pci' domain='0x0000' bus='0x${(at + 1).toString(16).padStart(2, '0')}' slot='0x00' function='0x0'/>`;
  let slots = 0;
  let written: string | null = null;
  const write = () => `<domain type='${type}'>
  <name>${escaped(name)}</name>
  <uuid>${uuid}</uuid>
${spec.title ? `  <title>${escaped(spec.title)}</title>\n` : ''}${tagged(spec.tags ?? [])}  <memory unit='KiB'>${memoryMiB * 1024}</memory>
  <currentMemory unit='KiB'>${memoryMiB * 1024}</currentMemory>
  <vcpu placement='static'>${vcpus}</vcpu>
  <os>
    <type arch='x86_64' machine='${machine}'>hvm</type>
    <boot dev='hd'/>
  </os>
  <features>
    <acpi/>
    <apic/>
  </features>
${cpuOf(spec)}  <clock offset='utc'/>
  <on_poweroff>destroy</on_poweroff>
  <on_reboot>restart</on_reboot>
  <on_crash>destroy</on_crash>
  <devices>
    <emulator>${defaults.emulator}</emulator>
${disks
  .map(
    ({ target, path, cache }) => `    <disk type='file' device='disk'>
      <driver name='qemu' type='qcow2' cache='${cache}'/>
      <source file='${escaped(path ?? '')}'/>
      <target dev='${target}' bus='virtio'/>
      ${slot(slots++)}
    </disk>
`,
  )
  .join('')}    <controller type='usb' index='0' model='none'/>
    <controller type='pci' index='0' model='pcie-root'/>
${cards
  .map(
    (card, at) => `    <interface type='${card.type}'>
      <mac address='${macOf(seed, name, at)}'/>
      <source ${card.type}='${escaped(card.source)}'/>
      <model type='virtio'/>
      ${slot(slots++)}
    </interface>
`,
  )
  .join('')}    <serial type='pty'>
      <target type='isa-serial' port='0'>
        <model name='isa-serial'/>
      </target>
    </serial>
    <console type='pty'>
      <target type='serial' port='0'/>
    </console>
    <input type='mouse' bus='ps2'/>
    <input type='keyboard' bus='ps2'/>
${
  vnc
    ? `${graphicsOf(vnc === true ? {} : vnc)}
    <video>
      <model type='vga' vram='16384' heads='1' primary='yes'/>
      ${slot(slots++)}
    </video>
`
    : ''
}    <memballoon model='virtio'>
      ${slot(slots)}
    </memballoon>
  </devices>
</domain>
`;
  return {
    name,
    uuid,
    type,
    arch: 'x86_64',
    machine,
    memoryKiB: memoryMiB * 1024,
    currentKiB: memoryMiB * 1024,
    vcpus,
    disks,
    nics: cards,
    serials: ['serial0'],
    get xml() {
      return (written ??= write());
    },
  };
}

export const diskBytes = (spec: DomainSpec, path: string) =>
  (spec.disks?.find((disk) => disk.path === path)?.gib ?? 20) * GIB;

function graphicsOf({ socket, password }: { socket?: string; password?: string }): string {
  const secret = password === undefined ? '' : ` passwd='${escaped(password)}'`;
  const [attributes, listen] =
    socket === undefined
      ? [` port='-1' autoport='yes'`, `<listen type='address'/>`]
      : [` socket='${escaped(socket)}'`, `<listen type='socket' socket='${escaped(socket)}'/>`];
  return `    <graphics type='vnc'${attributes}${secret}>
      ${listen}
    </graphics>`;
}
