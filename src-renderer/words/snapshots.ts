// A VM's snapshots: what each holds, and what can be done with it.
import type { SnapshotView } from '../../contract/model.ts';

export const snapshotTree = {
  current: 'Current',
  /** Read out after the name, where the tree shows it by its place. */
  upon: (parent: string) => `, made upon ${parent}`,
  /** @param when empty where it is not known */
  about: (when: string, snapshot: SnapshotView) => [when, snapshotWords(snapshot)].filter(Boolean).join(' · '),
  revert: (name: string) => `Go back to ${name}…`,
  remove: (name: string) => `Delete ${name}…`,
};

/** What a snapshot holds. */
function snapshotWords({ state, memory, disks }: SnapshotView): string {
  const inFiles = disks.some(({ kind }) => kind === 'external') ? ', in new files' : '';
  if (memory) return `${state === 'paused' ? 'paused' : 'running'}, with its memory${inFiles}`;
  return state === 'shutoff' ? `shut off${inFiles}` : `disks only${inFiles}`;
}
