// `npm run pack [-- TARGET…]`: packages for this system, as far as they can be built here; says what cannot, and why.
import { spawnSync } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { path7za } from '7zip-bin';
import { build as pack, Arch, Platform } from 'electron-builder';
import { build } from './build.mjs';
import { electronBinary, electronDist, top } from './setup.mjs';

/** What each system packs. `npm` is the command line and the server, for any system that has Node. */
const targets = {
  linux: ['npm', 'dir', 'tar.gz', 'AppImage', 'deb', 'rpm'],
  darwin: ['npm', 'dir', 'zip', 'dmg'],
  win32: ['npm', 'dir', 'zip', 'nsis'],
};
/** For these, electron-builder fetches tools of its own. */
const fetching = ['AppImage', 'deb', 'rpm', 'dmg', 'nsis'];

/** @returns a sentence saying why a target cannot be made here, or null */
function obstacle(target) {
  if (target === 'npm') return null;
  if (!electronBinary())
    return 'Electron’s program is not here; node node_modules/electron/install.js fetches it from GitHub';
  if (target === 'rpm' && spawnSync('rpmbuild', ['--version']).error)
    return 'rpmbuild is not installed (Debian’s package rpm)';
  const home = Object.entries(targets)
    .filter(([, all]) => all.includes(target))
    .map(([system]) => system);
  return home.includes(process.platform)
    ? null
    : `it is made on ${home.join(', ') || 'no system'}, and this is ${process.platform}`;
}

/** @returns the files that were made */
async function make(target) {
  if (target === 'npm') {
    mkdirSync(join(top, 'release'), { recursive: true });
    // Its scripts would build once more. From the top, for a shell reads it on Windows, and a whole path may have a blank.
    const words = ['pack', '--silent', '--ignore-scripts', '--pack-destination', 'release'];
    const { status, stdout } = spawnSync('npm', words, {
      cwd: top,
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'inherit'],
      shell: process.platform === 'win32',
    });
    if (status !== 0) throw new Error('npm pack failed');
    return [join('release', stdout.trim())];
  }
  const archs = process.platform === 'darwin' && target !== 'dir' ? [Arch.x64, Arch.arm64] : [];
  // Of another architecture than this machine's, electron-builder fetches Electron itself.
  const own = archs.length === 0;
  return pack({
    projectDir: top,
    targets: Platform.current().createTarget([target], ...archs),
    publish: 'never',
    config: { extends: join(top, 'electron-builder.yml'), ...(own && { electronDist }) },
  });
}

const wanted = process.argv.slice(2);
const all = targets[process.platform] ?? targets.linux;
const unknown = wanted.filter((target) => !Object.values(targets).flat().includes(target));
if (unknown.length > 0) {
  console.error(
    `There is no package “${unknown.join(' ')}”: npm run pack -- [${[...new Set(Object.values(targets).flat())].join('|')}]`,
  );
  process.exit(2);
}
const names = wanted.length > 0 ? wanted : all;
const able = names.filter((target) => {
  const why = obstacle(target);
  if (why) console.log(`not  ${target}: ${why}`);
  return why === null;
});
// Of what was asked for by name, none may be missing; else what cannot be is only told.
let failed = wanted.length > 0 ? names.length - able.length : 0;
if (able.length > 0) await build();
if (existsSync(path7za)) {
  chmodSync(path7za, 0o755);
  process.env.ELECTRON_BUILDER_7ZIP_PATH = path7za;
}
for (const target of able) {
  try {
    const made = await make(target);
    console.log(`ok   ${target}  ${made.join(' ') || 'release/'}`);
  } catch (error) {
    failed += 1;
    const tools = fetching.includes(target) ? ' (it needs tools that electron-builder fetches from GitHub)' : '';
    console.error(`FAIL ${target}${tools}: ${error.message.split('\n')[0]}`);
  }
}
process.exitCode = failed === 0 ? 0 : 1;
