// Whether a live migration comes to its end by itself, judged from its course so far, and what helps where it does not.
import type { MigrationOptions, MigrationView } from '../../contract/model.ts';
import { duration, rate } from './format.ts';

/** One look at a migration while its memory goes over; rates in bytes a second. */
export interface CourseSample {
  elapsedMs: number;
  remainingBytes: number;
  memoryBps: number;
  dirtyBps: number;
  /** The pass over the memory, from 1 on. */
  iteration: number;
}

/** What one pass over the memory came to; rates are means over `samples` looks. */
interface Pass {
  iteration: number;
  /** What it had to copy when it began. */
  bytes: number;
  movedBps: number;
  dirtiedBps: number;
  samples: number;
}

/** What has to be kept of all looks so far. */
export interface Followed {
  /** The latest few, oldest first. */
  passes: readonly Pass[];
  last: CourseSample | null;
  /** When what is left last changed. */
  changedMs: number;
}

export type Course =
  /** Nothing can be said yet, or what is left becomes less. */
  | { is: 'early' | 'nearing' }
  /** Nothing has moved for so long. */
  | { is: 'stalled'; forMs: number }
  /**
   * Each pass leaves as much as the one before.
   * `neededMs`: how long the guest would have to stand still for what a pass leaves; null where it cannot be told.
   */
  | { is: 'endless'; why: 'written-faster' | 'not-falling'; neededMs: number | null };

/** What the hypervisor allows where nothing was asked for. */
export const usualDowntimeMs = 300;

/** Passes that have to agree before it is said. */
const agreeing = 3;
/** A pass that leaves more than this part of what the one before left is no progress. */
const hardlyLess = 0.92;
const stalledMs = 15_000;

export const notFollowed: Followed = { passes: [], last: null, changedMs: 0 };

/** Every look is taken here, also those that no plot keeps. */
export function follow({ passes, last, changedMs }: Followed, sample: CourseSample): Followed {
  const { iteration, remainingBytes, memoryBps, dirtyBps, elapsedMs } = sample;
  const same = last?.remainingBytes === remainingBytes && last.iteration === iteration;
  const pass = passes.at(-1);
  const mean = (was: number, samples: number, now: number) => (was * samples + now) / (samples + 1);
  const next: Pass =
    pass && pass.iteration === iteration
      ? {
          iteration,
          bytes: Math.max(pass.bytes, remainingBytes),
          movedBps: mean(pass.movedBps, pass.samples, memoryBps),
          dirtiedBps: mean(pass.dirtiedBps, pass.samples, dirtyBps),
          samples: pass.samples + 1,
        }
      : { iteration, bytes: remainingBytes, movedBps: memoryBps, dirtiedBps: dirtyBps, samples: 1 };
  const before = pass && pass.iteration === iteration ? passes.slice(0, -1) : passes;
  return {
    passes: [...before, next].slice(-agreeing - 1),
    last: sample,
    changedMs: same ? changedMs : elapsedMs,
  };
}

/** How long the guest would stand still for what the newest pass had to copy; null before the second. */
export function neededStop({ passes }: Followed): number | null {
  const newest = passes.at(-1);
  // The first pass copies everything, whatever the guest does.
  return newest && newest.iteration > 1 && newest.movedBps > 0 ? (newest.bytes / newest.movedBps) * 1000 : null;
}

/** @param maxDowntimeMs how long the guest may stand still; null for the hypervisor's own limit */
export function judgeCourse(followed: Followed, maxDowntimeMs: number | null): Course {
  const { passes, last, changedMs } = followed;
  if (!last) return { is: 'early' };
  const forMs = last.elapsedMs - changedMs;
  if (forMs >= stalledMs) return { is: 'stalled', forMs };
  const recent = passes.filter(({ iteration }) => iteration > 1).slice(-agreeing);
  if (recent.length === 0) return { is: 'early' };
  const neededMs = neededStop(followed);
  const fits = neededMs !== null && neededMs <= (maxDowntimeMs ?? usualDowntimeMs);
  if (recent.length < agreeing || fits) return { is: 'nearing' };
  if (recent.every(({ movedBps, dirtiedBps }) => movedBps > 0 && dirtiedBps >= movedBps))
    return { is: 'endless', why: 'written-faster', neededMs };
  const falls = recent.some(({ bytes }, at) => at > 0 && bytes < hardlyLess * (recent[at - 1]?.bytes ?? 0));
  return falls ? { is: 'nearing' } : { is: 'endless', why: 'not-falling', neededMs };
}

