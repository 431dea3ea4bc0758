// Drover as it is measured: the built program, with a profiler where one is asked for by DROVER_BENCH_PROFILE.
import { resolve } from 'node:path';
import { Served } from '../lab/served.ts';

const program = resolve(import.meta.dirname, '../../bin/drover.mjs');

export function startDrover(): Promise<Served> {
  const folder = process.env.DROVER_BENCH_PROFILE;
  const profiler = folder ? ['--cpu-prof', '--cpu-prof-dir', folder, '--cpu-prof-interval', '500'] : [];
  return Served.start({ program: [...profiler, program] });
}
