// A window of the desktop's: its page, what the page may say to the main side, and where the window stood.
import { join } from 'node:path';
import { BrowserWindow, dialog, screen, type IpcMainInvokeEvent, type Rectangle } from 'electron';
import { z } from 'zod';
import { desktopConsoleCall, desktopMenuCall, type DesktopEvents, type DesktopMenus } from '../../contract/desktop.ts';
import { Failure, toErr } from '../../contract/failure.ts';
import type { Answer } from '../../contract/link.ts';
import type { Preferences } from '../../contract/model.ts';
import { Session } from '../api/api.ts';
import type { Drover } from '../api/drover.ts';
import { desktopConsole, desktopMenus } from './electron-asked.ts';
import { isOurs, origin } from './electron-page.ts';

/** Under this name in the window's preferences. */
const placeName = 'desktop';

const placeCheck = z.object({
  x: z.number().int(),
  y: z.number().int(),
  width: z.number().int().min(400).max(20_000),
  height: z.number().int().min(300).max(20_000),
  maximized: z.boolean(),
});
type Place = z.infer<typeof placeCheck>;

/** What a page may have its shell do. */
export interface WindowAsks {
  /** What the page has to choose from, told whenever that changes. */
  menus(menus: DesktopMenus): void;
  /** Another window on the page, for the console that `search` names. @throws Failure */
  console(search: string): void;
}

export class ElectronWindow {
  readonly #drover: Drover;
  readonly #window: BrowserWindow;
  readonly #asks: WindowAsks | null;
  /** What is to be told once the page listens: it has told its menus then. */
  #untold: (() => void)[] | null = [];
  /** Of the page that is loaded: what it opened ends with it. */
  #session = new Session();

  /** The app's own window, where it stood before. */
  static async open(drover: Drover, asks: WindowAsks): Promise<ElectronWindow> {
    const { data } = await drover.door.call('preferences.get', {}, new Session());
    const kept = placeCheck.safeParse((data as Preferences | null)?.window[placeName]);
    const place = kept.success && isOnScreen(kept.data) ? kept.data : { width: 1280, height: 800 };
    const window = new ElectronWindow(drover, asks, place);
    await window.#window.loadURL(`${origin}/`);
    return window;
  }

  /**
   * One with nothing but a console in it: it asks for nothing, answers no questions, has no menus (they act on what is
   * chosen in the app's own window), and its place is not kept.
   */
  static openConsole(drover: Drover, search: string): ElectronWindow {
    const window = new ElectronWindow(drover, null, { width: 900, height: 600 });
    window.#window.removeMenu();
    void window.#window.loadURL(`${origin}/?${search}`).catch(() => {}); // closed before it was there
    return window;
  }

