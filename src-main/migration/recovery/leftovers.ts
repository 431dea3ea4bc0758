// What a migration made on the hosts and nobody needs any more goes again: at once, or when the host answers again.
import type { Uuid } from '../../../contract/model.ts';
import type { Host } from '../../fleet/host.ts';
import type { Made } from './journal.ts';
import { LibvirtError, undefineFlags } from '../../libvirt/index.ts';
import { look } from './look.ts';
import { removeSockets } from '../ways/relay.ts';
import { removeVolumes } from '../storage/volumes.ts';

export interface Leftovers {
  id: string;
  uuid: Uuid;
  source: Host;
  target: Host;
  /** Volumes on the target, where the VM did not move. */
  made: readonly Made[];
  /** The VM may have been defined on the target by this migration, and stayed at its source. */
  defined: boolean;
  /** A definition of the VM was there before, so that it may be there again. */
  twin: boolean;
  /** It may have sockets of a relay on both hosts. */
  relayed: boolean;
  clock: { sleep(ms: number): Promise<unknown>; now(): number };
  /** Drover is about to end. */
  leaving: () => boolean;
  /** Somebody said that it is to be left. */
  givenUp: () => boolean;
  /** The target does not answer: what waits there for it. */
  waiting: (volumes: string) => void;
}

/** `left`: the next start goes on with it. Else the sentences about what stays. */
export type Cleared = { left: true } | { left: false; notices: string[] };

const againMs = 500;
/** What is refused for longer stays; whoever does not answer is waited for. */
const patienceMs = 4_000;
const triesLeast = 3;
/** A folder of sockets is worth no longer waiting. */
const socketsMs = 12_000;

export async function clearLeftovers(leftovers: Leftovers): Promise<Cleared> {
  const { id, source, target, clock, leaving, givenUp, waiting } = leftovers;
  const began = clock.now();
  let sockets = leftovers.relayed ? [source, target] : [];
  let made = [...leftovers.made];
  let { defined } = leftovers;
  // A host that was away for long, and then refuses once, is asked again all the same.
  const refused = { times: 0, since: began };
  for (let tries = 1; ; tries += 1) {
    if (defined) defined = !(await forget(leftovers));
    const removed = await Promise.all(sockets.map((host) => removeSockets(host, id)));
    sockets = sockets.filter((_, at) => !removed[at]);
    const result = made.length > 0 ? await removeNow(leftovers, made) : { kept: [], silent: false };
    made = result.kept;
    if (made.length > 0 && !result.silent) {
      if (refused.times === 0) refused.since = clock.now();
      refused.times += 1;
    }
    const forGood = refused.times >= triesLeast && clock.now() - refused.since > patienceMs;
    const waited = clock.now() - began;
    const late = waited > patienceMs && tries >= triesLeast;
    if (defined && (givenUp() || late)) {
      // What stays is told by the verdict: it is read after this.
      defined = false;
    }
    if (defined) {
      await clock.sleep(againMs);
      continue;
    }
    const names = made.map(({ pool, volume }) => `${volume} in ${pool}`).join(', ');
    if (made.length === 0 && (sockets.length === 0 || waited > socketsMs || givenUp())) {
      const still = (host: Host) => `The relay’s empty sockets on ${host.label} are still there: it did not answer.`;
      return { left: false, notices: sockets.map(still) };
    }
    if (made.length > 0 && (givenUp() || target.removed || (forGood && !result.silent))) {
      const why = 'why' in result && result.why ? ` ${result.why}` : '';
      const still = `Volumes that were made on ${target.label} for the copied disks are still there: ${names}.${why}`;
      return { left: false, notices: [still] };
    }
    if (leaving() && (forGood || result.silent)) return { left: true };
    if (late && made.length > 0) waiting(names);
    await clock.sleep(againMs);
  }
}

/**
 * A target whose QEMU ended just when it was to run it keeps the definition that came along. It goes again only where
 * the source was seen to have the VM. @returns whether nothing is left to do
 */
async function forget({ source, target, uuid }: Leftovers): Promise<boolean> {
  const [here, there] = await Promise.all([look(source, uuid), look(target, uuid)]);
  if (there.seen.at === 'unreachable' || here.seen.at === 'unreachable') return false;
  if (there.seen.at !== 'shutoff' || (here.seen.at !== 'running' && here.seen.at !== 'paused')) return true;
  try {
    const on = await target.work();
    await on.call('domain_undefine_flags', { dom: { name: '', uuid }, flags: undefineFlags.keep_nvram });
    return true;
  } catch (error) {
    return LibvirtError.is(error, 'no_domain');
  }
}

interface Removal {
  kept: Made[];
  /** The target did not say whether it has the VM, or let it go. */
  silent: boolean;
  why?: string;
}

/** Only where the target was seen not to have the VM: else they may be its disks. */
async function removeNow({ target, uuid, twin }: Leftovers, made: Made[]): Promise<Removal> {
  const { seen } = await look(target, uuid);
  if (seen.at === 'unreachable') return { kept: made, silent: true };
  if (seen.at !== 'absent' && !(seen.at === 'shutoff' && twin)) return { kept: made, silent: false };
  try {
    const kept = await removeVolumes(target, made);
    const why = 'They were only about to be made, and hold something: they may be another’s.';
    return { kept, silent: false, ...(kept.length > 0 && { why }) };
  } catch (error) {
    return { kept: made, silent: false, why: error instanceof Error ? error.message : String(error) };
  }
}
