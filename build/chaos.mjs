// `npm run chaos`: faults at random in migrations, on simulated hosts or on a lab of its own.
import { spawnSync } from 'node:child_process';
import { ensureLab, ensureModules, ensureNode, top, tsx } from './setup.mjs';

ensureNode();
ensureModules();
const args = process.argv.slice(2);
const run = (argv) => spawnSync(argv[0], argv.slice(1), { cwd: top, stdio: 'inherit' }).status ?? 1;
const chaos = [...tsx, 'test/chaos/run.ts', ...args];
if (!args.includes('--lab')) process.exit(run(chaos));

const noLab = ensureLab();
if (noLab) {
  console.error(`There is no lab here, since ${noLab}.`);
  process.exit(1);
}
const prefix = `x${process.pid % 1_000_000}`;
const cli = [...tsx, 'test/lab/cli.ts'];
process.on('SIGINT', () => {}); // the children end by it; the lab still goes down
try {
  process.exitCode = run([...cli, 'up', '--prefix', prefix, '--owner', String(process.pid)]);
  process.exitCode ||= run([...cli, 'exec', '--prefix', prefix, 'adm', '--', ...chaos]);
} finally {
  run([...cli, 'down', '--prefix', prefix]);
}
