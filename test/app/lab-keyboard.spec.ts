// The main job without a mouse, on real hosts: add two of them, trust their keys, find a VM, look at its console, move it.
import { copyFile, mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test, type Locator, type Page } from '@playwright/test';
import { Lab } from '../lab/lab.ts';
import { Served } from '../lab/served.ts';

let lab: Lab;
let drover: Served;
let home: string;

test.beforeAll(async () => {
  test.skip(!process.env['DROVER_LAB'], 'no lab: run inside its admin namespace');
  lab = await Lab.open();
  await lab.reset();
  home = await mkdtemp(join(tmpdir(), 'drover-home-'));
  await mkdir(join(home, '.ssh'));
  await copyFile(lab.admin.keys.ed25519, join(home, '.ssh/id_ed25519'));
  drover = await Served.start({ env: { HOME: home } });
});
test.afterAll(async () => {
  await drover?.remove();
  if (home) await rm(home, { recursive: true });
  await lab?.reset();
});

/** As a person does: Tab until it has the focus. */
async function tabTo(page: Page, place: Locator) {
  await expect(place).toBeEnabled();
  for (let presses = 0; presses < 40; presses += 1) {
    if (await place.evaluate((element) => element === document.activeElement)) return;
    await page.keyboard.press('Tab');
  }
  throw new Error('Tab does not lead there');
}

async function addHost(page: Page, name: string) {
  const { address, fingerprints } = lab.host(name);
  await page.keyboard.press('Control+k');
  await page.keyboard.type('add host');
  await page.keyboard.press('Enter');
  const dialog = page.getByRole('dialog');
  await expect(dialog.getByRole('textbox', { name: 'Host', exact: true })).toBeFocused();
  await page.keyboard.type(address);
  await tabTo(page, dialog.getByRole('textbox', { name: 'Label' }));
  await page.keyboard.type(name);
  await page.keyboard.press('Enter');
  await expect(dialog).toContainText(fingerprints.ed25519);
  await tabTo(page, dialog.getByRole('button', { name: /^Trust/ }));
  await page.keyboard.press('Enter');
  await expect(page.getByRole('treeitem', { name: `${name}, Online` })).toBeVisible();
  await page.keyboard.press('Escape');
  await expect(dialog).toHaveCount(0);
}

test('hosts are added, a VM is found, looked at and moved, by keyboard alone', async ({ page }) => {
  await page.goto(`${drover.url}/#token=${drover.token}`);
  await expect(page.getByText('No hosts yet')).toBeVisible();
  for (const name of ['kvm1', 'kvm2']) await addHost(page, name);

  await page.keyboard.press('Control+f');
  await page.keyboard.type('web01');
  await page.keyboard.press('Enter');
  await expect(page.getByRole('grid', { name: 'VMs' })).toBeFocused();
  await page.keyboard.press('Home');
  await page.keyboard.press('Shift+Enter');
  const screen = page.locator('.xterm-rows');
  await expect(screen).toContainText(/tick \d+/);

  // Ctrl+Shift+E leaves a console, whose keys are the guest's; from the search back to the VMs that it found.
  await page.keyboard.press('Control+Shift+E');
  await page.keyboard.press('Control+f');
  await page.keyboard.press('Enter');
  await expect(page.getByRole('grid', { name: 'VMs' })).toBeFocused();
  await page.keyboard.press('Home');
  await page.keyboard.press('m');
  await expect(page.getByRole('option', { name: /kvm2/ })).toContainText(/Can take it|With a warning/);
  await page.keyboard.type('kvm2');
  await page.keyboard.press('Enter');
  await expect(page.getByRole('dialog')).toContainText('Migrate web01 to kvm2?');
  await expect(page.getByRole('button', { name: 'Migrate', exact: true })).toBeEnabled();
  await page.keyboard.press('Enter');
  await expect(page.getByRole('region', { name: 'Recent tasks' })).toContainText('Completed', { timeout: 60_000 });
  expect(await lab.virsh('kvm2', 'domstate', 'web01')).toBe('running');
  await expect(screen).toContainText('moved from kvm1 to kvm2');
});
