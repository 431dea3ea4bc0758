// The mobility matrix: who can go where, and why not.
import { vms } from './format.ts';
import { header } from './header.ts';
import { fleetTree } from './tree.ts';

/** How a VM stands to a host; `open`: the hosts were not asked. */
type Standing = 'ok' | 'warn' | 'blocked' | 'checking' | 'here' | 'open';

const standings: Record<Standing, string> = {
  ok: 'can go there',
  warn: 'can go there, with a warning',
  blocked: 'cannot go there',
  checking: 'the hosts are being asked',
  here: 'is here now',
  open: 'nothing known speaks against it; the hosts were not asked',
};

export const mobilityMatrix = {
  noVms: 'No VMs',
  nothingFound: fleetTree.nothingFound,
  nothingToShow: 'There is no VM to be shown here.',
  clearSearch: header.clearSearch,
  legendTitle: 'What the signs mean',
  legend: { ok: 'Can', warn: 'With a warning', blocked: 'Cannot', open: 'Not asked', here: 'Here' },
  standings,
  /** A cell, as it is read out. */
  cell: (name: string, host: string, standing: Standing, why: string | null) =>
    `${name}, ${host}: ${standings[standing]}${why ? `. ${why}` : ''}`,
  ask: (many: number) => `Ask hosts about ${vms(many)} in sight`,
  noneInSight: 'No VM is in sight',
  table: 'Who can go where',
  vm: 'VM',
  toHost: 'to host',
  actionsFor: fleetTree.actionsFor,
  cannotTake: (host: string, name: string) => `${host} cannot take ${name}`,
  migrate: 'Migrate…',
  hint: 'Choose a cell to see why, Enter to migrate.',
};