  private constructor(drover: Drover, asks: WindowAsks | null, place: Partial<Place>) {
    this.#drover = drover;
    this.#asks = asks;
    const { maximized = false, ...bounds } = place;
    const window = new BrowserWindow({
      ...bounds,
      minWidth: asks ? 640 : 320,
      minHeight: asks ? 400 : 200,
      title: 'Drover',
      show: false,
      autoHideMenuBar: true,
      webPreferences: {
        preload: join(import.meta.dirname, '..', '..', 'dist', 'main', 'preload.cjs'),
        sandbox: true,
        contextIsolation: true,
        nodeIntegration: false,
        webviewTag: false,
        navigateOnDragDrop: false,
        spellcheck: false, // would fetch its dictionaries
      },
    });
    this.#window = window;
    window.once('ready-to-show', () => {
      if (maximized) window.maximize();
      window.show();
    });
    window.on('closed', () => this.#session.end());
    if (asks) {
      window.on('close', () => this.#keepPlace());
      window.on('closed', () => drover.windows(0));
      drover.windows(1);
    }

    const { webContents } = window;
    webContents.ipc.handle('call', (event, name: unknown, args: unknown) => this.#answer(event, name, args));
    webContents.on('did-start-navigation', ({ isMainFrame, isSameDocument }) => {
      if (isMainFrame && !isSameDocument) this.#begin();
    });
    webContents.on('render-process-gone', (_, { reason }) => void this.#gone(reason));
  }

  /** Somebody looks at it. */
  get seen(): boolean {
    return this.#window.isFocused() && !this.#window.isMinimized();
  }

  /** Tells the page something of the desktop's; at once, or as soon as it listens. */
  tell<E extends keyof DesktopEvents>(event: E, payload: DesktopEvents[E]): void {
    const send = () => {
      if (!this.#window.isDestroyed()) this.#window.webContents.send(`event:${event}`, payload);
    };
    if (this.#untold) this.#untold.push(send);
    else send();
  }

  focus(): void {
    if (this.#window.isMinimized()) this.#window.restore();
    this.#window.focus();
  }

  onClosed(listener: () => void): void {
    this.#window.on('closed', listener);
  }

  /** Another page, if only the same anew: it knows nothing of what the one before had opened. */
  #begin(): void {
    this.#session.end();
    this.#untold ??= [];
    const { feed } = this.#drover.door;
    const session = new Session((event, payload) => {
      if (!this.#window.isDestroyed()) this.#window.webContents.send(`event:${event}`, payload);
    });
    session.onEnd(feed.subscribe((deltas) => session.send('deltas', { epoch: feed.epoch, deltas })));
    this.#session = session;
  }

  async #answer({ senderFrame }: IpcMainInvokeEvent, name: unknown, args: unknown): Promise<Answer<unknown>> {
    if (!senderFrame || senderFrame.parent !== null || !isOurs(senderFrame.url)) {
      return { err: toErr(new Failure('forbidden', 'Only Drover’s own page may call Drover.')), data: null };
    }
    if (name === desktopMenuCall) return this.#asked(desktopMenus, args, (menus, asks) => this.#listens(menus, asks));
    if (name === desktopConsoleCall)
      return this.#asked(desktopConsole, args, ({ search }, asks) => asks.console(search));
    return this.#drover.door.call(typeof name === 'string' ? name : '', args, this.#session);
  }

  #asked<A>(check: z.ZodType<A>, args: unknown, carryOut: (asked: A, asks: WindowAsks) => void): Answer<unknown> {
    const checked = check.safeParse(args);
    if (!checked.success || !this.#asks) {
      return { err: toErr(new Failure('bad-request', 'The page asked its window for what there is not.')), data: null };
    }
    try {
      carryOut(checked.data, this.#asks);
      return { err: null, data: null };
    } catch (error) {
      return { err: toErr(error), data: null };
    }
  }

  #listens(menus: DesktopMenus, asks: WindowAsks): void {
    asks.menus(menus);
    const untold = this.#untold ?? [];
    this.#untold = null;
    for (const send of untold) send();
  }

  async #gone(reason: string): Promise<void> {
    this.#session.end();
    if (reason === 'clean-exit') return;
    const { response } = await dialog.showMessageBox({
      type: 'error',
      message: 'Drover’s window stopped working.',
      detail: `The system says: ${reason}. What Drover is doing goes on without it.`,
      buttons: ['Open it again', 'Close'],
    });
    if (this.#window.isDestroyed()) return;
    if (response === 0) this.#window.webContents.reload();
    else this.#window.destroy();
  }

  #keepPlace(): void {
    const place: Place = { ...this.#window.getNormalBounds(), maximized: this.#window.isMaximized() };
    void this.#drover.door.call('preferences.set', { window: { [placeName]: place } }, this.#session);
  }
}

/** Screens come and go: a window on one that is gone could not be found. */
function isOnScreen(place: Rectangle): boolean {
  const { x, y, width, height } = screen.getDisplayMatching(place).workArea;
  const shownX = Math.min(place.x + place.width, x + width) - Math.max(place.x, x);
  const shownY = Math.min(place.y + place.height, y + height) - Math.max(place.y, y);
  return shownX >= 200 && shownY >= 100;
}
