// A thousand hosts and twenty thousand VMs: what is in sight is all that is drawn.
import { card, expect, test } from './made-up-window.ts';

const size = { hosts: 1000, each: 20, beats: 1, beatMs: 3_600_000 };

test('20,000 VMs are scrolled, searched and sorted with a screenful of rows in the page', async ({ open }) => {
  const page = await open(size);
  await expect(card(page, 'kvm1')).toBeVisible();
  expect(await page.getByRole('region').count()).toBeLessThan(40);
  await page.getByRole('tab', { name: /VMs 20,000/ }).click();
  const table = page.getByRole('grid', { name: 'VMs' });
  await expect(table).toHaveAttribute('aria-rowcount', '20001');
  const rows = table.getByRole('row');
  expect(await rows.count()).toBeLessThan(80);

  await table.focus();
  await page.keyboard.press('End');
  await expect(rows.last()).toHaveAttribute('aria-rowindex', '20001');
  await expect(rows.last()).toBeInViewport();
  expect(await rows.count()).toBeLessThan(80);

  await table.evaluate((list) => (list.scrollTop = list.scrollHeight));
  await expect(rows.nth(1)).toBeVisible();
  expect(await rows.count()).toBeLessThan(80);

  await page.getByRole('textbox', { name: 'Search hosts and VMs' }).fill('host:kvm777 state:running');
  await expect(rows.nth(1)).toContainText('kvm777');
  expect(await rows.count()).toBeLessThan(25);
});
