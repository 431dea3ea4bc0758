// Disks that are named by pool and volume instead of by a path: which file that is on the source, and on the target,
// where the pool of that name may lie in another folder.
import { posix } from 'node:path';
import type { Check } from '../../../contract/model.ts';
import type { DiskFacts } from '../../fleet/domain-xml.ts';
import type { Host } from '../../fleet/host.ts';
import { type Connection, LibvirtError } from '../../libvirt/index.ts';
import { quoted, said, warn } from '../preflight/say.ts';
import { pathOf, starting } from '../preflight/pools.ts';
import { volumeFacts, volumeIn } from './pools.ts';

/** What a pool of LUNs or logical volumes calls by a path is a device: each host has a file of its own for the same one. */
const isFile = (path: string) => path.startsWith('/') && !path.startsWith('/dev/');

type NamedVolume = NonNullable<DiskFacts['volume']>;

/** The disks with the paths of the volumes on this host, as far as it tells; for a pool of a network's own there is none. */
export function withPaths(host: Host, disks: readonly DiskFacts[]): Promise<DiskFacts[]> {
  return Promise.all(
    disks.map(async (disk) => {
      if (!disk.volume || disk.path !== null) return disk;
      const found = await fileOf(host.connection, disk.volume).catch(() => null);
      return found ? { ...disk, path: found.path, format: disk.format ?? found.format } : disk;
    }),
  );
}

async function fileOf(on: Connection, { pool: name, name: volume }: NamedVolume) {
  const { pool } = await on.call('storage_pool_lookup_by_name', { name });
  const vol = await volumeIn(on, pool, volume);
  if (!vol) return null;
  const { path } = await on.call('storage_vol_get_path', { vol });
  return isFile(path) ? { path, format: (await volumeFacts(on, vol)).format } : null;
}

export type Place =
  /** Whether or not it is there: where it belongs. */
  | { path: string }
  /** It is no file. */
  | { there: boolean }
  | { refused: Check };

/** Where such a disk has its place on the target. @param level Of what it lacks. */
export async function placeOn(
  target: Host,
  { target: dev }: Pick<DiskFacts, 'target'>,
  volume: NamedVolume,
  level: Check['level'],
): Promise<Place> {
  const id = `disk-${dev}`;
  const what = `The disk ${dev} is the volume ${volume.name} of the pool ${volume.pool}`;
  const on = target.connection;
  try {
    const { pool } = await on.call('storage_pool_lookup_by_name', { name: volume.pool });
    const { active } = await on.call('storage_pool_is_active', { pool });
    if (active === 0) {
      const message = `${what}, which is not active on ${target.label}.`;
      return { refused: said(id, level, message, 'Start it there.', [starting(target, pool)]) };
    }
    // Files that came by other ways are known to it only then.
    await on.call('storage_pool_refresh', { pool }).catch(() => {});
    const vol = await volumeIn(on, pool, volume.name);
    const path = vol ? (await on.call('storage_vol_get_path', { vol })).path : await placeIn(on, pool, volume.name);
    return isFile(path) ? { path } : { there: vol !== null };
  } catch (thrown) {
    if (LibvirtError.is(thrown, 'no_storage_pool')) {
      const message = `${what}, and ${target.label} has no such pool.`;
      return { refused: said(id, level, message, 'Define the same pool there.', []) };
    }
    return { refused: warn(id, `${what}; whether ${target.label} has it is not known (${quoted(thrown)}).`) };
  }
}

async function placeIn(on: Connection, pool: Parameters<typeof pathOf>[1], name: string): Promise<string> {
  const folder = await pathOf(on, pool);
  return folder.startsWith('/') ? posix.join(folder, name) : '';
}
