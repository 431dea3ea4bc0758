// The window with 20,000 VMs in Chromium: how soon it is there, how smoothly it moves, and how much of it is loaded.
import { readFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { gzipSync } from 'node:zlib';
import { chromium, type CDPSession, type Page } from '@playwright/test';
import { build, preview } from 'vite';
import { chromiumOptions } from './chromium.ts';
import { asked, bench, median, type Report } from './measure.ts';

const hosts = asked('hosts', 1_000);
const each = asked('each', 20);
const loads = asked('loads', 5);
const top = resolve(import.meta.dirname, '../..');
const configFile = join(top, 'test/app/window/vite.config.mjs');

/** What runs in the page, before the page's own: when the snapshot is there, when a screenful is, and each frame. */
const watching = `
  let main;
  Object.defineProperty(window, 'main', {
    get: () => main,
    set(given) {
      main = given;
      const call = given.call.bind(given);
      given.call = async (name, args) => {
        const answer = await call(name, args);
        if (name === 'fleet.snapshot') window.snapshotMs ??= performance.now();
        return answer;
      };
    },
  });
  window.frames = [];
  let last = performance.now();
  const full = () => document.querySelectorAll('[role=treeitem]').length > 10 && document.querySelectorAll('section[aria-label^="kvm"]').length > 3;
  requestAnimationFrame(function frame() {
    const now = performance.now();
    window.frames.push(now - last);
    last = now;
    // What a frame finds in place was laid out and painted in the one before.
    if (!window.fullMs && window.snapshotMs && full()) window.fullMs = now;
    requestAnimationFrame(frame);
  });
`;

/** Runs in the page. */
const scroll = `(async () => {
  const list = document.querySelector('[role=grid]');
  for (let frame = 0; frame < 180; frame += 1) {
    list.scrollTop = frame * 150;
    await new Promise(requestAnimationFrame);
  }
})()`;

/** Gzipped bytes of what the page loads before anything is asked of it. */
function bundleBytes(): number {
  const page = join(top, 'dist/window/index.html');
  const html = readFileSync(page, 'utf8');
  const files = [...html.matchAll(/(?:src|href)="([^"]+\.(?:js|css))"/g)].map(([, path]) =>
    join(dirname(page), path ?? ''),
  );
  return [html, ...files.map((file) => readFileSync(file))].reduce((sum, text) => sum + gzipSync(text).length, 0);
}

/** What the page's main thread does, by its CPU: however busy the machine is with others, that is the window's own. */
class MainThread {
  readonly #session: CDPSession;

  static async of(page: Page): Promise<MainThread> {
    const session = await page.context().newCDPSession(page);
    await session.send('Performance.enable', { timeDomain: 'threadTicks' });
    return new MainThread(session);
  }

  private constructor(session: CDPSession) {
    this.#session = session;
  }

  /** Milliseconds used meanwhile: by all its tasks, and by the longest of them. */
  async during(act: () => Promise<unknown>): Promise<{ allMs: number; longestMs: number }> {
    const tasks: { name: string; dur?: number; tdur?: number; pid: number; tid: number }[] = [];
    const collect = ({ value }: { value: object[] }) => tasks.push(...(value as typeof tasks));
    this.#session.on('Tracing.dataCollected', collect);
    await this.#session.send('Tracing.start', {
      transferMode: 'ReportEvents',
      traceConfig: { includedCategories: ['toplevel', 'devtools.timeline'] },
    });
    const before = await this.#used();
    await act();
    const allMs = ((await this.#used()) - before) * 1_000;
    const complete = new Promise((resolve) => this.#session.once('Tracing.tracingComplete', resolve));
    await this.#session.send('Tracing.end');
    await complete;
    this.#session.off('Tracing.dataCollected', collect);
    return { allMs, longestMs: longestTask(tasks) };
  }

  async #used(): Promise<number> {
    const { metrics } = await this.#session.send('Performance.getMetrics');
    return metrics.find(({ name }) => name === 'TaskDuration')?.value ?? NaN;
  }
}

