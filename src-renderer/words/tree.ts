// The tree of hosts and their VMs.
import { actionsFor, nothingFound } from './common.ts';
import { count, hosts, vms } from './format.ts';

export const fleetTree = {
  title: 'Fleet',
  size: (hostCount: number, vmCount: number) => `${hosts(hostCount)} · ${vms(vmCount)}`,
  openAll: 'Open all',
  closeAll: 'Close all',
  list: 'Hosts and their VMs',
  nothingFound,
  noMatch: 'No host and no VM matches the search.',
  tags: 'Tags',
  tagCount: (many: number) => count(many, 'tag', 'tags'),
  /** A line, as it is read out. */
  line: (name: string, state: string) => `${name}, ${state}`,
  open: (host: string) => `Open ${host}`,
  close: (host: string) => `Close ${host}`,
  actions: 'Actions',
  actionsFor,
};
