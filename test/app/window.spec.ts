// The window by mouse and by keyboard, as a person would use it, on a made-up fleet:
// kvm1 … each with six VMs; web01 and db01 are on kvm1, db01 may not go to kvm3.
import { card, carry, expect, said, test, tile } from './made-up-window.ts';

const size = { hosts: 4, each: 6 };

test.describe('dragging by mouse', () => {
  test('every host says at once whether it can take the VM, and dropping asks once', async ({ open }) => {
    const page = await open({ ...size, percentMs: 5 });
    await carry(page, tile(page, 'db01'), card(page, 'kvm2'));
    await expect(card(page, 'kvm1')).toContainText('Here now');
    await expect(card(page, 'kvm2')).toContainText('Can take it');
    await expect(card(page, 'kvm3')).toContainText('The disk of db01 is local to kvm1.');
    const tree = page.getByRole('tree');
    await expect(tree.getByRole('treeitem', { name: /^kvm3/ })).toContainText('The disk of db01 is local');
    await page.mouse.up();
    await expect(page.getByRole('dialog')).toContainText('Migrate db01 to kvm2?');
    expect(await said(page, 'migrations.start')).toEqual([]);
    await page.keyboard.press('Enter');
    await expect(card(page, 'kvm1')).toContainText('db01 → kvm2');
    await expect(card(page, 'kvm2')).toContainText('db01 ← kvm1');
    await expect(tile(page, 'db01').getByRole('progressbar')).toBeVisible();
    await expect(page.getByRole('region', { name: 'Recent tasks' })).toContainText('Completed');
    await expect(card(page, 'kvm2').getByRole('button', { name: /^db01, / })).toBeVisible();
    await expect(card(page, 'kvm1').getByRole('button', { name: /^db01, / })).toHaveCount(0);
  });

  test('begins in the tree and in the table, too', async ({ open }) => {
    const page = await open(size);
    const kvm2 = page.getByRole('treeitem', { name: /^kvm2/ });
    const places = {
      tree: page.getByRole('treeitem', { name: /^cache01/ }),
      table: page.getByRole('row', { name: /cache01/ }),
    };
    for (const [place, row] of Object.entries(places)) {
      if (place === 'table') await page.getByRole('tab', { name: /^VMs/ }).click();
      await carry(page, row, kvm2);
      await expect(kvm2, place).toContainText('Can take it');
      await page.mouse.up();
      await expect(page.getByRole('dialog'), place).toContainText('Migrate cache01 to kvm2?');
      await page.keyboard.press('Escape');
    }
  });

  test('a host that refuses says why, and nothing is begun', async ({ open }) => {
    const page = await open(size);
    await carry(page, tile(page, 'db01'), card(page, 'kvm3'));
    await expect(card(page, 'kvm3')).toContainText('Cannot take it');
    await page.mouse.up();
    await expect(page.getByRole('region', { name: 'Notices' })).toContainText('The disk of db01 is local to kvm1.');
    await expect(page.getByRole('dialog')).toHaveCount(0);
    expect(await said(page, 'migrations.start')).toEqual([]);
  });

  test('several go together, also onto a row of the tree', async ({ open }) => {
    const page = await open(size);
    await tile(page, 'web01').click();
    await tile(page, 'cache01').click({ modifiers: ['Control'] });
    await carry(page, tile(page, 'web01'), page.getByRole('treeitem', { name: /^kvm2/ }));
    await expect(page.getByText('drop to migrate 2 VMs here')).toBeVisible();
    await page.mouse.up();
    await expect(page.getByRole('dialog')).toContainText('2 VMs');
  });

  test('Escape lets go', async ({ open }) => {
    const page = await open(size);
    await carry(page, tile(page, 'web01'), card(page, 'kvm2'));
    await page.keyboard.press('Escape');
    await page.mouse.up();
    await expect(card(page, 'kvm2')).not.toContainText('Can take it');
    await expect(page.getByRole('dialog')).toHaveCount(0);
  });
});

