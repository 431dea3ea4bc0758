// `npm run docs:shots`: the documentation's pictures, taken of the window on the demo fleet, in Chromium.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { chromium, type Locator, type Page } from '@playwright/test';
import { top } from './sentences.ts';

const images = join(top, 'docs', 'images');
const host = (page: Page, name: string) => page.getByRole('region', { name, exact: true });
const vm = (page: Page, name: string) => page.getByRole('button', { name: new RegExp(`^${name}, `) });

/** Ten samples or so. */
const curvesMs = 25_000;

/** Picks up what is at one place and holds it over another, as a hand does. */
async function carry(page: Page, from: Locator, to: Locator): Promise<void> {
  await from.scrollIntoViewIfNeeded();
  const [start, end] = [await from.boundingBox(), await to.boundingBox()];
  if (!start || !end) throw new Error('nothing to drag, or nowhere to drag it to');
  await page.mouse.move(start.x + 15, start.y + 15);
  await page.mouse.down();
  await page.mouse.move(start.x + 30, start.y + 25, { steps: 3 });
  await page.mouse.move(end.x + end.width / 2, end.y + Math.min(60, end.height / 2), { steps: 5 });
}

const shoot = async (page: Page, name: string) => {
  await page.mouse.move(640, 5);
  await settled(page, name);
};

/** What fades in or slides is taken as it is at its end. */
const settled = async (page: Page, name: string) => {
  await page.screenshot({ path: join(images, `${name}.png`), animations: 'disabled' });
  console.log(`docs/images/${name}.png`);
};

const drover = spawn(process.execPath, [join(top, 'bin', 'drover.mjs'), 'demo', '--no-open'], {
  stdio: ['ignore', 'pipe', 'inherit'],
});
const browser = await chromium.launch({
  executablePath: process.env['DROVER_CHROMIUM'] ?? '/usr/bin/chromium',
  args: [
    '--no-sandbox',
    '--disable-gpu',
    '--disable-quic',
    '--no-first-run',
    '--disable-background-networking',
    '--disable-sync',
  ],
});
try {
  const [line] = (await once(createInterface({ input: drover.stdout }), 'line')) as [string];
  const page = await browser.newPage({ viewport: { width: 1440, height: 900 }, colorScheme: 'light' });
  page.setDefaultTimeout(15_000);
  await page.goto(line.replace('Drover listening on ', ''));
  await vm(page, 'grafana').first().waitFor();
  // Figures stand where they were empty after two samples; curves need a few more.
  await page.getByText(/\d+%/).nth(4).waitFor();
  await new Promise((done) => setTimeout(done, curvesMs));
  // Without the list of tasks, which is empty.
  await page.keyboard.press('j');
  await shoot(page, 'hosts');

  await page.getByRole('tab', { name: /VMs/ }).click();
  await page.getByRole('grid', { name: 'VMs' }).getByRole('row').nth(5).waitFor();
  await shoot(page, 'vms');
  await page.getByRole('tab', { name: /Hosts/ }).click();

  await carry(page, vm(page, 'grafana').first(), host(page, 'fra-kvm01'));
  await page.getByText('Can take it').first().waitFor();
  await page.getByText('Cannot take it').first().waitFor();
  await settled(page, 'drag');
  await page.mouse.up();
  await page.getByRole('dialog').getByText('Migrate grafana').first().waitFor();
  await page.getByRole('button', { name: 'Migrate', exact: true }).and(page.locator(':enabled')).waitFor();
  await shoot(page, 'migrate');
  await page.keyboard.press('Escape');

  await vm(page, 'grafana').first().click();
  await page.keyboard.press('Enter');
  await page.locator('.xterm-rows').getByText(/\S/).first().waitFor();
  await page.getByText('Connected').first().waitFor();
  await page.keyboard.type('uname -a\nuptime\n');
  await page.locator('.xterm-rows').getByText('load average').waitFor();
  await shoot(page, 'console');

  await page
    .getByRole('region', { name: 'Consoles' })
    .getByRole('button', { name: 'Open', exact: true })
    .last()
    .click();
  await page
    .getByRole('region', { name: /^Screen of grafana/ })
    .getByText('Connected')
    .waitFor();
  // Connected, it has shown nothing yet.
  await page.waitForFunction(() => {
    const canvas = document.querySelector<HTMLCanvasElement>('[role=application] canvas');
    const dots = canvas?.getContext('2d')?.getImageData(0, 0, canvas.width, canvas.height).data;
    return dots?.some((value, at) => at % 4 === 0 && Math.abs(value - (dots[0] ?? 0)) > 60) === true;
  });
  await shoot(page, 'graphics');
} finally {
  await browser.close();
  drover.kill('SIGTERM');
  await once(drover, 'exit');
}
