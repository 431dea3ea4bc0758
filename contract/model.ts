// What both sides of Drover know of the fleet: plain data, the same in the window and in the API.
import type { Err } from './failure.ts';

/** Opaque; given by Drover when the host is added. */
export type HostId = string;
/** libvirt's UUID of a domain, lower case with dashes. */
export type Uuid = string;
export type MigrationId = string;
export type ScanId = string;
/** ISO 8601 in UTC. */
export type Time = string;

/** One VM may stand on several hosts, so a domain is named by both. */
export interface DomainRef {
  hostId: HostId;
  uuid: Uuid;
}

export const hostStates = [
  'connecting',
  'online',
  'unreachable',
  'untrusted',
  'auth-failed',
  'not-libvirt',
  'disconnected',
] as const;
export type HostState = (typeof hostStates)[number];

export interface HostKey {
  /** As SSH names it: `ssh-ed25519`, `ecdsa-sha2-nistp256`, `rsa-sha2-512`… */
  algorithm: string;
  /** `SHA256:` and unpadded base64, as ssh-keygen -l prints it. */
  fingerprint: string;
  status: 'trusted' | 'unknown' | 'changed';
}

export interface HostInfo {
  hostname: string;
  /** The host's own UUID; null until its capabilities were read. */
  uuid: Uuid | null;
  /** `QEMU`, `TEST`… as libvirt says it. */
  hypervisor: string;
  /** Dotted, e.g. `7.2.22`. */
  hypervisorVersion: string;
  libvirtVersion: string;
  arch: string;
  /** Null until the capabilities were read, or where the host names none. */
  cpuModel: string | null;
  cpus: number;
  /** 0–100 over all CPUs; null before the second sample. */
  cpuPercent: number | null;
  memoryKiB: number;
  freeMemoryKiB: number;
  /** Null until it was read, a moment after the host is online, or where it cannot be. */
  storage: HostStorage | null;
}

/** Of a host's active storage pools together; folders of one size are taken for one file system, and count once. */
export interface HostStorage {
  pools: number;
  capacityBytes: number;
  availableBytes: number;
}

export interface HostView {
  id: HostId;
  uri: string;
  label: string;
  state: HostState;
  /** Why it is not online; null while connecting for the first time, and online. */
  error: Err | null;
  hostKey: HostKey | null;
  /** Open SSH connections to it now: 1 while connected, whatever is going on; 0 for a local URI. */
  connections: number;
  info: HostInfo | null;
  domains: { running: number; total: number };
  /** Through libvirt's read-only socket: nothing can be changed. */
  readOnly: boolean;
  /** Why it is read-only, and what would help; a sentence. */
  readOnlyWhy?: string;
  /** The folder that it stands in, e.g. `Rack A`; null: in none. Drover keeps it, the host knows nothing of it. */
  group: string | null;
  /** Of the demo fleet: nothing about it is real, and it is not kept. */
  simulated?: true;
  /** When the next attempt to connect is due; null where none is planned. */
  retryAt: Time | null;
}

export const domainStates = [
  'nostate',
  'running',
  'blocked',
  'paused',
  'shutdown',
  'shutoff',
  'crashed',
  'pmsuspended',
] as const;
export type DomainState = (typeof domainStates)[number];

export interface DomainConsole {
  kind: 'serial' | 'vnc' | 'spice';
  /** Serial: the alias to open it by (`serial0`). Graphical: `vnc0`, `spice0`. */
  target: string;
}

export interface DomainStats {
  /** Of all its virtual CPUs together, 0–100. */
  cpuPercent: number;
  memoryUsedKiB: number;
  diskReadBps: number;
  diskWriteBps: number;
  netRxBps: number;
  netTxBps: number;
  at: Time;
}

/** One thing that happened to a VM, as libvirt told it. */
export interface DomainHappening {
  at: Time;
  /** Where. */
  hostId: HostId;
  /** libvirt's event: `started`, `stopped`, `device_added`… */
  event: string;
  /** What libvirt tells more closely: `booted`, `shut down`, a device's alias; '' where it tells nothing. */
  detail: string;
}

/** A point a minute, the oldest first; null where nothing was sampled in that minute. */
export interface DomainHistory {
  /** The beginning of the first point's minute; null while there is no point. */
  from: Time | null;
  /** Between two points. */
  stepMs: number;
  /** How many points are kept. */
  most: number;
  cpuPercent: (number | null)[];
  memoryUsedKiB: (number | null)[];
  /** Read and written. */
  diskBps: (number | null)[];
  /** Received and sent. */
  netBps: (number | null)[];
}

