// `npm run fuzz [-- --runs N] [--seed S] [TARGET…]`: so many inputs in all, over every parser that sees the network.
import { parseArgs } from 'node:util';
import { fuzz } from './fuzz.ts';
import { targets } from './targets.ts';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { runs: { type: 'string', default: '1000000' }, seed: { type: 'string' } },
});
const seed = Number(values.seed ?? Math.floor(Math.random() * 2 ** 31));
const chosen = Object.entries(targets).filter(([name]) => positionals.length === 0 || positionals.includes(name));
const runs = Math.ceil(Number(values.runs) / chosen.length);
if (chosen.length === 0 || !(runs > 0) || !Number.isInteger(seed)) {
  console.error(`npm run fuzz -- [--runs N] [--seed S] [${Object.keys(targets).join('|')}…]`);
  process.exit(2);
}
console.log(`seed ${seed}`);
try {
  for (const [name, target] of chosen) {
    const { refused, slowestMs } = fuzz(name, target, { runs, seed });
    console.log(`${name}: ${runs} inputs, ${refused} refused, the slowest ${slowestMs.toFixed(1)} ms`);
  }
} catch (error) {
  console.error(error);
  process.exitCode = 1;
}