/** Of the thread that animates: frames are drawn on it. */
function longestTask(
  events: readonly { name: string; ph?: string; tdur?: number; pid: number; tid: number }[],
): number {
  const drawing = events.find(({ name }) => name === 'FireAnimationFrame');
  const tasks = events.filter(
    ({ name, pid, tid }) => name.endsWith('RunTask') && pid === drawing?.pid && tid === drawing.tid,
  );
  return Math.max(...tasks.map(({ tdur = 0 }) => tdur)) / 1_000;
}

/** The frames drawn while something is done. */
async function smoothness(
  report: Report,
  { page, thread }: { page: Page; thread: MainThread },
  name: string,
  act: () => Promise<unknown>,
  goal?: number,
) {
  await page.evaluate('window.frames.length = 0');
  const used = await thread.during(act);
  const frames = (await page.evaluate<number[]>('window.frames')).slice(1);
  const seconds = frames.reduce((sum, ms) => sum + ms, 0) / 1_000;
  report.figure(`${name}: frames a second`, frames.length / seconds, '/s');
  report.figure(`${name}: longest frame`, Math.max(...frames), 'ms', goal === undefined ? undefined : { most: goal });
  report.figure(`${name}: longest task, main thread’s CPU`, used.longestMs, 'ms', { most: 50 });
  report.figure(`${name}: main thread’s CPU a frame`, used.allMs / frames.length, 'ms');
}

await bench('window', async (report) => {
  report.figure('loaded before a console is opened, gzipped', bundleBytes() / 1_000, 'kB', { most: 250 });
  await build({ configFile, logLevel: 'error' });
  const server = await preview({ configFile, logLevel: 'error', preview: { port: 0, host: '127.0.0.1' } });
  const browser = await chromium.launch(chromiumOptions);
  try {
    const url = `${server.resolvedUrls?.local[0]}?hosts=${hosts}&each=${each}&beats=0&beatMs=3600000`;
    const open = async () => {
      const page = await browser.newPage({ viewport: { width: 1280, height: 800 } });
      await page.addInitScript(watching);
      await page.goto(url);
      await page.waitForFunction('window.fullMs', undefined, { timeout: 60_000 });
      return page;
    };
    const took: number[] = [];
    let page = await open();
    for (let load = 0; ; load++) {
      took.push(await page.evaluate<number>('window.fullMs - window.snapshotMs'));
      if (load + 1 >= loads) break;
      await page.close();
      page = await open();
    }
    const watched = { page, thread: await MainThread.of(page) };
    report.figure('first full screen after the snapshot', median(took), 'ms', { most: 1_000 });

    await smoothness(report, watched, 'dragging a VM over hosts', () => drag(page));
    await page.getByRole('tab', { name: /^VMs/ }).click();
    const table = page.getByRole('grid', { name: 'VMs' });
    await smoothness(report, watched, 'scrolling', () => page.evaluate(scroll), 50);
    const headers = table.getByRole('columnheader').getByRole('button');
    const columns = Math.min(5, await headers.count());
    await smoothness(report, watched, 'sorting', async () => {
      for (let at = 0; at < columns; at++) {
        await headers.nth(at).click();
        await page.waitForTimeout(250);
      }
    });
    const search = page.getByRole('textbox', { name: 'Search hosts and VMs' });
    await search.focus();
    await smoothness(report, watched, 'typing in the search', () =>
      search.pressSequentially('state:running host:kvm77 web', { delay: 60 }),
    );
    report.note(
      `${hosts * each} VMs on ${hosts} hosts, made up in the page; Chromium without a GPU at 1280 × 800; ${loads} loads, ${columns} columns sorted`,
    );
  } finally {
    await browser.close();
    await server.close();
  }
});

async function drag(page: Page): Promise<void> {
  const cards = page.locator('section[aria-label^="kvm"]');
  const from = await cards.first().getByRole('button', { name: /, / }).first().boundingBox();
  const over = await Promise.all((await cards.all()).map((one) => one.boundingBox()));
  if (!from) throw new Error('there is no VM to drag');
  await page.mouse.move(from.x + 15, from.y + 15);
  await page.mouse.down();
  for (const card of over) {
    if (!card || card.y + card.height > 780) continue;
    await page.mouse.move(card.x + card.width / 2, card.y + card.height / 2, { steps: 15 });
  }
  await page.keyboard.press('Escape');
  await page.mouse.up();
}
