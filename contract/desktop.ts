// What the desktop's page and its shell say to each other besides calls: the page tells its menus, the shell what was chosen.
import { z } from 'zod';

const menuItem = z.strictObject({
  /** The page's own name for it; comes back when it is chosen. */
  id: z.string().min(1).max(100),
  title: z.string().min(1).max(100),
  /** As they are shown, e.g. `Ctrl+B`. */
  keys: z.string().max(30).optional(),
  enabled: z.boolean(),
});

/** Sent by the page as the call `desktop.menu`, anew whenever something in it changes. */
export const desktopMenus = z
  .array(z.strictObject({ title: z.string().min(1).max(50), items: z.array(menuItem).max(100) }))
  .max(10);
export const desktopMenuCall = 'desktop.menu';

export type DesktopMenus = z.infer<typeof desktopMenus>;

/** What the shell tells the page, by the bridge's `on`. */
export interface DesktopEvents {
  /** An item of its menus was chosen. */
  menu: { id: string };
  /** A link of the system's led here, e.g. `drover://kvm1/web01`: to be shown, and nothing done. */
  show: { host: string; vm: string | null };
}
