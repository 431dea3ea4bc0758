// The options of a migration: their defaults, what they ask of libvirt, and the same as a virsh command.
import { Failure } from '../../contract/failure.ts';
import {
  type DomainView,
  type MigrationMode,
  type MigrationOptions,
  type StorageMode,
  type Transport,
} from '../../contract/model.ts';
import { migrateFlags, type Param, param } from '../libvirt/index.ts';

export type GivenOptions = { [K in keyof MigrationOptions]?: MigrationOptions[K] | undefined };

/** What can be carried out so far: only this is offered. */
const able: { mode: MigrationMode[]; transport: Transport[]; storage: StorageMode[] } = {
  mode: ['live', 'suspend', 'offline', 'cold'],
  transport: ['auto', 'direct', 'p2p', 'tunnelled', 'relay'],
  storage: ['shared', 'copy', 'copy-incremental'],
};

/** Each option as the API lists it; a default that depends on the VM is told in words. */
export const described: { name: keyof MigrationOptions; default: unknown; values?: readonly string[]; does: string }[] =
  [
    {
      name: 'mode',
      default: 'by the VM’s state',
      values: able.mode,
      does: 'live; suspend: paused while it moves; offline: a shut-off VM’s definition; cold: with its disks',
    },
    {
      name: 'transport',
      default: 'auto',
      values: able.transport,
      does: 'which way the memory goes; auto takes what is proved to work',
    },
    {
      name: 'storage',
      default: 'shared; for cold: copy',
      values: able.storage,
      does: 'whether disks are copied that the hosts do not share; copy-incremental: only what was written over a file that both have',
    },
    { name: 'persistent', default: 'true for a persistent VM', does: 'define it on the target' },
    { name: 'undefineSource', default: 'true for a persistent VM', does: 'forget it on the source' },
    { name: 'autoConverge', default: false, does: 'slow the guest down when it dirties memory faster than it moves' },
    { name: 'postCopy', default: false, does: 'allow switching to post-copy while it runs' },
    { name: 'compressed', default: false, does: 'compress memory pages' },
    { name: 'parallel', default: null, does: 'this many connections for the memory' },
    { name: 'unsafe', default: false, does: 'migrate even where libvirt fears for the disks' },
    { name: 'tls', default: false, does: 'encrypt the memory’s way by the hosts’ certificates' },
    { name: 'migrateUri', default: null, does: 'where the source reaches the target, e.g. tcp://10.0.0.2' },
    { name: 'listenAddress', default: null, does: 'the target’s address to listen on' },
    { name: 'bandwidthMiBps', default: null, does: 'at most so many MiB a second' },
    { name: 'maxDowntimeMs', default: null, does: 'how long the guest may stand still at the switch-over' },
    { name: 'destName', default: null, does: 'its name on the target' },
    { name: 'destXml', default: null, does: 'its XML on the target' },
    { name: 'force', default: false, does: 'start in spite of a preflight that says no' },
  ];

