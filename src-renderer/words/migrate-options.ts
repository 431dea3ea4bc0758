// The options of a migration: as they are chosen, and as facts of one that was.
import type { MigrationMode, MigrationOptions, StorageMode, Transport } from '../../contract/model.ts';

const modes: Record<MigrationMode, string> = {
  live: 'Live: it runs on while it moves',
  suspend: 'Paused while it moves',
  offline: 'Offline: its definition only',
  cold: 'Cold: its definition and disks',
};

const transports: Record<Transport, string> = {
  auto: 'Automatic',
  direct: 'Direct: from host to host, driven by Drover',
  p2p: 'Peer to peer: driven by the source host',
  tunnelled: 'Tunnelled: through libvirt’s own connection',
  relay: 'Relay: through this machine',
};

const storages: Record<StorageMode, string> = {
  shared: 'Both hosts reach the disks',
  copy: 'Copy the disks',
  'copy-incremental': 'Copy what the disks add to their base',
};

/** What a choice means, under it. */
const about: Record<MigrationMode | Transport | StorageMode, string> = {
  live: '',
  suspend: 'It stands still for as long as its memory takes to move; for guests that never come to an end live.',
  offline: 'It is shut off: its definition moves, its disks stay where they are.',
  cold: 'It is shut off, and its disks are copied through Drover: no storage has to be shared.',
  auto: 'What is proved to work, in this order: peer to peer, direct, relay. The checks say which and why.',
  direct: 'The hosts reach each other; their daemons need not trust one another. It ends with Drover.',
  p2p: 'The source logs in to the target’s libvirt. It goes on by itself should Drover or this network fail.',
  tunnelled: 'Encrypted between the daemons, and slower; without copied disks and without post-copy.',
  relay: 'For hosts that cannot reach each other: encrypted, over Drover’s two SSH connections, as fast as these.',
  shared: 'The same disks are at the same paths on both hosts.',
  copy: 'Disks that are not shared are copied to the target while it runs; it needs the room there.',
  'copy-incremental': 'The target has the base image already: only what was written since is copied.',
};

export const migrateOptions = {
  mode: 'Mode',
  transport: 'Way of the memory',
  storage: 'Disks',
  modes,
  transports,
  storages,
  about,

  bandwidth: 'Bandwidth',
  bandwidthHint: 'Empty: as much as there is',
  bandwidthUnit: 'MiB/s',
  downtime: 'Longest stop',
  downtimeHint: 'Empty: the hypervisor’s own, 300 ms',
  downtimeUnit: 'ms',

  autoConverge: 'Auto-converge',
  autoConvergeHint: 'Slows the guest down where it writes memory faster than it moves',
  postCopy: 'Allow post-copy',
  postCopyHint: 'May switch over early; from then on there is no way back',
  compressed: 'Compress memory',
  compressedHint: 'Less on the network, more work for the CPUs',
  persistent: 'Keep its definition on the target',
  persistentHint: 'Else it is gone from there once shut off',
  undefineSource: 'Remove its definition from the source',
  undefineSourceHint: 'Else it could be started on both hosts',
  unsafe: 'Unsafe: skip libvirt’s checks on disks and caches',
  unsafeHint: 'Disks may be damaged: only where you know why libvirt refuses',
  force: 'Start in spite of checks that block',
  forceHint: 'Libvirt will most likely refuse, or it fails on the way',
};

/** What differs from nothing being asked for, as facts to be listed. */
export function optionFacts(options: MigrationOptions): { name: string; value: string; mono?: boolean }[] {
  const yes = (name: string, on: boolean) => (on ? [{ name, value: 'yes' }] : []);
  const said = (name: string, value: string | number | null, unit?: string) =>
    value === null ? [] : [{ name, value: unit ? `${value} ${unit}` : String(value), mono: typeof value === 'string' }];
  const words = migrateOptions;
  return [
    { name: words.mode, value: options.mode },
    { name: 'Transport', value: options.transport },
    { name: 'Storage', value: options.storage },
    { name: 'Kept on the target', value: options.persistent ? 'yes' : 'no' },
    { name: 'Removed from the source', value: options.undefineSource ? 'yes' : 'no' },
    ...yes(words.autoConverge, options.autoConverge),
    ...yes('Post-copy', options.postCopy),
    ...yes('Compressed', options.compressed),
    ...yes('TLS', options.tls),
    ...yes('Unsafe', options.unsafe),
    ...yes('In spite of the checks', options.force),
    ...said('Parallel connections', options.parallel),
    ...said(words.bandwidth, options.bandwidthMiBps, words.bandwidthUnit),
    ...said(words.downtime, options.maxDowntimeMs, words.downtimeUnit),
    ...said('Migration URI', options.migrateUri),
    ...said('Listens on', options.listenAddress),
    ...said('Name on the target', options.destName),
  ];
}
