// A VM's snapshots in the window: taken, shown as a tree, gone back to only when it is sure, deleted.
import type { Page } from '@playwright/test';
import { expect, said, test, tile } from './made-up-window.ts';

const size = { hosts: 4, each: 6, beatMs: 1e6 };
const list = (page: Page) => page.getByRole('list', { name: 'Snapshots of web01' });
const line = (page: Page, name: string) =>
  list(page)
    .getByRole('listitem')
    .filter({ has: page.getByRole('button', { name: `Delete ${name}…` }) });

async function take(page: Page, name: string) {
  await page.getByRole('button', { name: 'Take a snapshot…' }).click();
  await page.getByRole('textbox', { name: 'Name' }).fill(name);
  await page.keyboard.press('Enter');
  await expect(line(page, name)).toContainText('Current');
}

test.beforeEach(async ({ open }) => {
  const page = await open(size);
  await tile(page, 'web01').click();
  await page.getByRole('tab', { name: 'Snapshots' }).click();
  await expect(page.getByText('No snapshots')).toBeVisible();
});

test('one that runs is kept with its memory, each upon the one before', async ({ page }) => {
  await take(page, 'clean');
  await expect(line(page, 'clean')).toContainText('running, with its memory');
  await take(page, 'updated');
  await expect(line(page, 'updated')).toContainText('made upon clean');
  await expect(line(page, 'clean')).not.toContainText('Current');
  expect(await said(page, 'snapshots.create')).toMatchObject([
    { name: 'clean', diskOnly: false },
    { name: 'updated', diskOnly: false },
  ]);
});

test('going back says what is lost, and wants the VM’s name', async ({ page }) => {
  await take(page, 'clean');
  await take(page, 'updated');
  await page.getByRole('button', { name: 'Go back to clean…' }).click();
  const dialog = page.getByRole('dialog');
  await expect(dialog).toContainText('Go back to clean of web01 on kvm1?');
  await expect(dialog).toContainText('What web01 wrote to its disks since');
  await expect(dialog).toContainText('it goes on from where it was then');
  await dialog.getByRole('button', { name: 'Go back' }).click({ force: true });
  expect(await said(page, 'snapshots.revert')).toEqual([]);
  await dialog.getByRole('textbox').fill('web01');
  await page.keyboard.press('Enter');
  await expect(line(page, 'clean')).toContainText('Current');
  expect(await said(page, 'snapshots.revert')).toMatchObject([{ name: 'clean' }]);
});

test('one is deleted alone, or with those made upon it', async ({ page }) => {
  for (const name of ['one', 'two', 'three']) await take(page, name);
  await page.getByRole('button', { name: 'Delete one…' }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Delete', exact: true }).click();
  await expect(line(page, 'one')).toHaveCount(0);
  await page.getByRole('button', { name: 'Delete two…' }).click();
  await page.getByRole('checkbox', { name: /Also delete the 1 snapshot made upon it/ }).check();
  await page.getByRole('button', { name: 'Delete 2' }).click();
  await expect(page.getByText('No snapshots')).toBeVisible();
});
