// The lab's guests: where each has its place, and its domain XML.

export interface Guest {
  name: string;
  uuid: string;
  /** The host that it belongs to, and whether it runs there. */
  home: string;
  runs: boolean;
  memoryMiB: number;
  /** Seconds between ticks. */
  pace: number;
  /** MiB of memory that it writes over and over. */
  dirtyMiB?: number;
  disk?: 'shared' | 'local';
  network?: true;
  vnc?: true;
  says: string;
}

const guest = (number: number, name: string, home: string, rest: Partial<Guest> & { says: string }): Guest => ({
  name,
  uuid: `6a5e0000-1ab0-4000-8000-${String(number).padStart(12, '0')}`,
  home,
  runs: false,
  memoryMiB: 128,
  pace: 1,
  ...rest,
});

export const guests: Guest[] = [
  guest(1, 'web01', 'kvm1', { runs: true, network: true, vnc: true, says: 'no disk, a network card, VNC' }),
  guest(2, 'db01', 'kvm1', { runs: true, disk: 'shared', says: 'a qcow2 on storage that the hosts share' }),
  guest(3, 'files01', 'kvm1', { disk: 'local', says: 'a qcow2 that only its host can reach' }),
  guest(4, 'busy01', 'kvm1', { memoryMiB: 192, dirtyMiB: 96, says: 'dirties its memory as fast as it can' }),
  guest(5, 'fast01', 'kvm1', { pace: 0.02, says: 'ticks every 20 ms' }),
  guest(6, 'mail01', 'kvm2', { says: 'shut off' }),
  guest(7, 'build01', 'kvm3', { runs: true, says: 'on the host that an ordinary user logs in to' }),
];

export function guestNamed(name: string): Guest {
  const found = guests.find((each) => each.name === name);
  if (!found) throw new Error(`the lab has no guest ${name}, only ${guests.map((each) => each.name).join(', ')}`);
  return found;
}

export const diskPath = ({ name, disk }: Guest) =>
  `${disk === 'shared' ? '/srv/shared' : '/var/lib/libvirt/images'}/${name}.qcow2`;

/** Where every host appends what the guest says on its console. */
export const consoleLog = (name: string) => `/srv/shared/console/${name}.log`;

export const GUEST_BOOT = '/var/lib/libvirt/boot';

export function domainXml(which: Guest): string {
  const { name, uuid, memoryMiB, pace, dirtyMiB = 0, disk, network, vnc } = which;
  const devices = [
    '<controller type="usb" model="none"/>',
    disk &&
      `<disk type="file" device="disk"><driver name="qemu" type="qcow2" cache="none"/>` +
        `<source file="${diskPath(which)}"/><target dev="vda" bus="virtio"/></disk>`,
    network && '<interface type="bridge"><source bridge="br0"/><model type="virtio"/><rom enabled="no"/></interface>',
    `<serial type="pty"><log file="${consoleLog(name)}" append="on"/><target port="0"/></serial>`,
    '<console type="pty"><target type="serial" port="0"/></console>',
    vnc && '<graphics type="vnc" autoport="yes"/><video><model type="vga" vram="16384" heads="1"/></video>',
  ];
  return `<domain type="qemu">
  <name>${name}</name>
  <uuid>${uuid}</uuid>
  <memory unit="MiB">${memoryMiB}</memory>
  <vcpu>1</vcpu>
  <os>
    <type arch="x86_64" machine="pc">hvm</type>
    <kernel>${GUEST_BOOT}/vmlinuz</kernel>
    <initrd>${GUEST_BOOT}/initrd.gz</initrd>
    <cmdline>console=ttyS0 quiet panic=1 guest=${name} pace=${pace} dirty=${dirtyMiB}</cmdline>
  </os>
  <features><acpi/></features>
  <devices>
    ${devices.filter(Boolean).join('\n    ')}
  </devices>
</domain>
`;
}