/** @throws Failure `unsupported` for what Drover cannot do yet, `bad-request` for what makes no sense together */
export function resolveOptions(given: GivenOptions, domain: DomainView): MigrationOptions {
  const off = domain.state === 'shutoff' || domain.state === 'crashed';
  const options: MigrationOptions = {
    mode: given.mode ?? (off ? 'offline' : 'live'),
    transport: given.transport ?? 'auto',
    storage: given.storage ?? (given.mode === 'cold' ? 'copy' : 'shared'),
    persistent: given.persistent ?? domain.persistent,
    undefineSource: given.undefineSource ?? domain.persistent,
    autoConverge: given.autoConverge ?? false,
    postCopy: given.postCopy ?? false,
    compressed: given.compressed ?? false,
    parallel: given.parallel ?? null,
    unsafe: given.unsafe ?? false,
    tls: given.tls ?? false,
    migrateUri: given.migrateUri ?? null,
    listenAddress: given.listenAddress ?? null,
    bandwidthMiBps: given.bandwidthMiBps ?? null,
    maxDowntimeMs: given.maxDowntimeMs ?? null,
    destName: given.destName ?? null,
    destXml: given.destXml ?? null,
    force: given.force ?? false,
  };
  const notYet = (what: string) => new Failure('unsupported', `Drover cannot migrate ${what} yet.`);
  if (!able.storage.includes(options.storage)) throw notYet(`by the storage “${options.storage}”`);
  if (options.destName !== null && /[/\n]/.test(options.destName)) {
    throw new Failure('bad-request', 'A VM’s name (destName) has no slash and no line break: libvirt takes none.');
  }
  if (options.storage !== 'shared' && options.mode === 'offline') {
    throw new Failure('bad-request', 'An offline migration moves the definition alone, so no disks can be copied.');
  }
  if (options.postCopy && (options.transport === 'tunnelled' || options.mode !== 'live')) {
    throw new Failure('bad-request', 'Only a live migration that is not tunnelled can be switched to post-copy.');
  }
  if (!able.transport.includes(options.transport)) throw notYet(`by the transport “${options.transport}”`);
  if (options.transport === 'relay' && (options.migrateUri !== null || options.parallel !== null || options.tls)) {
    const what = 'no migrateUri, no parallel connections and no TLS: it goes through the SSH connections';
    throw new Failure('bad-request', `A relayed migration has ${what}.`);
  }
  if (options.transport === 'tunnelled') {
    const no = (what: string) => new Failure('bad-request', `A tunnelled migration has no ${what}; leave it out.`);
    if (options.migrateUri !== null) throw no('migrateUri, as it goes through the daemons’ own connection');
    if (options.parallel !== null) throw no('parallel connections');
    if (options.storage !== 'shared') throw no('copy of disks');
    if (options.tls) throw no('TLS of its own, as the daemons’ connection is what encrypts it');
  }
  if (options.mode === 'cold' && (options.transport === 'p2p' || options.transport === 'tunnelled')) {
    const why =
      'In a cold migration the disks go through Drover, so the daemons cannot carry it out between themselves';
    throw new Failure('bad-request', `${why}; choose the transport “auto”.`);
  }
  if (isOff(options) && !options.persistent) {
    const message = `An ${options.mode} migration moves the definition, so “persistent” has to be true.`;
    throw new Failure('bad-request', message.replace('An cold', 'A cold'));
  }
  return options;
}

const flagsOf: Record<MigrationMode, number> = {
  live: migrateFlags.live,
  suspend: 0,
  offline: migrateFlags.offline,
  cold: migrateFlags.offline,
};

/** The VM is shut off, and stays so: no memory moves. */
export const isOff = ({ mode }: Pick<MigrationOptions, 'mode'>) => mode === 'offline' || mode === 'cold';

/** Told to copy without any disk that is to be copied, libvirt would choose them itself: also what both hosts share. */
export const copying = (options: MigrationOptions, copied: readonly unknown[]): MigrationOptions =>
  copied.length > 0 ? options : { ...options, storage: 'shared' };

/** What both sides are told: libvirt's flags without those of a single side. */
export function flagsFor(options: MigrationOptions, paused: boolean): number {
  return (
    flagsOf[options.mode] |
    (options.persistent ? migrateFlags.persist_dest : 0) |
    (options.undefineSource ? migrateFlags.undefine_source : 0) |
    (paused ? migrateFlags.paused : 0) |
    (options.unsafe ? migrateFlags.unsafe : 0) |
    (isOff(options) ? 0 : storageFlags[options.storage] | memoryFlags(options))
  );
}

const storageFlags: Record<StorageMode, number> = {
  shared: 0,
  copy: migrateFlags.non_shared_disk,
  'copy-incremental': migrateFlags.non_shared_inc,
};

function memoryFlags(options: MigrationOptions): number {
  return (
    (options.autoConverge ? migrateFlags.auto_converge : 0) |
    (options.compressed ? migrateFlags.compressed : 0) |
    (options.postCopy ? migrateFlags.postcopy : 0) |
    (options.parallel ? migrateFlags.parallel : 0) |
    (options.tls ? migrateFlags.tls : 0)
  );
}

/** The typed parameters of every step, without the XML and the address, which the steps themselves find. */
export function paramsFor(
  options: MigrationOptions,
  copied: readonly { target: string }[] = [],
  tlsDestination?: string | null,
): Param[] {
  return [
    // Only these: libvirt would copy what both hosts share onto itself.
    ...(isOff(options) ? [] : copied.map(({ target }) => param.str('migrate_disks', target))),
    ...(options.destName === null ? [] : [param.str('destination_name', options.destName)]),
    // Else its next start over there would be by the definition that it had here.
    ...(options.destXml === null || !options.persistent || isOff(options)
      ? []
      : [param.str('persistent_xml', options.destXml)]),
    ...(options.listenAddress === null ? [] : [param.str('listen_address', options.listenAddress)]),
    ...(options.bandwidthMiBps === null ? [] : [param.u64('bandwidth', options.bandwidthMiBps)]),
    ...(!tlsDestination ? [] : [param.str('tls.destination', tlsDestination)]),
    ...(options.parallel === null ? [] : [param.i32('parallel.connections', options.parallel)]),
  ];
}
