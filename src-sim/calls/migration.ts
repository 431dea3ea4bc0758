// The five steps of a migration, and the one call of peer to peer.
import { migrateFlags } from '../../src-main/libvirt/index.ts';
import { peerToPeer } from '../migration/peer-to-peer.ts';
import { begin, confirm, perform } from '../migration/source.ts';
import { finish, prepare } from '../migration/target.ts';
import type { Handlers } from './handlers.ts';

export const migrationCalls: Handlers = {
  domain_migrate_begin3_params: ({ dom, params, flags }, { daemon, client }) =>
    begin(daemon, daemon.named(dom), { params, flags }, client),
  domain_migrate_prepare3_params: (step, { daemon, client }) => prepare(daemon, step, client),
  domain_migrate_perform3_params: async ({ dom, dconnuri, ...step }, { daemon, client }) => {
    const domain = daemon.named(dom);
    if (!(step.flags & migrateFlags.peer2peer)) return perform(daemon, domain, step, client);
    await peerToPeer(daemon, domain, step, dconnuri ?? '');
    return { cookie: Buffer.alloc(0) };
  },
  domain_migrate_finish3_params: (step, { daemon }) => finish(daemon, step),
  domain_migrate_confirm3_params: async ({ dom, ...step }, { daemon }) => {
    await confirm(daemon, daemon.named(dom), step);
    return {};
  },
};
