// The pane of one VM: how it stands, its figures and facts, and its tabs.
import { theVm } from './common.ts';
import { columns } from './domain-table.ts';
import { count, memory } from './format.ts';

/** What is read from the host when it is shown. */
export const reading = {
  again: 'Read it again',
  underWay: 'it is being read',
  from: (host: string) => `Reading it from ${host}…`,
};

export const domainDetail = {
  label: (vm: string, host: string) => `${vm} on ${host}`,
  more: (vm: string) => `More for ${vm}`,
  lastKnown: (vm: string, host: string) =>
    `${host} does not answer. This is what was last known; ${vm} may well run on.`,
  migratingFrom: (host: string) => `Migrating from ${host}`,
  migratingTo: (host: string) => `Migrating to ${host}`,
  migration: (vm: string) => `Migration of ${vm}`,
  about: (vm: string) => `About ${vm}`,
  tabs: {
    overview: 'Overview',
    plots: 'Plots',
    hardware: 'Hardware',
    snapshots: 'Snapshots',
    events: 'Events',
    xml: 'XML',
  },
  figures: { cpu: columns.cpu, memory: columns.memory, disk: columns.disk, network: columns.net },
  noFigures: 'Its figures come with the next sample.',

  cpus: 'CPUs',
  memory: columns.memory,
  memoryOf: (nowKiB: number, mostKiB: number) =>
    nowKiB === mostKiB ? memory(nowKiB) : `${memory(nowKiB)}, at most ${memory(mostKiB)}`,
  state: columns.state,
  /** @param reason libvirt's own word for it */
  stateOf: (state: string, reason: string) => (reason === '' ? state : `${state} (${reason})`),
  kept: 'Kept',
  notKept: 'no: it is gone once shut off',
  graphics: 'Graphics',
  id: 'ID',
  uuid: 'UUID',
  tags: columns.tags,
  autostart: 'Start with its host',
  noAutostart: 'Do not start with its host',
  autostartSet: (vm: string, autostart: boolean) =>
    autostart ? `${vm} starts with its host` : `${vm} does not start with its host`,
  consoles: 'Consoles',
  open: 'Open',
  openBeside: (console: string) => `Open ${console} beside`,

  nextStart: 'As it starts next time',
  edit: 'Edit…',
  transient: 'It is transient: there is no definition to edit',
  copy: 'Copy the XML',
  nothingYet: 'there is nothing yet',
  xmlOf: (vm: string) => `XML of ${vm}`,
  gone: 'This VM is not there any more',
  goneHint: 'It was deleted, or moved to a host that Drover does not know.',
};

export const domainEvents = {
  label: 'What happened',
  none: 'Nothing yet',
  noneHint: 'Nothing happened to it since Drover was started.',
  about: 'libvirt keeps no list: this is what Drover saw since it was started.',
};

export const domainPlots = {
  time: 'Time',
  live: 'As it comes',
  /** By how many minutes they are. */
  spans: { 30: 'Last 30 minutes', 60: 'Last hour', 180: 'Last 3 hours' },
  figures: {
    cpu: columns.cpu,
    memory: columns.memory,
    disk: 'Disk, read and written',
    network: 'Network, received and sent',
  },
  /** Where a plot begins. */
  earlier: 'earlier',
  ago: (minutes: number) => (minutes < 60 ? `${minutes} min ago` : `${minutes / 60} h ago`),
  samplesAgo: (many: number) => (many === 0 ? 'now' : `${count(many, 'sample', 'samples')} ago`),
  none: 'Nothing was sampled yet: figures come while a VM runs.',
};

export const domainSnapshots = {
  take: 'Take a snapshot…',
  again: 'Read them again',
  underWay: 'they are being read',
  from: (host: string) => `Reading them from ${host}…`,
  none: 'No snapshots',
  noneHint: (vm: string = theVm) => `A snapshot keeps how ${vm} is now, to go back to.`,
  label: (vm: string = theVm) => `Snapshots of ${vm}`,
  about: 'A VM that has snapshots cannot be migrated by libvirt: delete them first.',
};
