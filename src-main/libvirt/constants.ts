// libvirt's numbers by name: programs, features, states and reasons, events, flags. All append-only.

export const programs = { remote: 0x20008086, qemu: 0x20008087, lxc: 0x00068000, keepalive: 0x6b656570 } as const;

/** What a daemon can be asked to support. 10 is asked before open: it starts the daemon's own keepalive. */
export const features = {
  migration_v2: 3,
  migration_p2p: 4,
  migration_direct: 5,
  migration_v3: 6,
  migrate_change_protection: 7,
  fd_passing: 8,
  typed_param_string: 9,
  program_keepalive: 10,
  xml_migratable: 11,
  migration_offline: 12,
  migration_params: 13,
  remote_event_callback: 14,
  remote_close_callback: 15,
  network_update_has_correct_order: 16,
} as const;
export type Feature = keyof typeof features;

/** By number, as `domain_get_state` and bulk statistics answer it. */
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

/** Why a domain is in its state, by the reason's number. */
export const domainReasons: Readonly<Record<DomainState, readonly string[]>> = {
  nostate: ['unknown'],
  running: [
    'unknown',
    'booted',
    'migrated',
    'restored',
    'from snapshot',
    'unpaused',
    'migration cancelled',
    'save cancelled',
    'woken up',
    'crashed',
    'post-copy',
    'post-copy failed',
  ],
  blocked: ['unknown'],
  paused: [
    'unknown',
    'by a user',
    'migration',
    'save',
    'dump',
    'I/O error',
    'watchdog',
    'from snapshot',
    'shutting down',
    'snapshot',
    'crashed',
    'starting up',
    'post-copy',
    'post-copy failed',
    'API error',
  ],
  shutdown: ['unknown', 'by a user'],
  shutoff: ['unknown', 'shut down', 'destroyed', 'crashed', 'migrated', 'saved', 'failed', 'from snapshot', 'daemon'],
  crashed: ['unknown', 'panicked'],
  pmsuspended: ['unknown'],
};

/** The numbers that decisions are made on. */
export const domainState = {
  nostate: 0,
  running: 1,
  blocked: 2,
  paused: 3,
  shutdown: 4,
  shutoff: 5,
  crashed: 6,
  pmsuspended: 7,
} as const;
export const runningReason = { migrated: 2, migration_canceled: 6, postcopy: 10, postcopy_failed: 11 } as const;
export const pausedReason = { user: 1, migration: 2, io_error: 5, postcopy: 12, postcopy_failed: 13 } as const;
export const shutoffReason = { shutdown: 1, destroyed: 2, crashed: 3, migrated: 4, saved: 5 } as const;

/** State and reason in words; unknown numbers come from newer daemons and read `nostate`, `unknown`. */
export function stateInWords(state: number, reason: number): { state: DomainState; reason: string } {
  const name = domainStates[state] ?? 'nostate';
  return { state: name, reason: domainReasons[name][reason] ?? 'unknown' };
}

/** What a `lifecycle` event tells, by number, and its details by theirs. */
export const lifecycleEvents = [
  'defined',
  'undefined',
  'started',
  'suspended',
  'resumed',
  'stopped',
  'shutdown',
  'pmsuspended',
  'crashed',
] as const;
export type LifecycleEvent = (typeof lifecycleEvents)[number];
export const lifecycleDetails: Readonly<Record<LifecycleEvent, readonly string[]>> = {
  defined: ['added', 'updated', 'renamed', 'from snapshot'],
  undefined: ['removed', 'renamed'],
  started: ['booted', 'migrated', 'restored', 'from snapshot', 'woken up'],
  suspended: [
    'paused',
    'migrated',
    'I/O error',
    'watchdog',
    'restored',
    'from snapshot',
    'API error',
    'post-copy',
    'post-copy failed',
  ],
  resumed: ['unpaused', 'migrated', 'from snapshot', 'post-copy', 'post-copy failed'],
  stopped: ['shut down', 'destroyed', 'crashed', 'migrated', 'saved', 'failed', 'from snapshot', 'recreated'],
  shutdown: ['finished', 'by the guest', 'by the host'],
  pmsuspended: ['to memory', 'to disk'],
  crashed: ['panicked', 'crash loaded'],
};

