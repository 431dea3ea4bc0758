// What pages in the desktop app may not do, which is nearly everything.
import { dialog, session, shell, type WebContents } from 'electron';
import { isOurs } from './electron-page.ts';

/** The page is of the app's own scheme, and all it needs comes by the bridge: it has no business on the network. */
const network = ['http://*/*', 'https://*/*', 'ws://*/*', 'wss://*/*', 'ftp://*/*', 'file://*/*'];

/**
 * What the page may: copy by a button (paste is the user's own key), show a guest's screen in full and lend it the keys
 * there, and write to a file that the user has just chosen in the system's own dialog.
 */
const granted = new Set(['clipboard-sanitized-write', 'fullscreen', 'keyboardLock', 'fileSystem']);

export function guardSession(): void {
  const { defaultSession } = session;
  defaultSession.setPermissionRequestHandler((contents, permission, decide) =>
    decide(granted.has(permission) && isOurs(contents.getURL())),
  );
  defaultSession.setPermissionCheckHandler(
    (contents, permission) => granted.has(permission) && isOurs(contents?.getURL() ?? ''),
  );
  defaultSession.setDevicePermissionHandler(() => false);
  defaultSession.webRequest.onBeforeRequest({ urls: network }, (_, decide) => decide({ cancel: true }));
  defaultSession.on('will-download', (event) => event.preventDefault());
}

/** No page leaves where it is, and none opens another. */
export function guardContents(contents: WebContents): void {
  contents.on('will-navigate', (event) => event.preventDefault());
  contents.on('will-frame-navigate', (event) => event.preventDefault());
  contents.on('will-redirect', (event) => event.preventDefault());
  contents.on('will-attach-webview', (event) => event.preventDefault());
  contents.setWindowOpenHandler(({ url }) => {
    void askToBrowse(url);
    return { action: 'deny' };
  });
}

/** A link goes to the user's browser, once the user has seen where it leads. */
async function askToBrowse(url: string): Promise<void> {
  if (!URL.canParse(url) || !['http:', 'https:'].includes(new URL(url).protocol)) return;
  const { response } = await dialog.showMessageBox({
    type: 'question',
    message: 'Open this address in the browser?',
    detail: new URL(url).href.slice(0, 500),
    buttons: ['Open', 'Cancel'],
    defaultId: 1,
    cancelId: 1,
  });
  if (response === 0) await shell.openExternal(url);
}
