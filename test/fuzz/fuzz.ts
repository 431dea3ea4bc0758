// Feeds mutated inputs to a parser, and stops at the first that makes it crash, hang or grow.
import { random } from '../libvirt/random.ts';
import { mutate } from './mutate.ts';
import type { Target } from './targets.ts';

/** Longer than any pause of a busy machine. */
const hangMs = 5000;
const growthLimit = 512 * 2 ** 20;

export interface FuzzResult {
  runs: number;
  /** How many were refused with an ordinary error. */
  refused: number;
  slowestMs: number;
}

/** @throws Error with the seed and the input, in base64, of what went wrong */
export function fuzz(
  name: string,
  { samples, feed }: Target,
  { runs, seed }: { runs: number; seed: number },
): FuzzResult {
  const chance = random(seed);
  const before = process.memoryUsage.rss();
  let refused = 0;
  let slowestMs = 0;
  for (let run = 0; run < runs; run += 1) {
    const input = mutate(samples, chance);
    const failed = (why: string) =>
      new Error(`${name}: ${why}; seed ${seed}, run ${run}, input ${input.toString('base64')}`);
    const began = performance.now();
    try {
      feed(input);
    } catch (error) {
      refused += 1;
      if (crashed(error)) throw Object.assign(failed(String(error)), { cause: error });
    }
    const took = performance.now() - began;
    slowestMs = Math.max(slowestMs, took);
    if (took > hangMs) throw failed(`took ${Math.round(took)} ms`);
    if (run % 1000 === 0 && process.memoryUsage.rss() - before > growthLimit) throw failed('memory grew by 512 MiB');
  }
  return { runs, refused, slowestMs };
}

/** What no parser means to throw. */
const crashed = (error: unknown) =>
  !(error instanceof Error) ||
  error instanceof TypeError ||
  error instanceof ReferenceError ||
  /call stack|heap|Array buffer allocation|Invalid (?:array|string) length/i.test(error.message);
