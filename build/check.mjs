// `npm run check`: types, lint, room directions. All are run, so that one look shows everything.
// What was looked at before and has not changed is not looked at again; on CI nothing is remembered.
import { spawnSync } from 'node:child_process';
import { ci } from './setup.mjs';

const memory = 'node_modules/.cache/check';
const incremental = (name) => (ci ? [] : ['--incremental', '--tsBuildInfoFile', `${memory}/${name}.tsbuildinfo`]);
const cached = (name) =>
  ci ? [] : ['--cache', '--cache-strategy', 'content', '--cache-location', `${memory}/${name}`];

const steps = [
  ['types', ['tsc', '-p', 'tsconfig.json', ...incremental('main')]],
  ['types of the browser tests', ['tsc', '-p', 'test/app/tsconfig.json', ...incremental('app')]],
  ['types of the window', ['svelte-check', '--tsconfig', 'src-renderer/tsconfig.json', '--fail-on-warnings']],
  ['lint', ['eslint', '.', '--max-warnings', '0', ...cached('eslint')]],
  ['format', ['prettier', '--check', '--log-level', 'warn', '.', ...cached('prettier')]],
  ['rooms', ['tsx', 'build/check-rooms.ts']],
  ['words', ['tsx', 'build/check-words.ts']],
];
let failed = 0;
for (const [name, args] of steps) {
  const { status } = spawnSync('npx', ['--no-install', ...args], {
    stdio: 'inherit',
    shell: process.platform === 'win32',
  });
  console.log(`${status === 0 ? 'ok  ' : 'FAIL'} ${name}`);
  if (status !== 0) failed += 1;
}
process.exitCode = failed > 0 ? 1 : 0;
