// The VM table in groups.
import { expect, said, test } from './made-up-window.ts';

test('VMs stand under their host; groups fold by mouse and by keyboard, and the choice is kept', async ({ open }) => {
  const page = await open({ hosts: 4, each: 6 });
  await page.getByRole('tab', { name: /^VMs/ }).click();
  await page.getByRole('button', { name: 'Columns and groups' }).click();
  await page.getByRole('menuitemcheckbox', { name: 'Host', exact: true }).last().click();
  const table = page.getByRole('treegrid', { name: 'VMs' });
  const rows = table.getByRole('row');
  const kvm1 = table.getByRole('row', { name: /^kvm1 6 VMs/ });
  await expect(kvm1).toHaveAttribute('aria-expanded', 'true');
  await expect(table.getByRole('row', { name: /cache01/ })).toBeVisible();
  await expect.poll(async () => JSON.stringify(await said(page, 'preferences.set'))).toContain('"grouping":"host"');
  await kvm1.click();
  await expect(kvm1).toHaveAttribute('aria-expanded', 'false');
  await expect(table.getByRole('row', { name: /cache01/ })).toHaveCount(0);
  await page.keyboard.press('ArrowRight');
  await expect(table.getByRole('row', { name: /cache01/ })).toBeVisible();
  // From a VM to the line above its group, and that folded away.
  await page.keyboard.press('ArrowDown');
  await page.keyboard.press('ArrowDown');
  await page.keyboard.press('ArrowLeft');
  await page.keyboard.press('ArrowLeft');
  await expect(kvm1).toHaveAttribute('aria-expanded', 'false');
  // Head, and the next group right below the folded one.
  await expect(rows.nth(2)).toContainText('kvm2');
});
