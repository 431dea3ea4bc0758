// Snapshots as a tree: each under what it was made upon, and none hidden.
import { describe, expect, it } from 'vitest';
import type { SnapshotView } from '../../contract/model.ts';
import { snapshotLines } from '../../src-renderer/parts/snapshot-tree.ts';

const one = (name: string, parent: string | null): SnapshotView => ({
  name,
  parent,
  description: '',
  createdAt: null,
  state: 'shutoff',
  current: false,
  memory: false,
  disks: [],
});
const shown = (views: SnapshotView[]) =>
  snapshotLines(views).map(({ view, level, below }) => `${'.'.repeat(level - 1)}${view.name} ${below}`);

describe('the tree of snapshots', () => {
  it('has each under what it was made upon, in the order given, and counts what is below', () => {
    expect(shown([one('a', null), one('b', 'a'), one('c', 'a'), one('d', 'b'), one('e', null)])).toEqual([
      'a 3',
      '.b 1',
      '..d 0',
      '.c 0',
      'e 0',
    ]);
  });

  it('hides none: not one whose parent is not there, nor a circle', () => {
    expect(shown([one('a', 'gone'), one('x', 'y'), one('y', 'x')])).toEqual(['a 0', 'x 1', '.y 0']);
  });
});
