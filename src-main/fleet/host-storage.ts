// How much room a host's storage pools have: read now and then, since libvirt tells of no change of it.
import type { HostStorage } from '../../contract/model.ts';
import { type Connection, LibvirtError } from '../libvirt/index.ts';
import type { Clock } from './clock.ts';
import { attribute, parseXml } from './xml.ts';

/** `connect_list_all_storage_pools`: those that are active. */
const active = 2;

/** What is looked at is read every minute, the rest seldom: each pool is a call of its own. */
const pauseMs = { here: 60_000, elsewhere: 600_000 };

export class HostStorageReader {
  readonly #clock: Pick<Clock, 'now'>;
  readonly #read: (storage: HostStorage) => void;
  /** By the pool's UUID: folders of one file system all tell that file system's size. */
  #folders = new Map<string, boolean>();
  #readAt: number | null = null;
  #reading = false;

  constructor(clock: Pick<Clock, 'now'>, read: (storage: HostStorage) => void) {
    this.#clock = clock;
    this.#read = read;
  }

  /** Of a new connection. */
  begin(): void {
    this.#folders = new Map();
    this.#readAt = null;
    this.#reading = false;
  }

  /** Reads it where that is due; never rejects. A pool that hangs is not asked for again: that would hold up others. */
  async look(connection: Connection, attention: keyof typeof pauseMs): Promise<void> {
    const now = this.#clock.now();
    if (this.#reading || (this.#readAt !== null && now - this.#readAt < pauseMs[attention])) return;
    this.#reading = true;
    this.#readAt = now;
    try {
      this.#read(await this.#sum(connection));
      this.#reading = false;
    } catch (error) {
      // The test driver has none, or a pool went away meanwhile.
      if (error instanceof LibvirtError) this.#reading = false;
    }
  }

  async #sum(connection: Connection): Promise<HostStorage> {
    const { pools } = await connection.call('connect_list_all_storage_pools', { need: 1, flags: active });
    const infos = await Promise.all(
      pools.map(async (pool) => {
        // It may have been stopped since.
        const info = await connection.call('storage_pool_get_info', { pool }).catch(() => null);
        if (info && !this.#folders.has(pool.uuid)) {
          const { xml } = await connection.call('storage_pool_get_xml_desc', { pool, flags: 0 });
          this.#folders.set(pool.uuid, attribute(parseXml(xml, 'pool'), 'type') === 'dir');
        }
        return info && { ...info, folder: this.#folders.get(pool.uuid) ?? false };
      }),
    );
    const seen = new Set<string>();
    const sum: HostStorage = { pools: 0, capacityBytes: 0, availableBytes: 0 };
    for (const info of infos) {
      if (!info) continue;
      sum.pools += 1;
      // Between two readings of one file system a few blocks may have been written.
      const same = `${info.capacity} ${Math.round((1_000 * info.available) / info.capacity)}`;
      if (info.folder && seen.has(same)) continue;
      seen.add(same);
      sum.capacityBytes += info.capacity;
      sum.availableBytes += info.available;
    }
    return sum;
  }
}
