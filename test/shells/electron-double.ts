// Stands in for Electron where its program is not: the parts that the shell uses, behaving as its documentation says.
// The shell's real main and preload run on it; messages between them are cloned, as Electron clones them.
import { EventEmitter } from 'node:events';
import type * as Electron from 'electron';

/** What the app did that nobody sees otherwise. */
export const record = {
  paths: {} as Record<string, string>,
  sandboxed: false,
  schemes: [] as Electron.CustomScheme[],
  menu: undefined as unknown,
  errors: [] as string[],
  opened: [] as string[],
  /** Message boxes, as they were asked. */
  asked: [] as { message: string; detail?: string; buttons?: string[] }[],
  notifications: [] as Notification[],
  protocols: [] as string[],
  crashes: null as unknown,
  fetched: [] as string[],
  /** What keeps the computer from sleeping. */
  awake: new Map<number, string>(),
  appUserModelId: null as string | null,
  exposed: {} as Record<string, unknown>,
  exitCode: null as number | null,
};

/** What the test decides for the user and the system. */
export const world = {
  switches: {} as Record<string, string>,
  secondInstance: false,
  /** Which button of a message box is pressed. */
  pressed: 0,
  packaged: false,
  /** What Electron calls the system's keychain; null: there is none. */
  keyring: null as string | null,
  /** What the network answers. */
  online: (_address: string): unknown => ({}),
  workArea: { x: 0, y: 0, width: 1920, height: 1080 },
};

/** An event that can be prevented, and whether it was. */
class Preventable {
  defaultPrevented = false;
  preventDefault(): void {
    this.defaultPrevented = true;
  }
}

type AppPart =
  | 'setPath'
  | 'getPath'
  | 'requestSingleInstanceLock'
  | 'enableSandbox'
  | 'whenReady'
  | 'quit'
  | 'exit'
  | 'isPackaged'
  | 'setAsDefaultProtocolClient'
  | 'setAppUserModelId';

class App extends EventEmitter implements Pick<Electron.App, AppPart> {
  readonly commandLine = {
    hasSwitch: (name: string) => name in world.switches,
    getSwitchValue: (name: string) => world.switches[name] ?? '',
  };
  /** What Electron does once its entry module has run. */
  begin: () => void = () => {};
  readonly #ready = new Promise<void>((resolve) => (this.begin = resolve));

  get isPackaged(): boolean {
    return world.packaged;
  }

  setAsDefaultProtocolClient(scheme: string): boolean {
    record.protocols.push(scheme);
    return true;
  }

  setAppUserModelId(id: string): void {
    record.appUserModelId = id;
  }

  setPath(name: string, path: string): void {
    record.paths[name] = path;
  }

  getPath(name: string): string {
    return record.paths[name] ?? `/home/admin/.${name}`;
  }

  requestSingleInstanceLock(): boolean {
    return !world.secondInstance;
  }

  enableSandbox(): void {
    record.sandboxed = true;
  }

  whenReady(): Promise<void> {
    return this.#ready;
  }

  quit(): void {
    const event = new Preventable();
    this.emit('before-quit', event);
    if (event.defaultPrevented) return;
    for (const window of [...BrowserWindow.all]) window.close();
    record.exitCode ??= 0;
    this.emit('quit');
  }

  exit(code = 0): void {
    record.exitCode = code;
  }
}

export const app = new App();

class WebFrame {
  url: string;
  readonly parent: WebFrame | null;

  constructor(url: string, parent: WebFrame | null = null) {
    this.url = url;
    this.parent = parent;
  }
}

/** A frame of some page in the window. */
export const frameOf = (url: string, parent: WebFrame | null = null) => new WebFrame(url, parent);

type InvokeHandler = (event: Electron.IpcMainInvokeEvent, ...args: unknown[]) => unknown;

