// Storage pools of the target: one that is not active hides the disks that lie in it.
import { posix } from 'node:path';
import type { Remedy } from '../../../contract/model.ts';
import type { Host } from '../../fleet/host.ts';
import { child, parseXml, text } from '../../fleet/xml.ts';
import type { Connection, Pool } from '../../libvirt/index.ts';
import { onHost, virshLine } from './remedies.ts';

/** `connect_list_all_storage_pools`: those that are not active. */
const inactive = 1;

/** Starting the pool that a path lies in, where that is all that it lacks. */
export async function startingPoolOf(target: Host, path: string): Promise<Remedy[]> {
  try {
    const on = target.connection;
    // By its path libvirt only finds one that is active.
    const { pools } = await on.call('connect_list_all_storage_pools', { need: 1, flags: inactive });
    const paths = await Promise.all(pools.map((pool) => pathOf(on, pool)));
    const pool = pools[paths.indexOf(posix.dirname(path))];
    return pool ? [starting(target, pool)] : [];
  } catch {
    return [];
  }
}

/** The folder that a pool is; empty where it is none. */
export async function pathOf(on: Connection, pool: Pool): Promise<string> {
  const { xml } = await on.call('storage_pool_get_xml_desc', { pool });
  return text(child(child(parseXml(xml, 'pool'), 'target'), 'path'));
}

export function starting(target: Host, pool: Pool): Remedy {
  const remedy: Remedy = {
    id: `start-pool-${pool.name}`,
    label: `Start the pool ${pool.name} on ${target.label}`,
    preview: virshLine(target, 'pool-start', pool.name),
  };
  return onHost(remedy, {
    host: target,
    doing: `starting the pool ${pool.name}`,
    act: async () => {
      await (await target.work()).call('storage_pool_create', { pool });
    },
  });
}
