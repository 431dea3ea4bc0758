// Snapshots: made, listed, gone back to, deleted.
import { refuse } from '../refusal.ts';
import type { Handlers } from './handlers.ts';

export const snapshotCalls: Handlers = {
  domain_list_all_snapshots: ({ dom, need }, { daemon }) => {
    const { names } = daemon.named(dom).snapshots;
    return { snapshots: need ? names.map((name) => ({ name, dom })) : [], total: names.length };
  },
  domain_snapshot_create_xml: async ({ dom, xml, flags }, { daemon }) => {
    const domain = daemon.named(dom);
    const name = await domain.snapshots.create(daemon, domain, xml, flags);
    return { snapshot: { name, dom: domain.ref } };
  },
  domain_snapshot_get_xml_desc: ({ snapshot: { name, dom } }, { daemon }) => ({
    xml: daemon.named(dom).snapshots.xml(name),
  }),
  domain_snapshot_lookup_by_name: ({ dom, name }, { daemon }) => {
    const domain = daemon.named(dom);
    return { snapshot: { name: domain.snapshots.find(name).name, dom: domain.ref } };
  },
  domain_snapshot_current: ({ dom }, { daemon }) => {
    const domain = daemon.named(dom);
    const { current } = domain.snapshots;
    if (current === null) throw refuse.qemu('no_domain_snapshot', 'the domain does not have a current snapshot');
    return { snapshot: { name: current, dom: domain.ref } };
  },
  domain_revert_to_snapshot: async ({ snapshot: { name, dom }, flags }, { daemon }) => {
    const domain = daemon.named(dom);
    await domain.snapshots.revert(daemon, domain, name, flags);
    return {};
  },
  domain_snapshot_delete: async ({ snapshot: { name, dom }, flags }, { daemon }) => {
    const domain = daemon.named(dom);
    await domain.snapshots.delete(domain, name, flags);
    return {};
  },
};