export interface DomainView extends DomainRef {
  name: string;
  /** libvirt's run-time id; null when not running. */
  id: number | null;
  state: DomainState;
  /** libvirt's reason for the state, e.g. `booted`, `migrated`, `user`. */
  reason: string;
  persistent: boolean;
  autostart: boolean;
  vcpus: number;
  memoryKiB: number;
  maxMemoryKiB: number;
  consoles: DomainConsole[];
  /** What admins call it by together with others; kept in its own definition on the host. In their order. */
  tags: string[];
  /** Null when not running, and before the second sample. */
  stats: DomainStats | null;
  /** The migration that this domain takes part in now, on either side. */
  job: { migrationId: MigrationId; side: 'source' | 'target'; percent: number } | null;
  /** What was last known, of a host that does not answer now. */
  stale: boolean;
}

export interface SnapshotView {
  /** Unique within its VM. */
  name: string;
  description: string;
  createdAt: Time | null;
  /** How the VM stood: `running`, `paused`, `shutoff`; `disk-snapshot` where only its disks were kept while it ran. */
  state: string;
  /** What it was made upon; null of the first. */
  parent: string | null;
  /** What the VM has now was made upon it. */
  current: boolean;
  /** Holds the guest's memory too: going back to it goes on where the guest was. */
  memory: boolean;
  /** Its disks by libvirt's names for their places: within the disk's own file, or a new file is written since. */
  disks: { target: string; kind: 'internal' | 'external' }[];
}

export interface SnapshotList {
  /** The oldest first. */
  snapshots: SnapshotView[];
  /** Why a snapshot of this VM can only be of its disks, in new files, now; null where it can hold all. */
  diskOnly: string | null;
}

export const lifecycleActions = [
  'start',
  'shutdown',
  'reboot',
  'reset',
  'destroy',
  'suspend',
  'resume',
  'managedsave',
] as const;
export type LifecycleAction = (typeof lifecycleActions)[number];

/** One row of a statistics batch; without `uuid` it is the host's own. */
export type StatsRow =
  | ({ hostId: HostId; uuid: Uuid } & DomainStats)
  | { hostId: HostId; cpuPercent: number | null; freeMemoryKiB: number; at: Time };

// --- Migration -----------------------------------------------------------------------------------

export const migrationModes = ['live', 'suspend', 'offline', 'cold'] as const;
export type MigrationMode = (typeof migrationModes)[number];
export const transports = ['auto', 'direct', 'p2p', 'tunnelled', 'relay'] as const;
export type Transport = (typeof transports)[number];
export const storageModes = ['shared', 'copy', 'copy-incremental'] as const;
export type StorageMode = (typeof storageModes)[number];

/** Every option with the value it took. Null: not limited, not set. */
export interface MigrationOptions {
  mode: MigrationMode;
  transport: Transport;
  storage: StorageMode;
  persistent: boolean;
  undefineSource: boolean;
  autoConverge: boolean;
  postCopy: boolean;
  compressed: boolean;
  /** Parallel connections; null for one stream. */
  parallel: number | null;
  unsafe: boolean;
  tls: boolean;
  migrateUri: string | null;
  listenAddress: string | null;
  bandwidthMiBps: number | null;
  maxDowntimeMs: number | null;
  destName: string | null;
  destXml: string | null;
  force: boolean;
}

export type MigrationState = 'queued' | 'running' | 'completed' | 'failed' | 'cancelled' | 'needs-attention';
export type MigrationPhase = 'preflight' | 'begin' | 'prepare' | 'perform' | 'finish' | 'confirm' | 'copy';

export interface MigrationProgress {
  percent: number;
  dataTotalBytes: number;
  dataProcessedBytes: number;
  dataRemainingBytes: number;
  memoryBps: number;
  dirtyRateBps: number;
  iteration: number;
  elapsedMs: number;
  /** Null where it cannot be told, e.g. when memory is dirtied faster than it moves. */
  etaMs: number | null;
  /** How long the guest would stand still if it were switched over now, as the hypervisor reckons; left out before. */
  expectedDowntimeMs?: number;
  /** How much auto-converge takes of the guest's CPU time now, 0–100; left out where it does not. */
  throttlePercent?: number;
}

/** Migrations that were asked for together: several VMs, or a host that is emptied. */
export interface MigrationBatch {
  id: string;
  /** What is done, e.g. `Empty kvm1`. */
  title: string;
  /** How many VMs it is about, begun or not. */
  size: number;
}

