// `npm start`: installs and builds what is missing, then opens Drover: as the desktop app where Electron is, else by a browser.
import { electronBinary, ensureModules, ensureNode, top } from './setup.mjs';

ensureNode();
ensureModules();
const { drover, ensureBuilt, runInstead } = await import('./program.mjs');
await ensureBuilt();

const electron = electronBinary();
const rest = process.argv.slice(2);
if (electron) {
  console.log('starting the desktop app');
  // Chromium has no sandbox for root.
  const asRoot = process.platform === 'linux' && process.getuid?.() === 0 ? ['--no-sandbox'] : [];
  runInstead(electron, [...asRoot, top, ...rest]);
} else {
  console.log('Electron’s program is not installed here: serving the window to a browser (drover serve --open)');
  runInstead(process.execPath, [drover, 'serve', '--open', ...rest]);
}
