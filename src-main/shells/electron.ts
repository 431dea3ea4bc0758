// Drover as a desktop app: one instance, one window and those of consoles, and an orderly end.
import { join } from 'node:path';
import { app, BrowserWindow, crashReporter, dialog, net, protocol, shell } from 'electron';
import type { DesktopEvents, DesktopMenus } from '../../contract/desktop.ts';
import { Failure, toErr } from '../../contract/failure.ts';
import type { MigrationView, Preferences } from '../../contract/model.ts';
import { Session } from '../api/api.ts';
import type { Drover, Start } from '../api/drover.ts';
import { Awake } from './electron-awake.ts';
import { systemKeychain } from './electron-keychain.ts';
import { guardContents, guardSession } from './electron-guard.ts';
import { appId, linkIn, linkOf, linkScheme } from './electron-link.ts';
import { setMenus } from './electron-menu.ts';
import { Notifier } from './electron-notify.ts';
import { answerPage, scheme } from './electron-page.ts';
import { isMoving, needsDrover, quitWords } from './electron-quit.ts';
import { hasTray, TrayIcon } from './electron-tray.ts';
import { Updates } from './electron-updates.ts';
import { ElectronWindow } from './electron-window.ts';

export interface About {
  version: string;
  /** Where the code is published, without a slash at its end; null where it is not. */
  repository: string | null;
}

/** Under these names in the window's preferences. */
const updatesName = 'updates';
const trayName = 'tray';

const mostConsoles = 50;

/**
 * Returns before the app is ready: Electron waits for its entry module, and so for this.
 * Takes `--data=DIR`, where Drover keeps what it knows, and `--no-update-check`.
 */
export async function runElectron(start: Start, about: About): Promise<void> {
  // Beside Drover's own folder, which nothing else writes to.
  if (!app.commandLine.hasSwitch('user-data-dir')) {
    app.setPath('userData', join(app.getPath('appData'), 'drover-window'));
  }
  if (!app.requestSingleInstanceLock()) return app.quit();
  app.setPath('crashDumps', join(app.getPath('userData'), 'crashes'));
  crashReporter.start({ uploadToServer: false });
  app.enableSandbox();
  if (process.platform === 'win32') app.setAppUserModelId(appId);
  protocol.registerSchemesAsPrivileged([
    { scheme, privileges: { standard: true, secure: true, supportFetchAPI: true, codeCache: true } },
  ]);
  app.on('web-contents-created', (_, contents) => guardContents(contents));
  // macOS may bring the link that started the app before it is ready.
  const desktop = new Desktop(about);
  app.on('open-url', (event, url) => {
    event.preventDefault();
    desktop.show(linkOf(url));
  });
  app
    .whenReady()
    .then(() => desktop.run(start))
    .catch((error: unknown) => {
      dialog.showErrorBox('Drover cannot start', toErr(error).message);
      app.exit(1);
    });
}

class Desktop {
  readonly #about: About;
  readonly #updates: Updates;
  readonly #published: boolean;
  #drover: Drover | null = null;
  #window: ElectronWindow | null = null;
  /** Asked for twice at once, there is still one window. */
  #showing = Promise.resolve();
  /** Those of consoles, by what their address wants. */
  readonly #consoles = new Map<string, ElectronWindow>();
  #wanted: DesktopEvents['show'] | null = null;
  #menus: DesktopMenus = [];
  readonly #awake = new Awake();
  readonly #tray = new TrayIcon({ open: () => this.#open(), quit: () => app.quit() });
  /** The tray is wanted at all times, not only while Drover stays in the background. */
  #keepsTray = false;
  #leaving: 'no' | 'asking' | 'background' | 'closing' | 'closed' = 'no';

