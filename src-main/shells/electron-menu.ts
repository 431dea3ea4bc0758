// The system's menus: the page's own actions as it tells them, and what a desktop app has besides.
import { Menu, type MenuItemConstructorOptions } from 'electron';
import type { DesktopMenus } from '../../contract/desktop.ts';

export interface MenuOptions {
  menus: DesktopMenus;
  chosen: (id: string) => void;
  /** Whether Drover goes on in the system's tray when its window is closed; false where there is none. */
  tray: false | { on: boolean; set: (on: boolean) => void };
  /** What needs an address where Drover is published; false without one. */
  published: false | { updates: { on: boolean; set: (on: boolean) => void }; documentation: () => void };
}

const mac = process.platform === 'darwin';

/** A console searches in itself by this key: on macOS, a menu would take it away. */
const consoles = new Set(['Ctrl+F']);

export function setMenus({ menus, chosen, tray, published }: MenuOptions): void {
  const item = ({ id, title, keys, enabled }: DesktopMenus[number]['items'][number]): MenuItemConstructorOptions => {
    const native = keys !== undefined && keys.startsWith('Ctrl+') && !(mac && consoles.has(keys));
    return {
      label: keys !== undefined && !native ? `${title}  (${keys})` : title,
      enabled,
      click: () => chosen(id),
      // The page listens itself, and a console's keys are its own: elsewhere than on macOS they are only shown.
      ...(native && { accelerator: keys.replace('Ctrl+', 'CmdOrCtrl+'), registerAccelerator: false }),
    };
  };
  const template: MenuItemConstructorOptions[] = [
    mac
      ? { role: 'appMenu' }
      : {
          label: 'File',
          submenu: [...(tray ? [keepRunning(tray)] : []), { role: 'quit', registerAccelerator: false }],
        },
    ...menus.map(({ title, items }) => ({ label: title, submenu: items.map(item) })),
    // On macOS copy and paste come from here; elsewhere the page has them.
    ...(mac ? [{ role: 'editMenu' } as const, { role: 'windowMenu' } as const] : []),
    ...(published ? [help(published)] : []),
  ];
  Menu.setApplicationMenu(Menu.buildFromTemplate(template));
}

function help({ updates, documentation }: Exclude<MenuOptions['published'], false>): MenuItemConstructorOptions {
  return {
    role: 'help',
    submenu: [
      { label: 'Documentation', click: documentation },
      {
        label: 'Look for New Versions',
        type: 'checkbox',
        checked: updates.on,
        click: ({ checked }) => updates.set(checked),
      },
    ],
  };
}

const keepRunning = ({ on, set }: Exclude<MenuOptions['tray'], false>): MenuItemConstructorOptions => ({
  label: 'Keep Running in the Tray',
  type: 'checkbox',
  checked: on,
  click: ({ checked }) => set(checked),
});
