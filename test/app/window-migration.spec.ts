// Migrations in the window: their course and what helps, what needs attention, batches, emptying a host, moving back.
import type { Page } from '@playwright/test';
import type { MigrationView } from '../../contract/model.ts';
import { card, carry, expect, said, test, tile } from './made-up-window.ts';

const size = { hosts: 4, each: 6 };
const tasks = (page: Page) => page.getByRole('treegrid', { name: 'Recent tasks' });

/** Begins to move web01 from kvm1 to kvm2, and opens what is told of it. */
async function openMigration(page: Page) {
  await carry(page, tile(page, 'web01'), card(page, 'kvm2'));
  await page.mouse.up();
  await page.getByRole('button', { name: 'Migrate', exact: true }).click();
  await tasks(page).getByRole('row', { name: /web01/ }).dblclick();
  return page.getByRole('dialog', { name: 'Migration of web01' });
}

/** Tells of it what a guest does that writes faster than its memory moves, pass after pass. */
const writesFaster = (page: Page, options: Partial<MigrationView['options']> = {}) =>
  page.evaluate((given) => {
    const { main } = window;
    const [migration] = main.snapshot.migrations;
    if (!migration) throw new Error('no migration');
    const course = [1, 0.2].flatMap((left, half) =>
      [1, 2, 3, 4, 5].map((pass) => ({ left, at: pass * 2 + half, pass })),
    );
    for (const { left, at, pass } of course.sort((a, b) => a.at - b.at))
      main.changeMigration(migration.id, {
        options: { ...migration.options, ...given },
        progress: {
          ...migration.progress,
          dataRemainingBytes: left * 2e9,
          memoryBps: 1e9,
          dirtyRateBps: 3e9,
          iteration: pass,
          elapsedMs: at * 2_000,
          etaMs: null,
        },
      });
  }, options);

test.describe('a migration that does not come to an end', () => {
  test('says so, with figures, and a longer stop is allowed by one click', async ({ open }) => {
    const page = await open({ ...size, percentMs: 1e6 });
    const dialog = await openMigration(page);
    await expect(dialog).not.toContainText('does not come to an end');
    await writesFaster(page);
    await expect(dialog.getByRole('alert')).toContainText('This does not come to an end by itself: web01 writes');
    await expect(dialog.getByRole('alert')).toContainText('a stop of about 2.0 s; 300 ms are allowed');
    await dialog.getByRole('button', { name: 'Allow a stop of 2.5 s' }).click();
    expect(await said(page, 'migrations.update')).toEqual([{ id: 'migration-1', maxDowntimeMs: 2500 }]);
    await expect(dialog.getByRole('alert')).toHaveCount(0);
    await expect(dialog.getByRole('img', { name: /Remaining/ })).toBeVisible();
  });

  test('is switched to post-copy only after the warning that there is no way back', async ({ open }) => {
    const page = await open({ ...size, percentMs: 1e6 });
    const dialog = await openMigration(page);
    await writesFaster(page, { postCopy: true });
    await dialog.getByRole('button', { name: 'Switch to post-copy…' }).click();
    const warning = dialog.getByRole('alertdialog', { name: 'There is no way back from post-copy' });
    await expect(warning).toContainText('It cannot be cancelled then. If kvm1, kvm2 or the way between them fails');
    expect(await said(page, 'migrations.postcopy')).toEqual([]);
    await warning.getByRole('button', { name: 'No, go on as before' }).click();
    await dialog.getByRole('button', { name: 'Switch to post-copy…' }).click();
    await warning.getByRole('button', { name: 'Switch web01 over now' }).click();
    expect(await said(page, 'migrations.postcopy')).toEqual([{ id: 'migration-1' }]);
    await expect(dialog.getByRole('button', { name: 'Cancel migration' })).toHaveAttribute('aria-disabled', 'true');
  });

  test('is started again with what was not allowed: cancelled first, then asked about once', async ({ open }) => {
    const page = await open({ ...size, percentMs: 1e6 });
    const dialog = await openMigration(page);
    await writesFaster(page);
    await dialog.getByRole('button', { name: 'Start again with auto-converge…' }).click();
    const again = page.getByRole('dialog', { name: 'Migrate web01 to kvm2?' });
    await expect(again).toContainText('Auto-converge slows the guest down');
    expect(await said(page, 'migrations.cancel')).toEqual([{ id: 'migration-1' }]);
    expect(await said(page, 'migrations.start')).toHaveLength(1);
    await again.getByRole('button', { name: 'Migrate', exact: true }).click();
    await expect.poll(() => said(page, 'migrations.start')).toHaveLength(2);
    expect((await said(page, 'migrations.start'))[1]).toMatchObject({ options: { autoConverge: true } });
  });
});

