// A console in a window of its own: its address, and the way there without a byte being lost.
import { desktopConsoleCall } from '../../contract/desktop.ts';
import { toErr } from '../../contract/failure.ts';
import type { DomainRef } from '../../contract/model.ts';
import { desktopBridge } from '../link/electron.ts';
import type { ConsoleKind } from '../stores/consoles.svelte.ts';
import { consoleWindow as words } from '../words/console-window.ts';
import type { AnySession, Desk } from './desk.svelte.ts';

export interface WantedConsole extends DomainRef {
  kind: ConsoleKind;
  /** The device's alias; left out for the VM's first. */
  target?: string;
}

/** What stands behind the `?` of such a window's address. */
export function searchOf({ hostId, uuid, kind, target }: WantedConsole): string {
  const search = new URLSearchParams({ console: uuid, host: hostId, kind });
  if (target !== undefined) search.set('target', target);
  return search.toString();
}

/** The console that an address wants; null for the usual window. */
export function wantedIn(search: string): WantedConsole | null {
  const asked = new URLSearchParams(search);
  const uuid = asked.get('console');
  if (uuid === null) return null;
  const target = asked.get('target');
  return {
    uuid,
    hostId: asked.get('host') ?? '',
    kind: asked.get('kind') === 'graphical' ? 'graphical' : 'serial',
    ...(target !== null && { target }),
  };
}

/** By the keys of what this window has asked to be shown elsewhere. */
const leaving = new Set<string>();

/** Opens the console once more, in a window of its own. It is closed here once it is seen there. */
export async function detach(desk: Desk, { key, hostId, uuid, kind, target }: AnySession): Promise<void> {
  const search = searchOf({ hostId, uuid, kind, ...(target !== undefined && { target }) });
  leaving.add(key);
  const opened = await openWindow(search, key).catch((error: unknown) => toErr(error).message);
  if (opened === null) return;
  leaving.delete(key);
  desk.toasts.show('warn', opened);
}

/** @returns null, or why it was not opened. Asked for once more, the one that is open comes to the front. */
async function openWindow(search: string, key: string): Promise<string | null> {
  const bridge = desktopBridge();
  if (bridge) return (await bridge.call(desktopConsoleCall, { search })).err?.message ?? null;
  // With its opener, from which it has the token; it is this page again.
  return window.open(`./?${search}`, `console:${key}`, 'popup,width=900,height=600') ? null : words.notOpened;
}

const channelName = 'drover.consoles';

/** Tells the windows of this browser, or app, that a console is shown in one of its own. */
export function tellShown(key: string): void {
  const channel = new BroadcastChannel(channelName);
  channel.postMessage(key);
  channel.close();
}

/** Gives up the consoles that are shown elsewhere; the answer ends it. */
export function giveUpShown(desk: Desk): () => void {
  const channel = new BroadcastChannel(channelName);
  channel.addEventListener('message', ({ data }) => {
    if (leaving.delete(data as string)) desk.closeConsole(data as string);
  });
  return () => channel.close();
}
