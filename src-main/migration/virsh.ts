// A migration as the virsh command that does the same.
import { posix } from 'node:path';
import type { MigrationOptions } from '../../contract/model.ts';
import { isOff } from './options.ts';
import { type CopiedDisk, pathThere } from './storage/volumes.ts';

interface Ends {
  domain: string;
  /** libvirt's URIs. */
  from: string;
  to: string;
  migrateUri: string | null;
  /** With TLS: the name that the target's certificate is for. */
  tlsDestination?: string | null | undefined;
  copied?: readonly CopiedDisk[];
}

/** More than one, joined by `&&`, where virsh has none for it. */
export function virshCommand(options: MigrationOptions, ends: Ends): string {
  const { domain, from, to, migrateUri, tlsDestination = null, copied = [] } = ends;
  const { transport, mode, storage } = options;
  const words = ['virsh', '-c', quote(from), 'migrate'];
  if (transport === 'p2p' || transport === 'tunnelled') words.push('--p2p');
  if (transport === 'tunnelled') words.push('--tunnelled');
  if (mode === 'live') words.push('--live');
  if (isOff(options)) words.push('--offline');
  if (options.persistent) words.push('--persistent');
  if (options.undefineSource) words.push('--undefinesource');
  if (options.autoConverge) words.push('--auto-converge');
  if (options.compressed) words.push('--compressed');
  if (options.postCopy) words.push('--postcopy');
  if (!isOff(options) && storage !== 'shared' && copied.length > 0) {
    words.push(storage === 'copy' ? '--copy-storage-all' : '--copy-storage-inc');
    words.push('--migrate-disks', copied.map(({ target }) => target).join());
  }
  if (options.unsafe) words.push('--unsafe');
  if (options.tls) words.push('--tls');
  if (tlsDestination !== null) words.push('--tls-destination', quote(tlsDestination));
  if (options.parallel !== null) words.push('--parallel', '--parallel-connections', String(options.parallel));
  if (options.bandwidthMiBps !== null && !isOff(options)) words.push('--bandwidth', String(options.bandwidthMiBps));
  if (options.listenAddress !== null) words.push('--listen-address', quote(options.listenAddress));
  if (options.destName !== null) words.push('--dname', quote(options.destName));
  if (options.destXml !== null) {
    words.push('--xml', 'FILE');
    if (options.persistent && !isOff(options)) words.push('--persistent-xml', 'FILE');
  }
  words.push(quote(domain), quote(to));
  if (migrateUri !== null && transport !== 'tunnelled') words.push(quote(migrateUri));
  const copies = mode === 'cold' ? copied.flatMap((disk) => copyCommands(from, to, disk)) : [];
  return [...copies, words.join(' ')].join(' && ');
}

function copyCommands(from: string, to: string, disk: CopiedDisk): string[] {
  const path = pathThere(disk);
  const file = quote(posix.basename(path));
  const virsh = (uri: string, ...words: string[]) => ['virsh', '-c', quote(uri), ...words].join(' ');
  return [
    virsh(from, 'vol-download', '--sparse', quote(disk.path), file),
    virsh(to, 'vol-create-as', 'POOL', file, `$(stat -c %s ${file})`, '--allocation', '0', '--format', 'raw'),
    virsh(to, 'vol-upload', '--sparse', quote(path), file),
  ];
}

/** As a POSIX shell takes it. */
export function quote(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`;
}