test('what needs attention offers its actions, and asks again before one that deletes', async ({ open }) => {
  const page = await open({ ...size, percentMs: 1e6 });
  const dialog = await openMigration(page);
  await page.evaluate(() =>
    window.main.changeMigration('migration-1', {
      state: 'needs-attention',
      error: { code: 'unreachable', message: 'kvm2 does not answer: whether web01 runs there is not known.' },
      notices: ['It went directly: kvm1 reaches the migration port of kvm2.'],
      actions: [
        { id: 'retry', message: 'Ask both hosts again.', destroys: false },
        { id: 'end-target', message: 'End web01 on kvm2; what it has not written is lost.', destroys: true },
      ],
    }),
  );
  await expect(dialog).toContainText('kvm2 does not answer');
  await expect(dialog.getByRole('region', { name: 'To know about it' })).toContainText('It went directly');
  const can = dialog.getByRole('region', { name: 'What can be done' });
  await can.getByRole('button', { name: 'Do this…' }).click();
  expect(await said(page, 'migrations.resolve')).toEqual([]);
  await can.getByRole('button', { name: 'Yes, delete: this cannot be undone' }).click();
  expect(await said(page, 'migrations.resolve')).toEqual([{ id: 'migration-1', action: 'end-target' }]);
});

test('an ended migration shows its receipt, and the VM moves back from there', async ({ open }) => {
  const page = await open({ ...size, percentMs: 5 });
  const dialog = await openMigration(page);
  await expect(dialog.getByRole('status')).toContainText('Completed');
  await expect(dialog).toContainText('web01 runs on kvm2; its definition is on kvm2.');
  await expect(dialog).toContainText('anna');
  await expect(dialog).toContainText('virsh migrate --live web01');
  await expect(dialog.getByRole('button', { name: 'Copy command' })).toBeVisible();
  await dialog.getByRole('button', { name: 'Move back to kvm1…' }).click();
  await page.getByRole('dialog', { name: 'Migrate web01 to kvm1?' }).getByRole('button', { name: 'Migrate' }).click();
  await expect(card(page, 'kvm1').getByRole('button', { name: /^web01, / })).toBeVisible();
  const starts = (await said(page, 'migrations.start')) as { from: string; to: string }[];
  expect(starts.map(({ from, to }) => [from, to])).toEqual([
    ['host-1', 'host-2'],
    ['host-2', 'host-1'],
  ]);
});

test('“Move Back” stands in the menu of a VM that was moved, and of no other', async ({ open }) => {
  const page = await open({ ...size, percentMs: 5 });
  const dialog = await openMigration(page);
  await expect(dialog.getByRole('status')).toContainText('Completed');
  await page.keyboard.press('Escape');
  await tile(page, 'db01').click({ button: 'right' });
  await expect(page.getByRole('menuitem', { name: /^Migrate…/ })).toBeVisible();
  await expect(page.getByRole('menuitem', { name: /^Move Back/ })).toHaveCount(0);
  await page.keyboard.press('Escape');
  await tile(page, 'web01').click({ button: 'right' });
  await page.getByRole('menuitem', { name: /^Move Back/ }).click();
  await expect(page.getByRole('dialog', { name: 'Migrate web01 to kvm1?' })).toBeVisible();
});

