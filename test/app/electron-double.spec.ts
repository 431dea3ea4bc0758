// The built window in Chromium on the desktop shell's real main and preload, with a double in Electron's place.
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { expect, test, type Page } from '@playwright/test';
import { build } from 'esbuild';
import type { Bridge } from '../../contract/wire.ts';
import type { Snapshot } from '../../contract/events.ts';
import type { runElectron } from '../../src-main/shells/electron.ts';
import type * as Double from '../shells/electron-double.ts';
import type { StandIn } from '../shells/stand-in.ts';
import { madeUpFleet } from '../window/made-up-fleet.ts';

interface Shell {
  runElectron: typeof runElectron;
  double: typeof Double;
  StandIn: typeof StandIn;
  preload: () => Promise<unknown>;
}

const top = join(import.meta.dirname, '..', '..');
const entry = `
  export { runElectron } from './src-main/shells/electron.ts';
  export * as double from './test/shells/electron-double.ts';
  export { StandIn } from './test/shells/stand-in.ts';
  export const preload = () => import('./src-main/shells/preload.ts');
`;

let folder: string;
test.beforeAll(() => {
  mkdirSync(join(top, '.cache'), { recursive: true });
  folder = mkdtempSync(join(top, '.cache', 'double-')); // as deep as dist/main, so that it finds dist/window
});
test.afterAll(() => rmSync(folder, { recursive: true }));

/** The shell with the double for `electron`, anew for each test: an app is one per process. */
async function loadShell(name: string): Promise<Shell> {
  const outfile = join(folder, `${name}.mjs`);
  await build({
    stdin: { contents: entry, resolveDir: top, loader: 'ts' },
    alias: { electron: './test/shells/electron-double.ts' },
    outfile,
    bundle: true,
    platform: 'node',
    format: 'esm',
  });
  return (await import(pathToFileURL(outfile).href)) as Shell;
}

/** Stands for the app's own scheme, which Chromium alone does not know. Nothing of it reaches a network. */
const origin = 'https://drover.test';

/** Opens the page as the app would: its files by the app's handler, its bridge by the preload. */
async function openPage(page: Page, { double, preload }: Shell): Promise<void> {
  await page.route(`${origin}/**`, async (route) => {
    const url = route.request().url().replace(origin, 'app://drover');
    const answer = double.protocol.handlers.get('app')?.({ method: route.request().method(), url });
    if (!answer) return route.abort();
    const body = Buffer.from(await answer.arrayBuffer());
    await route.fulfill({ status: answer.status, headers: Object.fromEntries(answer.headers), body });
  });
  await preload();
  const bridge = double.record.exposed['drover'] as Bridge;
  await page.exposeFunction('callMain', (name: string, args: unknown) => bridge.call(name, args));
  await page.addInitScript(() => {
    const hearing = new EventTarget();
    const { callMain } = globalThis as unknown as { callMain: Bridge['call'] };
    Object.assign(globalThis, {
      tellPage: (event: string, payload: unknown) => hearing.dispatchEvent(new CustomEvent(event, { detail: payload })),
      drover: {
        call: (name: string, args: unknown) => callMain(name, args),
        on: (event: string, listener: (payload: unknown) => void) => {
          const hear = (told: Event) => listener((told as CustomEvent<unknown>).detail);
          hearing.addEventListener(event, hear);
          return () => hearing.removeEventListener(event, hear);
        },
      } satisfies Bridge,
    });
  });
  for (const event of ['deltas', 'console.data', 'console.note', 'menu', 'show']) {
    bridge.on(event, (payload) => {
      const tell = ([name, said]: [string, unknown]) =>
        (globalThis as unknown as { tellPage: (event: string, payload: unknown) => void }).tellPage(name, said);
      void page.evaluate(tell, [event, payload] as [string, unknown]).catch(() => {}); // the page may be gone
    });
  }
  await page.goto(`${origin}/`);
}

test('the window shows the fleet, and follows its changes, over the desktop’s bridge', async ({ page }) => {
  const complaints: string[] = [];
  page.on('console', (message) => message.type() === 'error' && complaints.push(message.text()));
  page.on('pageerror', (error) => complaints.push(error.message));

  const shell = await loadShell('fleet');
  const drover = new shell.StandIn();
  const fleet: Snapshot = madeUpFleet({ hosts: 2, each: 3 });
  const { epoch, seq } = drover.feed;
  drover.carry['fleet.snapshot'] = () => ({ ...fleet, epoch, seq });
  drover.carry['preferences.get'] = () => ({ theme: 'light', window: {} });
  drover.carry['preferences.set'] = () => ({ theme: 'light', window: {} });
  drover.carry['questions.list'] = () => [];
  drover.carry['neighbours.list'] = () => [];
  drover.carry['migrations.options'] = () => [];
  drover.carry['migrations.list'] = () => [];
  await shell.runElectron(async () => drover, { version: '1.2.3', repository: 'https://github.com/someone/drover' });
  shell.double.app.begin();
  await expect.poll(() => shell.double.BrowserWindow.all.size).toBe(1);
  await openPage(page, shell);

  const [first] = fleet.domains;
  if (!first) throw new Error('the fleet has no VM');
  await expect(page.getByText(first.name).first()).toBeVisible();
  await expect(page.getByText(fleet.hosts[0]?.label ?? '').first()).toBeVisible();

  drover.feed.push({ event: 'domain', data: { ...first, name: 'renamed-by-an-event' } });
  await expect(page.getByText('renamed-by-an-event').first()).toBeVisible();
  // The page's own actions stand in the system's menus, and what is chosen there happens in the page.
  const menus = () =>
    shell.double.record.menu as { label?: string; submenu?: { label: string; click: () => void }[] }[];
  await expect.poll(() => menus().map(({ label }) => label)).toEqual(expect.arrayContaining(['VM', 'Host', 'View']));
  const host = menus().find(({ label }) => label === 'Host')?.submenu ?? [];
  host.find(({ label }) => label === 'Add Host…')?.click();
  await expect(page.getByRole('dialog', { name: 'Add a host' })).toBeVisible();
  await page.keyboard.press('Escape');
  const { hostId, name } = fleet.domains.at(-1) ?? first;
  const label = fleet.hosts.find(({ id }) => id === hostId)?.label ?? '';
  shell.double.app.emit('second-instance', {}, ['drover', `drover://${label}/${name}`]);
  await expect(page.getByRole('heading', { name, exact: true })).toBeVisible();
  expect(complaints).toEqual([]);
  expect(drover.bugs).toEqual([]);

  shell.double.app.quit();
  await expect.poll(() => drover.closed).toBe(true);
});
