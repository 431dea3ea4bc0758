// What all benches share: measuring by turns, medians, and figures with the goal beside them. Nothing is asserted.
import { readFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';

/** What a figure should come to. */
export interface Goal {
  most?: number;
  least?: number;
}

export interface Figure {
  name: string;
  value: number;
  /** `×` for a ratio of two that were measured by turns in this run. */
  unit: string;
  goal?: Goal;
  reached?: boolean;
}

export class Report {
  readonly figures: Figure[] = [];
  readonly notes: string[] = [];

  figure(name: string, value: number, unit: string, goal?: Goal): void {
    const rounded = Number(value.toPrecision(4));
    this.figures.push({
      name,
      value: rounded,
      unit,
      ...(goal && { goal, reached: rounded <= (goal.most ?? Infinity) && rounded >= (goal.least ?? -Infinity) }),
    });
  }

  /** How a figure came about, or why there is none. */
  note(sentence: string): void {
    this.notes.push(sentence);
  }
}

/** Runs one bench as a program: prints its table, and writes it as JSON to the file that `DROVER_BENCH_JSON` names. */
export async function bench(name: string, measure: (report: Report) => Promise<void>): Promise<void> {
  const report = new Report();
  const began = performance.now();
  try {
    await measure(report);
  } catch (error) {
    console.error(error);
    report.note(`ended early: ${error instanceof Error ? error.message : String(error)}`);
    process.exitCode = 1;
  }
  const seconds = Math.round((performance.now() - began) / 1000);
  console.log(`\n${name} (${seconds} s)\n${table(report.figures)}`);
  for (const note of report.notes) console.log(`  ${note}`);
  const file = process.env.DROVER_BENCH_JSON;
  if (file) await writeFile(file, JSON.stringify({ bench: name, seconds, ...report }));
}

function table(figures: readonly Figure[]): string {
  const width = Math.max(0, ...figures.map((figure) => figure.name.length));
  return figures
    .map((figure) => {
      const value = `${figure.value} ${figure.unit}`;
      return `  ${figure.name.padEnd(width)}  ${value.padStart(14)}${verdict(figure)}`;
    })
    .join('\n');
}

function verdict({ goal, reached, unit }: Figure): string {
  if (!goal) return '';
  const bound = goal.most === undefined ? `≥ ${goal.least}` : `≤ ${goal.most}`;
  return `   goal ${bound} ${unit}: ${reached ? 'reached' : 'NOT reached'}`;
}

/** The value that a share of the values does not exceed; 0.5 is the median. NaN where there are none. */
export function quantile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  const at = (sorted.length - 1) * share;
  const below = sorted[Math.floor(at)] ?? NaN;
  return below + ((sorted[Math.ceil(at)] ?? NaN) - below) * (at % 1);
}

export const median = (values: readonly number[]) => quantile(values, 0.5);

/** The median of the ratios of what was measured side by side: what slows the machine for a while slows both. */
export const ratio = (ours: readonly number[], theirs: readonly number[]) =>
  median(ours.map((value, at) => value / (theirs[at] as number)));

/**
 * Measures several by turns, each round beginning with another, after one round that does not count.
 * @returns of each, one value a round
 */
export async function byTurns<K extends string>(
  rounds: number,
  ways: Record<K, () => Promise<number>>,
  warmUp = 1,
): Promise<Record<K, number[]>> {
  const names = Object.keys(ways) as K[];
  const values = Object.fromEntries(names.map((name) => [name, [] as number[]])) as Record<K, number[]>;
  for (let round = -warmUp; round < rounds; round++) {
    const first = Math.abs(round) % names.length;
    for (const name of [...names.slice(first), ...names.slice(0, first)]) {
      const value = await ways[name]();
      if (round >= 0) values[name].push(value);
    }
  }
  return values;
}

/** Milliseconds that it takes. */
export async function timed(work: () => Promise<unknown>): Promise<number> {
  const began = performance.now();
  await work();
  return performance.now() - began;
}

export const pause = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms));

/** Seconds of CPU that a process has used so far, of all its threads. */
export function cpuSeconds(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[11]) + Number(fields[12])) / 100; // USER_HZ is 100 on all of Linux
}

/** Resident memory of a process. */
export function residentMB(pid: number): number {
  const kib = /^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
  return (Number(kib) * 1024) / 1e6;
}

/** Percent of one core that a process uses over so many milliseconds. */
export async function corePercent(pid: number, ms: number): Promise<number> {
  const before = cpuSeconds(pid);
  const passed = await timed(() => pause(ms));
  return ((cpuSeconds(pid) - before) / passed) * 100_000;
}

/** `--name 5` of the command line, or the usual value. */
export function asked(name: string, usual: number): number {
  const at = process.argv.indexOf(`--${name}`);
  return at < 0 ? usual : Number(process.argv[at + 1]);
}
