// What an edit changes: exact, the least, and in hunks.
import { describe, expect, it } from 'vitest';
import { diffLines, type Hunk } from '../../src-renderer/parts/text-diff.ts';
import { random, seed } from '../libvirt/random.ts';

const shown = (hunk: Hunk) => hunk.map(({ kind, text }) => ({ same: ' ', out: '-', in: '+' })[kind] + text);
const lines = (from: number, to: number) => Array.from({ length: to - from + 1 }, (_, at) => `l${from + at}`);

describe('a difference', () => {
  it('is none where nothing changed', () => {
    expect(diffLines('a\nb\n', 'a\nb\n')).toEqual([]);
  });

  it('tells two changes far apart as two, and leaves out what lies between', () => {
    const before = lines(1, 40);
    const after = before.with(4, 'five').toSpliced(35, 0, 'new');
    expect(diffLines(before.join('\n'), after.join('\n')).map(shown)).toEqual([
      [' l2', ' l3', ' l4', '-l5', '+five', ' l6', ' l7', ' l8'],
      [' l33', ' l34', ' l35', '+new', ' l36', ' l37', ' l38'],
    ]);
  });

  it('numbers lines by either text', () => {
    const [hunk = []] = diffLines('a\nb\nc', 'a\nx\ny\nc');
    expect(hunk.map(({ before, after }) => [before, after])).toEqual([
      [1, 1],
      [2, null],
      [null, 2],
      [null, 3],
      [3, 4],
    ]);
  });

  it(`turns the one text into the other, whatever they are (seed ${seed})`, () => {
    const next = random(seed);
    const letters = () => Array.from({ length: Math.floor(next() * 12) }, () => 'abc'[Math.floor(next() * 3)] ?? '');
    for (let round = 0; round < 500; round += 1) {
      const [before, after] = [letters(), letters()];
      const all = diffLines(before.join('\n'), after.join('\n')).flat();
      const left = before.join('\n').split('\n');
      const right = after.join('\n').split('\n');
      const outs = all.filter(({ kind }) => kind === 'out');
      const ins = all.filter(({ kind }) => kind === 'in');
      for (const { text, before: at } of outs) expect(left[(at ?? 0) - 1]).toBe(text);
      for (const { text, after: at } of ins) expect(right[(at ?? 0) - 1]).toBe(text);
      const gone = new Set(outs.map(({ before: at }) => at));
      const come = new Set(ins.map(({ after: at }) => at));
      expect(left.filter((_, at) => !gone.has(at + 1))).toEqual(right.filter((_, at) => !come.has(at + 1)));
    }
  });
});
