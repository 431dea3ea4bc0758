// Whether both hosts see the same disk behind the same path, asked of the hosts' own file systems.
import { posix } from 'node:path';
import type { Check, Remedy } from '../../../contract/model.ts';
import { type DiskFacts, readDomainXml } from '../../fleet/domain-xml.ts';
import type { Host } from '../../fleet/host.ts';
import type { Dom } from '../../libvirt/index.ts';
import { noBacking } from './disk-copy.ts';
import { isOff } from '../options.ts';
import { type Place, placeOn, withPaths } from './named-volumes.ts';
import { poolOf, volumeIn } from './pools.ts';
import type { Route } from '../route.ts';
import type { SourceXml } from '../preflight/domain-xml.ts';
import { ejecting } from '../preflight/media.ts';
import { startingPoolOf } from '../preflight/pools.ts';
import { byOptions } from '../preflight/remedies.ts';
import { error, ok, said, warn } from '../preflight/say.ts';
import { quote } from '../virsh.ts';
import { type CopiedDisk, copyable, factsOf, freeIn, noPool, pathThere } from './volumes.ts';

/** File systems that libvirt itself takes as shared; others need a disk without a cache of the host's. */
const sharedKinds = /^(nfs|nfs4|gfs2|gfs|ocfs2|afs|smb|smb2|cifs|ceph|gpfs|fuseblk|lustre)/;
const cacheless = new Set(['none', 'directsync']);

/** A file as one host sees it; null: not there; undefined: it would not say. */
type Stat = { inode: string; fileSystem: string; kind: string } | null | undefined;

export interface DiskChecks {
  checks: Check[];
  /** What is to be copied, where that was asked for: never what both hosts share. */
  copied: CopiedDisk[];
}

