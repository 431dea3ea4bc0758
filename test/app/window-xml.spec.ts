// A VM's definition edited as text in the window: nothing is written that was not shown before.
import type { Page } from '@playwright/test';
import { expect, said, test, tile } from './made-up-window.ts';

const size = { hosts: 4, each: 6, beatMs: 1e6 };
const editor = (page: Page) => page.getByRole('textbox', { name: 'Definition of web01' });

async function edit(page: Page, change: (xml: string) => string) {
  const text = await editor(page).inputValue();
  await editor(page).fill(change(text));
  return text;
}

test.beforeEach(async ({ open }) => {
  const page = await open(size);
  await tile(page, 'web01').click();
  await page.getByRole('tab', { name: 'XML' }).click();
  await page.getByRole('button', { name: 'Edit…' }).click();
  await expect(editor(page)).toHaveValue(/what Drover does not know/);
});

test('the change is shown first, and what is written is the text, letter for letter', async ({ page }) => {
  const was = await edit(page, (xml) => xml.replace('>2</vcpu>', '>4</vcpu>'));
  await page.getByRole('button', { name: 'Show changes' }).click();
  const changes = page.getByRole('region', { name: 'Changes to the definition of web01' });
  await expect(changes).toContainText("taken out:   <vcpu placement='static'>2</vcpu>");
  await expect(changes).toContainText("put in:   <vcpu placement='static'>4</vcpu>");
  expect(await said(page, 'domains.redefine')).toEqual([]);
  await page.getByRole('button', { name: 'Write to kvm1' }).click();
  await expect(page.getByRole('dialog')).toHaveCount(0);
  await expect(page.getByRole('region', { name: 'Notices' })).toContainText('web01 on kvm1 is defined anew');
  expect(await said(page, 'domains.redefine')).toMatchObject([
    { was, xml: was.replace('>2</vcpu>', '>4</vcpu>'), validate: true },
  ]);
});

test('what is not well-formed, or names another VM, is told with its line and goes nowhere', async ({ page }) => {
  const next = page.getByRole('button', { name: 'Show changes' });
  await expect(next).toHaveAttribute('aria-disabled', 'true');
  const was = await edit(page, (xml) => xml.replace('</devices>', ''));
  await expect(page.getByText(/^Line 13: It is not well-formed/)).toBeVisible();
  await expect(next).toHaveAttribute('aria-disabled', 'true');
  await editor(page).fill(was.replace('>web01<', '>web02<'));
  await expect(page.getByText('Line 2: The name has to stay web01')).toBeVisible();
  await editor(page).fill(was.replace(/<uuid>.*<\/uuid>/, ''));
  await expect(page.getByText(/The UUID has to stay/)).toBeVisible();
  await expect(next).toHaveAttribute('aria-disabled', 'true');
});

test('libvirt’s refusal comes back to the text, at its line, with nothing lost', async ({ page }) => {
  await edit(page, (xml) => xml.replace('</vcpu>', '</vcpu>\n  <vcpus/>'));
  await page.getByRole('button', { name: 'Show changes' }).click();
  await page.getByRole('button', { name: 'Write to kvm1' }).click();
  await expect(page.getByRole('alert')).toContainText('Extra element vcpus');
  await expect(editor(page)).toHaveValue(/<vcpus\/>/);
  await page.getByRole('button', { name: 'Go to line 9' }).click();
  await expect(editor(page)).toBeFocused();
});

test('a definition that changed meanwhile is not overwritten', async ({ page }) => {
  await edit(page, (xml) => xml.replace('>2</vcpu>', '>4</vcpu>'));
  await page.evaluate(() => {
    const { main } = window;
    const web01 = main.snapshot.domains.find(({ name }) => name === 'web01');
    if (web01) main.definitions.set(web01.uuid, `<domain><name>web01</name><uuid>${web01.uuid}</uuid></domain>`);
  });
  await page.getByRole('button', { name: 'Show changes' }).click();
  await page.getByRole('button', { name: 'Write to kvm1' }).click();
  await expect(page.getByRole('alert')).toContainText('changed since it was read');
  await page.getByRole('button', { name: 'Discard, and read it again' }).click();
  await expect(editor(page)).toHaveValue(/^<domain><name>web01<\/name>/);
});
