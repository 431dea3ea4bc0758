// Made-up things for the gallery: the only place with such data beside the tests.
import type {
  Check,
  DomainStats,
  DomainView,
  Found,
  HostInfo,
  HostView,
  MigrationOptions,
  MigrationView,
  Question,
  Remedy,
  Schedules,
  SnapshotView,
  Suggestion,
} from '../../contract/model.ts';

export const fingerprint = 'SHA256:Uq1s0nJ6bY2mGk3vTz8wX4cR7aPdLhE9oKfQiNxZt5M';
export const otherFingerprint = 'SHA256:o9K2dTq7LwYx4mB1cVzR8nHs5EjPfGa3uXiQbMk6rZ0';
export const longName = 'production-frontend-'.repeat(10);

export const host: HostView = {
  id: 'kvm1',
  uri: 'qemu+ssh://root@kvm1.example.org/system',
  label: 'kvm1',
  state: 'connecting',
  error: null,
  hostKey: null,
  connections: 1,
  info: null,
  domains: { running: 0, total: 0 },
  readOnly: false,
  group: 'Rack A',
  retryAt: null,
};

export const hostInfo: HostInfo = {
  hostname: 'kvm1',
  uuid: '22222222-2222-4222-8222-222222222222',
  hypervisor: 'QEMU',
  hypervisorVersion: '7.2.22',
  libvirtVersion: '9.0.0',
  arch: 'x86_64',
  cpuModel: 'Skylake-Server-IBRS',
  cpus: 48,
  cpuPercent: 37,
  memoryKiB: 128 * 1024 * 1024,
  freeMemoryKiB: 40 * 1024 * 1024,
  storage: { pools: 2, capacityBytes: 1.8e12, availableBytes: 0.7e12 },
};

export const domain: DomainView = {
  hostId: 'kvm1',
  uuid: '11111111-1111-4111-8111-111111111111',
  name: 'web01',
  id: 7,
  state: 'running',
  reason: 'booted',
  persistent: true,
  autostart: true,
  vcpus: 4,
  memoryKiB: 4 * 1024 * 1024,
  maxMemoryKiB: 8 * 1024 * 1024,
  consoles: [{ kind: 'serial', target: 'serial0' }],
  tags: ['web', 'prod'],
  stats: null,
  job: null,
  stale: false,
};

export const domainStats: DomainStats = {
  cpuPercent: 24,
  memoryUsedKiB: 2.5 * 1024 * 1024,
  diskReadBps: 1.2e6,
  diskWriteBps: 4e5,
  netRxBps: 3e6,
  netTxBps: 8e5,
  at: '2026-01-01T00:00:00Z',
};

export const migrationOptions: MigrationOptions = {
  mode: 'live',
  transport: 'direct',
  storage: 'shared',
  persistent: true,
  undefineSource: true,
  autoConverge: false,
  postCopy: false,
  compressed: false,
  parallel: null,
  unsafe: false,
  tls: false,
  migrateUri: null,
  listenAddress: null,
  bandwidthMiBps: null,
  maxDowntimeMs: null,
  destName: null,
  destXml: null,
  force: false,
};

export const migration: MigrationView = {
  id: 'm1',
  uuid: '11111111-1111-4111-8111-111111111111',
  name: 'web01',
  from: 'kvm1',
  to: 'kvm3',
  options: migrationOptions,
  state: 'running',
  phase: 'perform',
  progress: {
    percent: 62,
    dataTotalBytes: 4.3e9,
    dataProcessedBytes: 2.7e9,
    dataRemainingBytes: 1.6e9,
    memoryBps: 118e6,
    dirtyRateBps: 21e6,
    iteration: 2,
    elapsedMs: 23_400,
    etaMs: 14_000,
  },
  downtimeMs: null,
  virsh: 'virsh -c qemu+ssh://root@kvm1/system migrate --live web01 qemu+ssh://root@kvm3/system',
  startedAt: '2026-01-01T03:00:00.000Z',
  endedAt: null,
  error: null,
  verdict: null,
  actions: [],
  by: 'anna',
  notices: [
    'It goes direct: fra-kvm01 reaches the migration port of fra-kvm03; root of fra-kvm01 cannot log in there.',
  ],
};