class WebContents extends EventEmitter {
  readonly mainFrame = new WebFrame('');
  readonly #handlers = new Map<string, InvokeHandler>();
  readonly ipc = { handle: (channel: string, handler: InvokeHandler) => void this.#handlers.set(channel, handler) };
  /** What the preload listens with. */
  readonly toPage = new EventEmitter();
  windowOpenHandler: (details: { url: string }) => { action: string } = () => ({ action: 'allow' });
  reloads = 0;

  getURL(): string {
    return this.mainFrame.url;
  }

  setWindowOpenHandler(handler: WebContents['windowOpenHandler']): void {
    this.windowOpenHandler = handler;
  }

  send(channel: string, ...args: unknown[]): void {
    this.toPage.emit(channel, {}, ...structuredClone(args));
  }

  loadURL(url: string): void {
    this.emit('did-start-navigation', { isMainFrame: true, isSameDocument: false, url });
    this.mainFrame.url = url;
  }

  reload(): void {
    this.reloads += 1;
    this.loadURL(this.mainFrame.url);
  }

  /** A message as a frame sends it. */
  async invoke(frame: WebFrame | null, channel: string, ...args: unknown[]): Promise<unknown> {
    const handler = this.#handlers.get(channel);
    if (!handler) throw new Error(`No handler registered for '${channel}'`);
    const event = { senderFrame: frame } as unknown as Electron.IpcMainInvokeEvent;
    return structuredClone(await handler(event, ...structuredClone(args)));
  }

  /** Whether something that a page wants to do comes to pass. */
  attempt(event: string, ...details: unknown[]): boolean {
    const preventable = new Preventable();
    this.emit(event, preventable, ...details);
    return !preventable.defaultPrevented;
  }
}

export class BrowserWindow extends EventEmitter {
  static readonly all = new Set<BrowserWindow>();
  static readonly getAllWindows = () => [...BrowserWindow.all];
  readonly webContents = new WebContents();
  readonly options: Electron.BrowserWindowConstructorOptions;
  visible = false;
  focused = false;
  minimized = false;
  maximized = false;

  constructor(options: Electron.BrowserWindowConstructorOptions) {
    super();
    this.options = options;
    BrowserWindow.all.add(this);
    app.emit('web-contents-created', {}, this.webContents);
  }

  async loadURL(url: string): Promise<void> {
    this.webContents.loadURL(url);
    this.emit('ready-to-show');
  }

  close(): void {
    if (this.isDestroyed()) return;
    this.emit('close', new Preventable());
    this.destroy();
  }

  destroy(): void {
    if (!BrowserWindow.all.delete(this)) return;
    this.emit('closed');
    if (BrowserWindow.all.size === 0) app.emit('window-all-closed');
  }

  isDestroyed = () => !BrowserWindow.all.has(this);
  isMinimized = () => this.minimized;
  isFocused = () => this.focused;
  isMaximized = () => this.maximized;
  show = () => void (this.visible = true);
  maximize = () => void (this.maximized = true);
  restore = () => void (this.minimized = false);
  focus = () => void (this.focused = true);
  menu = true;
  removeMenu = () => void (this.menu = false);

  getNormalBounds(): Electron.Rectangle {
    const { x = 0, y = 0, width = 0, height = 0 } = this.options;
    return { x, y, width, height };
  }
}

type PermissionAsked = (contents: WebContents, permission: string, decide: (granted: boolean) => void) => void;
type PermissionChecked = (contents: WebContents | null, permission: string) => boolean;
type RequestSeen = (details: { url: string }, decide: (answer: { cancel?: boolean }) => void) => void;

class AppSession extends EventEmitter {
  permissionAsked: PermissionAsked = (_, __, decide) => decide(true);
  permissionChecked: PermissionChecked = () => true;
  deviceChecked: () => boolean = () => true;
  requests: { urls: string[]; seen: RequestSeen } | null = null;
  readonly webRequest = {
    onBeforeRequest: (filter: { urls: string[] }, seen: RequestSeen) => void (this.requests = { ...filter, seen }),
  };

