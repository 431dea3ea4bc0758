// `npm run demo`: Drover on a simulated fleet; needs no host, no root and nothing installed besides Node.
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { ensureModules, ensureNode, top } from './setup.mjs';

ensureNode();
ensureModules();
const { build } = await import('./build.mjs');
await build();
console.log('Drover on a simulated fleet: nothing about it is real. Ctrl+C ends it.');
const { status } = spawnSync(process.execPath, [join(top, 'bin', 'drover.mjs'), 'demo', ...process.argv.slice(2)], {
  stdio: 'inherit',
});
process.exitCode = status ?? 1;
