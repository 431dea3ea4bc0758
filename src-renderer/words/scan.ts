// What a sweep will cost, in words.
import type { ScanForecast } from '../../contract/model.ts';
import { count, duration } from './format.ts';

/** `254 to 762 connections, about a second`. */
export function scanCost({
  connections: { least, most },
  durationMs,
  durationMostMs,
}: Pick<ScanForecast, 'connections' | 'durationMs' | 'durationMostMs'>): string {
  const number = least === most ? '' : `${least.toLocaleString('en')} to `;
  const time = durationMs < 1500 ? 'a second' : duration(durationMs);
  // Worth a word only where somebody would wonder why it goes on.
  const silent = durationMostMs > 2 * durationMs + 2000 ? `, or ${duration(durationMostMs)} if nobody answers` : '';
  return `${number}${count(most, 'connection', 'connections')}, about ${time}${silent}`;
}
