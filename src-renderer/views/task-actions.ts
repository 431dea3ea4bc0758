// What can be done with a recent task: looked at, cancelled, moved back; and what its row says about it.
import { toErr } from '../../contract/failure.ts';
import { actionIcon } from '../parts/action-icons.ts';
import { copyText } from '../parts/clipboard.ts';
import { domainAction, runOn } from '../stores/actions.ts';
import { countsOf, failuresOf, isUnderWay } from '../stores/batches.ts';
import type { Domain } from '../stores/domain.svelte.ts';
import type { Task } from '../stores/tasks.svelte.ts';
import type { MenuItem } from '../ui/menu.ts';
import { taskActions as words } from '../words/task-list.ts';
import { countWords } from '../words/tasks.ts';
import type { Desk } from './desk.svelte.ts';

export function show(task: Task, { dialogs, toasts }: Desk): void {
  if (task.kind === 'batch' && task.batch) dialogs.show({ kind: 'batch', batchId: task.batch.id });
  else if (task.migration) dialogs.show({ kind: 'task', migrationId: task.migration.id });
  else if (task.scan) dialogs.show({ kind: 'discover' });
  else if (task.err) toasts.show('error', task.err.message);
}

/** Undefined where there is nothing to cancel. */
export function canceller(task: Task, desk: Desk): (() => void) | undefined {
  const { migration, scan, parts } = task;
  if (parts) {
    const all = parts.flatMap((part) => canceller(part, desk) ?? []);
    return all.length > 0 ? () => all.forEach((cancel) => cancel()) : undefined;
  }
  if (!isUnderWay(task) || task.state === 'needs-attention' || migration?.postCopied) return undefined;
  const ask = (asked: Promise<unknown>) =>
    void asked.catch((thrown: unknown) => desk.toasts.show('error', toErr(thrown).message));
  if (migration) return () => ask(desk.link.call('migrations.cancel', { id: migration.id }));
  if (scan) return () => ask(desk.link.call('scans.cancel', { id: scan.id }));
  return undefined;
}

/** The VMs of a task that were moved by it and are there still. */
export function movedBy({ parts, migration }: Task, desk: Desk): Domain[] {
  if (parts) return parts.flatMap((part) => movedBy(part, desk));
  if (migration?.state !== 'completed') return [];
  const domain = desk.fleet.domain({ hostId: migration.to, uuid: migration.uuid });
  return domain && desk.fleet.cameFrom(domain.view)?.id === migration.id ? [domain] : [];
}

export function taskMenu(task: Task, desk: Desk): MenuItem[] {
  const items: MenuItem[] = [{ id: 'show', label: words.details, keys: 'Enter', run: () => show(task, desk) }];
  const moved = movedBy(task, desk);
  const back = domainAction('move-back');
  if (moved.length > 0) {
    const [first] = moved;
    const from = first && desk.fleet.cameFrom(first.view)?.from;
    items.push({
      id: 'move-back',
      label: words.moveBack(from === undefined ? undefined : desk.fleet.label(from)),
      icon: actionIcon('move-back'),
      off: moved.every((domain) => back.off(domain, desk) !== null) && first ? back.off(first, desk) : null,
      run: () => runOn(back, moved, desk),
    });
  }
  const { migration } = task;
  if (migration) {
    const run = () => void copyText(migration.virsh);
    items.push({ id: 'virsh', label: words.virsh, run });
  }
  const cancel = canceller(task, desk);
  if (cancel)
    items.push('line', {
      id: 'cancel',
      label: task.parts ? words.cancelParts : words.cancel,
      keys: 'Delete',
      run: cancel,
    });
  return items;
}

/** Why it failed, what it waits for, what it came to. */
export function messageOf(task: Task): string | null {
  const { err, migration, scan, parts } = task;
  if (parts) {
    const [failure] = failuresOf(parts);
    const counts = countsOf(task);
    if (counts.length === 1 && task.state === 'completed') return words.allDone(parts.length);
    return failure ? words.because(countWords(counts), failure.reason) : countWords(counts);
  }
  if (err) return err.message;
  if (migration?.state === 'completed' && migration.downtimeMs !== null) return words.stoppedFor(migration.downtimeMs);
  if (migration?.state === 'needs-attention') return migration.actions[0]?.message ?? null;
  if (scan && !isUnderWay(task)) return words.found(scan.found.length);
  return null;
}