/** A course that comes to its end, and one that does not. */
export const course = (converges: boolean) =>
  Array.from({ length: 80 }, (_, at) => ({
    elapsedMs: at * 400,
    remainingBytes: converges ? 4.3e9 * Math.exp(-at / 22) : 8e8 + 3.5e9 * Math.exp(-at / 12) + 1.2e8 * Math.sin(at),
    memoryBps: 118e6 + 14e6 * Math.sin(at / 3),
    iteration: converges ? 1 + Math.floor(at / 30) : 1 + Math.floor(at / 12),
    dirtyBps: converges ? 21e6 + 5e6 * Math.cos(at / 4) : 30e6 + 1.4e6 * at,
  }));

export const checks: Check[] = [
  { id: 'online', level: 'ok', message: 'Both hosts are connected.' },
  { id: 'arch', level: 'ok', message: 'kvm3 runs the same architecture, x86_64.' },
  {
    id: 'memory',
    level: 'warn',
    message: 'kvm3 has 3.1 GiB of memory free, and web01 may use up to 4 GiB.',
    fix: 'Choose a host with more memory, or shut something down on kvm3.',
  },
  {
    id: 'disk',
    level: 'error',
    message: 'The disk vda of web01, /var/lib/libvirt/images/web01.qcow2, is local to kvm1.',
    fix: 'Put it on storage that both hosts reach.',
  },
];

export const found: Found[] = [
  {
    address: '192.168.10.11',
    port: 22,
    kind: 'libvirt',
    banner: 'SSH-2.0-OpenSSH_9.2p1 Debian-2',
    fingerprint,
    libvirtVersion: '9.0.0',
    hostId: 'kvm1',
  },
  {
    address: '192.168.10.12',
    port: 22,
    kind: 'ssh',
    banner: 'SSH-2.0-OpenSSH_9.2p1 Debian-2+deb12u3',
    fingerprint: otherFingerprint,
  },
  { address: '192.168.10.40', port: 2222, kind: 'ssh', banner: 'SSH-2.0-dropbear_2022.83', fingerprint },
  { address: '192.168.10.77', port: 22, kind: 'open', banner: '220 mail.example.org ESMTP' },
  { address: '192.168.10.201', port: 22, kind: 'ssh', banner: 'SSH-2.0-OpenSSH_7.4' },
];

export const question: Question = {
  id: 'q1',
  hostId: 'kvm1',
  kind: 'password',
  title: 'root@kvm1',
  instruction: '',
  prompts: [{ text: 'Password:', echo: false }],
  again: false,
};

export const xml = `<domain type='kvm' id='7'>
  <name>web01</name>
  <!-- made by hand -->
  <memory unit='KiB'>4194304</memory>
  <os>
    <type arch='x86_64' machine='pc-q35-7.2'>hvm</type>
  </os>
  <devices>
    <disk type='file' device='disk'>
      <source file='/var/lib/libvirt/images/web01.qcow2'/>
      <target dev='vda' bus='virtio'/>
    </disk>
  </devices>
</domain>
`;

