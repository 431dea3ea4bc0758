// A host's storage by path: the pool that a file lies in, the volume that it is, and what libvirt tells of it.
import { randomBytes } from 'node:crypto';
import { posix } from 'node:path';
import { attribute, child, parseXml, text } from '../../fleet/xml.ts';
import type { Host } from '../../fleet/host.ts';
import { type Connection, LibvirtError, type Pool, type Vol } from '../../libvirt/index.ts';

export interface VolumeFacts {
  format: string;
  /** As the guest sees it, in bytes. */
  capacity: number;
  /** How long the file itself is, in bytes. */
  physical: number;
  /** The file that it is a layer over. */
  backing: { path: string; format: string | null } | null;
}

/** The active pool whose folder is that of the path, read anew; null where there is none. */
export async function poolOf(on: Connection, path: string): Promise<Pool | null> {
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

export async function volumeIn(on: Connection, pool: Pool, name: string): Promise<Vol | null> {
  try {
    return (await on.call('storage_vol_lookup_by_name', { pool, name })).vol;
  } catch (error) {
    if (LibvirtError.is(error, 'no_storage_vol')) return null;
    throw error;
  }
}

export async function volumeFacts(on: Connection, vol: Vol): Promise<VolumeFacts> {
  const root = parseXml((await on.call('storage_vol_get_xml_desc', { vol })).xml, 'volume');
  const format = (of: Parameters<typeof child>[0]) => attribute(child(of, 'format'), 'type');
  const bytes = (name: string) => Number(text(child(root, name))) || 0;
  const backing = child(root, 'backingStore');
  const path = text(child(backing, 'path'));
  const capacity = bytes('capacity');
  return {
    format: format(child(root, 'target')) ?? 'raw',
    capacity,
    physical: bytes('physical') || capacity,
    backing: path ? { path, format: format(backing) } : null,
  };
}

/** What a file is, where a pool holds it; else null. */
export async function factsAt(on: Connection, path: string): Promise<VolumeFacts | null> {
  const pool = await poolOf(on, path);
  const vol = pool && (await volumeIn(on, pool, posix.basename(path)));
  return vol && volumeFacts(on, vol);
}

interface Lent {
  pool: Promise<Pool>;
  users: number;
}
const lent = new WeakMap<Host, Map<string, Lent>>();

/**
 * The pool of a path's folder; where there is none, one that lasts until all who borrowed it gave it back. It holds
 * no definition on the host, and with it goes none of its files.
 */
export async function borrowPool(
  host: Host,
  on: Connection,
  path: string,
): Promise<{ pool: Pool; giveBack: () => Promise<void> }> {
  const folder = posix.dirname(path);
  const ofHost = lent.get(host) ?? new Map<string, Lent>();
  lent.set(host, ofHost);
  let own = ofHost.get(folder);
  if (!own) {
    const found = await poolOf(on, path);
    if (found) return { pool: found, giveBack: () => Promise.resolve() };
    const name = `drover-${randomBytes(6).toString('hex')}`;
    const xml = `<pool type="dir"><name>${name}</name><target><path>${escaped(folder)}</path></target></pool>`;
    own = ofHost.get(folder) ?? {
      pool: on.call('storage_pool_create_xml', { xml }).then(({ pool }) => pool),
      users: 0,
    };
    ofHost.set(folder, own);
  }
  const mine = own;
  mine.users += 1;
  const giveBack = async () => {
    mine.users -= 1;
    if (mine.users > 0) return;
    if (ofHost.get(folder) === mine) ofHost.delete(folder);
    const pool = await mine.pool.catch(() => null);
    if (pool) await (await host.work()).call('storage_pool_destroy', { pool }).catch(() => {});
  };
  try {
    return { pool: await mine.pool, giveBack };
  } catch (error) {
    await giveBack();
    throw error;
  }
}

const entities: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;' };
export const escaped = (words: string) => words.replace(/[&<>]/g, (sign) => entities[sign] ?? sign);

export interface NewVolume {
  name: string;
  format: string;
  /** In bytes. */
  capacity: number;
  backing?: { path: string; format: string | null } | null;
}

/** A volume that takes no more room than is written to it. */
export function volumeXml({ name, format, capacity, backing }: NewVolume): string {
  const formatted = (type: string) => `<format type="${escaped(type)}"/>`;
  const below = backing
    ? `<backingStore><path>${escaped(backing.path)}</path>${formatted(backing.format ?? 'raw')}</backingStore>`
    : '';
  return `<volume><name>${escaped(name)}</name><capacity unit="bytes">${capacity}</capacity><allocation unit="bytes">0</allocation><target>${formatted(format)}</target>${below}</volume>`;
}
