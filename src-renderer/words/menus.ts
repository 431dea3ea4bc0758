// What the menus of VMs, hosts, tags and groups say beside the actions; the desktop's own menus; where its links lead.
import { vms } from './format.ts';
import { actions } from './actions.ts';

export const menus = {
  several: (many: number) => `${many} VMs`,
  beside: 'Open Console Beside',
  migrateTo: 'Migrate to',
  here: 'Here now',
  blocked: 'It cannot take it',
  allHosts: (many: number) => `All ${many} hosts…`,
  find: (query: string) => `Find ${query}`,
  select: (many: number) => `Select ${vms(many)}`,
  tagsOf: (many: number) => `Tags of ${vms(many)}…`,
  checkKey: 'Check its key…',
  connect: actions.host.connect,
  tryNow: 'Try now',
};

export const desktop = {
  vm: 'VM',
  host: 'Host',
  addHost: 'Add Host…',
  scan: 'Find Hosts…',
  view: 'View',
  noHost: (name: string) => `There is no host “${name}” in Drover.`,
  noVm: (vm: string, host: string) => `There is no VM “${vm}” on ${host} now.`,
};
