// What can be done to VMs and hosts: how each action is called, why it cannot be done, and what asks about it.
import { vms } from './format.ts';

export const actions = {
  /** By the action's id, as are those of hosts. */
  vm: {
    console: 'Open Console',
    graphics: 'Open Graphical Console',
    start: 'Run',
    resume: 'Resume',
    suspend: 'Pause',
    shutdown: 'Shut Down',
    reboot: 'Reboot',
    managedsave: 'Save',
    tags: 'Tags…',
    migrate: 'Migrate…',
    carry: 'Move by Keyboard',
    'move-back': 'Move Back…',
    destroy: 'Force Off…',
    reset: 'Force Reset…',
    delete: 'Delete…',
  },
  host: {
    connect: 'Connect',
    disconnect: 'Disconnect',
    evacuate: 'Empty for Maintenance…',
    'host-key': 'Host Key…',
    rename: 'Rename…',
    group: 'Group…',
    remove: 'Remove from Drover…',
  },
};

/** Why an action cannot be done now; `vm` and `host` are names. */
export const offReasons = {
  hostNotConnected: 'Its host is not connected',
  notConnected: (host: string) => `${host} is not connected`,
  readOnly: (host: string) => `${host} is connected read-only`,
  migrating: (vm: string) => `${vm} is being migrated`,
  alreadyRunning: (vm: string) => `${vm} is already running`,
  notRunning: (vm: string) => `${vm} is not running`,
  runningStill: (vm: string) => `${vm} is running: shut it down first`,
  suspendedByGuest: (vm: string) => `${vm} was suspended by its guest, which has to wake it`,
  notPaused: (vm: string) => `${vm} is not paused`,
  notPersistent: (vm: string) => `${vm} is not persistent, so it could not be restored`,
  noConsole: (vm: string) => `${vm} has neither a serial console nor VNC`,
  onlySpice: (vm: string) => `${vm} has only SPICE, which Drover does not speak: add a VNC graphics device to it`,
  noVnc: (vm: string) => `${vm} has no VNC graphics device`,
  notMovedHere: (vm: string, host: string) => `${vm} was not moved to ${host} by Drover`,
  originNotConnected: (host: string) => `${host}, where it came from, is not connected`,
  noOtherHost: 'There is no other host to go to',
  connected: (host: string) => `${host} is connected`,
  nothingRuns: (host: string) => `No VM is running on ${host}`,
  noKeyYet: (host: string) => `${host} has shown no key yet`,
  nothingSelected: 'Nothing is selected',
  /** @param first why the first of them cannot */
  noneCan: (many: number, first: string | null) => `None of the ${many.toLocaleString('en')} can: ${first}`,
};

export const bulkBar = {
  label: 'Actions for the VMs selected',
  selected: (many: number) => `${many.toLocaleString('en')} selected`,
  clear: 'Clear selection',
};

export const confirmSeveral = {
  title: (action: string, many: number) => `${action} ${vms(many)}?`,
  go: (action: string, many: number) => `${action} ${vms(many)}`,
};

export const carryPanel = {
  label: (what: string) => `Move ${what} to a host`,
  title: (what: string) => `Move ${what} to…`,
  host: 'Host',
  filter: 'Type to filter hosts',
  hosts: 'Hosts',
  none: 'No host of that name.',
};
