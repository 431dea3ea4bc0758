// Graphical consoles in the window: the screen of a guest, its keys and clipboards, and what a hostile one cannot do.
import type { Page } from '@playwright/test';
import { card, carry, expect, said, test, tile } from './made-up-window.ts';

const size = { hosts: 4, each: 6 };

/** What the made-up VNC server of the VM knows. */
const server = (page: Page) =>
  page.evaluate(() => {
    const [one] = window.main.graphics.values();
    return one && { typed: one.typed, pressed: one.pressed, cuts: one.cuts, servers: one.servers };
  });

/** Pixels of the screen that are of letters. */
const drawn = (page: Page) =>
  page.locator('[data-guest] canvas').evaluate((canvas: HTMLCanvasElement) => {
    const { data } = canvas.getContext('2d')?.getImageData(0, 0, canvas.width, canvas.height) ?? { data: [] };
    let count = 0;
    for (let at = 0; at < data.length; at += 4) if ((data[at] ?? 0) > 150) count += 1;
    return count;
  });

async function openScreen(page: Page): Promise<void> {
  await tile(page, 'web01').click();
  await page.keyboard.press('Control+Enter');
  await expect(page.getByRole('region', { name: /^Screen of web01/ })).toContainText('Connected');
  await expect.poll(() => drawn(page)).toBeGreaterThan(500);
}

test('a screen is shown, and keys are the guest’s until Ctrl+Shift+E leaves it', async ({ open }) => {
  const page = await open(size);
  await openScreen(page);
  await page.keyboard.type('hello');
  await page.keyboard.press('Control+r');
  await page.keyboard.press('Control+w');
  await expect.poll(async () => (await server(page))?.typed).toBe('hellorw');
  expect(await said(page, 'domains.act')).toEqual([]);
  await expect(page.getByRole('region', { name: /^Screen of web01/ })).toBeVisible();

  await page.keyboard.press('Control+Shift+E');
  // Not on what sends something to the guest at the next Enter.
  await expect(page.getByRole('button', { name: 'Send keys' })).toBeFocused();
  await page.keyboard.press('?');
  await expect(page.getByRole('dialog', { name: 'Keyboard' })).toBeVisible();
  expect((await server(page))?.typed).toBe('hellorw');
});

test('keys that no keyboard can send here are in a menu', async ({ open }) => {
  const page = await open(size);
  await openScreen(page);
  await page.getByRole('button', { name: 'Ctrl+Alt+Del' }).click();
  await expect.poll(async () => (await server(page))?.pressed).toEqual([0xffe3, 0xffe9, 0xffff]);
  await page.getByRole('button', { name: 'Send keys' }).click();
  await page.getByRole('menuitem', { name: 'Ctrl+Alt+F2', exact: true }).click();
  await expect.poll(async () => (await server(page))?.pressed.slice(3)).toEqual([0xffe3, 0xffe9, 0xffbf]);
});

test('it fits into its pane, or stands dot for dot', async ({ open }) => {
  const page = await open(size);
  await openScreen(page);
  const canvas = page.locator('[data-guest] canvas');
  const pane = await page.locator('.screen').boundingBox();
  await expect
    .poll(async () => Math.round((await canvas.boundingBox())?.width ?? 0))
    .toBeLessThanOrEqual(pane?.width ?? 0);
  await page.getByRole('button', { name: 'Fit into the pane' }).click();
  await expect.poll(async () => (await canvas.boundingBox())?.width).toBe(720);
});

test('text goes either way only when it is asked for', async ({ open, context }) => {
  await context.grantPermissions(['clipboard-read', 'clipboard-write']);
  const page = await open(size);
  await page.evaluate(() => navigator.clipboard.writeText('mine'));
  await openScreen(page);
  await page.evaluate(() => [...window.main.graphics.values()][0]?.cut('theirs'));
  await page.getByRole('button', { name: 'Clipboard' }).click();
  const theirs = page.getByRole('textbox', { name: 'From web01' });
  await expect(theirs).toHaveValue('theirs');
  expect(await page.evaluate(() => navigator.clipboard.readText())).toBe('mine');
  expect((await server(page))?.cuts).toEqual([]);

  await page.getByRole('textbox', { name: 'For web01' }).fill('to you');
  await page.getByRole('button', { name: 'Put on its clipboard' }).click();
  await expect.poll(async () => (await server(page))?.cuts).toEqual(['to you']);
  await page.getByRole('button', { name: 'Type it' }).click();
  await expect.poll(async () => (await server(page))?.typed).toBe('to you');
  await page.getByRole('button', { name: 'Copy to this machine' }).click();
  await expect.poll(() => page.evaluate(() => navigator.clipboard.readText())).toBe('theirs');
});

