// `npm run docs:shots`: the documentation's pictures, taken anew of the demo fleet, in Chromium.
import { spawnSync } from 'node:child_process';
import { build } from './build.mjs';
import { ensureBrowser, ensureModules, ensureNode, top, tsx } from './setup.mjs';

ensureNode();
ensureModules();
const missing = process.env.DROVER_CHROMIUM ? null : ensureBrowser();
if (missing) {
  console.error(missing);
  process.exit(1);
}
await build();
const [node, ...loader] = tsx;
process.exitCode = spawnSync(node, [...loader, 'build/docs/shots.ts'], { cwd: top, stdio: 'inherit' }).status ?? 1;