/** What helps a migration that does not come to its end, the mildest first. */
export type Offer =
  | { does: 'downtime'; ms: number }
  | { does: 'bandwidth'; mibps: number }
  /** It was not allowed at the start, so it takes a new start. */
  | { does: 'restart'; with: Partial<MigrationOptions>; missing: 'auto-converge' | 'post-copy' }
  /** No way back. */
  | { does: 'post-copy' }
  | { does: 'cancel' };

export function offersFor({ options, progress }: Pick<MigrationView, 'options' | 'progress'>, course: Course): Offer[] {
  if (course.is === 'stalled') return [{ does: 'cancel' }];
  if (course.is !== 'endless') return [];
  const offers: Offer[] = [];
  const { bandwidthMiBps, maxDowntimeMs } = options;
  // A limit that holds it back goes first: it costs the guest nothing.
  if (bandwidthMiBps !== null && progress.memoryBps > 0.8 * bandwidthMiBps * 2 ** 20)
    offers.push({ does: 'bandwidth', mibps: bandwidthMiBps * 2 });
  if (course.neededMs !== null && course.neededMs <= longestStopMs) {
    const ms = roundUp(course.neededMs * 1.2);
    if (ms > (maxDowntimeMs ?? usualDowntimeMs)) offers.push({ does: 'downtime', ms });
  }
  if (!options.autoConverge)
    offers.push({ does: 'restart', with: { ...given(options), autoConverge: true }, missing: 'auto-converge' });
  if (options.postCopy) offers.push({ does: 'post-copy' });
  // A tunnel cannot be switched.
  else if (options.transport !== 'tunnelled')
    offers.push({ does: 'restart', with: { ...given(options), postCopy: true }, missing: 'post-copy' });
  return [...offers, { does: 'cancel' }];
}

/** Nobody wants a guest to stand still longer than this when it was to stay alive. */
const longestStopMs = 60_000;

/** What was chosen, for a new start: without what is not set. */
export function given(options: MigrationOptions): Partial<MigrationOptions> {
  const usual: Partial<Record<keyof MigrationOptions, unknown>> = {
    transport: 'auto',
    storage: 'shared',
    persistent: true,
    undefineSource: true,
  };
  const kept = Object.entries(options).filter(
    ([name, value]) => value !== null && value !== false && usual[name as keyof MigrationOptions] !== value,
  );
  return {
    ...(Object.fromEntries(kept) as Partial<MigrationOptions>),
    ...(options.persistent ? {} : { persistent: false }),
    ...(options.undefineSource ? {} : { undefineSource: false }),
  };
}

/** To a figure that one would say: 340 → 400, 1,210 → 1,500, 11,400 → 12,000. */
function roundUp(ms: number): number {
  const step = ms < 1000 ? 100 : ms < 5000 ? 500 : 1000;
  return Math.ceil(ms / step) * step;
}

/** What is to be said about it, a sentence or two; null where nothing is. */
export function courseWords(
  { name, options, progress, postCopied }: Pick<MigrationView, 'name' | 'options' | 'progress' | 'postCopied'>,
  course: Course,
): string | null {
  if (course.is === 'stalled')
    return `Nothing has moved for ${duration(course.forMs)}: the way between the hosts may be broken or full. ${
      postCopied ? `${name} waits for its memory.` : `${name} runs on where it is.`
    }`;
  if (course.is !== 'endless' || postCopied) return null;
  const { memoryBps, dirtyRateBps, throttlePercent } = progress;
  const why =
    course.why === 'written-faster'
      ? `${name} writes ${rate(dirtyRateBps)} to its memory, and ${rate(memoryBps)} go over`
      : `each pass over the memory of ${name} leaves as much to copy as the one before`;
  const stop =
    course.neededMs === null
      ? ''
      : ` What is left would take a stop of about ${duration(course.neededMs)}; ${duration(options.maxDowntimeMs ?? usualDowntimeMs)} are allowed.`;
  const slowed = throttlePercent
    ? ` Auto-converge slows it down by ${throttlePercent} % so far, and goes on to do so.`
    : '';
  return `This does not come to an end by itself: ${why}.${stop}${slowed}`;
}