export async function checkDisks(route: Route, known: DiskFacts[], xml: SourceXml): Promise<DiskChecks> {
  const { domain, source, target, options } = route;
  const copied: CopiedDisk[] = [];
  const cold = options.mode === 'cold';
  const off = isOff(options);
  const disks = await withPaths(source, known);
  const places = await placesOn(route, disks);
  const onTarget = (disk: DiskFacts) => {
    const place = places.get(disk.target);
    return place && 'path' in place ? place.path : (disk.path ?? '');
  };
  const asked = disks.filter((disk) => disk.path !== null);
  const paths = asked.map(({ path }) => path ?? '');
  const [here, there] =
    asked.length === 0
      ? [null, null]
      : await Promise.all([statted(source, paths), statted(target, asked.map(onTarget))]);
  const candidates = options.storage === 'shared' ? [] : copyable(disks, cold);
  const checks = await Promise.all(disks.map((disk) => checkDisk(disk)));
  return { checks: checks.filter((check) => check !== null), copied };

  async function checkDisk(disk: DiskFacts): Promise<Check | null> {
    const id = `disk-${disk.target}`;
    const place = places.get(disk.target);
    if (place && 'refused' in place) return place.refused;
    if (disk.path === null) return withoutPath(disk, place, target);
    const a = here?.get(disk.path);
    let b = there?.get(onTarget(disk));
    const what =
      disk.device === 'cdrom' || disk.device === 'floppy' ? `The medium in ${disk.target}` : `The disk ${disk.target}`;
    const candidate = candidates.find((one) => one.target === disk.target);
    // Who may not look into the folder may still be told by libvirt.
    if (candidate && b === undefined && (await absentInPool(target, onTarget(disk)))) b = null;
    if (candidate && b === null) {
      const to = onTarget(disk);
      const one = to === disk.path ? candidate : { ...candidate, to };
      copied.push(one);
      return checkCopy(id, what, one);
    }
    if (candidate && (a === undefined || b === undefined)) {
      const silent = a === undefined ? source : target;
      const message = `${what} (${disk.path}): ${silent.label} does not tell whether both hosts share it, so it is not copied: that could overwrite it.`;
      return { id, level: 'error', message };
    }
    if (a === undefined || b === undefined) {
      const silent = a === undefined ? source : target;
      return {
        id,
        level: 'warn',
        message: `${what} (${disk.path}): ${silent.label} does not tell whether both hosts share it.`,
      };
    }
    if (b === null) {
      const removable = disk.device === 'cdrom' || disk.device === 'floppy';
      // A VM that is shut off moves without it: that it is not there shows when it is started.
      const level = off && (removable || !cold) ? 'warn' : 'error';
      const message = `${what} (${disk.path}) is not there on ${target.label}${level === 'warn' ? ', and it cannot be started there without' : ''}.`;
      const fix = removable
        ? `Eject it from ${domain.name} first.`
        : off && !cold
          ? 'Move it with its disks (mode “cold”).'
          : 'Put it on storage that both hosts share, or copy it along (storage “copy”).';
      return said(id, level, message, fix, await forMissing(disk, removable));
    }
    if (a !== null && !same(a, b)) {
      return {
        id,
        level: off && !cold ? 'warn' : 'error',
        message: `${what} (${disk.path}): ${target.label} has another file of that name; it is not shared.`,
        fix: candidate
          ? `Delete or rename ${disk.path} on ${target.label}: Drover overwrites no disk.`
          : 'Put it on storage that both hosts share.',
      };
    }
    const guarded =
      disk.readonly || disk.shareable || cacheless.has(disk.cache ?? '') || (a !== null && sharedKinds.test(a.kind));
    if (!guarded && !options.unsafe && !off) {
      return {
        id,
        level: 'error',
        message: `${what} (${disk.path}) is cached by the host, on a file system that libvirt does not take for shared; it refuses to migrate that.`,
        fix: 'Set its cache to “none” in the XML, or allow “unsafe” if you know that the storage keeps both hosts in step.',
      };
    }
    return { id, level: 'ok', message: `${what} (${disk.path}) is shared by both hosts.` };
  }

  async function forMissing(disk: DiskFacts, removable: boolean): Promise<Remedy[]> {
    if (removable) {
      const eject = await ejecting(route, disk.target, xml);
      return eject ? [eject] : [];
    }
    const pool = await startingPoolOf(target, onTarget(disk));
    if (off && !cold)
      return [...pool, byOptions('cold', `Move it to ${target.label} with its disks`, { mode: 'cold' })];
    if (options.storage !== 'shared' || copyable([disk], cold).length === 0) return pool;
    return [...pool, byOptions('copy-disks', `Copy the disks along to ${target.label}`, { storage: 'copy' })];
  }

  async function checkCopy(id: string, what: string, disk: CopiedDisk): Promise<Check> {
    const dom = { name: domain.name, uuid: domain.uuid, id: domain.id ?? -1 };
    const room = await roomFor(target, source, dom, disk).catch(() => null);
    const inMiB = (bytes: number) => `${Math.ceil(bytes / 1024 ** 2)} MiB`;
    if (!room) {
      const message = `${what} (${disk.path}): whether ${target.label} has room for a copy could not be found out.`;
      return { id, level: 'warn', message };
    }
    const { pool, facts } = room;
    const capacity = cold ? (facts?.physical ?? room.capacity) : room.capacity;
    if (!pool) {
      const starting = await startingPoolOf(target, pathThere(disk));
      return said(id, 'error', noPool(target, pathThere(disk)).message, undefined, starting);
    }
    const needs = cold ? capacity : Math.min(room.taken, capacity);
    const has = `the pool ${pool.pool} on ${target.label} has ${inMiB(pool.available)} free`;
    if (pool.available < needs) {
      const message = `${what} (${disk.path}) takes ${inMiB(needs)}, and ${has}.`;
      return said(id, 'error', message, 'Make room there, or copy it to another pool by destXml.', []);
    }
    const backing = facts?.backing?.path ?? null;
    if (options.storage === 'copy-incremental') {
      if (backing === null) {
        const message = `${what} (${disk.path}) is not known to be a layer over another file, so there is nothing to copy of it incrementally.`;
        return { id, level: 'error', message, fix: 'Choose the storage “copy”.' };
      }
      const below = (await statted(target, [backing]))?.get(backing);
      if (below === null) return { id, level: 'error', message: noBacking(target, disk.target, backing).message };
      const message = `Of ${disk.target} only what was written over ${backing} is copied; ${target.label} has a file of that name, which has to be the same.`;
      const shared = same((await statted(source, [backing]))?.get(backing), below);
      return { id, level: shared ? 'ok' : 'warn', message };
    }
    if (pool.available < capacity) {
      const message = `${what} (${disk.path}) takes ${inMiB(needs)} now and can grow to ${inMiB(capacity)}, and ${has}.`;
      return said(id, 'warn', message, 'Make room there, soon.', []);
    }
    const message = `${what} (${disk.path}, ${inMiB(capacity)}) is copied into the pool ${pool.pool} on ${target.label}${to(disk)}.`;
    return { id, level: 'ok', message };
  }
}