/** A VM's definition with something of everything that is shown of one. */
export const rich = `<domain type='kvm'>
  <name>db01</name>
  <os firmware='efi'>
    <type arch='x86_64' machine='pc-q35-7.2'>hvm</type>
    <loader secure='yes' type='pflash'>/usr/share/OVMF/OVMF_CODE.fd</loader>
  </os>
  <cpu mode='custom'><model>Skylake-Server-IBRS</model></cpu>
  <devices>
    <disk type='file' device='disk'>
      <driver name='qemu' type='qcow2' cache='none'/>
      <source file='/var/lib/libvirt/images/${longName}.qcow2'/>
      <target dev='vda' bus='virtio'/>
      <shareable/>
    </disk>
    <disk type='file' device='cdrom'>
      <target dev='sda' bus='sata'/>
      <readonly/>
    </disk>
    <interface type='network'>
      <mac address='52:54:00:12:34:56'/>
      <source network='lan'/>
      <model type='virtio'/>
      <target dev='vnet3'/>
    </interface>
    <interface type='bridge'>
      <mac address='52:54:00:12:34:57'/>
      <source bridge='br0'/>
      <link state='down'/>
    </interface>
    <graphics type='vnc' port='-1'/>
    <video><model type='virtio'/></video>
    <channel type='unix'><target type='virtio' name='org.qemu.guest_agent.0'/></channel>
  </devices>
</domain>
`;

const snapshot: SnapshotView = {
  name: 'clean',
  description: '',
  createdAt: '2026-01-01T03:00:00Z',
  state: 'shutoff',
  parent: null,
  current: false,
  memory: false,
  disks: [{ target: 'vda', kind: 'internal' }],
};
export const snapshots: SnapshotView[] = [
  snapshot,
  {
    ...snapshot,
    name: 'before upgrade',
    parent: 'clean',
    state: 'running',
    memory: true,
    description: 'As of Monday.',
  },
  { ...snapshot, name: longName, parent: 'before upgrade', description: longName },
  { ...snapshot, name: 'upgraded', parent: 'before upgrade', state: 'disk-snapshot', current: true },
  { ...snapshot, name: 'by hand', createdAt: null, disks: [{ target: 'vda', kind: 'external' }] },
];

export const suggestions: Suggestion[] = [
  {
    name: 'kvm1.example.org',
    port: 22,
    addresses: ['192.168.10.11'],
    from: ['known_hosts', 'mDNS'],
    uri: 'qemu+ssh://kvm1.example.org/system',
    hostId: 'kvm1',
  },
  {
    name: 'kvm2',
    port: 2222,
    user: 'root',
    addresses: ['192.168.10.12', 'fe80::5054:ff:fe12:3456'],
    from: ['ssh_config', 'known_hosts', 'neighbour table', 'mDNS'],
    uri: 'qemu+ssh://root@kvm2:2222/system',
  },
  { name: longName, port: 22, addresses: [], from: ['neighbour table'], uri: `qemu+ssh://${longName}/system` },
];

const pass = { on: false, everyMinutes: 60, lastAt: null, nextAt: null };
export const schedules: Schedules = {
  cidr: '192.168.10.0/24',
  passes: {
    full: { on: true, everyMinutes: 1440, lastAt: '2026-01-01T03:00:00Z', nextAt: '2026-01-02T03:00:00Z' },
    silent: { ...pass, on: true, everyMinutes: 45, nextAt: '2026-01-02T03:00:00Z' },
    'non-libvirt': pass,
    known: { ...pass, everyMinutes: 15, lastAt: '2026-01-01T03:00:00Z' },
  },
};

export const remedies: Remedy[] = [
  {
    id: 'network',
    label: 'Start the network lan on kvm3',
    preview: { kind: 'command', text: 'virsh -c qemu+ssh://root@kvm3/system net-start lan' },
  },
  {
    id: 'cdrom',
    label: 'Leave the CD of web01 behind',
    preview: {
      kind: 'xml-diff',
      text: ` <disk type='file' device='cdrom'>\n-  <source file='/isos/${longName}.iso'/>\n   <target dev='sda'/>\n+  <readonly/>\n </disk>`,
    },
  },
  { id: 'copy', label: 'Copy its disks along', preview: { kind: 'options', text: 'storage: copy' } },
];

/** Figures that go up and down, the same each time. */
export const wave = (count: number, middle: number, swing: number) =>
  Float32Array.from({ length: count }, (_, at) => middle + swing * Math.sin(at / 3) * Math.cos(at / 7));
