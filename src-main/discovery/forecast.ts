// What a sweep will cost, said before it begins: connections and time.
import type { ScanPass } from '../../contract/model.ts';
import type { Plan } from './passes.ts';
import { INITIAL, LEAST } from './patience.ts';
import { PACE } from './pace.ts';
import { MOST_OPEN } from './sockets.ts';

export interface Forecast {
  connections: { least: number; most: number };
  durationMs: number;
  durationMostMs: number;
}

/** Near and with nothing lost, a silent port is called twice; once more where round trips are long or a packet was lost. */
const TRIES = 2;
const MORE_TRIES = 3;

/**
 * @param limits what the admin set, instead of what is usual
 * @param limits.near whether the range is in a network of this machine's own
 */
export function forecast(
  pass: ScanPass,
  { total, answering }: Plan,
  limits: { rate?: number; timeoutMs?: number; near: boolean },
): Forecast {
  if (total === 0) return { connections: { least: 0, most: 0 }, durationMs: 0, durationMostMs: 0 };
  // One answer is enough to learn how near the network is; the pass `silent` may get none.
  const fast = duration(pass === 'silent' ? INITIAL : LEAST);
  return {
    connections: { least: total, most: MORE_TRIES * total },
    durationMs: fast,
    durationMostMs: Math.max(fast, duration(INITIAL)),
  };

  /** @param learned what a first try waits, where the admin has set nothing */
  function duration(learned: number): number {
    const silent = total - answering;
    const usual = answering + TRIES * silent;
    const rate = limits.rate ?? PACE.rate;
    const tryMs = limits.timeoutMs ?? learned;
    // Tries wait one after the other, each a little longer.
    const waits = limits.timeoutMs === undefined ? 3 : TRIES;
    const last = silent > 0 ? waits * tryMs : 0;
    const waves =
      limits.near && limits.rate === undefined ? Math.floor((total - 1) / PACE.first.count) * PACE.first.withinMs : 0;
    const sockets = (silent * waits * tryMs) / MOST_OPEN;
    return Math.round(Math.max((1000 * usual) / rate, waves, sockets) + last + KEYS_MS);
  }
}

/** For the banner and the key of the last one that answers. */
const KEYS_MS = 100;
