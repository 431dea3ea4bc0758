// What the desktop's page and its shell say to each other besides calls: the page tells its menus and which console it
// wants in a window of its own, the shell what was chosen. What the shell accepts is in src-main/shells/electron-asked.ts:
// the page loads no library for it.

/** Sent by the page as the call `desktop.menu`, anew whenever something in it changes: at most 10 menus of 100 items. */
export type DesktopMenus = {
  title: string;
  items: {
    /** The page's own name for it; comes back when it is chosen. */
    id: string;
    title: string;
    /** As they are shown, e.g. `Ctrl+B`. */
    keys?: string | undefined;
    enabled: boolean;
  }[];
}[];
export const desktopMenuCall = 'desktop.menu';

/** Sent by the page as the call `desktop.console`: an address of its own, which is to be opened in another window. */
export interface DesktopConsole {
  /** Of the page, after `?`: which console it is to show. */
  search: string;
}
export const desktopConsoleCall = 'desktop.console';

/** What the shell tells the page, by the bridge's `on`. */
export interface DesktopEvents {
  /** An item of its menus was chosen. */
  menu: { id: string };
  /** A link of the system's led here, e.g. `drover://kvm1/web01`: to be shown, and nothing done. */
  show: { host: string; vm: string | null };
}
