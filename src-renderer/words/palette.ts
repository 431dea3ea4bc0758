// The palette: every action and every place by typing a few letters of it.
import { count, vms } from './format.ts';
import { shortcuts } from './shortcuts.ts';
import { fleetTree } from './tree.ts';

export const palette = {
  title: shortcuts.does.palette,
  field: 'Action, host or VM',
  hint: 'Type an action, a host or a VM',
  list: 'Found',
  nothingFound: 'Nothing of that name.',
  several: vms,
  fleet: fleetTree.title,
  addHost: 'Add Host…',
  scan: 'Find Hosts…',
  diagnostics: 'Save Diagnostics',
  diagnosticsAbout: 'To send to who helps: no names, no secrets',
  forgetKept: 'Forget Kept Passwords',
  forgetKeptAbout: 'All that is in the keychain for Drover',
  forgotten: (many: number) =>
    many === 0 ? 'Nothing was kept.' : `${count(many, 'kept answer was', 'kept answers were')} forgotten.`,
  searchKept: 'Search kept',
  window: shortcuts.window,
  host: 'Host',
};
