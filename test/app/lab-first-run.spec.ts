// An admin's first run in real Chromium on real hosts: from an empty start to a fleet, and what goes wrong on the way.
import { copyFile, mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test, type Page } from '@playwright/test';
import type { HostView } from '../../contract/model.ts';
import { Lab } from '../lab/lab.ts';
import { Served } from '../lab/served.ts';
import { card, carry, tile } from './made-up-window.ts';

test.describe.configure({ mode: 'serial' });

let lab: Lab;
let drover: Served;
let home: string;
let page: Page;

test.beforeAll(async ({ browser }) => {
  test.skip(!process.env['DROVER_LAB'], 'no lab: run inside its admin namespace');
  lab = await Lab.open();
  await lab.reset();
  // A home with a key and nothing else: no host is known yet.
  home = await mkdtemp(join(tmpdir(), 'drover-home-'));
  await mkdir(join(home, '.ssh'));
  await copyFile(lab.admin.keys.ed25519, join(home, '.ssh/id_ed25519'));
  drover = await Served.start({ env: { HOME: home } });
  page = await browser.newPage();
  page.on('pageerror', (error) => {
    throw error;
  });
  await page.goto(`${drover.url}/#token=${drover.token}`);
});
test.afterAll(async () => {
  await page?.close();
  await drover?.remove();
  if (home) await rm(home, { recursive: true });
  await lab?.reset();
});

const states = async () => (await drover.get<HostView[]>('GET', '/hosts')).map(({ state }) => state);

test('an empty start says what to do; a sweep finds the hosts, and they are taken in by their fingerprints', async () => {
  await expect(page.getByText('No hosts yet')).toBeVisible();
  await page.getByRole('button', { name: /Find hosts/ }).click();
  await page.getByLabel('Range').fill(lab.state.subnet);
  await page.getByRole('button', { name: 'Scan', exact: true }).click();
  for (const { address, fingerprints } of lab.hosts) {
    const row = page.getByRole('row').filter({ hasText: address });
    await expect(row).toContainText(fingerprints.ed25519.slice(0, 20));
  }
  // kvm3 wants another user; it is added by its URI below.
  for (const name of ['kvm1', 'kvm2']) {
    await page
      .getByRole('row')
      .filter({ hasText: lab.host(name).address })
      .getByRole('checkbox')
      .check();
  }
  await page.getByLabel(/I trust the/).check();
  await page.getByRole('button', { name: /^Add 2 hosts/ }).click();
  await expect.poll(states).toEqual(['online', 'online']);
  for (const host of await drover.get<HostView[]>('GET', '/hosts')) {
    await drover.get('PATCH', `/hosts/${host.id}`, { label: host.info?.hostname });
  }
  await page.keyboard.press('Escape');
  await expect(card(page, 'kvm1')).toContainText('2 of 5 running');
  await expect(tile(page, 'web01')).toBeVisible();
});

test('a host added by its URI shows its key first, and is online once that is trusted', async () => {
  const { address, fingerprints } = lab.host('kvm3');
  await page.getByRole('button', { name: 'Add Host' }).click();
  const dialog = page.getByRole('dialog');
  await dialog.getByRole('tab', { name: /URI/ }).click();
  await dialog.getByRole('textbox', { name: 'URI' }).fill(`qemu+ssh://ops@${address}/system`);
  await dialog.getByRole('textbox', { name: 'Label' }).fill('kvm3');
  await page.keyboard.press('Enter');
  await expect(dialog).toContainText(fingerprints.ed25519);
  await dialog.getByRole('button', { name: /Trust/ }).click();
  await expect.poll(states).toEqual(['online', 'online', 'online']);
  await page.keyboard.press('Escape');
  await expect(tile(page, 'build01')).toBeVisible();
});

test('while a VM is dragged each host says whether it can take it, and why not', async () => {
  await lab.ensureRunning('files01', 'kvm1');
  await expect(card(page, 'kvm1')).toContainText('3 of 5 running');
  await carry(page, tile(page, 'files01'), card(page, 'kvm2'));
  await expect(card(page, 'kvm1')).toContainText('Here now');
  for (const label of ['kvm2', 'kvm3']) await expect(card(page, label)).toContainText('files01.qcow2');
  await page.mouse.up();
  await page.keyboard.press('Escape');
  await expect(page.getByRole('dialog')).toBeHidden();
  expect(await lab.whereabouts('files01')).toEqual([{ host: 'kvm1', state: 'running' }]);
});

test('a migration cancelled in the task list leaves the VM where it was', async () => {
  await lab.ensureRunning('busy01', 'kvm1');
  await expect(page.getByRole('button', { name: 'busy01, Running' })).toBeVisible();
  const { uuid, hostId } = await drover.domain('busy01');
  const hosts = await drover.get<HostView[]>('GET', '/hosts');
  const to = hosts.find(({ label }) => label === 'kvm2')?.id;
  await drover.get('POST', '/migrations', { uuid, from: hostId, to, options: { bandwidthMiBps: 8 } });
  const tasks = page.getByRole('region', { name: 'Recent tasks' });
  await tasks.getByRole('button', { name: /^Cancel .*busy01/ }).click();
  await expect(tasks).toContainText('Cancelled', { timeout: 60_000 });
  expect(await lab.whereabouts('busy01')).toEqual([{ host: 'kvm1', state: 'running' }]);
});

test('a lost host says so, and comes back by itself', async () => {
  await lab.kill('kvm3', 'libvirtd');
  await expect(card(page, 'kvm3')).not.toContainText('Online');
  await lab.start('kvm3', 'libvirtd');
  await expect(card(page, 'kvm3')).toContainText('Online', { timeout: 60_000 });
});