test.describe('the same by keyboard and by menu', () => {
  test('find, pick up, choose a host, put down, confirm', async ({ open }) => {
    const page = await open({ ...size, percentMs: 5 });
    await page.keyboard.press('Control+f');
    await page.keyboard.type('db01');
    await page.keyboard.press('Enter');
    await expect(page.getByRole('grid', { name: 'VMs' })).toBeFocused();
    await page.keyboard.press('Home');
    await page.keyboard.press('m');
    const hosts = page.getByRole('listbox', { name: 'Hosts' });
    await expect(hosts.getByRole('option', { name: /kvm3/ })).toContainText('local to kvm1');
    await page.keyboard.type('kvm3');
    await page.keyboard.press('Enter'); // refused: it stays in the hand
    await expect(hosts).toBeVisible();
    await page.getByRole('combobox', { name: 'Host' }).fill('kvm2');
    await page.keyboard.press('Enter');
    await expect(page.getByRole('dialog')).toContainText('Migrate db01 to kvm2?');
    await page.keyboard.press('Enter');
    await expect(page.getByRole('region', { name: 'Recent tasks' })).toContainText('Completed');
    await expect(page.getByRole('grid', { name: 'VMs' }).getByRole('row', { name: /db01/ })).toContainText('kvm2');
  });

  test('Escape puts it back, and the focus where it was', async ({ open }) => {
    const page = await open(size);
    await page.getByRole('tab', { name: /VMs/ }).click();
    // Only what is in sight exists, and a first click must not scroll it away.
    await page.getByRole('grid', { name: 'VMs' }).evaluate((grid) => grid.scrollBy(0, 150));
    await page.getByRole('row', { name: /web01/ }).click();
    await page.keyboard.press('m');
    await expect(page.getByRole('listbox', { name: 'Hosts' })).toBeVisible();
    await page.keyboard.press('Escape');
    await expect(page.getByRole('listbox', { name: 'Hosts' })).toHaveCount(0);
    await expect(page.getByRole('grid', { name: 'VMs' })).toBeFocused();
  });

  test('“Migrate to” names each host, with the reason where it cannot take it', async ({ open }) => {
    const page = await open(size);
    await tile(page, 'db01').click({ button: 'right' });
    await page.getByRole('menuitem', { name: 'Migrate to' }).click();
    await expect(page.getByRole('menuitem', { name: /^kvm3/ })).toContainText('local to kvm1');
    await expect(page.getByRole('menuitem', { name: /^kvm3/ })).toHaveAttribute('aria-disabled', 'true');
    await expect(page.getByRole('menuitem', { name: /^kvm1/ })).toContainText('Here now');
    await page.getByRole('menuitem', { name: /^kvm2/ }).click();
    await expect(page.getByRole('dialog')).toContainText('Migrate db01 to kvm2?');
  });
});

test.describe('tasks', () => {
  test('a migration is cancelled from the list, and the VM stays where it was', async ({ open }) => {
    const page = await open({ ...size, percentMs: 300 });
    await carry(page, tile(page, 'web01'), card(page, 'kvm2'));
    await page.mouse.up();
    await page.getByRole('button', { name: 'Migrate', exact: true }).click();
    await page.getByRole('button', { name: 'Cancel Migrate web01' }).click();
    await expect(page.getByRole('region', { name: 'Recent tasks' })).toContainText('Cancelled');
    await expect(card(page, 'kvm1').getByRole('button', { name: /^web01, / })).toBeVisible();
  });

  test('outlive the dialog that shows one of them', async ({ open }) => {
    const page = await open({ ...size, percentMs: 5 });
    await carry(page, tile(page, 'web01'), card(page, 'kvm2'));
    await page.mouse.up();
    await page.getByRole('button', { name: 'Migrate', exact: true }).click();
    await page.getByRole('treegrid', { name: 'Recent tasks' }).getByRole('row', { name: /web01/ }).dblclick();
    await expect(page.getByRole('dialog')).toContainText('web01');
    await page.keyboard.press('Escape');
    await expect(page.getByRole('dialog')).toHaveCount(0);
    await expect(page.getByRole('region', { name: 'Recent tasks' })).toContainText('Completed');
  });
});

test.describe('lifecycle', () => {
  test('by keyboard: shut down, then run', async ({ open }) => {
    const page = await open(size);
    await tile(page, 'web01').click();
    await page.keyboard.press('Control+e');
    await expect(tile(page, 'web01')).toContainText('Shut off');
    await page.keyboard.press('Control+b');
    await expect(tile(page, 'web01')).not.toContainText('Shut off');
    const actions = (await said(page, 'domains.act')) as { action: string }[];
    expect(actions.map(({ action }) => action)).toEqual(['shutdown', 'start']);
  });

  test('several at once are named before they stop', async ({ open }) => {
    const page = await open(size);
    await tile(page, 'web01').click();
    await tile(page, 'cache01').click({ modifiers: ['Control'] });
    await page.keyboard.press('Control+e');
    const dialog = page.getByRole('dialog', { name: 'Shut Down 2 VMs?' });
    await expect(dialog).toContainText('cache01');
    await page.keyboard.press('Escape');
    expect(await said(page, 'domains.act')).toEqual([]);
  });

  test('shortcuts are the guest’s while its console has the focus', async ({ open }) => {
    const page = await open(size);
    await tile(page, 'web01').dblclick();
    await expect(page.getByText('Connected')).toBeVisible();
    await page.locator('.xterm-helper-textarea').focus();
    await page.keyboard.press('Control+r');
    await page.keyboard.press('Control+e');
    await expect.poll(async () => (await said(page, 'consoles.write')).length).toBeGreaterThan(0);
    expect(await said(page, 'domains.act')).toEqual([]);
  });
});

