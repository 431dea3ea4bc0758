// What a VM used over time: live, over the last hours, and at a moment under the pointer or by the keyboard.
import { expect, said, test, tile } from './made-up-window.ts';

test('plots are looked through by the keyboard, live and over the last hours', async ({ open }) => {
  const page = await open({ hosts: 4, each: 6, beatMs: 1e6, beats: 20 });
  await tile(page, 'web01').click();
  await page.getByRole('tab', { name: 'Plots' }).click();
  const cpu = page.getByRole('slider', { name: /^CPU/ });
  await expect(cpu).toHaveAttribute('aria-valuetext', /^\d+%$/);
  expect(await said(page, 'domains.history')).toEqual([]);
  await cpu.focus();
  await page.keyboard.press('ArrowLeft');
  await page.keyboard.press('ArrowLeft');
  await expect(cpu).toHaveAttribute('aria-valuetext', /^2 samples ago: \d+%$/);

  await page.getByRole('combobox', { name: 'Time' }).selectOption('Last 30 minutes');
  await expect(cpu).toHaveAttribute('aria-label', 'CPU, 30 min ago to now');
  await cpu.focus();
  await page.keyboard.press('Home');
  await expect(cpu).toHaveAttribute('aria-valuetext', /: \d+%$/);
  for (let at = 0; at < 10; at += 1) await page.keyboard.press('ArrowRight');
  await expect(cpu).toHaveAttribute('aria-valuetext', /: not known$/);
});
