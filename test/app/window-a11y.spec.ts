// Every main screen of the window, looked at by axe in either theme: no violation.
import type { Page } from '@playwright/test';
import { violations } from './axe.ts';
import { card, carry, expect, test, tile } from './made-up-window.ts';

const size = { hosts: 4, each: 6, percentMs: 1e6, beatMs: 1e6 };

const command = async (page: Page, words: string) => {
  await page.keyboard.press('Control+k');
  await page.keyboard.type(words);
  await page.keyboard.press('Enter');
};
const drop = async (page: Page, name: string) => {
  await carry(page, tile(page, name), card(page, 'kvm2'));
  await page.mouse.up();
};
const move = async (page: Page) => {
  await drop(page, 'web01');
  await page.getByRole('button', { name: 'Migrate', exact: true }).click();
  await expect(page.getByRole('treegrid', { name: 'Recent tasks' }).getByRole('row', { name: /web01/ })).toBeVisible();
};
const snapshot = async (page: Page) => {
  await tile(page, 'web01').click();
  await page.getByRole('tab', { name: 'Snapshots' }).click();
  await page.getByRole('button', { name: 'Take a snapshot…' }).click();
  await page.getByRole('textbox', { name: 'Name' }).fill('clean');
  await page.keyboard.press('Enter');
};
const dialog = (page: Page) => expect(page.getByRole('dialog')).toBeVisible();