/** What an admin may do about a migration that needs attention. */
export interface MigrationAction {
  id: string;
  message: string;
  /** Carrying it out deletes something that cannot be had back. */
  destroys: boolean;
}

export interface MigrationView {
  id: MigrationId;
  uuid: Uuid;
  name: string;
  from: HostId;
  to: HostId;
  options: MigrationOptions;
  state: MigrationState;
  phase: MigrationPhase;
  progress: MigrationProgress;
  /** Measured by libvirt once completed; null before, and where it does not say. */
  downtimeMs: number | null;
  /** The equivalent virsh command. */
  virsh: string;
  startedAt: Time;
  endedAt: Time | null;
  error: Err | null;
  /** Where it runs and is defined, read again from both hosts once it ended. */
  verdict: { runningOn: HostId[]; definedOn: HostId[] } | null;
  actions: MigrationAction[];
  /** Who started it: the user that Drover runs as. */
  by?: string;
  /** What there is to know about it besides, as sentences: why this transport, why it does not converge… */
  notices?: string[];
  /** Switched to post-copy: the VM runs on the target already, and there is no way back. */
  postCopied?: true;
  batch?: MigrationBatch;
}

export interface Check {
  id: string;
  level: 'ok' | 'warn' | 'error';
  message: string;
  fix?: string;
  /** What can be done about it from here, by `migrations.remedy`. */
  remedies?: Remedy[];
}

/** Something that would help, as it would be done. */
export interface Remedy {
  id: string;
  /** What it does, e.g. “Start the network default on kvm2”. */
  label: string;
  /** The command, the lines of the XML that change (a unified diff), or the options that the migration would get. */
  preview: { kind: 'command' | 'xml-diff' | 'options'; text: string };
  /** Options for the migration, where that is what it changes: nothing is done on a host then. */
  options?: Partial<MigrationOptions>;
}

/** The checks once more, after a remedy. */
export interface Remedied {
  /** Those given, and what the remedy changes: to start the migration with. */
  options: Partial<MigrationOptions>;
  preflight: Preflight;
}

export interface Preflight {
  verdict: 'ok' | 'warn' | 'blocked';
  checks: Check[];
}

export interface EvacuationPlan {
  plan: { uuid: Uuid; name: string; to: HostId; reason: string }[];
  stays: { uuid: Uuid; name: string; reason: string }[];
  migrations: MigrationView[];
}

// --- Discovery -----------------------------------------------------------------------------------

export const scanPasses = ['full', 'silent', 'non-libvirt', 'known'] as const;
export type ScanPass = (typeof scanPasses)[number];

export interface Found {
  address: string;
  port: number;
  kind: 'libvirt' | 'ssh' | 'open' | 'silent';
  /** The first line that the port said, made printable. */
  banner?: string;
  /** `SHA256:…` of the host key, taken without logging in. */
  fingerprint?: string;
  libvirtVersion?: string;
  /** As libvirt names it, and how many VMs there were: where a login of a sweep has proved libvirt. */
  hypervisor?: string;
  domains?: number;
  /** The host of the fleet at this address. */
  hostId?: HostId;
  /** What a port without SSH is known for: libvirt's own, plain or with TLS. Not proven by a login. */
  service?: 'libvirt-tcp' | 'libvirt-tls';
  /** The host was known at another address, which it answers at no more. */
  moved?: {
    from: string;
    /** Its host in the fleet, which still looks for it there. */
    hostId?: HostId;
    /** What says that it is the same one. */
    by: 'key' | 'key and UUID';
  };
}

export interface ScanView {
  id: ScanId;
  /** What is really swept: host bits dropped. */
  cidr: string;
  pass: ScanPass;
  state: 'running' | 'completed' | 'cancelled' | 'failed';
  /** Connections tried, and to be tried. */
  probed: number;
  total: number;
  /** Connections begun so far: more than `probed`, as silent ones are called again. */
  connections: number;
  found: Found[];
  /**
   * The range in order, at most 1024 cells of as many addresses each: a digit says how many tenths of a cell were
   * called without an answer (0: none yet), a letter the best answer in it: `c` refused, `o` open, `s` SSH, `l` libvirt.
   */
  map: string;
  /** How many addresses the map stands for. */
  addresses: number;
  /** Why it waits now, as a sentence; null while it does not. */
  paused: string | null;
  /** Begun by its schedule. */
  scheduled: boolean;
  /** What was corrected in the request, as sentences; e.g. host bits dropped. */
  notes: string[];
  error: Err | null;
  startedAt: Time;
  endedAt: Time | null;
}