/** What is no file of the host's: it stays where it is, whoever runs the VM. */
function withoutPath({ target: dev, type, volume }: DiskFacts, place: Place | undefined, host: Host): Check | null {
  const id = `disk-${dev}`;
  if (type === 'network') return ok(id, `The disk ${dev} comes over the network, and stays where it is.`);
  if (!volume) return null; // an empty drive
  const what = `The disk ${dev} is the volume ${volume.name} of the pool ${volume.pool}`;
  if (!place || 'path' in place) return warn(id, `${what}; which file that is could not be found out.`);
  if ('there' in place && place.there) return ok(id, `${what}, and ${host.label} has it, too.`);
  return error(id, `${what}, and that pool on ${host.label} has no such volume.`);
}

/** @returns whether there is a pool for it, with room */
async function roomFor(target: Host, source: Host, dom: Dom, disk: CopiedDisk) {
  const [pool, info, facts] = await Promise.all([
    freeIn(target, pathThere(disk)),
    source.connection.call('domain_get_block_info', { dom, path: disk.target }),
    factsOf(source, disk.path),
  ]);
  const { capacity, allocation, physical } = info;
  // Of a file that grows, libvirt only counts what this QEMU wrote; the length of a raw one says nothing.
  const taken = (disk.format === 'raw' ? allocation : Math.max(allocation, physical)) || capacity;
  return { pool, capacity, taken, facts };
}

const to = ({ to: path }: CopiedDisk) => (path === undefined ? '' : `, as ${path}`);

/** Whether a pool that can be read has no such file; false where there is none. */
async function absentInPool(target: Host, path: string): Promise<boolean> {
  try {
    const on = target.connection;
    const pool = await poolOf(on, path);
    return pool !== null && (await volumeIn(on, pool, posix.basename(path))) === null;
  } catch {
    return false;
  }
}

/** Where each disk has its place on the target, where that may be another one than here. */
async function placesOn({ target, options }: Route, disks: DiskFacts[]): Promise<Map<string, Place>> {
  const there = new Map(disksOf(options.destXml).map((disk) => [disk.target, disk]));
  const places = new Map<string, Place>();
  for (const disk of disks) {
    const { path, volume } = there.get(disk.target) ?? { path: null, volume: disk.volume };
    const level = isOff(options) && options.mode !== 'cold' ? 'warn' : 'error';
    if (volume) places.set(disk.target, await placeOn(target, disk, volume, level));
    else if (path !== null) places.set(disk.target, { path });
  }
  return places;
}

function disksOf(xml: string | null): DiskFacts[] {
  if (xml === null) return [];
  try {
    return readDomainXml(xml).disks;
  } catch {
    return []; // libvirt says what is wrong with it
  }
}

/** The same inode of the same file system; network file systems have an id of their own on each client. */
export function same(a: Stat, b: Stat): boolean {
  if (!a || !b) return false;
  if (a.inode !== b.inode) return false;
  return a.fileSystem === b.fileSystem || (sharedKinds.test(a.kind) && a.kind === b.kind);
}

/** @returns null where no command can be run there */
export async function statted(host: Host, paths: string[]): Promise<Map<string, Stat> | null> {
  const one = (path: string) => {
    const word = quote(path);
    return `if s=$(stat -L -c %i -- ${word} 2>&1); then echo "$s $(stat -L -f -c '%i %T' -- ${word})"; else case $s in *'No such file'*) echo absent;; *) echo unknown;; esac; fi`;
  };
  const ran = await host.shell(`LC_ALL=C; export LC_ALL; ${paths.map(one).join('; ')}`);
  if (ran?.code !== 0) return null;
  const lines = ran.stdout.trim().split('\n');
  if (lines.length !== paths.length) return null;
  return new Map(paths.map((path, at) => [path, read(lines[at] ?? '')]));
}

function read(line: string): Stat {
  if (line === 'absent') return null;
  const [inode, fileSystem, kind] = line.split(' ');
  return inode && fileSystem && kind && /^\d+$/.test(inode) ? { inode, fileSystem, kind } : undefined;
}
