// `npm run check`: types, lint, room directions. All are run, so that one look shows everything.
import { spawnSync } from 'node:child_process';

const steps = [
  ['types', ['tsc', '-p', 'tsconfig.json']],
  ['types of the browser tests', ['tsc', '-p', 'test/app/tsconfig.json']],
  ['types of the window', ['svelte-check', '--tsconfig', 'src-renderer/tsconfig.json', '--fail-on-warnings']],
  ['lint', ['eslint', '.', '--max-warnings', '0']],
  ['format', ['prettier', '--check', '--log-level', 'warn', '.']],
  ['rooms', ['tsx', 'build/check-rooms.ts']],
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