  setPermissionRequestHandler = (handler: PermissionAsked) => void (this.permissionAsked = handler);
  setPermissionCheckHandler = (handler: PermissionChecked) => void (this.permissionChecked = handler);
  setDevicePermissionHandler = (handler: () => boolean) => void (this.deviceChecked = handler);
}

export const session = { defaultSession: new AppSession() };

type Answering = (request: Pick<Request, 'method' | 'url'>) => Response;

export const protocol = {
  handlers: new Map<string, Answering>(),
  registerSchemesAsPrivileged: (schemes: Electron.CustomScheme[]) => void record.schemes.push(...schemes),
  handle: (scheme: string, handler: Answering) => void protocol.handlers.set(scheme, handler),
};

export const dialog = {
  showErrorBox: (title: string, content: string) => void record.errors.push(`${title}: ${content}`),
  showMessageBox: async (options: Electron.MessageBoxOptions) => {
    record.asked.push(options);
    return { response: world.pressed, checkboxChecked: false };
  },
};

export const shell = { openExternal: async (url: string) => void record.opened.push(url) };

export const crashReporter = { start: (options: unknown) => void (record.crashes = options) };

export const net = {
  fetch: async (address: string) => {
    record.fetched.push(address);
    return Response.json(world.online(address));
  },
};

export class Notification extends EventEmitter {
  static isSupported = () => true;
  readonly title: string;
  readonly body: string;

  constructor({ title = '', body = '' }: Electron.NotificationConstructorOptions) {
    super();
    this.title = title;
    this.body = body;
  }

  show(): void {
    record.notifications.push(this);
  }
}

/** What it encrypts is turned around, with a mark, so that it shows which is which. */
export const safeStorage = {
  isEncryptionAvailable: () => world.keyring !== null,
  getSelectedStorageBackend: () => world.keyring ?? 'unknown',
  encryptString: (text: string) => Buffer.from(`sealed:${[...text].reverse().join('')}`),
  decryptString: (blob: Buffer) => {
    const text = blob.toString();
    if (!text.startsWith('sealed:')) throw new Error('Error while decrypting the ciphertext provided to safeStorage');
    return [...text.slice('sealed:'.length)].reverse().join('');
  },
};

export class Tray extends EventEmitter {
  static readonly all = new Set<Tray>();
  readonly image: string;
  tip = '';
  menu: Electron.MenuItemConstructorOptions[] = [];

  constructor(image: string) {
    super();
    this.image = image;
    Tray.all.add(this);
  }

  setToolTip = (text: string) => void (this.tip = text);
  setContextMenu = (menu: unknown) => void (this.menu = menu as Electron.MenuItemConstructorOptions[]);
  destroy = () => void Tray.all.delete(this);
}

let blockers = 0;
export const powerSaveBlocker = {
  start: (type: string) => {
    record.awake.set((blockers += 1), type);
    return blockers;
  },
  stop: (id: number) => record.awake.delete(id),
};

export const screen = { getDisplayMatching: () => ({ workArea: world.workArea }) };

export const Menu = {
  setApplicationMenu: (menu: unknown) => void (record.menu = menu),
  buildFromTemplate: (template: Electron.MenuItemConstructorOptions[]) => template,
};

// --- The page's side, as a sandboxed preload sees it ---------------------------------------------

function contents(): WebContents {
  const [window] = BrowserWindow.all;
  if (!window) throw new Error('there is no window');
  return window.webContents;
}

export const contextBridge = {
  exposeInMainWorld: (name: string, value: unknown) => void (record.exposed[name] = value),
};

type Hear = (event: unknown, ...args: unknown[]) => void;

export const ipcRenderer = {
  invoke: (channel: string, ...args: unknown[]) => contents().invoke(contents().mainFrame, channel, ...args),
  on: (channel: string, hear: Hear) => contents().toPage.on(channel, hear),
  off: (channel: string, hear: Hear) => contents().toPage.off(channel, hear),
};
