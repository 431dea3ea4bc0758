// So many at a time.
import { describe, expect, it, vi } from 'vitest';
import { Gate } from '../../src-main/ssh/gate.ts';

const turn = () => new Promise((resolve) => setImmediate(resolve));

describe('a gate', () => {
  it('lets so many through, the others in the order they came', async () => {
    const gate = new Gate(2);
    const through: number[] = [];
    const leaves: (() => void)[] = [];
    for (let i = 0; i < 5; i++) {
      void gate.enter().then((leave) => {
        through.push(i);
        leaves.push(leave);
      });
    }
    await turn();
    expect(through).toEqual([0, 1]);
    leaves[1]?.();
    await turn();
    expect(through).toEqual([0, 1, 2]);
    leaves[0]?.();
    leaves[2]?.();
    await turn();
    expect(through).toEqual([0, 1, 2, 3, 4]);
  });

  it('frees the place of one who hangs, once', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    try {
      const gate = new Gate(1, 2000);
      const through: number[] = [];
      const leaves: (() => void)[] = [];
      for (let i = 0; i < 3; i++) {
        void gate.enter().then((leave) => {
          through.push(i);
          leaves.push(leave);
        });
      }
      vi.advanceTimersByTime(1999);
      await turn();
      expect(through).toEqual([0]);
      vi.advanceTimersByTime(1);
      await turn();
      expect(through).toEqual([0, 1]);
      leaves[0]?.(); // late: its place is another's by now
      await turn();
      expect(through).toEqual([0, 1]);
      leaves[1]?.();
      await turn();
      expect(through).toEqual([0, 1, 2]);
    } finally {
      vi.useRealTimers();
    }
  });

  it('counts a leave-taking once', async () => {
    const gate = new Gate(1);
    const leave = await gate.enter();
    leave();
    leave();
    await gate.enter();
    let second = false;
    void gate.enter().then(() => (second = true));
    await turn();
    expect(second).toBe(false);
  });

  it('forgets who gave up waiting', async () => {
    const gate = new Gate(1);
    const leave = await gate.enter();
    const abort = new AbortController();
    const impatient = gate.enter(abort.signal);
    const patient = gate.enter();
    abort.abort(new Error('enough'));
    await expect(impatient).rejects.toThrow('enough');
    leave();
    await patient;
  });

  it('lets nobody in who gave up before', async () => {
    const gate = new Gate(1);
    await expect(gate.enter(AbortSignal.abort(new Error('enough')))).rejects.toThrow('enough');
    await gate.enter();
  });

  it('does not lose the place of one who gives up after it was let in', async () => {
    const gate = new Gate(1);
    const abort = new AbortController();
    const leave = await gate.enter(abort.signal);
    abort.abort();
    leave();
    await gate.enter();
  });
});
