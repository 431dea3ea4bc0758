// The built program: made where it is missing or older than its sources, and run as if it were this one.
import { spawn } from 'node:child_process';
import { existsSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { top } from './setup.mjs';

export const drover = join(top, 'bin', 'drover.mjs');

/** Builds, unless what is there is of these sources. */
export async function ensureBuilt() {
  if (!isStale()) return;
  const { build } = await import('./build.mjs');
  await build();
}

/** Passes on the signals that would end us alone, and ends as the child does. */
export function runInstead(program, args) {
  const child = spawn(program, args, { stdio: 'inherit' });
  process.on('SIGTERM', () => child.kill('SIGTERM'));
  // A terminal gives Ctrl+C to the child as well, and two of them would end it at once.
  process.on('SIGINT', () => process.stdin.isTTY || child.kill('SIGINT'));
  child.on('exit', (code) => process.exit(code ?? 1));
}

/** Whether a source is younger than what was built of it, or nothing was. */
function isStale() {
  const built = ['dist/main/main.js', 'dist/main/sim.js', 'dist/window/index.html'].map((path) => join(top, path));
  if (!built.every(existsSync)) return true;
  const oldest = Math.min(...built.map((path) => statSync(path).mtimeMs));
  const sources = ['contract', 'src-main', 'src-sim', 'src-renderer', 'build', 'package-lock.json'];
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
