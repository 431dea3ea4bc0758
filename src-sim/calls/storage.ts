// Storage pools and their volumes.
import { uuidOf } from '../chance.ts';
import type { Daemon, Pool } from '../daemon.ts';
import { refuse } from '../refusal.ts';
import type { File } from '../storage.ts';
import { childOf, parseXml, textOf } from '../xml.ts';
import { download, upload } from '../volume-streams.ts';
import type { Handlers } from './handlers.ts';

const GIB = 2 ** 30;

function find({ pools }: Daemon, { name, uuid }: { name: string; uuid: string }): Pool {
  const pool = pools.find((each) => each.uuid === uuid);
  if (!pool) {
    const what = `no storage pool with matching uuid '${uuid}' (${name})`;
    throw refuse.storage('no_storage_pool', `Storage pool not found: ${what}`);
  }
  return pool;
}

function running(daemon: Daemon, ref: { name: string; uuid: string }): Pool {
  const pool = find(daemon, ref);
  if (!pool.active) {
    const what = `storage pool '${pool.name}' is not active`;
    throw refuse.storage('operation_invalid', `Requested operation is not valid: ${what}`);
  }
  return pool;
}

/** As its XML says; its folder is there from now on. */
function poolOf(xml: string, daemon: Daemon): Pool {
  const root = parseXml(xml);
  const name = textOf(root, 'name');
  const path = textOf(childOf(root, 'target'), 'path');
  const uuid = textOf(root, 'uuid') || uuidOf(daemon.fleet.seed, daemon.host.name, 'pool', name);
  const pool: Pool = { name, path, uuid, active: false, autostart: false };
  const { storage } = daemon.fleet;
  if (storage.mountOf(daemon.host.name, path)?.path !== path) storage.mount(daemon.host.name, pool);
  return pool;
}

const ref = ({ name, uuid }: Pool) => ({ name, uuid });

function sizes(daemon: Daemon, { path, gib = 500 }: Pool) {
  const capacity = gib * GIB;
  const used = daemon.fleet.storage.list(daemon.host.name, path).reduce((sum, { file }) => sum + file.allocation, 0);
  const allocation = Math.min(capacity, used);
  return { capacity, allocation, available: capacity - allocation };
}

function poolXml(daemon: Daemon, pool: Pool): string {
  const { name, uuid, path } = pool;
  const { capacity, allocation, available } = sizes(daemon, pool);
  const size = (what: string, bytes: number) => `  <${what} unit='bytes'>${bytes}</${what}>\n`;
  const all = size('capacity', capacity) + size('allocation', allocation) + size('available', available);
  const target = `  <target>\n    <path>${path}</path>\n  </target>\n`;
  return `<pool type='dir'>\n  <name>${name}</name>\n  <uuid>${uuid}</uuid>\n${all}  <source>\n  </source>\n${target}</pool>\n`;
}

function volumes(daemon: Daemon, { name, path }: Pool) {
  return daemon.fleet.storage
    .list(daemon.host.name, path)
    .map((each) => ({ pool: name, name: each.name, key: `${path}/${each.name}` }));
}

function fileOf(daemon: Daemon, { key, name }: { key: string; name: string }): File {
  const file = daemon.fleet.storage.file(daemon.host.name, key);
  if (!file) {
    const what = `no storage vol with matching key '${key}' (${name})`;
    throw refuse.storage('no_storage_vol', `Storage volume not found: ${what}`);
  }
  return file;
}

function volXml({ name, key }: { name: string; key: string }, { capacity, allocation }: File): string {
  const bytes = `  <capacity unit='bytes'>${capacity}</capacity>\n  <allocation unit='bytes'>${allocation}</allocation>\n`;
  const target = `  <target>\n    <path>${key}</path>\n    <format type='qcow2'/>\n  </target>\n`;
  return `<volume type='file'>\n  <name>${name}</name>\n  <key>${key}</key>\n${bytes}${target}</volume>\n`;
}

const units: Record<string, number> = {
  B: 1,
  bytes: 1,
  KiB: 2 ** 10,
  K: 2 ** 10,
  MiB: 2 ** 20,
  M: 2 ** 20,
  GiB: GIB,
  G: GIB,
};

const SPARSE = 1;
const INACTIVE = 1;
const ACTIVE = 2;

