// What several dialogs, lists and menus say alike.
import { count } from './format.ts';

export const buttons = { cancel: 'Cancel', close: 'Close', back: 'Back' };

/** Where its name is not known, or where not one alone is meant. */
export const theVm = 'the VM';

export const vms = (many: number): string => count(many, 'VM', 'VMs');
