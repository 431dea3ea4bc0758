// The fault `dies`: ends a connection, a daemon or a host at one moment of a migration.
import type { Client } from '../client.ts';
import type { Daemon } from '../daemon.ts';
import type { Death, Moment, Phase } from '../faults.ts';
import type { SimFleet } from '../fleet.ts';
import type { Driver } from './jobs.ts';

/** Who holds which side of a migration that is under way. */
export interface Sides {
  source?: { daemon: Daemon; driver: Driver };
  target?: { daemon: Daemon; driver: Driver };
}

/** Which side a step's call goes to. */
const sideOf = { begin: 'source', prepare: 'target', perform: 'source', finish: 'target', confirm: 'source' } as const;

/** Never answered: what would have answered is gone. */
export class Dropped extends Error {}

/** @throws Dropped when the call is not to be carried out */
export async function strike(
  fleet: SimFleet,
  phase: Phase,
  when: Moment,
  vm: { name: string; uuid: string },
): Promise<void> {
  const sides = fleet.moves.get(vm.uuid) ?? {};
  const fits = (fault: { phase: Phase; when: Moment }) => fault.phase === phase && fault.when === when;
  const fault = fleet.faults.take('dies', { vm }, fits);
  if (!fault) return;
  const struck = (['source', 'target'] as const).filter((side) => fault.side === side || fault.side === 'both');
  for (const side of struck) kill(fleet, sides[side], fault.what);
  if (when !== 'request' || !struck.includes(sideOf[phase])) return;
  const here = sides[sideOf[phase]];
  // A daemon that drives by itself loses only its way to the other.
  const alone = here?.driver.number === 0 && sideOf[phase] === 'source';
  if (alone && (fault.what === 'connection' || fault.what === 'ssh')) return;
  if (fault.what !== 'silence') throw new Dropped();
  // The request is still on its way, and comes when the silence is over.
  await fleet.heard(here?.daemon.host.name ?? '');
  if (here?.driver.gone && !alone) throw new Dropped();
}

function kill(fleet: SimFleet, side: Sides['source'], what: Death): void {
  if (!side) return;
  const { host } = side.daemon;
  switch (what) {
    case 'connection':
      return (side.driver as Client).hangUp();
    case 'ssh':
      return host.cutSsh();
    case 'daemon':
      return side.daemon.restart();
    case 'host':
      return host.crash();
    case 'silence':
      return void fleet.faults.set({ kind: 'silent', host: host.name });
    default:
      return what satisfies never;
  }
}
