// The tags of VMs: the dialog that changes them, and what is told of it.
import { buttons } from './common.ts';
import { vms } from './format.ts';

export const editTags = {
  title: (what: string) => `Tags of ${what}`,
  about: (one: boolean) => `Kept in the definition of ${one ? 'the VM' : 'each VM'}: every admin sees the same ones.`,
  list: 'Tags',
  none: 'No tags yet.',
  onSome: (some: number, all: number) => `${some} of ${all}`,
  add: 'Add a tag',
  addHint: 'Enter adds it',
  known: 'Tags of other VMs',
  unchanged: 'Nothing has changed',
  cancel: buttons.cancel,
  save: 'Save',
};

export const tagging = {
  task: 'Tag',
  /** `web1: tagged prod; no longer tagged test` */
  done: (what: string, added: readonly string[], removed: readonly string[]) => {
    const parts = [
      ...(added.length > 0 ? [`tagged ${added.join(', ')}`] : []),
      ...(removed.length > 0 ? [`no longer tagged ${removed.join(', ')}`] : []),
    ];
    return `${what}: ${parts.join('; ')}`;
  },
  notTakenBack: (failed: number, all: number) => `Of ${vms(all)} ${failed} could not be taken back.`,
};
