// Hosts: their cards, one in full, and the dialogs about one; and several VMs at once.
import { actionsFor, buttons, nothingFound, theHost } from './common.ts';
import { bytes, count, duration, memory, vms } from './format.ts';

export const hostGrid = {
  list: 'Hosts',
  nothingFound,
  noMatch: (search: string) => `No host and no VM matches “${search}”.`,
  clearSearch: buttons.clearSearch,
  actionsFor,
  leaves: (host: string) => `→ ${host}`,
  comes: (host: string) => `← ${host}`,
  vmLeaves: (name: string, host: string) => `${name} → ${host}`,
  vmComes: (name: string, host: string) => `${name} ← ${host}`,
};

export const hostCard = {
  running: (running: number, all: number) => `${running} of ${all} running`,
  lastSeen: (many: number) => `${vms(many)} last seen`,
  readOnly: 'read-only',
  cpu: 'CPU',
  memory: 'Memory',
  storage: 'Storage',
  cpuLately: (host: string) => `CPU of ${host} lately`,
  memoryLately: (host: string) => `Memory of ${host} lately`,
  storageUsed: (host: string) => `Storage of ${host} in use`,
  pools: (many: number) => `In ${count(many, 'active pool', 'active pools')}`,
  of: (part: string, whole: string) => `${part} of ${whole}`,
  connecting: 'Connecting…',
  notConnected: 'Not connected.',
  retry: (when: string) => `Tries again ${when}`,
  fewer: 'Show fewer',
  more: (many: number) => `Show ${many.toLocaleString('en')} more`,
};

export const hostDetail = {
  facts: {
    group: 'Group',
    uri: 'URI',
    hostname: 'Host name',
    hypervisor: 'Hypervisor',
    libvirt: 'libvirt',
    cpus: 'CPUs',
    cpuModel: 'CPU model',
    memory: 'Memory',
    storage: 'Storage',
    hostKey: 'Host key',
    ssh: 'SSH',
    access: 'Access',
  },
  cpus: (many: number, arch: string) => `${many}, ${arch}`,
  storage: (pools: number, available: number, capacity: number) =>
    `${bytes(available)} free of ${bytes(capacity)}, in ${count(pools, 'active pool', 'active pools')}`,
  connections: (many: number) => (many === 0 ? 'no connection' : many === 1 ? 'one connection' : `${many} connections`),
  readOnly: (why: string) => `read-only. ${why}`,
  running: (running: number, all: number) => `${running} of ${all} VMs running`,
  more: (host: string) => `More for ${host}`,
  retry: (inMs: number) =>
    inMs > 0 ? `It is tried again in ${duration(Math.ceil(inMs / 1000) * 1000)}` : 'It is tried again now',
  cpu: 'CPU',
  cpuUnknown: '–',
  memory: 'Memory',
  removed: 'This host was removed',
};

/** What the next two dialogs have in common. */
export const hostField = { cancel: buttons.cancel };

export const groupHost = {
  title: (host = theHost) => `Group of ${host}`,
  about: 'A folder of the tree, e.g. a site or a rack. Only Drover knows of it.',
  label: 'Group',
  hint: 'Empty: in none',
  known: 'Groups that there are',
  done: (host: string, group: string | null) => `${host} is ${group === null ? 'in no group' : `in ${group}`} now`,
  save: 'Save',
};

export const renameHost = {
  title: (host = theHost) => `Rename ${host}`,
  label: 'Label',
  hint: 'What it is called in Drover; the host keeps its own name',
  noLabel: 'Give it a label',
  done: (was: string, now: string) => `${was} is called ${now} now`,
  save: 'Rename',
};

export const removeHost = {
  title: (host = theHost) => `Remove ${host} from Drover?`,
  about: (vmCount: number) =>
    `Drover forgets it and closes its connection. Its ${count(vmCount, 'VM stays', 'VMs stay')} as ${vmCount === 1 ? 'it is' : 'they are'}; you can add it again at any time.`,
  moving: (many: number, host: string) =>
    `${count(many, 'migration', 'migrations')} from or to ${host} ${many === 1 ? 'is' : 'are'} under way. Let ${many === 1 ? 'it' : 'them'} end first.`,
  off: 'A migration is under way',
  cancel: buttons.cancel,
  remove: 'Remove',
};

export const severalDetail = {
  sum: (vcpus: number, kib: number) => `${count(vcpus, 'vCPU', 'vCPUs')} · ${memory(kib)} memory`,
  states: 'State',
  hosts: 'Hosts',
  actions: 'Actions',
};
