// Snapshots as the lines of a tree: each under what it was made upon.
import type { SnapshotView } from '../../contract/model.ts';

export interface SnapshotLine {
  view: SnapshotView;
  /** From 1. */
  level: number;
  /** How many were made upon it, directly or not. */
  below: number;
}

/** In the order given, children after their parent; what names a parent that is not there stands at the top. */
export function snapshotLines(views: readonly SnapshotView[]): SnapshotLine[] {
  const known = new Set(views.map(({ name }) => name));
  const top: SnapshotView[] = [];
  const upon = new Map<string, SnapshotView[]>();
  for (const view of views) {
    const { parent } = view;
    if (parent === null || !known.has(parent)) top.push(view);
    else upon.set(parent, [...(upon.get(parent) ?? []), view]);
  }
  const lines: SnapshotLine[] = [];
  const seen = new Set<string>();
  const add = (view: SnapshotView, level: number) => {
    if (seen.has(view.name)) return;
    seen.add(view.name);
    const at = lines.push({ view, level, below: 0 }) - 1;
    for (const child of upon.get(view.name) ?? []) add(child, level + 1);
    const line = lines[at];
    if (line) line.below = lines.length - at - 1;
  };
  for (const view of top) add(view, 1);
  // A circle is no tree, but it is not hidden either.
  for (const view of views) add(view, 1);
  return lines;
}
