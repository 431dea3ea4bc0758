// Every chapter of the gallery, looked at by axe in either theme: no violation, and no complaint of the page.
import type { Page } from '@playwright/test';
import { violations } from './axe.ts';
import { expect, test } from './made-up-window.ts';

/** What shows nothing before it is asked to, or before it is loaded. */
const shown: Record<string, (page: Page) => Promise<unknown>> = {
  console: (page) => expect(page.getByText('nginx.service').first()).toBeAttached(),
  menus: async (page) => {
    await page.getByRole('button', { name: 'Usual' }).click();
    await page.getByRole('menuitem', { name: 'Migrate to' }).hover();
    await expect(page.getByRole('menu')).toHaveCount(2);
  },
  definition: async (page) => {
    await page
      .getByRole('button', { name: /^Start the network/ })
      .first()
      .click();
    await page
      .getByRole('button', { name: /^Leave the CD/ })
      .first()
      .click();
    await page
      .getByRole('button', { name: /^Leave the CD/ })
      .first()
      .click();
    await expect(page.getByText(/not there any more/)).toBeVisible();
  },
};

test('what has little room is not cut, nor stacked a letter a line', async ({ page, site }) => {
  await page.goto(`${site}gallery.html#discovery`);
  const rows = page.locator('figure', { hasText: /little room/ }).getByRole('listitem');
  await expect(rows.first()).toBeVisible();
  const wrong = await rows.evaluateAll((all) =>
    all
      .filter((row) => row.scrollWidth > row.clientWidth + 1 || row.clientHeight > 160)
      .map(({ textContent }) => textContent),
  );
  expect(wrong).toEqual([]);
  await page.goto('about:blank');
  await page.goto(`${site}gallery.html#lists`);
  const heights = await page
    .getByRole('treegrid', { name: 'Groups' })
    .locator('.about')
    .evaluateAll((all) => all.map(({ clientHeight }) => clientHeight));
  expect(new Set(heights).size).toBe(1);
});

test('a console in a narrow pane keeps its tools within it, and its name', async ({ page, site }) => {
  await page.setViewportSize({ width: 300, height: 700 });
  await page.goto(`${site}gallery.html#graphics`);
  const panes = page.locator('[data-console]');
  await expect(panes.first()).toBeVisible();
  const wrong = await panes.evaluateAll((all) =>
    all.flatMap((pane) => {
      const { right } = pane.getBoundingClientRect();
      const name = pane.querySelector('h3');
      return [
        ...(name && name.clientWidth < 20 ? [`the name is ${name.clientWidth} pixels wide`] : []),
        ...[...pane.querySelectorAll('[role=toolbar] button')]
          .filter((button) => button.getBoundingClientRect().right > right)
          .map((button) => button.getAttribute('aria-label') ?? button.textContent),
      ];
    }),
  );
  expect(wrong).toEqual([]);
});

test('every chapter of the gallery: nothing that axe finds wrong, in either theme', async ({ page, site }) => {
  test.setTimeout(240_000);
  await page.emulateMedia({ reducedMotion: 'reduce' });
  await page.goto(`${site}gallery.html`);
  const chapters = await page
    .getByRole('tablist', { name: 'Chapters' })
    .getByRole('tab')
    .evaluateAll((tabs) => tabs.map((tab) => tab.id.replace('gallery-tab-', '')));
  expect(chapters.length).toBeGreaterThan(8);
  const wrong: string[] = [];
  for (const chapter of chapters) {
    for (const colorScheme of ['light', 'dark'] as const) {
      await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' });
      await page.goto('about:blank'); // another hash alone loads nothing
      await page.goto(`${site}gallery.html#${chapter}`);
      await expect(page.getByRole('tab', { selected: true }).first()).toHaveAttribute('id', `gallery-tab-${chapter}`);
      await shown[chapter]?.(page);
      // The same part stands there in many states, which no window does.
      for (const one of await violations(page, [], ['landmark-unique']))
        wrong.push(`${chapter}, ${colorScheme}: ${one}`);
    }
  }
  expect(wrong).toEqual([]);
});
