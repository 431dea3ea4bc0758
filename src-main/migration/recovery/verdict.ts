// Where a VM is after its migration, read again from both hosts: what is told is what was seen.
import type { MigrationView, Uuid } from '../../../contract/model.ts';
import type { Host } from '../../fleet/host.ts';
import { look, type Look } from './look.ts';

export interface VerdictRead {
  verdict: MigrationView['verdict'];
  /** Hosts that did not answer: of them it says nothing. */
  silent: Host[];
}

/** A host whose daemon is just being started anew answers soon. */
const patienceMs = 12_000;
const againMs = 300;

/** @param patient Whether a host that does not answer is asked again for a while. */
export async function readVerdict(
  hosts: readonly Host[],
  uuid: Uuid,
  clock: { sleep(ms: number): Promise<unknown>; now(): number },
  patient: () => boolean,
): Promise<VerdictRead> {
  const began = clock.now();
  const ask = () => Promise.all(hosts.map((host) => look(host, uuid)));
  const silentOf = (looks: Look[]) => hosts.filter((_, at) => looks[at]?.seen.at === 'unreachable');
  let looks = await ask();
  while (silentOf(looks).length > 0 && patient() && clock.now() - began < patienceMs) {
    await clock.sleep(againMs);
    looks = await ask();
  }
  const where = (fits: (look: Look) => boolean) => hosts.filter((_, at) => fits(looks[at] as Look)).map(({ id }) => id);
  // The source tells of none of it by an event.
  await Promise.all(hosts.map((host) => host.domains.refreshed(uuid).catch(() => {})));
  const verdict = {
    runningOn: where(({ seen }) => seen.at !== 'absent' && seen.at !== 'shutoff' && seen.at !== 'unreachable'),
    definedOn: where(({ persistent }) => persistent),
  };
  return { verdict, silent: silentOf(looks) };
}
