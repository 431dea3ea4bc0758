// Asks a host, on a fresh connection, what it holds of a domain. No answer is told apart from every answer.
import type { Uuid } from '../../../contract/model.ts';
import type { Host } from '../../fleet/host.ts';
import { type Connection, domainState, jobType, LibvirtError, pausedReason } from '../../libvirt/index.ts';
import type { Seen } from './decide.ts';

export interface Look {
  seen: Seen;
  /** Whether it would be there after a restart of the host. */
  persistent: boolean;
  /** A job is under way on it, e.g. a migration that sends. */
  job: boolean;
}

/** Of one call: longer, and the host counts as unreachable for now. */
const timeoutMs = 15_000;

export async function look(host: Host, uuid: Uuid): Promise<Look> {
  let connection: Connection | null = null;
  try {
    connection = await host.open({ keepalive: true });
    return await ask(connection, uuid);
  } catch {
    return { seen: { at: 'unreachable' }, persistent: false, job: false };
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
    const kept = persistent !== 0;
    switch (state) {
      case domainState.shutoff:
      case domainState.crashed:
        return { seen: { at: 'shutoff' }, persistent: kept, job: false };
      case domainState.nostate:
        // No answer to what was asked.
        throw new Error('libvirt does not say in what state it is');
      case domainState.paused: {
        const job = await jobOf();
        const held = job === 'held';
        if (reason !== pausedReason.migration) return { seen: { at: 'paused' }, persistent: kept, job: held };
        return { seen: { at: 'migrating', job }, persistent: kept, job: held };
      }
      default:
        return { seen: { at: 'running' }, persistent: kept, job: (await jobOf()) === 'held' };
    }
  } catch (error) {
    if (LibvirtError.is(error, 'no_domain')) return { seen: { at: 'absent' }, persistent: false, job: false };
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
