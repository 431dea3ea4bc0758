// The main job by mouse, on real hosts: see them, open a console, drag a VM to another host while it ticks on.
import { expect, test } from '@playwright/test';
import type { HostView } from '../../contract/model.ts';
import { Lab } from '../lab/lab.ts';
import { Served } from '../lab/served.ts';
import { card, carry, tile } from './made-up-window.ts';

let lab: Lab;
let drover: Served;

test.beforeAll(async () => {
  test.skip(!process.env['DROVER_LAB'], 'no lab: run inside its admin namespace');
  lab = await Lab.open();
  await lab.reset();
  drover = await Served.start();
  await drover.addLab(lab);
});
test.afterAll(async () => {
  await drover?.remove();
  await lab?.reset();
});

/** From where it is to the other of the first two hosts. */
async function wayOfWeb01(): Promise<{ from: string; to: string }> {
  const { hostId } = await drover.domain('web01');
  const hosts = await drover.get<HostView[]>('GET', '/hosts');
  const from = hosts.find(({ id }) => id === hostId)?.label ?? '';
  return { from, to: from === 'kvm1' ? 'kvm2' : 'kvm1' };
}

test('a VM dragged to another host arrives there, and its console misses no tick', async ({ page }) => {
  await page.goto(`${drover.url}/#token=${drover.token}`);
  await expect(card(page, 'kvm1')).toContainText('Online');
  await expect(card(page, 'kvm2')).toContainText('Online');
  await tile(page, 'web01').dblclick();
  const screen = page.locator('.xterm-rows');
  await expect(screen).toContainText(/tick \d+/);
  await page.getByRole('button', { name: 'Put this console below' }).click();

  await carry(page, tile(page, 'web01'), card(page, 'kvm2'));
  await expect(card(page, 'kvm1')).toContainText('Here now');
  await expect(card(page, 'kvm2')).toContainText('Can take it');
  await page.mouse.up();
  await expect(page.getByRole('dialog')).toContainText('Migrate web01 to kvm2?');
  await page.getByRole('button', { name: 'Migrate', exact: true }).click();

  await expect(page.getByRole('region', { name: 'Recent tasks' })).toContainText('Completed', { timeout: 60_000 });
  await expect(card(page, 'kvm2').getByRole('button', { name: /^web01, Running/ })).toBeVisible();
  expect(await lab.virsh('kvm2', 'domstate', 'web01')).toBe('running');
  expect(await lab.virsh('kvm1', 'list', '--all', '--name')).not.toContain('web01');

  await expect(screen).toContainText('moved from kvm1 to kvm2');
  await expect(page.getByRole('region', { name: 'Console', exact: true })).toContainText('kvm2');
  // Three more ticks on the new host, and none missing since the console was opened.
  const ticks = async () => [...(await screen.innerText()).matchAll(/tick (\d+)/g)].map(([, tick]) => Number(tick));
  const last = (await ticks()).at(-1) ?? 0;
  await expect.poll(async () => (await ticks()).at(-1), { timeout: 20_000 }).toBeGreaterThanOrEqual(last + 3);
  const seen = await ticks();
  const first = seen[0] ?? 0;
  expect(seen).toEqual(Array.from(seen, (_, index) => first + index));
});

