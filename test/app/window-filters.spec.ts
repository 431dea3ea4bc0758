// Searches that are kept: chosen again from the header and from the palette, forgotten by the same button.
import { card, expect, said, test } from './made-up-window.ts';

test('a search is kept, chosen again by menu and by palette, and forgotten', async ({ open }) => {
  const page = await open({ hosts: 4, each: 6 });
  const search = page.getByRole('textbox', { name: 'Search hosts and VMs' });
  await expect(page.getByRole('button', { name: 'Searches kept' })).toHaveCount(0);
  await search.fill('host:kvm2');
  await page.getByRole('button', { name: 'Keep this search' }).click();
  await expect
    .poll(async () => (await said(page, 'preferences.set')).at(-1))
    .toMatchObject({
      window: { filters: ['host:kvm2'] },
    });
  await page.getByRole('button', { name: 'Clear search' }).click();
  await page.getByRole('button', { name: 'Searches kept' }).click();
  await page.getByRole('menuitem', { name: 'host:kvm2' }).click();
  await expect(search).toHaveValue('host:kvm2');
  await expect(card(page, 'kvm1')).toHaveCount(0);
  await search.fill('');
  await page.keyboard.press('Control+k');
  await page.keyboard.type('kept');
  await page.keyboard.press('Enter');
  await expect(search).toHaveValue('host:kvm2');
  await page.getByRole('button', { name: 'Keep this search' }).click();
  await page.getByRole('button', { name: 'Clear search' }).click();
  await expect(page.getByRole('button', { name: 'Searches kept' })).toHaveCount(0);
});