  constructor(about: About) {
    this.#about = about;
    const { repository } = about;
    this.#published = repository !== null;
    this.#updates = new Updates({
      version: about.version,
      address: `${repository?.replace('https://github.com/', 'https://api.github.com/repos/') ?? ''}/releases/latest`,
      fetch: (address) => net.fetch(address, { credentials: 'omit', bypassCustomProtocolHandlers: true }),
      found: (version) => void this.#tellUpdate(version),
    });
  }

  async run(start: Start): Promise<void> {
    guardSession();
    protocol.handle(scheme, answerPage);
    if (app.isPackaged) app.setAsDefaultProtocolClient(linkScheme);
    const drover = await start({
      dataDir: app.commandLine.getSwitchValue('data') || null,
      log: (line) => process.stderr.write(`drover: ${line}\n`),
      cipher: systemKeychain(),
    });
    this.#drover = drover;
    this.#setMenus();
    const notifier = new Notifier({ seen: () => this.#window?.seen ?? false, open: () => this.#open() });
    drover.door.feed.subscribe((deltas) => {
      notifier.take(deltas);
      if (deltas.some(({ event }) => event === 'migration')) void this.#migrationsChanged();
    });
    app.on('before-quit', (event) => this.#beforeQuit(event));
    app.on('second-instance', (_, argv: string[] = []) => this.#open(linkIn(argv)));
    app.on('activate', () => this.#open());
    app.on('window-all-closed', () => {
      if (process.platform !== 'darwin' && this.#leaving === 'no' && !this.#keepsTray) app.quit();
    });
    this.#open(this.#wanted ?? linkIn(process.argv));
    await this.#showing;
    await this.#readPreferences();
  }

  /** A link; kept until there is a window. */
  show(link: DesktopEvents['show'] | null): void {
    if (this.#drover) this.#open(link);
    else this.#wanted = link;
  }

  #open(link: DesktopEvents['show'] | null = null): void {
    const drover = this.#drover;
    if (!drover || this.#leaving === 'closing' || this.#leaving === 'closed') return;
    this.#leaving = 'no';
    this.#tray.shown = this.#keepsTray;
    this.#showing = this.#showing.then(async () => {
      if (this.#window) this.#window.focus();
      else {
        this.#window = await ElectronWindow.open(drover, {
          menus: (menus) => {
            this.#menus = menus;
            this.#setMenus();
          },
          console: (search) => this.#openConsole(drover, search),
        });
        this.#window.onClosed(() => {
          this.#window = null;
          this.#menus = [];
        });
      }
      if (link) this.#window.tell('show', link);
    });
  }

  /** The one that is open already comes to the front. @throws Failure where there are too many */
  #openConsole(drover: Drover, search: string): void {
    const open = this.#consoles.get(search);
    if (open) return open.focus();
    if (this.#consoles.size >= mostConsoles) {
      throw new Failure(
        'conflict',
        `${mostConsoles} consoles stand in windows of their own already. Close one of them first.`,
      );
    }
    const window = ElectronWindow.openConsole(drover, search);
    this.#consoles.set(search, window);
    window.onClosed(() => this.#consoles.delete(search));
  }

  get #consoleInFront(): boolean {
    return [...this.#consoles.values()].some(({ seen }) => seen);
  }

  #setMenus(): void {
    setMenus({
      menus: this.#menus,
      // On macOS the menus are there whichever window is in front, and act on what is chosen in the app's own.
      chosen: (id) => !this.#consoleInFront && this.#window?.tell('menu', { id }),
      tray: hasTray && { on: this.#keepsTray, set: (on) => this.#setTray(on) },
      published: this.#published && {
        updates: { on: this.#updates.on, set: (on) => this.#setUpdates(on) },
        documentation: () => void shell.openExternal(`${this.#about.repository}#readme`),
      },
    });
  }

  // --- Leaving -----------------------------------------------------------------------------------

  /** Quits once Drover has closed; before that the windows, which tell it where they stood. */
  #beforeQuit(event: { preventDefault: () => void }): void {
    if (this.#leaving === 'closed') return;
    event.preventDefault();
    if (this.#leaving === 'no') void this.#askToLeave();
  }

  async #askToLeave(): Promise<void> {
    this.#leaving = 'asking';
    const words = quitWords(await this.#migrations());
    if (!words) return this.#close();
    const { response } = await dialog.showMessageBox({
      type: 'warning',
      ...words,
      buttons: ['Stay in the Background', 'Quit Now', 'Cancel'],
      defaultId: 0,
      cancelId: 2,
    });
    if (response === 1) return this.#close();
    this.#leaving = response === 0 ? 'background' : 'no';
    if (response === 0) {
      this.#tray.shown = true; // who stays has to be seen somewhere
      for (const window of BrowserWindow.getAllWindows()) window.close();
      await this.#leaveIfOver();
    } else if (!this.#window) this.#open(); // it was closing the window that asked
  }

  async #migrationsChanged(): Promise<void> {
    const moving = (await this.#migrations()).filter(isMoving);
    this.#tray.moving = moving.length;
    this.#awake.needed = moving.some(needsDrover);
    if (this.#leaving === 'background') await this.#leaveIfOver();
  }

  /** In the background: until nothing is left that needs Drover. */
  async #leaveIfOver(): Promise<void> {
    const moving = (await this.#migrations()).filter((one) => isMoving(one) && needsDrover(one));
    if (this.#leaving === 'background' && moving.length === 0) this.#close();
  }

  async #migrations(): Promise<MigrationView[]> {
    const answer = await this.#drover?.door.call('migrations.list', {}, new Session());
    return Array.isArray(answer?.data) ? (answer.data as MigrationView[]) : [];
  }

  #close(): void {
    if (this.#leaving === 'closing' || this.#leaving === 'closed') return;
    this.#leaving = 'closing';
    this.#tray.shown = false;
    this.#updates.on = false;
    for (const window of BrowserWindow.getAllWindows()) window.close();
    void this.#drover?.close().finally(() => {
      this.#leaving = 'closed';
      app.quit();
    });
  }

  // --- What can be switched on and off -----------------------------------------------------------

  async #readPreferences(): Promise<void> {
    const answer = await this.#drover?.door.call('preferences.get', {}, new Session());
    const kept = (answer?.data as Preferences | null)?.window;
    this.#updates.on =
      this.#published &&
      app.isPackaged &&
      !app.commandLine.hasSwitch('no-update-check') &&
      kept?.[updatesName] !== false;
    this.#keepsTray = hasTray && kept?.[trayName] === true;
    this.#tray.shown = this.#keepsTray;
    this.#setMenus();
  }

  #setTray(on: boolean): void {
    this.#keepsTray = on;
    this.#tray.shown = on;
    void this.#drover?.door.call('preferences.set', { window: { [trayName]: on } }, new Session());
    this.#setMenus();
  }

  #setUpdates(on: boolean): void {
    this.#updates.on = on;
    void this.#drover?.door.call('preferences.set', { window: { [updatesName]: on } }, new Session());
    this.#setMenus();
  }

  async #tellUpdate(version: string): Promise<void> {
    const { response } = await dialog.showMessageBox({
      type: 'info',
      message: `Drover ${version} is there; this is ${this.#about.version}.`,
      detail: 'Nothing is installed by itself. The menu Help switches this question off.',
      buttons: ['See What Is New', 'Later'],
      defaultId: 0,
      cancelId: 1,
    });
    if (response === 0) await shell.openExternal(`${this.#about.repository}/releases`);
  }
}