test.describe('consoles', () => {
  test('keep their scrollback from tab to below and back, and say that the VM moved', async ({ open }) => {
    const page = await open({ ...size, percentMs: 5 });
    await tile(page, 'web01').dblclick();
    const screen = page.locator('.xterm-rows');
    await expect(screen).toContainText('tick 3');
    await page.getByRole('button', { name: 'Put this console below' }).click();
    await expect(card(page, 'kvm1')).toBeVisible();
    await expect(screen).toContainText('tick 1');
    await carry(page, tile(page, 'web01'), card(page, 'kvm2'));
    await page.mouse.up();
    await page.getByRole('button', { name: 'Migrate', exact: true }).click();
    await expect(screen).toContainText('moved from kvm1 to kvm2');
    await expect(page.getByRole('region', { name: 'Console', exact: true })).toContainText('kvm2');
    await page.getByRole('button', { name: 'Put the console below in a tab' }).click();
    await expect(screen).toContainText('moved from kvm1 to kvm2');
  });
});

test.describe('a serial console', () => {
  test('has letters as large as one likes, remembered for the next one', async ({ open }) => {
    const page = await open(size);
    await tile(page, 'web01').dblclick();
    const screen = page.locator('.xterm-rows');
    await expect(screen).toContainText('tick');
    const height = () =>
      screen
        .locator('> div')
        .first()
        .evaluate((row) => row.getBoundingClientRect().height);
    const usual = await height();
    await page.locator('.xterm-helper-textarea').focus();
    for (let step = 0; step < 4; step += 1) await page.keyboard.press('Control+=');
    await expect.poll(height).toBeGreaterThan(usual);
    await expect
      .poll(async () => JSON.stringify(await said(page, 'preferences.set')))
      .toContain('"consoleFontSize":17');
    await page.keyboard.press('Control+0');
    await expect.poll(height).toBe(usual);
    const typed = (await said(page, 'consoles.write')) as { bytes: Record<string, number> }[];
    expect(typed).toEqual([]);
  });

  test('is saved as text, and logged into a file from then on', async ({ open }) => {
    const page = await open(size);
    // The system's own dialog: whoever is asked chooses a file.
    await page.evaluate(() => {
      const files: Record<string, string> = {};
      let chosen = 0;
      const showSaveFilePicker = ({ suggestedName }: { suggestedName: string }) => {
        const name = `${(chosen += 1)} ${suggestedName}`;
        return Promise.resolve({
          createWritable: () => {
            let text = files[name] ?? '';
            return Promise.resolve({
              write: (part: Uint8Array | { data: Uint8Array }) => {
                text += new TextDecoder().decode('data' in part ? part.data : part);
                return Promise.resolve();
              },
              close: () => Promise.resolve(void (files[name] = text)),
            });
          },
        });
      };
      Object.assign(window, { files, showSaveFilePicker });
    });
    const files = () => page.evaluate(() => (window as unknown as { files: Record<string, string> }).files);
    await tile(page, 'web01').dblclick();
    const screen = page.locator('.xterm-rows');
    await expect(screen).toContainText('tick 2');
    const more = async (entry: string) => {
      await page.getByRole('button', { name: 'More', exact: true }).click();
      await page.getByRole('menuitem', { name: entry }).click();
    };
    await more('Save output…');
    await expect.poll(async () => (await files())['1 web01.log']).toMatch(/^tick 1\ntick 2/);
    await more('Log to file…');
    await expect(page.getByText('logging to a file')).toBeVisible();
    await page.evaluate(() => {
      const domain = window.main.snapshot.domains.find(({ name }) => name === 'web01');
      window.main.print(domain?.uuid ?? '', 'said-while-it-logs\r\n');
    });
    await expect(screen).toContainText('said-while-it-logs');
    await more('End the log');
    await expect.poll(async () => (await files())['2 web01.log']).toContain('said-while-it-logs\r\n');
    expect((await files())['2 web01.log']).not.toContain('tick 1\r\n');
    await expect(page.getByText('logging to a file')).toBeHidden();
  });
});

