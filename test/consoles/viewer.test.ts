// One viewer: small batches, and what becomes of one who is slow.
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { slowBytes, Viewer } from '../../src-main/consoles/viewer.ts';

let shown: (string | { type: string })[];
let viewer: Viewer;
beforeEach(() => {
  vi.useFakeTimers();
  shown = [];
  viewer = new Viewer({ data: (bytes) => shown.push(Buffer.from(bytes).toString()), note: (note) => shown.push(note) });
});
afterEach(() => void vi.useRealTimers());
const data = (text: string) => viewer.data(Buffer.from(text));
const flood = () => viewer.data(Buffer.alloc(slowBytes + 1));

describe('bytes', () => {
  it('that come close together travel together', () => {
    for (const part of ['tick', ' ', '1', '\n']) data(part);
    expect(shown).toEqual([]);
    vi.advanceTimersByTime(10);
    data('tick 2\n');
    vi.advanceTimersByTime(10);
    expect(shown).toEqual(['tick 1\n', 'tick 2\n']);
  });

  it('come before the note that follows them', () => {
    data('last words');
    viewer.note({ type: 'moved', from: 'a', to: 'b' });
    data('first words');
    viewer.flush();
    expect(shown).toEqual(['last words', { type: 'moved', from: 'a', to: 'b' }, 'first words']);
  });
});

describe('a viewer', () => {
  it('is slow with more unshown than it may have, until it has shown it', () => {
    viewer.data(Buffer.alloc(slowBytes));
    expect([viewer.slow, viewer.slowSince]).toEqual([false, null]);
    data('x');
    expect(viewer.slow).toBe(true);
    expect(viewer.slowSince).not.toBeNull();
    viewer.shown(1);
    expect([viewer.slow, viewer.slowSince]).toEqual([false, null]);
  });

  it('that is left behind gets what came so far, then nothing, until it has shown all; then it is told of the gap', () => {
    flood();
    viewer.leaveBehind();
    expect(shown).toHaveLength(1);
    data('passes by');
    vi.advanceTimersByTime(10);
    expect([shown.length, viewer.slow]).toEqual([1, false]);
    viewer.shown(slowBytes);
    expect(shown).toHaveLength(1);
    viewer.shown(1);
    expect(shown.slice(1)).toEqual([{ type: 'gap' }]);
    data('again');
    vi.advanceTimersByTime(10);
    expect(shown.slice(2)).toEqual(['again']);
  });

  it('that is left behind still hears that the console moved or closed', () => {
    flood();
    viewer.leaveBehind();
    viewer.note({ type: 'closed', err: null });
    expect(shown.at(-1)).toEqual({ type: 'closed', err: null });
  });

  it('that says it showed more than it got owes nothing, and has no credit', () => {
    data('x');
    viewer.shown(1_000_000_000);
    flood();
    expect(viewer.slow).toBe(true);
  });
});
