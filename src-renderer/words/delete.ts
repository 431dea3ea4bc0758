// What is asked before a VM's definition, its disks or one of its snapshots go.
import { theVm } from './common.ts';
import { count } from './format.ts';

/** `what`: the VM's name, or how many they are. */
export const deleteDomain = {
  task: 'Delete',
  title: (what: string) => `Delete ${what}?`,
  titleOfOne: (vm: string, host: string) => `Delete ${vm} from ${host}?`,
  about: 'The definition goes; the disks stay where they are.',
  aboutWithDisks: 'Its definition and its disks are gone for good.',
  disks: 'Delete the disks as well',
  disksHint: 'What is on them cannot be had back',
  disksGone: 'Disks that would be deleted',
  disksShared: 'Disks that another VM uses too would be missing there.',
  nvram: 'Delete its firmware variables (NVRAM)',
  nvramHint: 'Where it has any; without this such a VM cannot be deleted',
  confirm: (what: string) => `Type “${what}” to confirm`,
  confirmFirst: (what: string) => `Type “${what}” first`,
  nothingLeft: 'Nothing is left to delete',
  go: 'Delete',
  goWithDisks: 'Delete with disks',
};

export const deleteSnapshot = {
  task: 'Delete snapshot',
  title: (snapshot: string, vm: string | undefined, host: string) =>
    `Delete the snapshot ${snapshot} of ${vm ?? theVm} on ${host}?`,
  about: 'There is no going back to it then. What the VM has now stays as it is.',
  children: (many: number) => `Also delete the ${count(many, 'snapshot', 'snapshots')} made upon it`,
  childrenHint: 'Otherwise they stay, each as it is',
  vmGone: 'The VM is not there any more',
  go: 'Delete',
  goSeveral: (many: number) => `Delete ${many}`,
};
