// Migrates a simulated VM as virsh would, behind Drover's back.
import { migrateFlags, param } from '../../src-main/libvirt/index.ts';
import type { SimFleet } from '../../src-sim/index.ts';
import { direct } from '../sim/reach.ts';

export async function migrateBehind(
  sim: SimFleet,
  name: string,
  from: string,
  to: string,
  before = async () => {},
): Promise<void> {
  const dom = { name, uuid: sim.uuid(name) };
  const [source, target] = await Promise.all([direct(sim.host(from)), direct(sim.host(to))]);
  const flags = migrateFlags.live | migrateFlags.persist_dest | migrateFlags.undefine_source;
  const keep = flags | migrateFlags.change_protection;
  const uri = param.str('migrate_uri', `tcp://${sim.host(to).address}`);
  const begun = await source.call('domain_migrate_begin3_params', { dom, params: [], flags: keep });
  const ready = await target.call('domain_migrate_prepare3_params', {
    params: [uri, param.str('destination_xml', begun.xml)],
    cookie: begun.cookie,
    flags,
  });
  const params = [param.str('migrate_uri', ready.uri ?? '')];
  const across = await source.call('domain_migrate_perform3_params', {
    dom,
    dconnuri: null,
    params,
    cookie: ready.cookie,
    flags: keep,
  });
  await before();
  const done = await target.call('domain_migrate_finish3_params', {
    params: [...params, param.str('destination_name', name)],
    cookie: across.cookie,
    flags,
    cancelled: 0,
  });
  await source.call('domain_migrate_confirm3_params', {
    dom,
    params,
    cookie: done.cookie,
    flags: keep,
    cancelled: 0,
  });
  await Promise.all([source.close(), target.close()]);
}
