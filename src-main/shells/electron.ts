// Drover as a desktop app: one instance, one window, and an orderly end.
import { join } from 'node:path';
import { app, BrowserWindow, dialog, Menu, protocol } from 'electron';
import { toErr } from '../../contract/failure.ts';
import type { Drover, Start } from '../api/drover.ts';
import { guardContents, guardSession } from './electron-guard.ts';
import { answerPage, scheme } from './electron-page.ts';
import { ElectronWindow } from './electron-window.ts';

/**
 * Returns before the app is ready: Electron waits for its entry module, and so for this.
 * Takes `--data=DIR`, where Drover keeps what it knows.
 */
export async function runElectron(start: Start): Promise<void> {
  // Beside Drover's own folder, which nothing else writes to.
  if (!app.commandLine.hasSwitch('user-data-dir')) {
    app.setPath('userData', join(app.getPath('appData'), 'drover-window'));
  }
  if (!app.requestSingleInstanceLock()) return app.quit();
  app.enableSandbox();
  protocol.registerSchemesAsPrivileged([
    { scheme, privileges: { standard: true, secure: true, supportFetchAPI: true, codeCache: true } },
  ]);
  app.on('web-contents-created', (_, contents) => guardContents(contents));
  app
    .whenReady()
    .then(() => run(start))
    .catch((error: unknown) => {
      dialog.showErrorBox('Drover cannot start', toErr(error).message);
      app.exit(1);
    });
}

async function run(start: Start): Promise<void> {
  guardSession();
  protocol.handle(scheme, answerPage);
  Menu.setApplicationMenu(menu());
  const drover = await start({
    dataDir: app.commandLine.getSwitchValue('data') || null,
    log: (line) => process.stderr.write(`drover: ${line}\n`),
  });
  endInOrder(drover);

  let window: ElectronWindow | null = null;
  const show = async () => {
    if (window) return window.focus();
    window = await ElectronWindow.open(drover);
    window.onClosed(() => (window = null));
  };
  // Asked for twice at once, there is still one.
  let showing = Promise.resolve();
  const ask = () => void (showing = showing.then(show));
  app.on('second-instance', ask);
  app.on('activate', ask);
  app.on('window-all-closed', () => {
    if (process.platform !== 'darwin') app.quit();
  });
  await show();
}

/** Quits once Drover has closed; before that the windows, which tell it where they stood. */
function endInOrder(drover: Drover): void {
  let closing: Promise<void> | null = null;
  let closed = false;
  app.on('before-quit', (event) => {
    if (closed) return;
    event.preventDefault();
    for (const window of BrowserWindow.getAllWindows()) window.close();
    closing ??= drover.close().finally(() => {
      closed = true;
      app.quit();
    });
  });
}

/** macOS takes copy and paste from the menu; elsewhere its keys would be taken from consoles. */
function menu(): Menu | null {
  if (process.platform !== 'darwin') return null;
  return Menu.buildFromTemplate([{ role: 'appMenu' }, { role: 'editMenu' }, { role: 'windowMenu' }]);
}
