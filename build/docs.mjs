// `npm run docs [-- dev]`: the documentation's site, to docs/.vitepress/dist. Its packages are its own, in docs/.
// DOCS_BASE is the path it is published below (/), DOCS_REPOSITORY the address of the code.
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { ensureModules, ensureNode, top, tsx } from './setup.mjs';

const docs = join(top, 'docs');
const run = (file, args, cwd) =>
  spawnSync(file, args, { cwd, stdio: 'inherit', shell: file === 'npm' && process.platform === 'win32' });

/** @returns a sentence saying why not, or null */
function ensurePackages() {
  const locked = JSON.parse(readFileSync(join(docs, 'package-lock.json'), 'utf8')).packages['node_modules/vitepress'];
  const there = join(docs, 'node_modules/vitepress/package.json');
  if (existsSync(there) && JSON.parse(readFileSync(there, 'utf8')).version === locked.version) return null;
  console.log('installing the packages of docs/package-lock.json');
  return run('npm', ['ci'], docs).status === 0 ? null : 'npm ci failed in docs/';
}

/** @returns whether all was well */
export function buildDocs({ dev = false } = {}) {
  const missing = ensurePackages();
  if (missing) {
    console.error(missing);
    return false;
  }
  const [node, ...loader] = tsx;
  if (run(node, [...loader, 'build/docs/prepare.ts'], top).status !== 0) return false;
  const vitepress = join(docs, 'node_modules/vitepress/bin/vitepress.js');
  return run(node, [vitepress, dev ? 'dev' : 'build', docs], top).status === 0;
}

if (process.argv[1] && import.meta.url === pathToFileURL(process.argv[1]).href) {
  ensureNode();
  ensureModules();
  const dev = process.argv[2] === 'dev';
  const well = buildDocs({ dev });
  if (well && !dev) console.log('the site is in docs/.vitepress/dist; npm run docs -- dev shows it in a browser');
  process.exitCode = well ? 0 : 1;
}
