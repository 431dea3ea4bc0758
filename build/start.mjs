// `npm start`: installs and builds what is missing, then opens Drover: as the desktop app where Electron is, else by a browser.
import { spawn } from 'node:child_process';
import { existsSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { electronBinary, ensureModules, ensureNode, top } from './setup.mjs';

ensureNode();
ensureModules();
if (isStale()) {
  const { build } = await import('./build.mjs');
  await build();
}

const electron = electronBinary();
const rest = process.argv.slice(2);
if (electron) {
  console.log('starting the desktop app');
  // Chromium has no sandbox for root.
  const asRoot = process.platform === 'linux' && process.getuid?.() === 0 ? ['--no-sandbox'] : [];
  run(electron, [...asRoot, top, ...rest]);
} else {
  console.log('Electron’s program is not installed here: serving the window to a browser (drover serve --open)');
  run(process.execPath, [join(top, 'bin', 'drover.mjs'), 'serve', '--open', ...rest]);
}

/** Passes on the signals that would end us alone, and ends as the child does. */
function run(program, args) {
  const child = spawn(program, args, { stdio: 'inherit' });
  for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => child.kill(signal));
  child.on('exit', (code) => process.exit(code ?? 1));
}

/** Whether a source is younger than what was built of it, or nothing was. */
function isStale() {
  const built = ['dist/main/main.js', 'dist/window/index.html'].map((path) => join(top, path));
  if (!built.every(existsSync)) return true;
  const oldest = Math.min(...built.map((path) => statSync(path).mtimeMs));
  const sources = ['contract', 'src-main', 'src-renderer', 'build', 'package-lock.json'];
  return sources.some((source) => youngest(join(top, source)) > oldest);
}

function youngest(path) {
  const files = statSync(path).isDirectory()
    ? readdirSync(path, { recursive: true, withFileTypes: true })
        .filter((entry) => entry.isFile())
        .map((entry) => join(entry.parentPath, entry.name))
    : [path];
  return Math.max(...files.map((file) => statSync(file).mtimeMs));
}
