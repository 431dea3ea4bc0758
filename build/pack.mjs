// `npm run pack [-- TARGET…]`: packages for this system, as far as they can be built here; says what cannot, and why.
import { chmodSync, existsSync } from 'node:fs';
import { join } from 'node:path';
import { path7za } from '7zip-bin';
import { build as pack, Platform } from 'electron-builder';
import { build } from './build.mjs';
import { electronBinary, electronDist, top } from './setup.mjs';

/** What each system packs, and the targets for which electron-builder fetches tools of its own. */
const targets = {
  linux: ['dir', 'tar.gz', 'AppImage', 'deb', 'rpm'],
  darwin: ['dir', 'zip', 'dmg'],
  win32: ['dir', 'zip', 'nsis'],
};
const fetching = ['AppImage', 'deb', 'rpm', 'dmg', 'nsis'];

const binary = electronBinary();
if (!binary) {
  console.error(
    'Nothing can be packed here: Electron’s program is not installed (node node_modules/electron/install.js fetches it).',
  );
  process.exit(1);
}
await build();

const wanted = process.argv.slice(2);
const all = targets[process.platform] ?? targets.linux;
if (existsSync(path7za)) {
  chmodSync(path7za, 0o755);
  process.env.ELECTRON_BUILDER_7ZIP_PATH = path7za;
}
let failed = 0;
for (const target of wanted.length > 0 ? wanted : all) {
  try {
    const made = await pack({
      projectDir: top,
      targets: Platform.current().createTarget([target]),
      publish: 'never',
      config: { extends: join(top, 'electron-builder.yml'), electronDist },
    });
    console.log(`ok   ${target}  ${made.join(' ') || 'release/'}`);
  } catch (error) {
    failed += 1;
    const why = fetching.includes(target) ? ' (it needs tools that electron-builder fetches from GitHub)' : '';
    console.error(`FAIL ${target}${why}: ${error.message.split('\n')[0]}`);
  }
}
process.exitCode = failed === 0 ? 0 : 1;