test.describe('what is lost is said', () => {
  test('a host that is gone greys its VMs, says why, and when it tries again', async ({ open }) => {
    const page = await open(size);
    await page.evaluate(() => {
      const { main } = window;
      main.changeHost('host-2', {
        state: 'unreachable',
        error: { code: 'unreachable', message: 'kvm2 does not answer on port 22.' },
        retryAt: new Date(Date.now() + 20_000).toISOString(),
      });
      for (const domain of main.snapshot.domains.filter(({ hostId }) => hostId === 'host-2'))
        main.changeDomain(domain, { stale: true });
    });
    await expect(card(page, 'kvm2')).toContainText('kvm2 does not answer on port 22.');
    await expect(card(page, 'kvm2')).toContainText(/Tries again in \d+ s/);
    await expect(
      card(page, 'kvm2')
        .getByRole('button', { name: /Last seen running/ })
        .first(),
    ).toBeVisible();
    await card(page, 'kvm2').getByRole('button', { name: 'Try now' }).click();
    expect(await said(page, 'hosts.connect')).toEqual([{ id: 'host-2' }]);
  });

  test('a window that is not let in says why, and not that it tries again', async ({ open }) => {
    const page = await open(size);
    await page.evaluate(() => window.main.up(false, 'The token is another one’s.'));
    await expect(page.getByRole('alert')).toHaveText('The token is another one’s.');
    await page.evaluate(() => window.main.up(true));
    await expect(page.getByRole('alert')).toHaveCount(0);
  });

  test('a window that lost Drover says so, and is right again afterwards', async ({ open }) => {
    const page = await open(size);
    await page.evaluate(() => window.main.up(false));
    await expect(page.getByRole('alert')).toContainText('Drover itself does not answer');
    await page.evaluate(() => {
      const domain = window.main.snapshot.domains.find(({ name }) => name === 'web01');
      if (domain) domain.name = 'web01-renamed';
      window.main.up(true);
    });
    await expect(page.getByRole('alert')).toHaveCount(0);
    await expect(tile(page, 'web01-renamed')).toBeVisible();
  });
});

test.describe('search', () => {
  test('takes words, states and hosts together, and says what it does not understand', async ({ open }) => {
    const page = await open(size);
    const search = page.getByRole('textbox', { name: 'Search hosts and VMs' });
    await search.fill('state:running host:kvm2');
    await expect(card(page, 'kvm2')).toBeVisible();
    await expect(card(page, 'kvm1')).toHaveCount(0);
    await search.fill('stat:running');
    await expect(page.getByRole('status').filter({ hasText: '“stat” is nothing to search by' })).toBeVisible();
    await search.fill('no such thing');
    await expect(page.getByText('No host and no VM matches “no such thing”.')).toBeVisible();
    await page.getByRole('button', { name: 'Clear search' }).last().click();
    await expect(card(page, 'kvm1')).toBeVisible();
  });

  test('all actions and places are a few letters away', async ({ open }) => {
    const page = await open(size);
    await tile(page, 'web01').click();
    await page.keyboard.press('Control+k');
    await page.keyboard.type('paus');
    await page.keyboard.press('Enter');
    await expect(tile(page, 'web01')).toContainText('Paused');
    await page.keyboard.press('Control+k');
    await page.keyboard.type('backup01');
    await page.keyboard.press('Enter');
    await expect(page.getByRole('complementary', { name: 'Details' })).toContainText('backup01');
  });
});

test.describe('looks', () => {
  test('the theme is chosen by hand and kept', async ({ open }) => {
    const page = await open(size);
    await page.getByRole('button', { name: /^Theme/ }).click();
    await expect(page.locator('html')).toHaveAttribute('data-theme', 'light');
    await page.getByRole('button', { name: /^Theme/ }).click();
    await expect(page.locator('html')).toHaveAttribute('data-theme', 'dark');
    await expect.poll(async () => (await said(page, 'preferences.set')).at(-1)).toMatchObject({ theme: 'dark' });
  });

  test('names of 200 characters break nothing', async ({ open }) => {
    const page = await open(size);
    const name = 'production-frontend-'.repeat(10);
    await page.evaluate((long) => {
      const [domain] = window.main.snapshot.domains;
      if (domain) window.main.changeDomain(domain, { name: long });
      window.main.changeHost('host-1', { label: long });
    }, name);
    await expect(card(page, name)).toBeVisible();
    const wide = () => page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
    expect(await wide()).toBe(0);
    const outside = await card(page, name).evaluate((element) => element.scrollWidth - element.clientWidth);
    expect(outside).toBe(0);
    await page.getByRole('tab', { name: /VMs/ }).click();
    await page.getByRole('row', { name: new RegExp(`^Select ${name}`) }).click();
    expect(await wide()).toBe(0);
  });

  test('no hosts: the first screen says what to do', async ({ page, site }) => {
    await page.goto(`${site}?hosts=0`);
    await expect(page.getByRole('heading', { name: 'No hosts yet' })).toBeVisible();
    await page.getByRole('button', { name: /Add a host/ }).click();
    await expect(page.getByRole('dialog')).toBeVisible();
  });
});
