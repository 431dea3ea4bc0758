// Storage pools of the target: one that is not active hides the disks that lie in it.
import { posix } from 'node:path';
import type { Check, Remedy } from '../../../contract/model.ts';
import type { DiskFacts } from '../../fleet/domain-xml.ts';
import type { Host } from '../../fleet/host.ts';
import { child, parseXml, text } from '../../fleet/xml.ts';
import { type Connection, LibvirtError, type Pool } from '../../libvirt/index.ts';
import { isOff } from '../options.ts';
import type { Route } from '../preflight.ts';
import { onHost, virshLine } from './remedies.ts';
import { ok, quoted, said, warn } from './say.ts';

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

async function pathOf(on: Connection, pool: Pool): Promise<string> {
  const { xml } = await on.call('storage_pool_get_xml_desc', { pool });
  return text(child(child(parseXml(xml, 'pool'), 'target'), 'path'));
}

function starting(target: Host, pool: Pool): Remedy {
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

/** Disks that are named by pool and volume instead of by a path. */
export function checkVolumes(route: Route, disks: readonly DiskFacts[]): Promise<Check[]> {
  const asked = disks.flatMap(({ target, volume }) => (volume ? [checkVolume(route, target, volume)] : []));
  return Promise.all(asked);
}

async function checkVolume(
  { target, options }: Route,
  dev: string,
  { pool: name, name: volume }: NonNullable<DiskFacts['volume']>,
): Promise<Check> {
  const id = `disk-${dev}`;
  const level = isOff(options) ? 'warn' : 'error';
  const what = `The disk ${dev} is the volume ${volume} of the pool ${name}`;
  const on = target.connection;
  try {
    const { pool } = await on.call('storage_pool_lookup_by_name', { name });
    const { active } = await on.call('storage_pool_is_active', { pool });
    if (active === 0) {
      return said(id, level, `${what}, which is not active on ${target.label}.`, 'Start it there.', [
        starting(target, pool),
      ]);
    }
    await on.call('storage_vol_lookup_by_name', { pool, name: volume });
    return ok(id, `${what}, and ${target.label} has it, too.`);
  } catch (thrown) {
    if (LibvirtError.is(thrown, 'no_storage_pool')) {
      return said(id, level, `${what}, and ${target.label} has no such pool.`, 'Define the same pool there.', []);
    }
    if (LibvirtError.is(thrown, 'no_storage_vol')) {
      return said(
        id,
        level,
        `${what}, and that pool on ${target.label} has no such volume.`,
        'Put it on storage that both hosts share.',
        [],
      );
    }
    return warn(id, `${what}; whether ${target.label} has it is not known (${quoted(thrown)}).`);
  }
}