/** What a scan would do, said without doing it. */
export interface ScanForecast {
  cidr: string;
  pass: ScanPass;
  addresses: number;
  /** Ports to be called. */
  total: number;
  /** Silent ports are called twice, three times where the way is long; more often only where many packets are lost. */
  connections: { least: number; most: number };
  /** How long it takes where no other scan runs: where hosts answer, and where none does, so that nothing is learned. */
  durationMs: number;
  durationMostMs: number;
  notes: string[];
  /** Why `scans.start` will ask for `confirm`; null where it will not. */
  confirm: string | null;
}

export interface PassSchedule {
  on: boolean;
  everyMinutes: number;
  /** When its schedule last began it, and when it next will; null for never. */
  lastAt: Time | null;
  nextAt: Time | null;
}

export interface Schedules {
  /** What the passes go over; null for none yet: then only `known` can be on, and goes to all known libvirt hosts. */
  cidr: string | null;
  passes: Record<ScanPass, PassSchedule>;
}

/** A host that is named somewhere, without any scan. */
export interface Suggestion {
  /** As it is named there: a host's name, or an address. */
  name: string;
  port: number;
  user?: string;
  /** Addresses that stand beside the name. */
  addresses: string[];
  from: ('known_hosts' | 'ssh_config' | 'neighbour table' | 'mDNS')[];
  /** What to add it by. */
  uri: string;
  hostId?: HostId;
}

export interface Suggestions {
  suggestions: Suggestion[];
  /** What could not be read or asked, as sentences. */
  notes: string[];
}

/** A scan's counts and only what it has newly found. */
export type ScanChange = ScanView;

export interface Neighbour extends Found {
  firstSeen: Time;
  lastSeen: Time;
  /** What the last pass saw change, e.g. `new`, `gone`, `host key changed`; null for nothing. */
  change: string | null;
}

export interface Adopted {
  hosts: HostView[];
  failed: { address: string; err: Err }[];
}

// --- Questions and notices -----------------------------------------------------------------------

/** Something a login needs from the admin. An answer is stored only where that was asked for. */
export interface Question {
  id: string;
  hostId: HostId;
  kind: 'password' | 'passphrase' | 'keyboard-interactive';
  /** Whom it is for, e.g. `root@kvm1` or a key file's path. */
  title: string;
  /** The server's own words where it gave some; untrusted text. */
  instruction: string;
  prompts: { text: string; echo: boolean }[];
  /** The last answer was refused. */
  again: boolean;
  /** The answer can be kept in the system's keychain; in the desktop app, where there is one. */
  mayKeep?: boolean;
}

export interface Notice {
  level: 'info' | 'warn' | 'error';
  message: string;
  hostId?: HostId;
  at: Time;
}

export interface Preferences {
  theme: 'system' | 'light' | 'dark';
  /** Column, pane and filter choices of the window: its own, opaque to the rest. */
  window: Record<string, unknown>;
}

export interface DemoView {
  /** How many simulated hosts there are now. */
  hosts: number;
}

export interface Health {
  version: string;
  epoch: string;
  uptimeMs: number;
  hosts: number;
  domains: number;
}

/** What can be sent to who helps: no names, no addresses, no secrets. */
export interface Diagnostics {
  at: string;
  drover: string;
  node: string;
  electron: string | null;
  platform: string;
  uptimeMs: number;
  memoryBytes: number;
  hosts: {
    /** `host-1`: never its own. */
    name: string;
    scheme: string;
    state: HostState;
    error: Pick<Err, 'code' | 'message'> | null;
    connections: number;
    domains: HostView['domains'];
    info: Pick<HostInfo, 'hypervisor' | 'hypervisorVersion' | 'libvirtVersion' | 'arch' | 'cpus' | 'memoryKiB'> | null;
  }[];
  /** The newest first. */
  migrations: (Pick<MigrationView, 'state' | 'phase' | 'startedAt' | 'endedAt'> &
    Pick<MigrationOptions, 'mode' | 'transport' | 'storage'> & {
      from: string;
      to: string;
      error: Pick<Err, 'code' | 'message'> | null;
      notices: string[];
    })[];
  /** The last lines, each with its time. */
  log: string[];
  /** What is not in here, in sentences. */
  leftOut: string[];
}
