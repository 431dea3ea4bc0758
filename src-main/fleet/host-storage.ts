// How much room a host's storage pools have: read now and then, since libvirt tells of no change of it.
import type { HostStorage } from '../../contract/model.ts';
import { type Connection, LibvirtError } from '../libvirt/index.ts';
import type { Clock } from './clock.ts';
import { attribute, parseXml } from './xml.ts';

/** `connect_list_all_storage_pools`: those that are active. */
const active = 2;

/** @throws what is no answer: a lost connection, a pool that hangs */
function ifRefused(error: unknown): null {
  if (error instanceof LibvirtError) return null;
  throw error;
}

/** What is looked at is read every minute, the rest seldom: each pool is a call of its own. */
const pauseMs = { here: 60_000, elsewhere: 600_000 };

/** Of one connection. */
export class HostStorageReader {
  readonly #connection: Connection;
  readonly #clock: Pick<Clock, 'now'>;
  /** By the pool's UUID: folders of one file system all tell that file system's size. */
  readonly #folders = new Map<string, boolean>();
  #readAt: number | null = null;
  #reading = false;

  constructor(connection: Connection, clock: Pick<Clock, 'now'>) {
    this.#connection = connection;
    this.#clock = clock;
  }

  /**
   * Null where it is not due, or cannot be had; never rejects. A pool that hangs is not asked for again: that would hold
   * up others.
   */
  async look(attention: keyof typeof pauseMs): Promise<HostStorage | null> {
    const now = this.#clock.now();
    if (this.#reading || (this.#readAt !== null && now - this.#readAt < pauseMs[attention])) return null;
    this.#reading = true;
    this.#readAt = now;
    try {
      const sum = await this.#sum(this.#connection);
      this.#reading = false;
      return sum;
    } catch (error) {
      // The test driver has none, or a pool went away meanwhile.
      if (error instanceof LibvirtError) this.#reading = false;
      return null;
    }
  }

  async #sum(connection: Connection): Promise<HostStorage> {
    const { pools } = await connection.call('connect_list_all_storage_pools', { need: 1, flags: active });
    const infos = await Promise.all(
      pools.map(async (pool) => {
        // It may have been stopped since.
        const info = await connection.call('storage_pool_get_info', { pool }).catch(ifRefused);
        if (info && !this.#folders.has(pool.uuid)) {
          const { xml } = await connection.call('storage_pool_get_xml_desc', { pool, flags: 0 });
          this.#folders.set(pool.uuid, attribute(parseXml(xml, 'pool'), 'type') === 'dir');
        }
        return info && { ...info, folder: this.#folders.get(pool.uuid) ?? false };
      }),
    );
    const sum: HostStorage = { pools: 0, capacityBytes: 0, availableBytes: 0 };
    /** What is free in each, by its size: a pool tells what was free when it was last refreshed, so the least is true. */
    const folders = new Map<number, number>();
    for (const info of infos) {
      if (!info) continue;
      const { capacity, available, folder } = info;
      sum.pools += 1;
      if (folder) folders.set(capacity, Math.min(folders.get(capacity) ?? Infinity, available));
      else {
        sum.capacityBytes += capacity;
        sum.availableBytes += available;
      }
    }
    for (const [capacity, available] of folders) {
      sum.capacityBytes += capacity;
      sum.availableBytes += available;
    }
    return sum;
  }
}
