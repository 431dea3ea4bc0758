// The dialog in which a VM's definition is edited as XML.
import { buttons } from './common.ts';

/** Where the VM is gone while the dialog is open. */
const theVm = 'the VM';

export const editXml = {
  editTitle: (name = theVm, host: string) => `Edit the definition of ${name} on ${host}`,
  reviewTitle: (name = theVm, host: string) => `Changes to ${name} on ${host}`,
  about: 'What it starts from.',
  aboutRunning: 'What it starts from next time. What runs now is not changed.',
  task: 'Edit XML',
  reading: (host: string) => `Reading it from ${host}…`,
  readAgain: 'Read it again',
  discard: 'Discard, and read it again',
  goToLine: (line: number) => `Go to line ${line}`,
  goThere: 'Go there',
  atLine: (line: number, fault: string) => `Line ${line}: ${fault}`,
  editor: (name = theVm) => `Definition of ${name}`,
  changes: (name = theVm) => `Changes to the definition of ${name}`,
  validate: 'Have libvirt check it against its schema',
  validateHint: 'It refuses elements that it does not know, which it would otherwise drop without a word',
  cancel: buttons.cancel,
  review: 'Show changes',
  back: 'Back',
  write: (host: string) => `Write to ${host}`,
  done: (name: string, host: string, runs: boolean) =>
    `${name} on ${host} is defined anew.${runs ? ' What runs is as it was until its next start.' : ''}`,
  off: {
    reading: 'It is being read',
    unchanged: 'Nothing is changed yet',
    migrating: (name: string) => `${name} is being migrated`,
    writing: 'it is being written',
  },
};
