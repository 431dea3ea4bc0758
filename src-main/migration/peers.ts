// Migration that the two daemons carry out between themselves: one call to the source, which then reaches the target
// by its own means. It goes on when Drover does not.
import type { MigrationPhase } from '../../contract/model.ts';
import { type Connection, LibvirtError, migrateFlags, param } from '../libvirt/index.ts';
import type { End, Plan } from './managed.ts';

export interface PeerPlan extends Plan {
  /** The target's libvirt, as the source's root reaches it. */
  peerUri: string;
  tunnelled: boolean;
}

export interface PeerWatch {
  phase: (phase: MigrationPhase) => Promise<void>;
  cancelled: () => boolean;
  performing: (under: boolean) => void;
}

/** Its only answer comes at the end; how the two sides stand after an error is left to who asks them. */
export async function runPeers(source: Connection, plan: PeerPlan, watch: PeerWatch): Promise<End> {
  const unknown = (why: unknown): End => ({ end: 'unknown', why, performed: false, finishSent: false });
  if (watch.cancelled()) return { end: 'stayed', why: null };
  await watch.phase('perform');
  const { dom, flags, params, destXml, migrateUri, tunnelled, peerUri } = plan;
  watch.performing(true);
  try {
    await source.call('domain_migrate_perform3_params', {
      dom,
      dconnuri: peerUri,
      params: [
        ...params,
        ...(destXml === null ? [] : [param.str('destination_xml', destXml)]),
        ...(migrateUri === null || tunnelled ? [] : [param.str('migrate_uri', migrateUri)]),
      ],
      cookie: Buffer.alloc(0),
      flags: flags | migrateFlags.peer2peer | (tunnelled ? migrateFlags.tunnelled : 0),
    });
    return { end: 'moved' };
  } catch (error) {
    return unknown(LibvirtError.is(error, 'operation_aborted') ? null : error);
  } finally {
    watch.performing(false);
  }
}