test('a console goes into a window of its own without missing a tick, and follows the VM there, too', async ({
  page,
}) => {
  await page.goto(`${drover.url}/#token=${drover.token}`);
  const { from, to } = await wayOfWeb01();
  await expect(card(page, to)).toContainText('Online');
  await tile(page, 'web01').dblclick();
  await expect(page.locator('.xterm-rows')).toContainText(/tick \d+/);
  const opened = page.waitForEvent('popup');
  await page.getByRole('button', { name: 'Into a window of its own' }).click();
  const own = await opened;
  await expect(own.getByRole('region', { name: `Console of web01 on ${from}` })).toContainText('Connected');
  await expect(own).toHaveTitle(`web01 on ${from} – Drover`);
  // Here it is gone, and what was in front before is so again.
  await expect(page.getByRole('tab', { name: /web01/ })).toHaveCount(0);
  expect(own.url()).not.toContain(drover.token);

  const screen = own.locator('.xterm-rows');
  const ticks = async () => [...(await screen.innerText()).matchAll(/tick (\d+)/g)].map(([, tick]) => Number(tick));
  await expect.poll(async () => (await ticks()).length).toBeGreaterThan(1);
  await carry(page, tile(page, 'web01'), card(page, to));
  await expect(card(page, to)).toContainText('Can take it');
  await page.mouse.up();
  await page.getByRole('button', { name: 'Migrate', exact: true }).click();
  await expect(screen).toContainText(`moved from ${from} to ${to}`, { timeout: 60_000 });
  const last = (await ticks()).at(-1) ?? 0;
  await expect.poll(async () => (await ticks()).at(-1), { timeout: 20_000 }).toBeGreaterThanOrEqual(last + 3);
  const seen = await ticks();
  const first = seen[0] ?? 0;
  expect(seen).toEqual(Array.from(seen, (_, index) => first + index));
  if (process.env['DROVER_SHOTS']) await own.screenshot({ path: `${process.env['DROVER_SHOTS']}/lab-own-window.png` });

  await own.getByRole('button', { name: 'Close this console' }).click();
  await expect.poll(() => own.isClosed()).toBe(true);
});

test('the screen of a VM is QEMU’s own, and goes with it to another host', async ({ page }) => {
  await page.goto(`${drover.url}/#token=${drover.token}`);
  const { from, to } = await wayOfWeb01();
  await expect(card(page, to)).toContainText('Online');
  await tile(page, 'web01').click();
  await page.keyboard.press('Control+Enter');
  const screen = page.getByRole('region', { name: /^Screen of web01/ });
  await expect(screen).toContainText('Connected');
  const bright = () =>
    page.locator('[data-guest] canvas').evaluate((canvas: HTMLCanvasElement) => {
      const data = canvas.getContext('2d')?.getImageData(0, 0, canvas.width, canvas.height).data ?? [];
      return data.filter((value, at) => at % 4 === 0 && value > 100).length;
    });
  await expect.poll(bright).toBeGreaterThan(300);
  await page.getByRole('button', { name: 'Put this console below' }).click();
  await carry(page, tile(page, 'web01'), card(page, to));
  await expect(card(page, to)).toContainText('Can take it');
  await page.mouse.up();
  await page.getByRole('button', { name: 'Migrate', exact: true }).click();
  await expect(page.getByRole('region', { name: `Screen of web01 on ${to}` })).toContainText(
    `moved from ${from} to ${to}`,
    { timeout: 60_000 },
  );
  await expect(screen).toContainText('Connected');
  await expect.poll(bright).toBeGreaterThan(300);
  if (process.env['DROVER_SHOTS']) await page.screenshot({ path: `${process.env['DROVER_SHOTS']}/lab-graphics.png` });
});

test('a VM started beside Drover shows as running, and one shut down by keyboard is', async ({ page }) => {
  await page.goto(`${drover.url}/#token=${drover.token}`);
  await expect(tile(page, 'mail01')).toContainText('Shut off');
  await lab.virsh('kvm2', 'start', 'mail01');
  await expect(page.getByRole('button', { name: 'mail01, Running' })).toBeVisible();
  await tile(page, 'mail01').click();
  await page.keyboard.press('Control+k');
  await page.keyboard.type('force off');
  await page.keyboard.press('Enter');
  const dialog = page.getByRole('dialog');
  await expect(dialog).toContainText('mail01');
  await expect(dialog).toContainText('kvm2');
  await dialog.getByRole('button', { name: /Force Off/ }).click();
  await expect(page.getByRole('button', { name: 'mail01, Shut off' })).toBeVisible();
  expect(await lab.virsh('kvm2', 'domstate', 'mail01')).toBe('shut off');
});
