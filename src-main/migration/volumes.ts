// The disks that go along with a VM: a volume on the target for each, with the source's size and format, made before
// the first step and removed again where the VM stays.
import { posix } from 'node:path';
import { Failure } from '../../contract/failure.ts';
import type { DiskFacts } from '../fleet/domain-xml.ts';
import { explain } from '../fleet/explain.ts';
import type { Host } from '../fleet/host.ts';
import { type Connection, type Dom, LibvirtError } from '../libvirt/index.ts';
import type { Made } from './journal.ts';

export interface CopiedDisk {
  /** As the guest sees it: `vda`. */
  target: string;
  path: string;
  format: string;
}

/** What of a VM's disks can be copied at all; whether both hosts share them is asked elsewhere. */
export function copyable(disks: readonly DiskFacts[]): CopiedDisk[] {
  return disks.flatMap(({ target, path, format, device, readonly, shareable, type }) =>
    path !== null && device === 'disk' && !readonly && !shareable && (type === 'file' || type === 'block')
      ? [{ target, path, format: format ?? 'raw' }]
      : [],
  );
}

/**
 * Makes a volume on the target for each disk.
 * @param before Awaited before each is made: the intent is on disk.
 * @throws Failure, after what was made is removed again
 */
export async function makeVolumes(
  source: Host,
  target: Host,
  dom: Dom,
  disks: readonly CopiedDisk[],
  before: (made: Made) => Promise<void>,
): Promise<Made[]> {
  const made: Made[] = [];
  try {
    const [from, to] = await Promise.all([source.work(), target.work()]);
    for (const { path, format } of disks) {
      const { capacity } = await from.call('domain_get_block_info', { dom, path });
      const pool = await poolOf(to, path);
      if (!pool) throw noPool(target, path);
      const volume = posix.basename(path);
      if (await volumeIn(to, pool, volume)) {
        throw new Failure(
          'conflict',
          `${target.label} has a volume ${volume} in the pool ${pool.name} already; Drover overwrites none. Delete or rename it there.`,
        );
      }
      const plan = { hostId: target.id, pool: pool.name, volume };
      await before(plan);
      await to.call('storage_vol_create_xml', { pool, xml: volumeXml(volume, format, capacity) });
      made.push(plan);
    }
    return made;
  } catch (error) {
    await removeVolumes(target, made).catch(() => {});
    throw explain(error, target.label, 'making the volumes for the copied disks');
  }
}

/** Removes what was made for a VM that stayed; what is gone already is no error. @throws Failure */
export async function removeVolumes(target: Host, made: readonly Made[]): Promise<void> {
  if (made.length === 0) return;
  try {
    const on = await target.work();
    for (const { pool: name, volume } of made) {
      const { pool } = await on.call('storage_pool_lookup_by_name', { name });
      const vol = await volumeIn(on, pool, volume);
      if (vol) await on.call('storage_vol_delete', { vol });
    }
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

interface Pool {
  name: string;
  uuid: string;
}

async function poolOf(on: Connection, path: string): Promise<Pool | null> {
  try {
    const { pool } = await on.call('storage_pool_lookup_by_target_path', { path: posix.dirname(path) });
    const { active } = await on.call('storage_pool_is_active', { pool });
    if (active === 0) return null;
    // Files that came by other ways are known to it only then.
    await on.call('storage_pool_refresh', { pool }).catch(() => {});
    return pool;
  } catch (error) {
    if (LibvirtError.is(error, 'no_storage_pool')) return null;
    throw error;
  }
}

async function volumeIn(on: Connection, pool: Pool, name: string) {
  try {
    return (await on.call('storage_vol_lookup_by_name', { pool, name })).vol;
  } catch (error) {
    if (LibvirtError.is(error, 'no_storage_vol')) return null;
    throw error;
  }
}

export function noPool(target: Host, path: string): Failure {
  return new Failure(
    'refused',
    `${target.label} has no active storage pool at ${posix.dirname(path)}, where a copy of ${posix.basename(path)} would go. Define and start one there.`,
  );
}

const entities: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;' };
const escaped = (text: string) => text.replace(/[&<>]/g, (sign) => entities[sign] ?? sign);

function volumeXml(name: string, format: string, capacity: number): string {
  return `<volume><name>${escaped(name)}</name><capacity unit="bytes">${capacity}</capacity><allocation unit="bytes">0</allocation><target><format type="${escaped(format)}"/></target></volume>`;
}
