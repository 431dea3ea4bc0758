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
  mode: ['live', 'suspend', 'offline'],
  transport: ['auto', 'direct', 'p2p', 'tunnelled', 'relay'],
  storage: ['shared', 'copy'],
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
    { name: 'storage', default: 'shared', values: able.storage, does: 'whether disks are copied' },
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
    storage: given.storage ?? 'shared',
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
  if (options.mode === 'cold') throw notYet('a shut-off VM together with its disks (mode “cold”)');
  if (!able.storage.includes(options.storage)) throw notYet(`by the storage “${options.storage}”`);
  if (options.storage !== 'shared' && options.mode === 'offline') {
    throw new Failure('bad-request', 'An offline migration moves the definition alone, so no disks can be copied.');
  }
  if (
    options.postCopy &&
    (options.transport === 'tunnelled' || options.mode === 'suspend' || options.mode === 'offline')
  ) {
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
  if (options.mode === 'offline' && !options.persistent) {
    throw new Failure('bad-request', 'An offline migration moves the definition, so “persistent” has to be true.');
  }
  return options;
}

const flagsOf: Record<MigrationMode, number> = {
  live: migrateFlags.live,
  suspend: 0,
  offline: migrateFlags.offline,
  cold: 0,
};

/** What both sides are told: libvirt's flags without those of a single side. */
export function flagsFor(options: MigrationOptions, paused: boolean): number {
  return (
    flagsOf[options.mode] |
    (options.persistent ? migrateFlags.persist_dest : 0) |
    (options.undefineSource ? migrateFlags.undefine_source : 0) |
    (paused ? migrateFlags.paused : 0) |
    (options.unsafe ? migrateFlags.unsafe : 0) |
    (options.storage === 'copy' ? migrateFlags.non_shared_disk : 0) |
    (options.mode === 'offline' ? 0 : memoryFlags(options))
  );
}

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
export function paramsFor(options: MigrationOptions, copied: readonly { target: string }[] = []): Param[] {
  return [
    // Only these: libvirt would copy what both hosts share onto itself.
    ...copied.map(({ target }) => param.str('migrate_disks', target)),
    ...(options.destName === null ? [] : [param.str('destination_name', options.destName)]),
    ...(options.listenAddress === null ? [] : [param.str('listen_address', options.listenAddress)]),
    ...(options.bandwidthMiBps === null ? [] : [param.u64('bandwidth', options.bandwidthMiBps)]),
    ...(options.parallel === null ? [] : [param.i32('parallel.connections', options.parallel)]),
  ];
}

/** The equivalent virsh command. */
export function virshCommand(
  options: MigrationOptions,
  domain: string,
  from: string,
  to: string,
  migrateUri: string | null,
  copied: readonly { target: string }[] = [],
): string {
  const words = ['virsh', '-c', quote(from), 'migrate'];
  if (options.transport === 'p2p' || options.transport === 'tunnelled') words.push('--p2p');
  if (options.transport === 'tunnelled') words.push('--tunnelled');
  if (options.mode === 'live') words.push('--live');
  if (options.mode === 'offline') words.push('--offline');
  if (options.persistent) words.push('--persistent');
  if (options.undefineSource) words.push('--undefinesource');
  if (options.autoConverge) words.push('--auto-converge');
  if (options.compressed) words.push('--compressed');
  if (options.postCopy) words.push('--postcopy');
  if (options.storage === 'copy' && copied.length > 0) {
    words.push('--copy-storage-all', '--migrate-disks', copied.map(({ target }) => target).join());
  }
  if (options.unsafe) words.push('--unsafe');
  if (options.tls) words.push('--tls');
  if (options.parallel !== null) words.push('--parallel', '--parallel-connections', String(options.parallel));
  if (options.bandwidthMiBps !== null) words.push('--bandwidth', String(options.bandwidthMiBps));
  if (options.listenAddress !== null) words.push('--listen-address', quote(options.listenAddress));
  if (options.destName !== null) words.push('--dname', quote(options.destName));
  if (options.destXml !== null) words.push('--xml', 'FILE');
  words.push(quote(domain), quote(to));
  if (migrateUri !== null && options.transport !== 'tunnelled') words.push(quote(migrateUri));
  return words.join(' ');
}

/** As a POSIX shell takes it. */
export function quote(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`;
}