const screens: Record<string, (page: Page) => Promise<unknown>> = {
  hosts: () => Promise.resolve(),
  'a host that is gone': (page) =>
    page.evaluate(() => {
      const { main } = window;
      const error = { code: 'unreachable', message: 'kvm2 does not answer on port 22.' } as const;
      main.changeHost('host-2', { state: 'unreachable', error });
      for (const one of main.snapshot.domains.filter(({ hostId }) => hostId === 'host-2'))
        main.changeDomain(one, { stale: true });
    }),
  VMs: (page) => page.keyboard.press('2'),
  'several VMs': async (page) => {
    await page.keyboard.press('2');
    await page.getByRole('grid', { name: 'VMs' }).focus();
    await page.keyboard.press('Control+a');
    await expect(page.getByRole('toolbar')).toBeVisible();
  },
  'nothing found': async (page) => {
    await page.getByRole('textbox', { name: 'Search hosts and VMs' }).fill('stat:x nothing');
    await expect(page.getByText(/^No host and no VM matches/).first()).toBeVisible();
  },
  mobility: async (page) => {
    await page.keyboard.press('3');
    await page.getByRole('button', { name: /^Ask hosts/ }).click();
    await expect(page.getByRole('gridcell', { name: /^db01, kvm3: cannot/ })).toBeVisible();
    await page.getByRole('gridcell', { name: /^db01, kvm3/ }).click();
  },
  'a VM': (page) => tile(page, 'web01').click(),
  'tags and groups': async (page) => {
    await page.evaluate(() => {
      const { main } = window;
      for (const one of main.snapshot.domains.slice(0, 9)) main.changeDomain(one, { tags: ['prod', one.name] });
      main.changeHost('host-1', { group: 'Rack A' });
      main.changeHost('host-2', { group: 'Rack A' });
    });
    await page.getByRole('button', { name: 'Close all' }).click();
    await page.getByRole('treeitem', { name: /^prod, 9 VMs/ }).click();
    await page.keyboard.press('ArrowRight');
    await expect(page.getByRole('treeitem', { name: /^prod, 9 VMs/ })).toHaveAttribute('aria-expanded', 'true');
  },
  'the tags of several VMs': async (page) => {
    await page.evaluate(() => {
      const [first, second] = window.main.snapshot.domains;
      if (first && second) {
        window.main.changeDomain(first, { tags: ['prod', 'web'] });
        window.main.changeDomain(second, { tags: ['prod'] });
      }
    });
    await page.getByRole('button', { name: 'Close all' }).click();
    await page.getByRole('treeitem', { name: /^prod, 2 VMs/ }).click();
    await page.keyboard.press('Shift+T');
    await page.getByRole('combobox', { name: 'Add a tag' }).fill('two words');
    await expect(page.getByRole('dialog')).toContainText('1 of 2');
  },
  'the group of a host': async (page) => {
    await page.getByRole('treeitem', { name: /^kvm1, / }).click();
    await page.keyboard.press('Shift+G');
    await dialog(page);
  },
  'a notice that offers to undo': async (page) => {
    await page.getByRole('treeitem', { name: /^kvm1, / }).click();
    await page.keyboard.press('F2');
    await page.getByRole('textbox', { name: 'Label' }).fill('other');
    await page.keyboard.press('Enter');
    await expect(page.getByRole('button', { name: 'Undo' })).toBeVisible();
  },
  'the VMs in groups': async (page) => {
    await page.getByRole('tab', { name: /^VMs/ }).click();
    await page.getByRole('button', { name: 'Columns and groups' }).click();
    await page.getByRole('menuitemcheckbox', { name: 'State' }).last().click();
    await page.getByRole('row', { name: /^Running/ }).click();
  },
  'what happened to a VM': async (page) => {
    await page.evaluate(() => {
      const hostId = window.main.snapshot.hosts[0]?.id ?? '';
      window.main.events = [{ at: new Date().toISOString(), hostId, event: 'crashed', detail: 'panicked' }];
    });
    await tile(page, 'web01').click();
    await page.getByRole('tab', { name: 'Events' }).click();
    await expect(page.getByRole('list', { name: 'What happened' })).toBeVisible();
  },
  'the hardware of a VM': async (page) => {
    await tile(page, 'web01').click();
    await page.getByRole('tab', { name: 'Hardware' }).click();
    await expect(page.getByRole('region', { name: 'Disks' })).toBeVisible();
  },
  'plots of a VM': async (page) => {
    await tile(page, 'web01').click();
    await page.getByRole('tab', { name: 'Plots' }).click();
    await page.getByRole('combobox', { name: 'Time' }).selectOption('Last 30 minutes');
    await page.getByRole('slider', { name: 'CPU' }).focus();
    await page.keyboard.press('ArrowLeft');
  },
  'the XML of a VM': async (page) => {
    await tile(page, 'web01').click();
    await page.getByRole('tab', { name: 'XML' }).click();
    await expect(page.getByText('<name>')).toBeVisible();
  },
  'the XML of a VM, edited': async (page) => {
    await tile(page, 'web01').click();
    await page.getByRole('tab', { name: 'XML' }).click();
    await page.getByRole('button', { name: 'Edit…' }).click();
    await page.getByRole('textbox', { name: 'Definition of web01' }).fill('<domain>');
    await expect(page.getByText(/It is not well-formed/)).toBeVisible();
  },
  'what an edit changes': async (page) => {
    await tile(page, 'web01').click();
    await page.getByRole('tab', { name: 'XML' }).click();
    await page.getByRole('button', { name: 'Edit…' }).click();
    const editor = page.getByRole('textbox', { name: 'Definition of web01' });
    await expect(editor).toHaveValue(/<vcpu/);
    await editor.fill((await editor.inputValue()).replace('>2</vcpu>', '>4</vcpu>'));
    await page.getByRole('button', { name: 'Show changes' }).click();
    await expect(page.getByRole('region', { name: /^Changes to/ })).toBeVisible();
  },
  snapshots: async (page) => {
    await snapshot(page);
    await expect(page.getByText('Current')).toBeVisible();
  },
  'going back to a snapshot': async (page) => {
    await snapshot(page);
    await page.getByRole('button', { name: 'Go back to clean…' }).click();
    await dialog(page);
  },
  'a host': (page) => page.getByRole('treeitem', { name: /^kvm1/ }).click(),
  'a console': async (page) => {
    await tile(page, 'web01').dblclick();
    await expect(page.getByText('Connected')).toBeVisible();
  },
  'a graphical console, with its clipboard': async (page) => {
    await tile(page, 'web01').click();
    await page.keyboard.press('Control+Enter');
    await expect(page.getByText('Connected')).toBeVisible();
    await page.getByRole('button', { name: 'Clipboard' }).click();
    await page.evaluate(() => [...window.main.graphics.values()][0]?.cut('from the guest'));
    await expect(page.getByRole('textbox', { name: 'From web01' })).toHaveValue('from the guest');
  },
  'a menu': async (page) => {
    await tile(page, 'web01').click({ button: 'right' });
    await expect(page.getByRole('menu')).toBeVisible();
  },
  'a drag': (page) => carry(page, tile(page, 'db01'), card(page, 'kvm2')),
  'moving by keyboard': async (page) => {
    await tile(page, 'db01').click();
    await page.keyboard.press('m');
    await expect(page.getByRole('option', { name: /kvm3/ })).toContainText('local to kvm1');
  },
  'where to migrate': async (page) => {
    await tile(page, 'db01').click();
    await page.keyboard.press('Control+m');
    await expect(page.getByRole('radio', { name: /kvm3/ })).toContainText('local to kvm1');
    await page.getByRole('radio', { name: /kvm2/ }).click();
    await page.getByText('Options', { exact: true }).click();
  },
  'several to migrate': async (page) => {
    await tile(page, 'db01').click();
    await tile(page, 'cache01').click({ modifiers: ['Control'] });
    await drop(page, 'db01');
    await dialog(page);
  },
  'a migration': async (page) => {
    await move(page);
    await page.getByRole('row', { name: /web01/ }).last().dblclick();
    await dialog(page);
  },
  'a migration that needs attention': async (page) => {
    await move(page);
    await page.evaluate(() =>
      window.main.changeMigration('migration-1', {
        state: 'needs-attention',
        error: { code: 'unreachable', message: 'kvm2 does not answer.' },
        notices: ['It went directly.'],
        actions: [{ id: 'end', message: 'End it on kvm2.', destroys: true }],
      }),
    );
    await page.getByRole('row', { name: /web01/ }).last().dblclick();
    await page.getByRole('button', { name: 'Do this…' }).click();
  },
  'emptying a host': async (page) => {
    await page.getByRole('treeitem', { name: /^kvm1/ }).click();
    await page.keyboard.press('Shift+E');
    await expect(page.getByRole('table').first()).toBeVisible();
  },
  'a batch': async (page) => {
    await page.getByRole('treeitem', { name: /^kvm1/ }).click();
    await page.keyboard.press('Shift+E');
    await page.getByRole('button', { name: /^Move \d VMs$/ }).click();
    await expect(page.getByRole('dialog', { name: 'Empty kvm1', exact: true })).toBeVisible();
  },
  'recent tasks': async (page) => {
    await tile(page, 'web01').click();
    await tile(page, 'cache01').click({ modifiers: ['Control'] });
    await drop(page, 'web01');
    await page.getByRole('button', { name: 'Migrate', exact: true }).click();
    await page.getByRole('button', { name: 'Unfold' }).click();
  },
  'all actions': (page) => page.keyboard.press('Control+k'),
  shortcuts: (page) => page.keyboard.press('?'),
  'adding a host': (page) => command(page, 'add host'),
  'host key': async (page) => {
    await page.getByRole('treeitem', { name: /^kvm1/ }).click();
    await command(page, 'host key');
    await dialog(page);
  },
  'removing a host': async (page) => {
    await page.getByRole('treeitem', { name: /^kvm1/ }).click();
    await command(page, 'remove from');
    await dialog(page);
  },
  'forcing a VM off': async (page) => {
    await tile(page, 'web01').click();
    await command(page, 'force off');
    await dialog(page);
  },
  'deleting a VM': async (page) => {
    await page.evaluate(() => {
      const one = window.main.snapshot.domains.find(({ name }) => name === 'web01');
      if (one) window.main.changeDomain(one, { state: 'shutoff', id: null });
    });
    await tile(page, 'web01').click();
    await command(page, 'delete');
    await dialog(page);
  },
};