test.describe('a batch', () => {
  test('of VMs dragged together is one task that unfolds, by mouse and by keyboard', async ({ open }) => {
    const page = await open({ ...size, percentMs: 1e6 });
    await tile(page, 'web01').click();
    await tile(page, 'cache01').click({ modifiers: ['Control'] });
    await carry(page, tile(page, 'web01'), card(page, 'kvm2'));
    await page.mouse.up();
    await page.getByRole('button', { name: 'Migrate', exact: true }).click();
    const row = tasks(page).getByRole('row', { name: /2 VMs to kvm2/ });
    await expect(row).toHaveAttribute('aria-expanded', 'false');
    await expect(tasks(page).getByRole('row', { name: /web01/ })).toHaveCount(0);
    await row.click();
    await page.keyboard.press('ArrowRight');
    await expect(tasks(page).getByRole('row', { name: /web01/ })).toBeVisible();
    await page.keyboard.press('ArrowLeft');
    await expect(tasks(page).getByRole('row', { name: /web01/ })).toHaveCount(0);
    await row.getByRole('button', { name: 'Unfold' }).click();
    await expect(tasks(page).getByRole('row', { name: /cache01/ })).toBeVisible();
    await row.click({ button: 'right' });
    await page.getByRole('menuitem', { name: /Cancel What Is Under Way/ }).click();
    await expect(row).toContainText('2 cancelled');
    expect(await said(page, 'migrations.cancel')).toHaveLength(2);
  });

  test('groups its failures by their reason, with the VMs', async ({ open }) => {
    const page = await open({ ...size, percentMs: 1e6 });
    await page.evaluate(() => {
      const batch = { id: 'b', title: 'Empty kvm1', size: 3 };
      const { main } = window;
      for (const domain of main.snapshot.domains.filter(({ hostId }) => hostId === 'host-1').slice(0, 3))
        void main.call('migrations.start', { uuid: domain.uuid, from: 'host-1', to: 'host-2', batch });
      const end = (id: string, name: string) =>
        main.changeMigration(id, {
          state: 'failed',
          endedAt: new Date().toISOString(),
          error: { code: 'libvirt', message: `kvm2 had no room for the disk of ${name}.` },
        });
      for (const { id, name } of main.snapshot.migrations.slice(0, 2)) end(id, name);
    });
    const row = tasks(page).getByRole('row', { name: /Empty kvm1/ });
    await row.dblclick();
    const dialog = page.getByRole('dialog', { name: 'Empty kvm1' });
    await expect(dialog.getByRole('status')).toContainText('1 running, 2 failed');
    await expect(dialog.getByText('kvm2 had no room for the disk of the VM.')).toHaveCount(1);
    await expect(dialog).toContainText('2 VMs:');
    await dialog.getByRole('button', { name: 'Cancel what is under way' }).click();
    await expect(dialog.getByRole('status')).toContainText('2 failed, 1 cancelled');
  });
});

test.describe('emptying a host', () => {
  test('by its menu: the plan first, with those that stay and why; then one batch', async ({ open }) => {
    const page = await open({ ...size, percentMs: 5 });
    await card(page, 'kvm1')
      .getByRole('button', { name: /^Actions for kvm1|^More/ })
      .click();
    await page.getByRole('menuitem', { name: /^Empty for Maintenance/ }).click();
    const dialog = page.getByRole('dialog', { name: 'Empty kvm1?' });
    await expect(dialog.getByRole('table', { name: /moves?$/ })).toContainText('web01');
    await expect(dialog.getByRole('table', { name: /stays?$/ })).toContainText('The disk of db01 is local to kvm1.');
    expect(await said(page, 'hosts.evacuate')).toMatchObject([{ id: 'host-1', dryRun: true, parallel: 2 }]);
    await dialog.getByRole('checkbox', { name: /kvm2/ }).uncheck();
    await expect(dialog.getByRole('table', { name: /moves?$/ })).toContainText('kvm3');
    await dialog.getByRole('button', { name: /^Move \d VMs$/ }).click();
    const batch = page.getByRole('dialog', { name: 'Empty kvm1' });
    await expect(batch.getByRole('status')).toContainText('Completed');
    await expect(batch.getByRole('button', { name: /^Move \d VMs back…$/ })).toBeVisible();
    await page.keyboard.press('Escape');
    await expect(tasks(page).getByRole('row', { name: /Empty kvm1/ })).toContainText('Completed');
    const asked = (await said(page, 'hosts.evacuate')) as { to?: string[]; dryRun: boolean }[];
    expect(asked.at(-1)).toMatchObject({ to: ['host-3', 'host-4'], dryRun: false });
  });

  test('by key and by the palette', async ({ open }) => {
    const page = await open(size);
    await page.getByRole('treeitem', { name: /^kvm1/ }).click();
    await page.keyboard.press('Shift+E');
    await expect(page.getByRole('dialog', { name: 'Empty kvm1?' })).toBeVisible();
    await page.keyboard.press('Escape');
    await page.keyboard.press('Control+k');
    await page.keyboard.type('maintenance');
    await page.keyboard.press('Enter');
    await expect(page.getByRole('dialog', { name: 'Empty kvm1?' })).toBeVisible();
  });
});

test('a paused VM is not told that it goes on running', async ({ open }) => {
  const page = await open(size);
  await page.evaluate(() => {
    const domain = window.main.snapshot.domains.find(({ name }) => name === 'web01');
    if (domain) window.main.changeDomain(domain, { state: 'paused' });
  });
  await carry(page, tile(page, 'web01'), card(page, 'kvm2'));
  await page.mouse.up();
  await expect(page.getByRole('dialog')).toContainText('web01 stays paused');
  await expect(page.getByRole('dialog')).not.toContainText('goes on running');
});
