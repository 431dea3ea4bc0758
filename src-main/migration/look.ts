// Asks a host, on a fresh connection, what it holds of a domain. No answer is told apart from every answer.
import type { Uuid } from '../../contract/model.ts';
import type { Host } from '../fleet/host.ts';
import { type Connection, domainState, jobType, LibvirtError, pausedReason } from '../libvirt/index.ts';
import type { Seen } from './decide.ts';

export interface Look {
  seen: Seen;
  /** Whether it would be there after a restart of the host. */
  persistent: boolean;
}

/** Of one call: longer, and the host counts as unreachable for now. */
const timeoutMs = 15_000;

export async function look(host: Host, uuid: Uuid): Promise<Look> {
  let connection: Connection | null = null;
  try {
    connection = await host.open({ keepalive: true });
    return await ask(connection, uuid);
  } catch {
    return { seen: { at: 'unreachable' }, persistent: false };
  } finally {
    void connection?.close();
  }
}

async function ask(connection: Connection, uuid: Uuid): Promise<Look> {
  const dom = { name: '', uuid };
  const limit = { timeoutMs };
  try {
    const [{ state, reason }, { persistent }] = await Promise.all([
      connection.call('domain_get_state', { dom }, limit),
      connection.call('domain_is_persistent', { dom }, limit),
    ]);
    return { seen: await meaning(), persistent: persistent !== 0 };

    async function meaning(): Promise<Seen> {
      switch (state) {
        case domainState.shutoff:
        case domainState.crashed:
          return { at: 'shutoff' };
        case domainState.nostate:
          // No answer to what was asked.
          throw new Error('libvirt does not say in what state it is');
        case domainState.paused:
          return reason === pausedReason.migration ? { at: 'migrating', job: await jobOf() } : { at: 'paused' };
        default:
          return { at: 'running' };
      }
    }
  } catch (error) {
    if (LibvirtError.is(error, 'no_domain')) return { seen: { at: 'absent' }, persistent: false };
    throw error;
  }

  async function jobOf(): Promise<'incoming' | 'held' | 'left'> {
    try {
      const { type } = await connection.call('domain_get_job_stats', { dom }, limit);
      return type === jobType.none ? 'left' : 'held';
    } catch (error) {
      // “Only available on the source”: it is coming in.
      if (LibvirtError.is(error, 'operation_unsupported')) return 'incoming';
      throw error;
    }
  }
}
