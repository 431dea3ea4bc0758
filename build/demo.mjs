// `npm run demo`: Drover on a simulated fleet; needs no host, no root and nothing installed besides Node.
import { ensureModules, ensureNode } from './setup.mjs';

ensureNode();
ensureModules();
const { drover, ensureBuilt, runInstead } = await import('./program.mjs');
await ensureBuilt();
console.log('Drover on a simulated fleet: nothing about it is real. Ctrl+C ends it.');
runInstead(process.execPath, [drover, 'demo', ...process.argv.slice(2)]);
