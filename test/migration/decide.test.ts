// The decision rule over everything that two hosts can be seen to hold: what never happens, and each case by name.
import { describe, expect, it, test } from 'vitest';
import { decide, type Decision, type Known, type Seen } from '../../src-main/migration/recovery/decide.ts';

const seen: Seen[] = [
  { at: 'unreachable' },
  { at: 'absent' },
  { at: 'shutoff' },
  { at: 'running' },
  { at: 'paused' },
  { at: 'migrating', job: 'incoming' },
  { at: 'migrating', job: 'held' },
  { at: 'migrating', job: 'left' },
];
const bools = [false, true];
const all: Known[] = seen.flatMap((source) =>
  seen.flatMap((target) =>
    bools.flatMap((performed) =>
      bools.flatMap((finishSent) =>
        bools.flatMap((sourceOurs) =>
          bools.map((targetOurs) => ({ source, target, performed, finishSent, sourceOurs, targetOurs })),
        ),
      ),
    ),
  ),
);
/** Every combination in which it decides so, told so that a failure shows which. */
const where = (fits: (decision: Decision) => boolean) =>
  all.map((known) => ({ known, decision: decide(known) })).filter(({ decision }) => fits(decision));
const does = (...what: Decision['do'][]) => where((decision) => what.includes(decision.do));
const gone = ({ at }: Seen) => at === 'absent' || at === 'shutoff';
const runs = ({ at }: Seen) => at === 'running';

describe(`in all ${all.length} combinations`, () => {
  it('something is decided', () => {
    expect(all).toHaveLength(8 * 8 * 16);
    for (const { decision } of where(() => true)) {
      if (decision.do === 'wait' || decision.do === 'alarm') expect(decision.why).toMatch(/^[A-Z].*\.$/);
    }
  });

  it('the source is never woken unless the target was seen to be without it', () => {
    const woken = does('resume-source', 'confirm-stayed');
    expect(woken.length).toBeGreaterThan(0);
    expect(woken.filter(({ known }) => !gone(known.target))).toEqual([]);
  });

  it('the source is never woken where the target may have run, and ended', () => {
    expect(
      does('resume-source', 'confirm-stayed').filter(({ known }) => known.finishSent && known.target.at === 'shutoff'),
    ).toEqual([]);
  });

  it('the source is never ended unless the target was seen to run, or to be paused after it was told to start', () => {
    const ended = does('destroy-source', 'confirm-moved');
    expect(ended.length).toBeGreaterThan(0);
    expect(
      ended.filter(({ known: { target, finishSent } }) => !runs(target) && !(target.at === 'paused' && finishSent)),
    ).toEqual([]);
  });

  it('only a source that a migration has paused is touched', () => {
    expect(
      does('resume-source', 'confirm-stayed', 'destroy-source', 'confirm-moved').filter(
        ({ known }) => known.source.at !== 'migrating',
      ),
    ).toEqual([]);
  });

  it('nothing is confirmed but on the connection that holds it, and nothing resumed that is held', () => {
    const held = ({ source }: Known) => source.at === 'migrating' && source.job === 'held';
    const left = ({ source }: Known) => source.at === 'migrating' && source.job === 'left';
    expect(does('confirm-moved', 'confirm-stayed').filter(({ known }) => !known.sourceOurs || !held(known))).toEqual(
      [],
    );
    expect(does('resume-source', 'destroy-source').filter(({ known }) => !left(known))).toEqual([]);
  });

  it('the target’s half is dropped only on the connection that has it', () => {
    expect(
      does('finish-cancelled').filter(({ known }) => !known.targetOurs || known.target.at !== 'migrating'),
    ).toEqual([]);
  });

  it('a host that does not answer never leads to anything on the other, but for a half that never ran', () => {
    const acting = does('resume-source', 'destroy-source', 'confirm-moved', 'confirm-stayed', 'finish-cancelled');
    const blind = acting.filter(({ known }) => [known.source.at, known.target.at].includes('unreachable'));
    expect(blind.filter(({ decision, known }) => decision.do !== 'finish-cancelled' || known.performed)).toEqual([]);
  });

  it('a VM that runs twice is an alarm', () => {
    const twice = all.filter(({ source, target }) => runs(source) && runs(target));
    expect(twice.map(decide).filter((decision) => decision.do !== 'alarm')).toEqual([]);
  });

  it('it is said to have moved only where the source has ended and the target holds it', () => {
    const moved = where((decision) => decision.do === 'done' && decision.outcome === 'moved');
    expect(moved.filter(({ known }) => !gone(known.source))).toEqual([]);
    expect(
      moved.filter(({ known: { target, finishSent } }) => !runs(target) && !(target.at !== 'absent' && finishSent)),
    ).toEqual([]);
  });

  it('it is said to have stayed only where the source has it and the target cannot run it', () => {
    const stayed = where((decision) => decision.do === 'done' && decision.outcome === 'stayed');
    expect(stayed.filter(({ known }) => !['running', 'paused', 'shutoff'].includes(known.source.at))).toEqual([]);
    expect(
      stayed.filter(
        ({ known: { target, finishSent } }) => !gone(target) && (target.at !== 'unreachable' || finishSent),
      ),
    ).toEqual([]);
  });
});

