// The top of the window: search, what adds to the fleet, what is shown; and the note when it is out of date.
import { buttons } from './common.ts';
import { shortcuts } from './shortcuts.ts';
import { taskList } from './task-list.ts';

export const header = {
  title: 'Drover',
  search: 'Search hosts and VMs',
  searchExample: 'Search hosts and VMs, e.g. web state:running host:kvm3 tag:prod',
  keepSearch: 'Keep this search',
  clearSearch: buttons.clearSearch,
  kept: 'Searches kept',
  scan: 'Find Hosts',
  addHost: 'Add Host',
  window: 'Window',
  tree: 'Tree',
  tasks: taskList.title,
  detail: 'Details',
  keyboard: shortcuts.does.shortcuts,
  theme: (which: 'system' | 'light' | 'dark') =>
    `Theme: ${{ system: 'as the system has it', light: 'light', dark: 'dark' }[which]}`,
};

export const linkNote = {
  down: 'Drover itself does not answer: what you see is what was last known. The window tries again by itself.',
  outOfStep: 'What you see may be out of date: it is being read again.',
};
