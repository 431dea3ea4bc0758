// `npm run chaos -- --sim N | --lab N [--seed S] [--table FILE]`: faults at random, the same for the same seed.
import { writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { onLab } from './lab.ts';
import { onSimulator } from './simulator.ts';

const usage = `npm run chaos -- --sim N [--seed S] [--only K]   N migrations on simulated hosts; K: the one of that number again
npm run chaos -- --lab N [--seed S] [--table FILE]   N migrations on three real hosts (Debian, root)`;

const { values } = parseArgs({
  options: {
    sim: { type: 'string' },
    lab: { type: 'string' },
    seed: { type: 'string' },
    only: { type: 'string' },
    table: { type: 'string' },
  },
});
const seed = Number(values.seed ?? Math.floor(Math.random() * 2 ** 31));
const count = Number(values.sim ?? values.lab ?? (values.only === undefined ? NaN : 1));
if (!(count > 0) || !Number.isInteger(seed) || (values.sim !== undefined && values.lab !== undefined)) {
  console.error(usage);
  process.exit(2);
}
// One that hangs with nothing left to wait for would end the program, and must not look like success.
process.exitCode = 1;
const soFar = (page: string) => {
  if (values.table !== undefined) writeFileSync(values.table, page);
};
const { text, failed } =
  values.lab === undefined
    ? await onSimulator({ count, seed, only: values.only === undefined ? null : Number(values.only), say: console.log })
    : await onLab({ count, seed, say: console.log, soFar });
console.log(`\n${text}`);
soFar(text);
process.exit(failed > 0 ? 1 : 0);
