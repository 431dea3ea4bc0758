// The mobility matrix: who can go where and why not, by keyboard and by mouse, and how much of it exists at a time.
import { expect, said, test } from './made-up-window.ts';

test('each cell says whether the VM can go there, and why not, without colour', async ({ open }) => {
  const page = await open({ hosts: 4, each: 6 });
  await page.keyboard.press('3');
  const grid = page.getByRole('grid', { name: 'Who can go where' });
  await expect(grid.getByRole('columnheader', { name: 'kvm4' })).toBeVisible();
  await expect(grid.getByRole('gridcell', { name: 'db01, kvm1: is here now' })).toBeVisible();
  await expect(grid.getByRole('gridcell', { name: /^db01, kvm2: nothing known speaks against it/ })).toBeVisible();
  expect(await said(page, 'migrations.preflight')).toEqual([]);
  await page.getByRole('button', { name: /^Ask hosts about \d+ VMs in sight$/ }).click();
  await expect(
    grid.getByRole('gridcell', { name: 'db01, kvm3: cannot go there. The disk of db01 is local to kvm1.' }),
  ).toBeVisible();
});

test('by keyboard: the VM that one rests at is asked about, a refusal is said, Enter migrates', async ({ open }) => {
  const page = await open({ hosts: 4, each: 6 });
  await page.keyboard.press('3');
  await page.keyboard.press('Control+f');
  await page.keyboard.type('name:db01');
  const grid = page.getByRole('grid', { name: 'Who can go where' });
  await expect(grid.getByRole('rowheader')).toHaveCount(1);
  await grid.focus();
  await page.keyboard.press('ArrowRight');
  await page.keyboard.press('ArrowRight');
  const status = page.getByRole('status').filter({ hasText: 'db01 →' });
  await expect(status).toContainText('db01 → kvm3: The disk of db01 is local to kvm1.');
  await page.keyboard.press('Enter');
  await expect(page.getByRole('region', { name: 'Notices' })).toContainText('The disk of db01 is local to kvm1.');
  await page.keyboard.press('ArrowLeft');
  await expect(status).toContainText('db01 → kvm2');
  await page.keyboard.press('Enter');
  await expect(page.getByRole('dialog', { name: 'Migrate db01 to kvm2?' })).toBeVisible();
});

test('of 20,000 VMs and 1,000 hosts only what is in sight exists', async ({ open }) => {
  const page = await open({ hosts: 1000, each: 20, beats: 1, beatMs: 60_000 });
  await page.keyboard.press('3');
  const grid = page.getByRole('grid', { name: 'Who can go where' });
  await expect(grid).toHaveAttribute('aria-rowcount', '20001');
  await expect(grid).toHaveAttribute('aria-colcount', '1001');
  await grid.focus();
  await page.keyboard.press('End');
  await expect(grid.getByRole('columnheader', { name: 'kvm1000' })).toBeVisible();
  await grid.evaluate((element) => (element.scrollTop = 300_000));
  expect(await grid.getByRole('gridcell').count()).toBeLessThan(2_000);
});
