// How much of a console's flood comes through to the API's WebSocket, and how soon a key's echo is there meanwhile.
import { chromium } from '@playwright/test';
import type { DomainView } from '../../contract/model.ts';
import { Lab } from '../lab/lab.ts';
import type { Served, Watched } from '../lab/served.ts';
import { until } from '../lab/run.ts';
import { asked, bench, median, pause, quantile, type Report } from './measure.ts';
import { chromiumOptions } from './chromium.ts';
import { startDrover } from './drover.ts';
import { SimProcess } from './sim-process.ts';

const lines = asked('lines', 200_000);
const keys = asked('keys', 60);
/** Asked of what flooded last, so that its end is heard. */
const END = /end-of-flood\r\n/;

await bench('console', async (report) => {
  await throughput(report);
  await inWindow(report);
  await echo(report);
});

/** Of Drover alone: the flood is simulated, so no emulated serial port holds it up. */
async function throughput(report: Report): Promise<void> {
  const sim = await SimProcess.start({ hosts: 1, each: 1 });
  const drover = await startDrover();
  try {
    for (const uri of sim.uris) await drover.get('POST', '/hosts', { uri });
    const [domain] = await until('the VM is listed', async () => {
      const all = await drover.get<DomainView[]>('GET', '/domains');
      return all.length > 0 && all;
    });
    const console = drover.console(domain as DomainView);
    await console.note('open');
    const began = performance.now();
    type(console, `flood ${lines}\recho end-of-flood\r`);
    let bytes = 0;
    let tail = '';
    await new Promise<void>((resolve, reject) => {
      console.socket.on('close', () => reject(new Error('the console was closed')));
      console.socket.on('message', (data: Buffer, binary: boolean) => {
        if (!binary) return;
        bytes += data.length;
        tail = (tail + data.toString('latin1')).slice(-100);
        if (END.test(tail)) resolve();
      });
    });
    const seconds = (performance.now() - began) / 1_000;
    report.figure('flood through to the WebSocket', bytes / 1e6 / seconds, 'MB/s');
    report.note(
      `simulated guest, ${(bytes / 1e6).toFixed(1)} MB; bytes missing: ${console.notes.some(({ type: note }) => note === 'gap') ? 'yes' : 'none'}`,
    );
  } finally {
    await drover.remove();
    await sim.close();
  }
}

/** As `throughput`, through to the terminal on the screen: what the window acknowledges sets the pace. */
async function inWindow(report: Report): Promise<void> {
  const sim = await SimProcess.start({ hosts: 1, each: 1 });
  const drover = await startDrover();
  const browser = await chromium.launch(chromiumOptions);
  try {
    for (const uri of sim.uris) await drover.get('POST', '/hosts', { uri });
    const page = await browser.newPage({ viewport: { width: 1280, height: 800 } });
    await page.goto(`${drover.url}/#token=${drover.token}`);
    await page.getByRole('button', { name: /, Running/ }).dblclick();
    const screen = page.locator('.xterm-rows');
    await page.locator('.xterm-helper-textarea').focus();
    await page.keyboard.press('Enter');
    await screen.getByText('#').first().waitFor();
    const few = Math.round(lines / 4);
    await page.keyboard.type(`flood ${few}`);
    const began = performance.now();
    await page.keyboard.press('Enter');
    await screen.getByText(`${few} =====`).first().waitFor({ timeout: 120_000 });
    const seconds = (performance.now() - began) / 1_000;
    // Each line: its number, a blank, 60 signs and the line's end.
    const bytes = few * 63 + Array.from({ length: few }, (_, at) => String(at + 1).length).reduce((a, b) => a + b, 0);
    report.figure('flood through to the terminal in the window', bytes / 1e6 / seconds, 'MB/s');
    report.note(`in Chromium without a GPU, ${(bytes / 1e6).toFixed(1)} MB, the last line seen on the screen`);
  } finally {
    await browser.close();
    await drover.remove();
    await sim.close();
  }
}

/** On real guests, both on the same host, so over one SSH connection. */
async function echo(report: Report): Promise<void> {
  const lab = await Lab.open();
  await lab.reset();
  const drover = await startDrover();
  try {
    await drover.addLab(lab);
    const [typed, flooded] = await Promise.all(['db01', 'web01'].map((name) => open(drover, name)));
    const quiet = await echoes(typed as Watched);
    const before = (flooded as Watched).text.length;
    const began = performance.now();
    type(flooded as Watched, 'timeout 15 yes 0123456789012345678901234567890123456789\r');
    await pause(500);
    const busy = await echoes(typed as Watched);
    const rate = ((flooded as Watched).text.length - before) / ((performance.now() - began) / 1_000);
    await until('the flood has ended', () => (flooded as Watched).text.slice(before).includes('web01# '), 60_000);
    report.figure('echo of a key', median(quiet), 'ms');
    report.figure('echo of a key while another console floods, p50', median(busy), 'ms');
    report.figure('echo of a key while another console floods, p99', quantile(busy, 0.99), 'ms');
    report.note(
      `real guests of one host under TCG; the flood there is ${Math.round(rate / 1_000)} kB/s, as fast as the guest writes`,
    );
  } finally {
    await drover.remove();
  }
}

async function open(drover: Served, name: string): Promise<Watched> {
  const watched = drover.console(await drover.domain(name));
  await watched.note('open');
  type(watched, '\r');
  await watched.says(`${name}# `);
  return watched;
}

async function echoes(console: Watched): Promise<number[]> {
  const took: number[] = [];
  for (let at = 0; at < keys; at++) {
    const began = performance.now();
    await new Promise<void>((resolve) => {
      const look = (data: Buffer, binary: boolean) => {
        if (!binary || !data.includes('x')) return;
        console.socket.off('message', look);
        resolve();
      };
      console.socket.on('message', look);
      type(console, 'x');
    });
    took.push(performance.now() - began);
  }
  type(console, '\x03');
  return took;
}

function type(console: Watched, keys: string): void {
  console.socket.send(Buffer.from(keys), { binary: true });
}
