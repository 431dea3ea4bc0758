// The window's frame: its tabs, the pane of what is chosen, and the note of the demo.
import { count } from './format.ts';

export const frame = {
  treeWidth: 'Width of the tree',
  detail: 'Details',
  detailWidth: 'Width of the details',
  tasksHeight: 'Height of the recent tasks',
  moving: (what: string) => `Moving ${what}`,
};

export const centre = {
  unread: 'The fleet could not be read',
  reading: 'Reading the fleet…',
  views: 'Views',
  hosts: 'Hosts',
  vms: 'VMs',
  mobility: 'Mobility',
  putBelow: 'Put this console below',
  putInTab: 'Put the console below in a tab',
  height: 'Height of the console below',
  console: 'Console',
};

export const detailPane = {
  none: 'Nothing selected',
  noneHint: 'Choose a host or a VM to see it here. Drag a VM onto another host to migrate it.',
};

export const demoNote = {
  title: 'Demo fleet.',
  about: (hosts: number) =>
    `${count(hosts, 'simulated host', 'simulated hosts')}: nothing about them is real, and nothing you do here touches a machine.`,
  leave: 'Leave the demo',
};

export const preferences = {
  choiceLost: 'Your choice could not be kept: Drover does not answer.',
};
