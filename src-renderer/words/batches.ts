// Tasks by their names, what was asked for together, and what is taken back.
import { theVm } from './common.ts';
import { vms } from './format.ts';

export const tasks = { migrate: 'Migrate', scan: 'Scan' };

export const batches = {
  /** A failure of one VM as it is told of several. */
  ofSeveral: (reason: string, vm: string) => {
    const told = reason.replaceAll(vm, theVm);
    return told.startsWith(theVm) ? told.charAt(0).toUpperCase() + told.slice(1) : told;
  },
};

export const undo = {
  undo: 'Undo',
  taken: (done: string) => `Taken back: ${done}`,
};

export const batchDetail = {
  unknown: 'Task',
  failed: (many: number) => `${vms(many)}:`,
  parts: 'Parts of it',
  part: (what: string, target: string) => `${what} ${target}`,
  gone: 'This is not kept any more',
  moveBack: (many: number) => `Move ${vms(many)} back…`,
  cancel: 'Cancel what is under way',
};
