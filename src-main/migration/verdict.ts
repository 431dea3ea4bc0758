// Where a VM is after its migration, read again from both hosts: what is told is what was seen.
import type { MigrationView, Uuid } from '../../contract/model.ts';
import type { Host } from '../fleet/host.ts';
import { look, type Look } from './look.ts';

export async function readVerdict(hosts: readonly Host[], uuid: Uuid): Promise<MigrationView['verdict']> {
  const looks = await Promise.all(hosts.map((host) => look(host, uuid)));
  const where = (fits: (look: Look) => boolean) => hosts.filter((_, at) => fits(looks[at] as Look)).map(({ id }) => id);
  // The source tells of none of it by an event.
  await Promise.all(hosts.map((host) => host.domains.refreshed(uuid).catch(() => {})));
  return {
    runningOn: where(({ seen }) => seen.at !== 'absent' && seen.at !== 'shutoff' && seen.at !== 'unreachable'),
    definedOn: where(({ persistent }) => persistent),
  };
}
