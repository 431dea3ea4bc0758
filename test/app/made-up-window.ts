// A page with the real window on a made-up main side: built once, served on loopback.
import { join } from 'node:path';
import { test as base, expect, type Page } from '@playwright/test';
import { build, preview } from 'vite';
import type { MadeUpMain } from '../window/made-up-main.ts';

declare global {
  interface Window {
    main: MadeUpMain;
  }
}

export interface Size {
  hosts?: number;
  each?: number;
  seed?: number;
  /** How long one percent of a migration takes. */
  percentMs?: number;
  /** Between two samples of everything. */
  beatMs?: number;
  /** Samples that there were already. */
  beats?: number;
}

const configFile = join(import.meta.dirname, 'window', 'vite.config.mjs');

export const test = base.extend<
  { open: (size?: Size) => Promise<Page>; sound: void; mayComplain: RegExp | null },
  { site: string }
>({
  /** What the page may complain of, for a test in which something fails. */
  mayComplain: [null, { option: true }],
  site: [
    // eslint-disable-next-line no-empty-pattern -- Playwright reads the fixtures it needs from the pattern
    async ({}, use) => {
      // One that is served already, for a quick second look.
      const served = process.env['DROVER_TEST_SITE'];
      if (served) return use(served);
      await build({ configFile, logLevel: 'error' });
      const server = await preview({ configFile, logLevel: 'error', preview: { port: 0, host: '127.0.0.1' } });
      await use(server.resolvedUrls?.local[0] ?? '');
      await server.close();
    },
    { scope: 'worker', timeout: 120_000 },
  ],
  // What the page complains of fails its test.
  sound: [
    async ({ page, mayComplain }, use) => {
      const complaints: string[] = [];
      page.on('pageerror', (error) => complaints.push(error.stack ?? error.message));
      page.on('console', (message) => {
        if (
          message.type() === 'error' &&
          !message.location().url.endsWith('favicon.ico') &&
          !mayComplain?.test(message.text())
        )
          complaints.push(message.text());
      });
      await use();
      expect(complaints).toEqual([]);
    },
    { auto: true },
  ],
  open: async ({ page, site }, use) => {
    await use(async (size = {}) => {
      const query = new URLSearchParams(Object.entries(size).map(([name, value]) => [name, String(value)]));
      await page.goto(`${site}?${query.toString()}`);
      await expect(page.getByRole('tree', { name: 'Hosts and their VMs' })).toBeVisible();
      return page;
    });
  },
});

export { expect };

/** A host's card. */
export const card = (page: Page, name: string) => page.getByRole('region', { name, exact: true });
/** A VM's tile on its host's card. */
export const tile = (page: Page, name: string) => page.getByRole('button', { name: new RegExp(`^${name}, `) });

/** Picks up what is at one place and holds it over another, as a hand does. */
export async function carry(page: Page, from: ReturnType<typeof tile>, to: ReturnType<typeof card>) {
  const start = await from.boundingBox();
  const end = await to.boundingBox();
  if (!start || !end) throw new Error('nothing to drag, or nowhere to drag it to');
  await page.mouse.move(start.x + 15, start.y + 15);
  await page.mouse.down();
  await page.mouse.move(start.x + 30, start.y + 25, { steps: 3 });
  await page.mouse.move(end.x + end.width / 2, end.y + Math.min(40, end.height / 2), { steps: 5 });
}

/** What was asked of the main side, by the name of the call. */
export const said = (page: Page, name: string) =>
  page.evaluate((wanted) => window.main.said.filter((call) => call.name === wanted).map((call) => call.args), name);
