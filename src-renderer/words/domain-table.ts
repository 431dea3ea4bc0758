// The table of VMs: its columns, its groups, and what it says where there is nothing to show.
import { actionsFor, buttons, nothingFound } from './common.ts';

/** By the column's id. */
export const columns = {
  name: 'Name',
  host: 'Host',
  state: 'State',
  cpu: 'CPU',
  vcpus: 'vCPUs',
  memory: 'Memory',
  used: 'Memory used',
  disk: 'Disk',
  net: 'Network',
  tags: 'Tags',
};

export const domainTable = {
  label: 'VMs',
  groupings: { host: columns.host, state: columns.state, group: 'Group of its host' },
  noGroup: 'In no group',
  selectAll: 'Select all',
  choose: 'Columns and groups',
  groupedBy: 'Grouped by',
  actions: 'Actions',
  actionsFor,
  none: 'No VMs',
  noneHint: 'None of the hosts that are connected has a VM.',
  notFound: nothingFound,
  notFoundHint: (text: string) => `No VM matches “${text}”.`,
  clear: buttons.clearSearch,
};
