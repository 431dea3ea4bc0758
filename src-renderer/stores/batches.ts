// What was asked for together, as one: a host that is emptied, several VMs that move or shut down.
import type { MigrationBatch } from '../../contract/model.ts';
import { batches as words } from '../words/batches.ts';
import type { Task, TaskState } from './tasks.svelte.ts';

export const isUnderWay = ({ state }: Pick<Task, 'state'>) =>
  state === 'queued' || state === 'running' || state === 'needs-attention';

/** Undefined where it is about one alone: that needs no batch. */
export function batchOf(size: number, title: string): MigrationBatch | undefined {
  // No `randomUUID`: a page that does not come from this machine has none.
  const id = `${Date.now().toString(36)}-${Math.random().toString(36).slice(2)}`;
  return size > 1 ? { id, title, size } : undefined;
}

/** Puts what belongs together into one task, which stands where the newest of its parts stood. */
export function gather(tasks: readonly Task[]): Task[] {
  const parts = new Map<string, Task[]>();
  for (const task of tasks) {
    if (!task.batch || task.batch.size < 2) continue;
    const known = parts.get(task.batch.id);
    if (known) known.push(task);
    else parts.set(task.batch.id, [task]);
  }
  const told = new Set<string>();
  return tasks.flatMap((task) => {
    const { batch } = task;
    const own = batch && parts.get(batch.id);
    if (!batch || !own) return [task];
    if (told.has(batch.id)) return [];
    told.add(batch.id);
    return [asOne(batch, own)];
  });
}

function asOne(batch: MigrationBatch, parts: readonly Task[]): Task {
  const hosts = (at: 0 | 1) => [...new Set(parts.flatMap((task) => task.hosts[at] ?? []))];
  const [from, to] = [hosts(0), hosts(1)];
  const done = parts.reduce((sum, task) => sum + (isUnderWay(task) ? (task.percent ?? 0) : 100), 0);
  const over = !parts.some(isUnderWay);
  return {
    id: `batch:${batch.id}`,
    kind: 'batch',
    what: parts[0]?.what ?? '',
    target: batch.title,
    hosts: from.length === 1 && to.length === 1 ? [...from, ...to] : from.length === 1 ? from : to.slice(0, 1),
    state: stateOf(parts),
    percent: done / Math.max(batch.size, parts.length),
    startedAt: parts.reduce(
      (first, { startedAt }) => (startedAt < first ? startedAt : first),
      parts[0]?.startedAt ?? '',
    ),
    endedAt: over ? parts.reduce((last, { endedAt }) => ((endedAt ?? '') > last ? (endedAt ?? '') : last), '') : null,
    err: null,
    batch,
    parts,
  };
}

/** What has to be looked at goes before what goes on, and that before what is over. */
const weightiest: readonly TaskState[] = ['needs-attention', 'running', 'queued', 'failed', 'cancelled', 'completed'];

const stateOf = (parts: readonly Task[]): TaskState =>
  weightiest.find((state) => parts.some((task) => task.state === state)) ?? 'completed';

/** How many of a batch stand how, in that order, those that were not begun last; only what there is. */
export function countsOf({
  batch,
  parts = [],
}: Pick<Task, 'batch' | 'parts'>): { is: TaskState | 'waiting'; many: number }[] {
  const counts = weightiest.map((state) => ({
    is: state,
    many: parts.filter((task) => task.state === state).length,
  }));
  const waiting = Math.max(0, (batch?.size ?? 0) - parts.length);
  return [...counts, { is: 'waiting' as const, many: waiting }].filter(({ many }) => many > 0);
}

/** The failures of a batch, those of the same reason together: their VMs in the order given, the reason told once. */
export function failuresOf(parts: readonly Task[]): { reason: string; tasks: Task[] }[] {
  const found = new Map<string, { reason: string; tasks: Task[] }>();
  for (const task of parts) {
    if (task.state !== 'failed' || !task.err) continue;
    // Two reasons that differ by the VM's name alone are one.
    const key = task.err.message.replaceAll(task.target, '…');
    const known = found.get(key);
    if (known) known.tasks.push(task);
    else found.set(key, { reason: task.err.message, tasks: [task] });
  }
  return [...found.values()]
    .map(({ reason, tasks }) => ({
      reason: tasks.length > 1 ? words.ofSeveral(reason, tasks[0]?.target ?? '') : reason,
      tasks,
    }))
    .sort((a, b) => b.tasks.length - a.tasks.length);
}