test('what the guest calls itself is nowhere, and nothing of it runs', async ({ open }) => {
  const page = await open(size);
  const title = await page.title();
  await openScreen(page);
  expect(await page.title()).toBe(title);
  expect(await page.evaluate(() => (window as { hacked?: unknown }).hacked)).toBeUndefined();
  expect(await page.locator('img[src="x"]').count()).toBe(0);
});

test('it goes with its VM, says so, and is typed into there', async ({ open }) => {
  const page = await open({ ...size, percentMs: 5 });
  await openScreen(page);
  await page.keyboard.type('before');
  await page.getByRole('button', { name: 'Put this console below' }).click();
  await carry(page, tile(page, 'web01'), card(page, 'kvm2'));
  await page.mouse.up();
  await page.getByRole('button', { name: 'Migrate', exact: true }).click();
  const screen = page.getByRole('region', { name: 'Screen of web01 on kvm2' });
  await expect(screen).toContainText('moved from kvm1 to kvm2');
  await expect(screen).toContainText('Connected');
  await expect.poll(async () => (await server(page))?.servers).toBe(2);
  await expect.poll(() => drawn(page)).toBeGreaterThan(500);
  await page.locator('[data-guest] canvas').click();
  await page.keyboard.type(' after');
  await expect.poll(async () => (await server(page))?.typed).toBe('before after');
});

test('two consoles of a VM are seen at once, the screen and the serial one', async ({ open }) => {
  const page = await open(size);
  await openScreen(page);
  await page.getByRole('button', { name: 'Put this console below' }).click();
  await tile(page, 'web01').dblclick();
  await expect(page.locator('.xterm-rows')).toContainText('tick');
  await expect(page.getByRole('region', { name: /^Screen of web01/ })).toBeVisible();
  await expect.poll(() => drawn(page)).toBeGreaterThan(500);
});

test.describe('a password', () => {
  test.use({ mayComplain: /^Failed when connecting|security failure/i });

  test('is asked for in a dialog; a wrong one is said, and asked for again', async ({ open }) => {
    const page = await open(size);
    await page.evaluate(() => {
      for (const { uuid } of window.main.snapshot.domains) window.main.vncPasswords.add(uuid);
    });
    await tile(page, 'web01').click();
    await page.keyboard.press('Control+Enter');
    const dialog = page.getByRole('dialog', { name: 'Password for the screen of web01' });
    await dialog.getByLabel('Password').fill('wrong');
    await page.keyboard.press('Enter');
    await expect(page.getByText('did not take the password: “Authentication failed”')).toBeVisible();
    await page.getByRole('button', { name: 'Try again' }).click();
    await dialog.getByLabel('Password').fill('right');
    await page.keyboard.press('Enter');
    await expect(page.getByRole('region', { name: /^Screen of web01/ })).toContainText('Connected');
    // Neither stands in what the window was told or has kept.
    expect(JSON.stringify(await said(page, 'preferences.set'))).not.toContain('right');
  });

  test('that is not given leaves a way to try again', async ({ open }) => {
    const page = await open(size);
    await page.evaluate(() => {
      for (const { uuid } of window.main.snapshot.domains) window.main.vncPasswords.add(uuid);
    });
    await tile(page, 'web01').click();
    await page.keyboard.press('Control+Enter');
    await page.getByRole('dialog').getByRole('button', { name: 'Cancel' }).click();
    await expect(page.getByText(/was given no password/)).toBeVisible();
    await expect(page.getByRole('button', { name: 'Try again' })).toBeVisible();
    // It is not connecting any more: the way back stands open in the tools, too.
    await expect(
      page
        .getByRole('region', { name: /^Screen of web01/ })
        .getByRole('status')
        .first(),
    ).toHaveText('Failed');
    await expect(page.getByRole('button', { name: 'Reconnect' })).not.toHaveAttribute('aria-disabled', 'true');
  });
});
