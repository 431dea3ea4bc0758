// What was asked for together stands as one task, with its failures grouped.
import { describe, expect, it } from 'vitest';
import type { Task } from '../../src-renderer/stores/tasks.svelte.ts';
import { batchOf, countsOf, failuresOf, gather } from '../../src-renderer/stores/batches.ts';
import { countWords } from '../../src-renderer/words/tasks.ts';

const batch = { id: 'b1', title: 'Empty kvm1', size: 3 };
const task = (target: string, change: Partial<Task> = {}): Task => ({
  id: target,
  kind: 'migration',
  what: 'Migrate',
  target,
  hosts: ['kvm1', 'kvm2'],
  state: 'completed',
  percent: 100,
  startedAt: '2026-01-01T03:00:00.000Z',
  endedAt: '2026-01-01T03:01:00.000Z',
  err: null,
  ...change,
});
const failed = (target: string, message: string) =>
  task(target, { state: 'failed', batch, err: { code: 'refused', message } });

describe('a batch', () => {
  it('stands once, where the newest of it stood, and the rest as it was', () => {
    const list = gather([task('new'), task('web01', { batch }), task('between'), task('web02', { batch })]);
    expect(list.map(({ target }) => target)).toEqual(['new', 'Empty kvm1', 'between']);
    expect(list[1]?.parts?.map(({ target }) => target)).toEqual(['web01', 'web02']);
  });

  it('names both hosts where there are two, and the one that they come from where they go apart', () => {
    const hosts = (...others: string[]) =>
      gather(others.map((to) => task(`to ${to}`, { batch, hosts: ['kvm1', to] })))[0]?.hosts;
    expect(hosts('kvm2', 'kvm2')).toEqual(['kvm1', 'kvm2']);
    expect(hosts('kvm2', 'kvm3')).toEqual(['kvm1']);
  });

  it('is as far as all that it is about, begun or not', () => {
    const [one] = gather([
      task('web01', { batch }),
      task('web02', { batch, state: 'running', percent: 50, endedAt: null }),
    ]);
    expect(one).toMatchObject({ percent: 50, state: 'running', endedAt: null });
    expect(countWords(countsOf(one ?? {}))).toBe('1 running, 1 completed, 1 not begun');
  });

  it('needs attention where one of it does, and has failed where one has once all are over', () => {
    const state = (...states: Task['state'][]) =>
      gather(states.map((each) => task(each, { batch, state: each })))[0]?.state;
    expect(state('completed', 'running', 'needs-attention')).toBe('needs-attention');
    expect(state('failed', 'running')).toBe('running');
    expect(state('completed', 'failed', 'cancelled')).toBe('failed');
    expect(state('completed', 'completed')).toBe('completed');
  });

  it('tells each reason of a failure once, with the VMs that it stopped', () => {
    const groups = failuresOf([
      failed('web01', 'The disk of web01 is local to kvm1.'),
      failed('db01', 'kvm2 is full.'),
      failed('web02', 'The disk of web02 is local to kvm1.'),
      task('fine', { batch }),
    ]);
    expect(groups.map(({ reason, tasks }) => [reason, tasks.map(({ target }) => target)])).toEqual([
      ['The disk of the VM is local to kvm1.', ['web01', 'web02']],
      ['kvm2 is full.', ['db01']],
    ]);
  });

  it('of one is none', () => {
    expect(batchOf(1, 'one VM')).toBeUndefined();
    expect(gather([task('web01', { batch: { ...batch, size: 1 } })])[0]?.target).toBe('web01');
  });

  it('is never taken for another', () => {
    expect(batchOf(2, '2 VMs')?.id).not.toBe(batchOf(2, '2 VMs')?.id);
  });
});
