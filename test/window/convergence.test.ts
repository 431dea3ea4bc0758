// Whether a migration comes to its end, judged from its course; and what is offered where it does not.
import { describe, expect, it } from 'vitest';
import type { MigrationView } from '../../contract/model.ts';
import {
  courseWords,
  follow,
  given,
  judgeCourse,
  notFollowed,
  offersFor,
  type CourseSample,
} from '../../src-renderer/words/convergence.ts';
import { migration } from '../../src-renderer/gallery/examples.ts';

const MB = 1e6;
const GB = 1e9;

/** Passes that begin with so much to copy, each looked at three times. */
function passes(bytes: number[], { moves = 100 * MB, writes = 50 * MB } = {}): CourseSample[] {
  let elapsedMs = 0;
  return bytes.flatMap((begun, index) =>
    [1, 0.6, 0.2].map((left) => {
      elapsedMs += (begun / moves / 3) * 1000;
      const iteration = index + 1;
      return { elapsedMs, remainingBytes: begun * left, memoryBps: moves, dirtyBps: writes, iteration };
    }),
  );
}
const followed = (samples: CourseSample[]) => samples.reduce(follow, notFollowed);
const judge = (samples: CourseSample[], maxDowntimeMs: number | null = null) =>
  judgeCourse(followed(samples), maxDowntimeMs);

describe('the course of a migration', () => {
  it('is not judged before the memory has gone over once', () => {
    expect(judge([])).toEqual({ is: 'early' });
    expect(judge(passes([4 * GB], { writes: 900 * MB }))).toEqual({ is: 'early' });
  });

  it('nears its end while each pass has less to copy', () => {
    expect(judge(passes([4 * GB, 2 * GB, 1 * GB, 0.5 * GB, 0.25 * GB]))).toEqual({ is: 'nearing' });
  });

  it('has no end where the guest writes faster than it moves, and says what stop it would take', () => {
    const course = judge(passes([4 * GB, 2 * GB, 2 * GB, 2 * GB], { writes: 150 * MB }));
    expect(course).toEqual({ is: 'endless', why: 'written-faster', neededMs: 20_000 });
  });

  it('has no end where passes leave as much as those before, however slowly the guest is said to write', () => {
    const course = judge(passes([4 * GB, 0.5 * GB, 0.5 * GB, 0.49 * GB], { writes: 90 * MB }));
    expect(course).toMatchObject({ is: 'endless', why: 'not-falling' });
  });

  it('is not called endless on two passes, nor while one of three was a gain', () => {
    expect(judge(passes([4 * GB, 2 * GB, 2 * GB], { writes: 150 * MB }))).toEqual({ is: 'nearing' });
    expect(judge(passes([4 * GB, 2 * GB, 2 * GB, 1 * GB]))).toEqual({ is: 'nearing' });
  });

  it('is at its end where what is left fits into the stop that is allowed', () => {
    const steady = passes([4 * GB, 40 * MB, 40 * MB, 40 * MB, 40 * MB]);
    expect(judge(steady, 500)).toEqual({ is: 'nearing' });
    expect(judge(steady, 300)).toMatchObject({ is: 'endless', neededMs: 400 });
  });

  it('a longer stop that was allowed meanwhile changes the verdict at once', () => {
    const steady = passes([4 * GB, 0.1 * GB, 0.1 * GB, 0.1 * GB]);
    expect(judge(steady).is).toBe('endless');
    expect(judge(steady, 1_500).is).toBe('nearing');
  });

  it('stalls where nothing has changed for a while, in any pass', () => {
    const [first] = passes([4 * GB]);
    if (!first) throw new Error('no sample');
    const still = (ms: number) => ({ ...first, elapsedMs: first.elapsedMs + ms, memoryBps: 0 });
    expect(judge([first, still(5_000), still(10_000)])).toEqual({ is: 'early' });
    expect(judge([first, still(5_000), still(20_000)])).toEqual({ is: 'stalled', forMs: 20_000 });
    const onward = { ...still(21_000), remainingBytes: first.remainingBytes - 1 };
    expect(judge([first, still(20_000), onward])).toEqual({ is: 'early' });
  });
});

