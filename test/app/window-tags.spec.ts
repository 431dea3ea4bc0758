// Tags and groups in the window: given, found, taken back, by mouse and by keyboard.
import type { Page } from '@playwright/test';
import { card, carry, expect, said, test, tile } from './made-up-window.ts';

const size = { hosts: 3, each: 6 };
const tree = (page: Page) => page.getByRole('tree', { name: 'Hosts and their VMs' });
const line = (page: Page, name: RegExp) => tree(page).getByRole('treeitem', { name });

async function tagSome(page: Page) {
  await page.evaluate(() => {
    const { main } = window;
    for (const domain of main.snapshot.domains) {
      if (domain.name.startsWith('web')) main.changeDomain(domain, { tags: ['web', 'prod'] });
      if (domain.name.startsWith('db')) main.changeDomain(domain, { tags: ['Prod'] });
    }
  });
}

test.describe('tags', () => {
  test('are given by keyboard, completed from those of others, and taken back', async ({ open }) => {
    const page = await open(size);
    await tagSome(page);
    await tile(page, 'cache01').click();
    await page.keyboard.press('Shift+T');
    const dialog = page.getByRole('dialog', { name: 'Tags of cache01' });
    await expect(dialog.getByRole('combobox', { name: 'Add a tag' })).toBeFocused();
    await page.keyboard.type('pr');
    await expect(dialog.getByRole('option', { name: /prod/i })).toBeVisible();
    await page.keyboard.press('ArrowDown');
    await page.keyboard.press('Enter');
    await page.keyboard.type('two words');
    await expect(dialog).toContainText('A tag is one word');
    await dialog.getByRole('combobox').fill('new');
    await page.keyboard.press('Enter');
    await page.keyboard.press('Enter');
    await expect(dialog).toHaveCount(0);
    await expect
      .poll(() => said(page, 'domains.update'))
      .toMatchObject([{ tags: [/prod/i, 'new'].map(() => expect.any(String)) }]);
    const details = page.getByRole('complementary', { name: 'Details' });
    await expect(details.getByRole('list', { name: 'Tags' })).toContainText('new');
    await expect(page.getByRole('region', { name: 'Notices' })).toContainText('cache01: tagged');
    await page.keyboard.press('Control+z');
    await expect(details.getByRole('list', { name: 'Tags' })).toHaveCount(0);
    expect(await said(page, 'domains.update')).toMatchObject([{}, { tags: [] }]);
  });

  test('of several: what only some have is given to all, or taken from all, in one task', async ({ open }) => {
    const page = await open(size);
    await tagSome(page);
    await page.getByRole('tab', { name: /VMs/ }).click();
    await page.getByRole('grid', { name: 'VMs' }).focus();
    await page.keyboard.press('Control+a');
    await page.getByRole('toolbar').getByRole('button', { name: 'Tags…' }).click();
    const dialog = page.getByRole('dialog', { name: 'Tags of 18 VMs' });
    await dialog.getByRole('button', { name: 'Give web to all' }).click();
    await dialog.getByRole('button', { name: /^Take prod away$/i }).click();
    await dialog.getByRole('button', { name: 'Save' }).click();
    await expect(line(page, /^web, 18 VMs/)).toBeVisible();
    await expect(line(page, /^prod/i)).toHaveCount(0);
    await expect(page.getByRole('region', { name: 'Recent tasks' })).toContainText('18 VMs');
    await page.getByRole('button', { name: 'Undo' }).click();
    await expect(line(page, /^prod, /i)).toBeVisible();
    await expect(line(page, /^web, 18 VMs/)).toHaveCount(0);
  });

  test('are lines of the tree: chosen, unfolded, dragged as one, and searched for', async ({ open }) => {
    const page = await open(size);
    await tagSome(page);
    const prod = line(page, /^prod, /i);
    const many = Number(/(\d+) VM/.exec((await prod.getAttribute('aria-label')) ?? '')?.[1]);
    expect(many).toBeGreaterThan(1);
    await prod.click();
    await expect(page.getByRole('complementary', { name: 'Details' })).toContainText(`${many} VMs`);
    await page.keyboard.press('ArrowRight');
    await expect(prod).toHaveAttribute('aria-expanded', 'true');
    await page.keyboard.press('ArrowRight');
    await expect(page.getByRole('complementary', { name: 'Details' })).not.toContainText(`${many} VMs`);
    await page.keyboard.press('ArrowLeft');
    await carry(page, prod, card(page, 'kvm3'));
    await expect(page.getByText(`${many} VMs`).last()).toBeVisible();
    await page.keyboard.press('Escape');
    await page.mouse.up();
    await prod.dblclick();
    await expect(page.getByRole('textbox', { name: 'Search hosts and VMs' })).toHaveValue(/^tag:prod$/i);
    await page.getByRole('tab', { name: /VMs/ }).click();
    await expect(page.getByRole('grid', { name: 'VMs' }).getByRole('row', { name: /^Select (db|web)/ })).toHaveCount(
      many,
    );
    await expect(page.getByRole('grid', { name: 'VMs' }).getByRole('row', { name: /^Select/ })).toHaveCount(many + 1);
  });
});

test.describe('groups', () => {
  test('are folders of the tree, and searched for', async ({ open }) => {
    const page = await open(size);
    await line(page, /^kvm2, /).click();
    await page.keyboard.press('Shift+G');
    const dialog = page.getByRole('dialog', { name: 'Group of kvm2' });
    await dialog.getByRole('combobox', { name: 'Group' }).fill('Rack A');
    await page.keyboard.press('Enter');
    const rack = line(page, /^Rack A, 1 host/);
    await expect(rack).toHaveAttribute('aria-level', '1');
    await expect(line(page, /^kvm2, /)).toHaveAttribute('aria-level', '2');
    await expect(line(page, /^kvm1, /)).toHaveAttribute('aria-level', '1');
    await rack.click();
    await page.keyboard.press('ArrowLeft');
    await expect(line(page, /^kvm2, /)).toHaveCount(0);
    await page.getByRole('textbox', { name: 'Search hosts and VMs' }).fill('group:rack');
    await expect(card(page, 'kvm2')).toBeVisible();
    await expect(card(page, 'kvm1')).toHaveCount(0);
    await page.getByRole('textbox', { name: 'Search hosts and VMs' }).fill('');
    await page.getByRole('button', { name: 'Undo' }).click();
    await expect(rack).toHaveCount(0);
    await expect(line(page, /^kvm2, /)).toHaveAttribute('aria-level', '1');
  });
});

test('a rename is taken back', async ({ open }) => {
  const page = await open(size);
  await line(page, /^kvm2, /).click();
  await page.keyboard.press('F2');
  await page.getByRole('textbox', { name: 'Label' }).fill('the second');
  await page.keyboard.press('Enter');
  await expect(card(page, 'the second')).toBeVisible();
  await page.getByRole('region', { name: 'Notices' }).getByRole('button', { name: 'Undo' }).click();
  await expect(card(page, 'kvm2')).toBeVisible();
});
