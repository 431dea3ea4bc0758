// The demo in a process of its own: says in a line of JSON what there is, takes commands in lines of JSON, and ends
// with its input, so that it never outlives who started it.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { startDemo, type Demo } from './demo.ts';
import type { Fault } from './faults.ts';

/** A line on its input; each is answered by a line with the same id. */
export type Command = { id: number } & (
  | { set: Fault }
  /** Of one kind, or null for all. */
  | { clear: Fault['kind'] | null }
  | { list: true }
);
/** A line on its output: the first tells what there is, each other one answers a command. */
export type Line =
  Pick<Demo, 'hosts' | 'domains' | 'cases'> | { id: number; faults: Fault[] } | { id: number; error: string };

const say = (line: Line) => process.stdout.write(`${JSON.stringify(line)}\n`);

const folder = await mkdtemp(join(tmpdir(), 'drover-demo-'));
try {
  const demo = await startDemo(folder);
  const { hosts, domains, cases } = demo;
  say({ hosts, domains, cases });
  for await (const line of createInterface({ input: process.stdin })) {
    let id = 0;
    try {
      const command = JSON.parse(line) as Command;
      ({ id } = command);
      if ('set' in command) demo.setFault(command.set);
      else if ('clear' in command) demo.clearFaults(command.clear ?? undefined);
      say({ id, faults: demo.faults() });
    } catch (error) {
      say({ id, error: error instanceof Error ? error.message : String(error) });
    }
  }
  await demo.close();
} finally {
  await rm(folder, { recursive: true, force: true });
}