describe('what is offered', () => {
  const endless = { is: 'endless', why: 'written-faster', neededMs: 2_000 } as const;
  const offers = (change: Partial<MigrationView['options']>, memoryBps = 100 * MB) =>
    offersFor(
      {
        options: { ...migration.options, ...change },
        progress: { ...migration.progress, memoryBps },
      },
      endless,
    );
  const kinds = (...args: Parameters<typeof offers>) => offers(...args).map(({ does }) => does);

  it('nothing while it comes nearer, and the end of it where it is stalled', () => {
    expect(offersFor(migration, { is: 'nearing' })).toEqual([]);
    expect(offersFor(migration, { is: 'stalled', forMs: 20_000 })).toEqual([{ does: 'cancel' }]);
  });

  it('a stop that is long enough, in a figure that one would say', () => {
    expect(offers({})).toContainEqual({ does: 'downtime', ms: 2_500 });
    expect(kinds({ maxDowntimeMs: 2_500 })).not.toContain('downtime');
  });

  it('no stop of minutes', () => {
    const kinds = offersFor(migration, { ...endless, neededMs: 240_000 }).map(({ does }) => does);
    expect(kinds).not.toContain('downtime');
  });

  it('more bandwidth only where a limit holds it back', () => {
    expect(offers({ bandwidthMiBps: 100 })[0]).toEqual({ does: 'bandwidth', mibps: 200 });
    expect(kinds({ bandwidthMiBps: 1_000 })).not.toContain('bandwidth');
    expect(kinds({})).not.toContain('bandwidth');
  });

  it('post-copy at once where it was allowed, else by a new start that keeps what was chosen', () => {
    expect(kinds({ postCopy: true })).toContain('post-copy');
    const restart = offers({ bandwidthMiBps: 50 }).find((one) => one.does === 'restart' && one.missing === 'post-copy');
    expect(restart).toMatchObject({ with: { postCopy: true, bandwidthMiBps: 50 } });
    expect(kinds({ transport: 'tunnelled', autoConverge: true })).not.toContain('restart');
  });

  it('auto-converge by a new start, and not again where it is on', () => {
    const missing = (autoConverge: boolean) =>
      offers({ autoConverge }).flatMap((one) => (one.does === 'restart' ? [one.missing] : []));
    expect(missing(false)).toContain('auto-converge');
    expect(missing(true)).not.toContain('auto-converge');
  });

  it('a new start asks for what was asked for before, and for nothing else', () => {
    expect(given({ ...migration.options, transport: 'auto' })).toEqual({ mode: 'live' });
    expect(given({ ...migration.options, persistent: false, destName: 'web02', tls: true })).toEqual({
      mode: 'live',
      transport: 'direct',
      persistent: false,
      destName: 'web02',
      tls: true,
    });
  });
});

describe('in words', () => {
  const endless = { is: 'endless', why: 'written-faster', neededMs: 2_000 } as const;

  it('both rates, the stop it would take and the stop that is allowed', () => {
    expect(courseWords(migration, endless)).toMatch(
      /web01 writes .* to its memory, and .* go over\. What is left would take a stop of about 2\.0 s; 300 ms are allowed\./,
    );
  });

  it('what auto-converge does meanwhile', () => {
    const slowed = { ...migration, progress: { ...migration.progress, throttlePercent: 40 } };
    expect(courseWords(slowed, endless)).toContain('slows it down by 40 %');
  });

  it('nothing while all is well, and nothing about passes once it was switched to post-copy', () => {
    expect(courseWords(migration, { is: 'nearing' })).toBeNull();
    expect(courseWords({ ...migration, postCopied: true }, endless)).toBeNull();
  });
});
