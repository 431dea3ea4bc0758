// The icon in the system's tray, where somebody wants one: Drover then goes on without a window.
import { join } from 'node:path';
import { Menu, Tray } from 'electron';

export interface TrayOptions {
  open: () => void;
  quit: () => void;
}

/** macOS keeps an app without windows in its Dock anyway. */
export const hasTray = process.platform !== 'darwin';

export class TrayIcon {
  readonly #options: TrayOptions;
  #tray: Tray | null = null;
  #moving = 0;

  constructor(options: TrayOptions) {
    this.#options = options;
  }

  get shown(): boolean {
    return this.#tray !== null;
  }

  set shown(shown: boolean) {
    if (!hasTray || shown === this.shown) return;
    if (!shown) {
      this.#tray?.destroy();
      this.#tray = null;
      return;
    }
    this.#tray = new Tray(join(import.meta.dirname, '..', '..', 'dist', 'main', 'tray.png'));
    this.#tray.on('click', this.#options.open);
    this.#say();
  }

  /** How many VMs are being migrated. */
  set moving(count: number) {
    if (count === this.#moving) return; // a menu that is open would close
    this.#moving = count;
    this.#say();
  }

  #say(): void {
    const { open, quit } = this.#options;
    const what = this.#moving === 1 ? '1 VM is being migrated' : `${this.#moving} VMs are being migrated`;
    this.#tray?.setToolTip(this.#moving === 0 ? 'Drover' : `Drover: ${what}`);
    // Linux shows nothing but the menu where a click is not told.
    this.#tray?.setContextMenu(
      Menu.buildFromTemplate([
        ...(this.#moving === 0 ? [] : [{ label: what, enabled: false }, { type: 'separator' as const }]),
        { label: 'Open Drover', click: open },
        { label: 'Quit', click: quit },
      ]),
    );
  }
}