for (const [name, show] of Object.entries(screens))
  test(`${name}: nothing that axe finds wrong, in either theme`, async ({ page, open }) => {
    await page.emulateMedia({ colorScheme: 'light', reducedMotion: 'reduce' });
    await open(size);
    await show(page);
    expect(await violations(page)).toEqual([]);
    await page.emulateMedia({ colorScheme: 'dark', reducedMotion: 'reduce' });
    expect(await violations(page)).toEqual([]);
  });

test('the first screen: nothing that axe finds wrong, in either theme', async ({ page, site }) => {
  await page.emulateMedia({ colorScheme: 'light', reducedMotion: 'reduce' });
  await page.goto(`${site}?hosts=0`);
  await expect(page.getByRole('heading', { name: 'No hosts yet' })).toBeVisible();
  expect(await violations(page)).toEqual([]);
  await page.emulateMedia({ colorScheme: 'dark', reducedMotion: 'reduce' });
  expect(await violations(page)).toEqual([]);
});

test('with more contrast asked for: nothing that axe finds wrong, and text at 7:1', async ({ page, open }) => {
  for (const colorScheme of ['light', 'dark'] as const) {
    await page.emulateMedia({ colorScheme, contrast: 'more', reducedMotion: 'reduce' });
    await open(size);
    await tile(page, 'web01').click();
    expect(await violations(page, ['color-contrast-enhanced'])).toEqual([]);
  }
});

test('at 200 % zoom of 1280×800 nothing stands outside, and the main job can be done', async ({ page, open }) => {
  await page.setViewportSize({ width: 640, height: 400 });
  await open({ ...size, percentMs: 5 });
  const outside = () =>
    page.evaluate(() =>
      [...document.querySelectorAll('header button, [role=tab], [role=search]')]
        .map((element) => ({
          name: element.getAttribute('aria-label') ?? element.textContent,
          box: element.getBoundingClientRect(),
        }))
        .filter(({ box }) => box.width > 0 && (box.left < 0 || box.right > innerWidth + 1))
        .map(({ name }) => name),
    );
  expect(await outside()).toEqual([]);
  await expect(card(page, 'kvm1')).toBeVisible();
  await tile(page, 'web01').click();
  await expect(page.getByRole('complementary', { name: 'Details' })).toContainText('web01');
  expect(await outside()).toEqual([]);
  await page.keyboard.press('m');
  await page.getByRole('combobox', { name: 'Host' }).fill('kvm2');
  await page.keyboard.press('Enter');
  await expect(page.getByRole('dialog')).toContainText('Migrate web01 to kvm2?');
  await expect(page.getByRole('button', { name: 'Migrate', exact: true })).toBeEnabled();
  await page.keyboard.press('Enter');
  await expect(page.getByRole('region', { name: 'Recent tasks' })).toContainText('Completed');
});
