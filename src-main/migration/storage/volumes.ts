// The disks that go along with a VM: a volume on the target for each, with the source's size and format, made before
// the first step and removed again where the VM stays.
import { posix } from 'node:path';
import { Failure } from '../../../contract/failure.ts';
import type { DiskFacts } from '../../fleet/domain-xml.ts';
import { explain } from '../../fleet/explain.ts';
import type { Host } from '../../fleet/host.ts';
import { type Connection, ConnectionLost, type Dom, LibvirtError, type Pool, type Vol } from '../../libvirt/index.ts';
import type { Made } from '../recovery/journal.ts';
import { factsAt, type NewVolume, poolOf, type VolumeFacts, volumeIn, volumeXml } from './pools.ts';

export interface CopiedDisk {
  /** As the guest sees it: `vda`. */
  target: string;
  path: string;
  format: string;
  /** Its path on the target, where that is another. */
  to?: string | undefined;
}

export const pathThere = ({ path, to }: CopiedDisk) => to ?? path;

/** What is kept of volumes that are made, so that they go again. */
export interface MadeList {
  /** Before it is made, and again once it was: on disk when it resolves. */
  add: (made: Made) => Promise<void>;
  /** It was not made after all. */
  drop: (made: Made) => void;
}

/**
 * What of a VM's disks can be copied at all; whether both hosts share them is asked elsewhere.
 * @param off The VM is shut off, so what it only reads can be copied, too.
 */
export function copyable(disks: readonly DiskFacts[], off: boolean): CopiedDisk[] {
  return disks.flatMap(({ target, path, format, device, readonly, shareable, type }) =>
    path !== null &&
    device === 'disk' &&
    (off || !readonly) &&
    !shareable &&
    (type === 'file' || type === 'block' || type === 'volume')
      ? [{ target, path, format: format ?? 'raw' }]
      : [],
  );
}

/**
 * Makes a volume on the target for each disk, for libvirt to copy into.
 * @param incremental Only the top layer is copied: the volume is laid over the same file as the source's.
 * @throws Failure, ConnectionLost
 */
export async function makeVolumes(
  source: Host,
  target: Host,
  dom: Dom,
  disks: readonly CopiedDisk[],
  incremental: boolean,
  list: MadeList,
): Promise<void> {
  if (disks.length === 0) return;
  try {
    const [from, to] = await Promise.all([source.work(), target.work()]);
    for (const disk of disks) {
      const { path, format, target: dev } = disk;
      const { capacity } = await from.call('domain_get_block_info', { dom, path: dev });
      const backing = incremental ? ((await factsAt(from, path))?.backing ?? null) : null;
      const name = posix.basename(pathThere(disk));
      await makeVolume(target, to, pathThere(disk), { name, format, capacity, backing }, list);
    }
  } catch (error) {
    if (error instanceof ConnectionLost) throw error;
    throw explain(error, target.label, 'making the volumes for the copied disks');
  }
}

/** One, where nothing of that name is. @throws Failure, and what the connection throws */
export async function makeVolume(
  target: Host,
  on: Connection,
  path: string,
  volume: NewVolume,
  list: MadeList,
): Promise<{ pool: Pool; vol: Vol }> {
  const pool = await poolOf(on, path);
  if (!pool) throw noPool(target, path);
  if (await volumeIn(on, pool, volume.name)) throw taken(target, pool, volume.name);
  const made = { hostId: target.id, pool: pool.name, volume: volume.name };
  await list.add(made);
  try {
    const { vol } = await on.call('storage_vol_create_xml', { pool, xml: volumeXml(volume) });
    await list.add({ ...made, created: true });
    return { pool, vol };
  } catch (error) {
    // Answered: so what stands there now, if anything does, is somebody else's.
    if (error instanceof LibvirtError) list.drop(made);
    throw error;
  }
}

/** A fresh qcow2 of any usual size takes less; what holds a guest's data takes more. In bytes. */
const blankBytes = 1 << 20;

/**
 * Removes what was made for a VM that stayed; what is gone already is no error. Of what a crash left us not knowing
 * whether we made it, only what is blank.
 * @returns what stays, since it may be another's
 * @throws Failure
 */
export async function removeVolumes(target: Host, made: readonly Made[]): Promise<Made[]> {
  const kept: Made[] = [];
  if (made.length === 0) return kept;
  try {
    const on = await target.work();
    for (const one of made) {
      const { pool: name, volume, created } = one;
      const { pool } = await on.call('storage_pool_lookup_by_name', { name });
      await on.call('storage_pool_refresh', { pool }).catch(() => {});
      const vol = await volumeIn(on, pool, volume);
      if (!vol) continue;
      const blank = async () => (await on.call('storage_vol_get_info', { vol })).allocation < blankBytes;
      if (created || (await blank())) await on.call('storage_vol_delete', { vol });
      else kept.push(one);
    }
    return kept;
  } catch (error) {
    throw explain(error, target.label, 'removing the volumes that were made for the copied disks');
  }
}

/** The active pool whose folder a path lies in. @throws Failure */
export async function freeIn(target: Host, path: string): Promise<{ pool: string; available: number } | null> {
  const on = target.connection;
  const pool = await poolOf(on, path);
  if (!pool) return null;
  const { available } = await on.call('storage_pool_get_info', { pool });
  return { pool: pool.name, available };
}

/** Of the disks that are copied, what they are on the source, where a pool tells. */
export function factsOf(source: Host, path: string): Promise<VolumeFacts | null> {
  return factsAt(source.connection, path);
}

export function noPool(target: Host, path: string): Failure {
  return new Failure(
    'refused',
    `${target.label} has no active storage pool at ${posix.dirname(path)}, where a copy of ${posix.basename(path)} would go. Define and start one there.`,
  );
}

const taken = (target: Host, pool: Pool, volume: string) =>
  new Failure(
    'conflict',
    `${target.label} has a volume ${volume} in the pool ${pool.name} already; Drover overwrites none. Delete or rename it there.`,
  );
