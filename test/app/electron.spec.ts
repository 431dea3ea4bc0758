// The desktop app itself, where Electron's program is installed.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { _electron, expect, test } from '@playwright/test';
import { electronBinary } from '../../build/setup.mjs';

const top = join(import.meta.dirname, '..', '..');
const executablePath = electronBinary();

test.skip(!executablePath, 'Electron’s program is not installed here');

test('the desktop app opens its window, sandboxed, and quits in order', async () => {
  const data = mkdtempSync(join(tmpdir(), 'drover-electron-'));
  const asRoot = process.platform === 'linux' && process.getuid?.() === 0 ? ['--no-sandbox'] : [];
  const app = await _electron.launch({
    executablePath: executablePath ?? '',
    args: [...asRoot, top, `--data=${join(data, 'drover')}`, `--user-data-dir=${join(data, 'profile')}`],
  });
  try {
    const page = await app.firstWindow();
    await expect(page.getByText('No hosts yet')).toBeVisible();
    expect(page.url()).toBe('app://drover/');
    expect(await page.evaluate(() => Object.keys((globalThis as unknown as { drover: object }).drover).sort())).toEqual(
      ['call', 'on'],
    );
    expect(await page.evaluate(() => [typeof globalThis.process, 'require' in globalThis])).toEqual([
      'undefined',
      false,
    ]);
    expect(
      await page.evaluate(() =>
        fetch('https://example.org/').then(
          () => 'reached',
          () => 'refused',
        ),
      ),
    ).toBe('refused');
    const kept = await app.evaluate(({ BrowserWindow }) => BrowserWindow.getAllWindows().length);
    expect(kept).toBe(1);
  } finally {
    await app.close();
    rmSync(data, { recursive: true, force: true });
  }
});
