// `npm run icons`: the app's icons in every form that systems want, from assets/icon.svg; drawn by Chromium.
// What it makes is kept in assets/icons, so that packing needs no browser.
import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { chromium } from '@playwright/test';
import { ensureBrowser, ensureModules, top } from './setup.mjs';

/** Linux takes a folder of these; the others are packed into one file. */
const sizes = [16, 24, 32, 48, 64, 128, 256, 512, 1024];
const icoSizes = [16, 24, 32, 48, 64, 128, 256];
/** Apple's names for PNGs of a size. */
const icnsTypes = {
  icp4: 16,
  icp5: 32,
  icp6: 64,
  ic07: 128,
  ic08: 256,
  ic09: 512,
  ic10: 1024,
  ic11: 32,
  ic12: 64,
  ic13: 256,
  ic14: 512,
};

/** Windows' form: a head, an entry of 16 bytes for each, then the PNGs. */
function ico(images) {
  const head = Buffer.alloc(6 + 16 * images.length);
  head.writeUInt16LE(1, 2); // an icon, not a cursor
  head.writeUInt16LE(images.length, 4);
  let at = head.length;
  for (const [index, { size, png }] of images.entries()) {
    const entry = 6 + 16 * index;
    head[entry] = size % 256; // 256 is told as 0
    head[entry + 1] = size % 256;
    head.writeUInt16LE(1, entry + 4); // planes
    head.writeUInt16LE(32, entry + 6); // bits
    head.writeUInt32LE(png.length, entry + 8);
    head.writeUInt32LE(at, entry + 12);
    at += png.length;
  }
  return Buffer.concat([head, ...images.map(({ png }) => png)]);
}

/** Apple's: four letters and the length with them, then parts of the same form. */
function icns(images) {
  const part = (type, body) => {
    const head = Buffer.alloc(8);
    head.write(type, 'latin1');
    head.writeUInt32BE(body.length + 8, 4);
    return Buffer.concat([head, body]);
  };
  return part('icns', Buffer.concat(images.map(({ type, png }) => part(type, png))));
}

ensureModules();
const missing = process.env.DROVER_CHROMIUM ? null : ensureBrowser();
if (missing) {
  console.error(missing);
  process.exit(1);
}
const svg = readFileSync(join(top, 'assets', 'icon.svg'), 'utf8');
const folder = join(top, 'assets', 'icons');
mkdirSync(folder, { recursive: true });
const browser = await chromium.launch({
  executablePath: process.env.DROVER_CHROMIUM ?? '/usr/bin/chromium',
  args: ['--no-sandbox', '--disable-gpu', '--no-first-run', '--disable-background-networking', '--disable-sync'],
});
const pngs = new Map();
try {
  const page = await browser.newPage();
  for (const size of sizes) {
    await page.setViewportSize({ width: size, height: size });
    await page.setContent(
      `<style>html,body{margin:0;background:none}svg{display:block;width:${size}px;height:${size}px}</style>${svg}`,
    );
    pngs.set(size, await page.screenshot({ omitBackground: true, clip: { x: 0, y: 0, width: size, height: size } }));
  }
} finally {
  await browser.close();
}
for (const [size, png] of pngs) writeFileSync(join(folder, `${size}x${size}.png`), png);
writeFileSync(join(folder, 'icon.ico'), ico(icoSizes.map((size) => ({ size, png: pngs.get(size) }))));
writeFileSync(
  join(folder, 'icon.icns'),
  icns(Object.entries(icnsTypes).map(([type, size]) => ({ type, png: pngs.get(size) }))),
);
writeFileSync(join(folder, 'made-from.sha256'), `${createHash('sha256').update(svg).digest('hex')}  ../icon.svg\n`);
console.log(`assets/icons: ${sizes.length} sizes, icon.ico, icon.icns`);