export const storageCalls: Handlers = {
  connect_list_all_storage_pools: ({ need, flags }, { daemon }) => {
    const found = daemon.pools
      .filter(({ active }) => !(flags & (ACTIVE | INACTIVE)) || (active ? flags & ACTIVE : flags & INACTIVE))
      .map(ref);
    return { pools: need ? found : [], total: found.length };
  },
  storage_pool_lookup_by_name: ({ name }, { daemon }) => {
    const pool = daemon.pools.find((each) => each.name === name);
    if (!pool) {
      const what = `no storage pool with matching name '${name}'`;
      throw refuse.storage('no_storage_pool', `Storage pool not found: ${what}`);
    }
    return { pool: ref(pool) };
  },
  storage_pool_lookup_by_uuid: ({ uuid }, { daemon }) => {
    const pool = daemon.pools.find((each) => each.uuid === uuid);
    if (!pool) {
      const what = `no storage pool with matching uuid '${uuid}'`;
      throw refuse.storage('no_storage_pool', `Storage pool not found: ${what}`);
    }
    return { pool: ref(pool) };
  },
  storage_pool_lookup_by_target_path: ({ path }, { daemon }) => {
    const pool = daemon.pools.find((each) => each.path === path.replace(/\/$/, ''));
    if (!pool) {
      const what = `no storage pool with matching target path '${path}'`;
      throw refuse.storage('no_storage_pool', `Storage pool not found: ${what}`);
    }
    return { pool: ref(pool) };
  },
  storage_pool_define_xml: ({ xml }, { daemon }) => {
    const pool = poolOf(xml, daemon);
    daemon.pools.push(pool);
    return { pool: ref(pool) };
  },
  storage_pool_create_xml: ({ xml }, { daemon }) => {
    const pool = { ...poolOf(xml, daemon), active: true, transient: true };
    if (daemon.pools.some(({ name }) => name === pool.name)) {
      const what = `pool is already active as '${pool.name}'`;
      throw refuse.storage('operation_invalid', `Requested operation is not valid: ${what}`);
    }
    daemon.pools.push(pool);
    return { pool: ref(pool) };
  },
  storage_pool_create: ({ pool }, { daemon }) => {
    const found = find(daemon, pool);
    if (found.active) {
      const what = `storage pool '${found.name}' is already active`;
      throw refuse.storage('operation_invalid', `Requested operation is not valid: ${what}`);
    }
    found.active = true;
    return {};
  },
  storage_pool_destroy: ({ pool }, { daemon }) => {
    const found = running(daemon, pool);
    found.active = false;
    if (found.transient) daemon.pools.splice(daemon.pools.indexOf(found), 1);
    return {};
  },
  storage_pool_undefine: ({ pool }, { daemon }) => {
    const found = find(daemon, pool);
    daemon.pools.splice(daemon.pools.indexOf(found), 1);
    return {};
  },
  storage_pool_refresh: ({ pool }, { daemon }) => {
    running(daemon, pool);
    return {};
  },
  storage_pool_get_info: ({ pool }, { daemon }) => {
    const found = find(daemon, pool);
    return { state: found.active ? 2 : 0, ...sizes(daemon, found) };
  },
  storage_pool_get_xml_desc: ({ pool }, { daemon }) => ({ xml: poolXml(daemon, find(daemon, pool)) }),
  storage_pool_get_autostart: ({ pool }, { daemon }) => ({ autostart: find(daemon, pool).autostart ? 1 : 0 }),
  storage_pool_set_autostart: ({ pool, autostart }, { daemon }) => {
    find(daemon, pool).autostart = autostart !== 0;
    return {};
  },
  storage_pool_is_active: ({ pool }, { daemon }) => ({ active: find(daemon, pool).active ? 1 : 0 }),
  storage_pool_list_all_volumes: ({ pool, need }, { daemon }) => {
    const vols = volumes(daemon, running(daemon, pool));
    return { vols: need ? vols : [], total: vols.length };
  },
  storage_vol_lookup_by_name: ({ pool, name }, { daemon }) => {
    const found = volumes(daemon, running(daemon, pool)).find((vol) => vol.name === name);
    if (!found) {
      const what = `no storage vol with matching name '${name}'`;
      throw refuse.storage('no_storage_vol', `Storage volume not found: ${what}`);
    }
    return { vol: found };
  },
  storage_vol_lookup_by_path: ({ path }, { daemon }) => {
    const found = daemon.pools.flatMap((pool) => volumes(daemon, pool)).find(({ key }) => key === path);
    if (!found) {
      const what = `no storage vol with matching path '${path}'`;
      throw refuse.storage('no_storage_vol', `Storage volume not found: ${what}`);
    }
    return { vol: found };
  },
  storage_vol_create_xml: ({ pool, xml }, { daemon }) => {
    const { name: poolName, path } = running(daemon, pool);
    const root = parseXml(xml);
    const name = textOf(root, 'name');
    const key = `${path}/${name}`;
    if (daemon.fleet.storage.file(daemon.host.name, key)) {
      throw refuse.storage('storage_vol_exist', `storage volume '${name}' exists already`);
    }
    const capacity = childOf(root, 'capacity');
    const bytes = Number(capacity?.text) * (units[capacity?.attributes['unit'] ?? 'bytes'] ?? 1);
    daemon.fleet.storage.put(daemon.host.name, key, bytes, 200_704);
    return { vol: { pool: poolName, name, key } };
  },
  storage_vol_delete: ({ vol }, { daemon }) => {
    fileOf(daemon, vol);
    daemon.fleet.storage.remove(daemon.host.name, vol.key);
    return {};
  },
  storage_vol_download: ({ vol, flags }, { daemon, client, serial }) => {
    download(client, serial, daemon.host, fileOf(daemon, vol), (flags & SPARSE) !== 0);
    return {};
  },
  storage_vol_upload: ({ vol }, { daemon, client, serial }) => {
    upload(client, serial, fileOf(daemon, vol));
    return {};
  },
  storage_vol_resize: ({ vol, capacity }, { daemon }) => {
    fileOf(daemon, vol).capacity = Number(capacity);
    return {};
  },
  storage_vol_get_info: ({ vol }, { daemon }) => {
    const { capacity, allocation } = fileOf(daemon, vol);
    return { type: 0, capacity, allocation };
  },
  storage_vol_get_xml_desc: ({ vol }, { daemon }) => ({ xml: volXml(vol, fileOf(daemon, vol)) }),
  storage_vol_get_path: ({ vol }, { daemon }) => {
    fileOf(daemon, vol);
    return { path: vol.key };
  },
};