const held: Seen = { at: 'migrating', job: 'held' };
const left: Seen = { at: 'migrating', job: 'left' };
const incoming: Seen = { at: 'migrating', job: 'incoming' };
const at = (where_: 'unreachable' | 'absent' | 'shutoff' | 'running' | 'paused'): Seen => ({ at: where_ });
const lost = { performed: false, finishSent: false, sourceOurs: false, targetOurs: false };
const performed = { ...lost, performed: true };
const finished = { ...performed, finishSent: true };

const cases: [string, Known, Decision['do'] | 'moved' | 'stayed'][] = [
  ['I: both after prepare', { ...lost, source: at('running'), target: at('absent') }, 'stayed'],
  ['A, B: during perform', { ...lost, source: at('running'), target: at('absent') }, 'stayed'],
  [
    'C: the source during perform',
    { ...lost, targetOurs: true, source: at('unreachable'), target: incoming },
    'finish-cancelled',
  ],
  ['D: both after perform', { ...performed, source: left, target: at('absent') }, 'resume-source'],
  ['D, and the target not yet gone', { ...performed, source: left, target: incoming }, 'wait'],
  [
    'E, G: the source after finish',
    { ...finished, targetOurs: true, source: left, target: at('running') },
    'destroy-source',
  ],
  ['E, and it was undefined by then', { ...finished, source: at('absent'), target: at('running') }, 'moved'],
  [
    'F: the target before finish',
    { ...performed, sourceOurs: true, source: held, target: at('absent') },
    'confirm-stayed',
  ],
  [
    'J: the reply to finish, it runs',
    { ...finished, sourceOurs: true, source: held, target: at('running') },
    'confirm-moved',
  ],
  [
    'J: the reply to finish, it came to nothing',
    { ...finished, sourceOurs: true, source: held, target: at('absent') },
    'confirm-stayed',
  ],
  [
    'J: the reply to finish, of a VM that was paused',
    { ...finished, sourceOurs: true, source: held, target: at('paused') },
    'confirm-moved',
  ],
  ['J: the target stays away', { ...finished, sourceOurs: true, source: held, target: at('unreachable') }, 'wait'],
  ['K1: both paused and lost', { ...performed, source: left, target: at('absent') }, 'resume-source'],
  [
    'the source away after finish',
    { ...finished, targetOurs: true, source: at('unreachable'), target: at('running') },
    'wait',
  ],
  [
    'the target away before finish, the source runs',
    { ...lost, source: at('running'), target: at('unreachable') },
    'stayed',
  ],
  ['somebody else holds the source', { ...performed, source: held, target: at('absent') }, 'wait'],
  ['it ran there and was shut down', { ...finished, source: at('absent'), target: at('shutoff') }, 'moved'],
  [
    'it may have run there, and the source waits',
    { ...finished, sourceOurs: true, source: held, target: at('shutoff') },
    'alarm',
  ],
  ['it is on neither', { ...finished, source: at('absent'), target: at('absent') }, 'alarm'],
  ['twice', { ...finished, source: at('running'), target: at('running') }, 'alarm'],
];
test.each(cases)('%s', (_name, known, expected) => {
  const decision = decide(known);
  expect(decision.do === 'done' ? decision.outcome : decision.do).toBe(expected);
});
