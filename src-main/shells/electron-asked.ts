// What the desktop's page may ask of its shell besides Drover's calls, checked: the page could be anybody's by then.
import { z } from 'zod';
import type { DesktopConsole, DesktopMenus } from '../../contract/desktop.ts';

const menuItem = z.strictObject({
  id: z.string().min(1).max(100),
  title: z.string().min(1).max(100),
  keys: z.string().max(30).optional(),
  enabled: z.boolean(),
});

export const desktopMenus: z.ZodType<DesktopMenus> = z
  .array(z.strictObject({ title: z.string().min(1).max(50), items: z.array(menuItem).max(100) }))
  .max(10);

/** Only what `URLSearchParams` writes: it is put behind the page's own address, and can lead nowhere else. */
export const desktopConsole: z.ZodType<DesktopConsole> = z.strictObject({
  search: z.string().regex(/^console=[\w%.&=*+-]{1,2000}$/),
});
