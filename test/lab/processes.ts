// Processes by pid and start time, so that a number used again is never taken for the one that is meant.
import { readFileSync } from 'node:fs';
import { until } from './run.ts';

export interface ProcessId {
  pid: number;
  /** Clock ticks since boot, from /proc. */
  started: string;
}

/** Null where there is none. */
export function processId(pid: number): ProcessId | null {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    const [state, ...rest] = stat.slice(stat.lastIndexOf(')') + 2).split(' '); // the name before may hold anything
    const started = rest[18];
    return state === 'Z' || started === undefined ? null : { pid, started };
  } catch {
    return null;
  }
}

export const alive = (process: ProcessId): boolean => processId(process.pid)?.started === process.started;

/** Ends it at once, and waits until it is gone. */
export async function end(which: ProcessId): Promise<void> {
  if (!alive(which)) return;
  try {
    process.kill(which.pid, 'SIGKILL');
  } catch {
    return; // gone meanwhile
  }
  await until(`process ${which.pid} ends`, () => !alive(which), 20_000, 10);
}
