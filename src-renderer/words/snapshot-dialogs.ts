// The dialogs that take a VM's snapshot and go back to one, and the one before a VM is forced off: what is kept, what is lost.
import { buttons, theVm } from './common.ts';

const gone = 'The VM is not there any more';

export const takeSnapshot = {
  title: (name = theVm, host: string) => `Take a snapshot of ${name} on ${host}`,
  about: 'Keeps its disks as they are now.',
  aboutMemory: 'Keeps its disks and its memory as they are now. The guest stands still while its memory is written.',
  name: 'Name',
  /** What it is called until the admin knows better. */
  firstName: (now: Date) => `before ${now.toLocaleDateString('sv')} ${now.toLocaleTimeString('sv').slice(0, 5)}`,
  description: 'Description',
  wrong: {
    empty: 'A snapshot needs a name',
    slash: 'No “/” in a name',
    dot: 'No “.” at the beginning of a name',
  },
  diskOnly: (why: string) =>
    `${why} The snapshot is of its disks only: they stay as they are, and new files take what is written from then on.`,
  memory: 'With the guest’s memory',
  memoryHint: 'Without it, the disks stay as they are and new files take what is written from then on',
  newFiles: 'Not every version of libvirt can go back to a snapshot in new files, or delete it.',
  task: 'Snapshot',
  cancel: buttons.cancel,
  take: 'Take it',
  gone,
};

export const revertSnapshot = {
  theVm,
  title: (snapshot: string, name: string, host: string) => `Go back to ${snapshot} of ${name} on ${host}?`,
  about: 'This is lost for good:',
  /** Null where it is not known when the snapshot was taken. */
  lostDisks: (name: string, takenAt: string | null) => {
    const since =
      takenAt === null
        ? 'since then'
        : `since ${new Date(takenAt).toLocaleString(undefined, { dateStyle: 'medium', timeStyle: 'short' })}`;
    return `What ${name} wrote to its disks ${since}, unless another snapshot holds it.`;
  },
  lostMemory: (goesOn: boolean) =>
    `What its guest has in memory now: ${goesOn ? 'it goes on from where it was then' : 'it is stopped, as by pulling the plug'}.`,
  lostDefinition: 'Changes to its definition since then.',
  afterwards: (name: string, memory: boolean, state: string) =>
    memory
      ? `Afterwards ${name} is ${state}, as it was.`
      : state === 'shutoff'
        ? `Afterwards ${name} is shut off, as it was.`
        : `Afterwards ${name} is off, with its disks as they were.`,
  confirm: (name: string) => `Type “${name}” to confirm`,
  notConfirmed: (name: string) => `Type “${name}” first`,
  task: 'Revert',
  cancel: buttons.cancel,
  goBack: 'Go back',
  gone,
};

export const forceOff = {
  off: {
    title: (what: string) => `Force off ${what}?`,
    about:
      'As by pulling the plug: the guest is not asked, and what it has not written to its disks is lost. Shut Down asks it first.',
    go: 'Force Off',
  },
  reset: {
    title: (what: string) => `Force reset ${what}?`,
    about: 'As by the reset button: the guest is not asked, and what it has not written to its disks is lost.',
    go: 'Force Reset',
  },
  one: (name: string, host: string) => `${name} on ${host}`,
  nothingLeft: 'Nothing is left to stop',
  cancel: buttons.cancel,
};