/** Of `domain_migrate_…`. */
export const migrateFlags = {
  live: 1,
  peer2peer: 2,
  tunnelled: 4,
  persist_dest: 8,
  undefine_source: 16,
  paused: 32,
  non_shared_disk: 64,
  non_shared_inc: 128,
  change_protection: 256,
  unsafe: 512,
  offline: 1024,
  compressed: 2048,
  abort_on_error: 4096,
  auto_converge: 8192,
  rdma_pin_all: 16_384,
  postcopy: 32_768,
  tls: 65_536,
  parallel: 131_072,
  non_shared_synchronous_writes: 262_144,
  postcopy_resume: 524_288,
  zerocopy: 1_048_576,
} as const;

/** `domain_get_job_stats`: type. */
export const jobType = { none: 0, bounded: 1, unbounded: 2, completed: 3, failed: 4, cancelled: 5 } as const;

/** `connect_get_all_domain_stats`: groups, a mask. */
export const statsGroups = {
  state: 1,
  cpu: 2,
  balloon: 4,
  vcpu: 8,
  interface: 16,
  block: 32,
  perf: 64,
  iothread: 128,
  memory: 256,
  dirtyrate: 512,
  vm: 1024,
} as const;

/** `connect_get_all_domain_stats`: flags, besides the filters of lists. */
export const statsFlags = { nowait: 2 ** 29, backing: 2 ** 30, enforce: 2 ** 31 } as const;

/** `connect_compare_cpu` and its like: an incompatible one is an error that names what is missing. */
export const cpuCompareFlags = { fail_incompatible: 1 } as const;

/** Of attaching, detaching and updating a device: now, and at the next start. */
export const deviceFlags = { live: 1, config: 2 } as const;

/** `domain_get_xml_desc`. */
export const xmlFlags = { secure: 1, inactive: 2, update_cpu: 4, migratable: 8 } as const;

/** `connect_list_all_domains`: filters; 0 is everything. */
export const listDomainsFlags = {
  active: 1,
  inactive: 2,
  persistent: 4,
  transient: 8,
  running: 16,
  paused: 32,
  shutoff: 64,
  other: 128,
  managed_save: 256,
  no_managed_save: 512,
  autostart: 1024,
  no_autostart: 2048,
  has_snapshot: 4096,
  no_snapshot: 8192,
} as const;

/** `domain_undefine_flags`. */
export const undefineFlags = {
  managed_save: 1,
  snapshots_metadata: 2,
  nvram: 4,
  keep_nvram: 8,
  checkpoints_metadata: 16,
  tpm: 32,
  keep_tpm: 64,
} as const;

/** Of a change to a domain: in what runs, and in what it starts from next time. */
export const affectFlags = { live: 1, config: 2 } as const;
/** Kinds of `domain_set_metadata`; an element stands under a URI of its owner's. */
export const metadataType = { description: 0, title: 1, element: 2 } as const;
/** `domain_define_xml_flags` */
export const defineFlags = { validate: 1 } as const;

export const snapshotCreateFlags = { halt: 8, disk_only: 16, quiesce: 64, atomic: 128 } as const;
export const snapshotRevertFlags = { running: 1, paused: 2, force: 4 } as const;
export const snapshotDeleteFlags = { children: 1, metadata_only: 2, children_only: 4 } as const;

export const consoleFlags = { force: 1, safe: 2 } as const;

/** Libvirt's versions as numbers: `version(10, 1)` is 10,001,000. */
export const version = (major: number, minor = 0, release = 0) => major * 1_000_000 + minor * 1_000 + release;

/** 9000000 as `9.0.0`. */
export const versionText = (number: number) =>
  `${Math.floor(number / 1_000_000)}.${Math.floor(number / 1_000) % 1_000}.${number % 1_000}`;
