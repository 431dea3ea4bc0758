// The desktop app as part of its system: menus, links, notifications, leaving while VMs move, newer releases, crashes.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { MenuItemConstructorOptions } from 'electron';
import { beforeEach, describe, expect, it, vi } from 'vitest';
import { desktopConsoleCall, desktopMenuCall, type DesktopMenus } from '../../contract/desktop.ts';
import type { MigrationView, Transport } from '../../contract/model.ts';
import { appId, linkIn, linkOf } from '../../src-main/shells/electron-link.ts';
import { quitWords } from '../../src-main/shells/electron-quit.ts';
import { isNewer, Updates } from '../../src-main/shells/electron-updates.ts';
import { freshDesktop, type Desktop } from './desktop.ts';

let desktop: Desktop;
beforeEach(async () => (desktop = await freshDesktop()));

const menus: DesktopMenus = [
  {
    title: 'VM',
    items: [
      { id: 'vm:start', title: 'Run', keys: 'Ctrl+B', enabled: true },
      { id: 'vm:carry', title: 'Move by Keyboard', keys: 'M', enabled: false },
    ],
  },
];

const template = () => desktop.record.menu as MenuItemConstructorOptions[];
const menu = (title: string) =>
  template().find(({ label }) => label === title)?.submenu as MenuItemConstructorOptions[];
const click = (item: MenuItemConstructorOptions | undefined) => (item?.click as () => void)();

const migration = (id: string, transport: Transport, state: MigrationView['state'] = 'running') =>
  ({ id, name: id, state, options: { transport }, error: null, endedAt: null }) as unknown as MigrationView;

describe('the menus', () => {
  it('are what the page tells, and what is chosen goes to the page', async () => {
    await desktop.open();
    const bridge = await desktop.bridge();
    expect(await bridge.call(desktopMenuCall, menus)).toEqual({ err: null, data: null });
    const [run, carry] = menu('VM');
    expect(run).toMatchObject({ label: 'Run', enabled: true, accelerator: 'CmdOrCtrl+B', registerAccelerator: false });
    expect(carry).toMatchObject({ label: 'Move by Keyboard  (M)', enabled: false });
    const chosen: unknown[] = [];
    bridge.on('menu', (payload) => chosen.push(payload));
    click(run);
    expect(chosen).toEqual([{ id: 'vm:start' }]);
  });

  it.each([
    [null],
    [[{ title: 'VM' }]],
    [[{ title: 'VM', items: [{ id: 7, title: 'x', enabled: true }] }]],
    [new Array(20).fill(menus[0])],
  ])('are not what a page that lies tells: %j', async (said) => {
    await desktop.open();
    const bridge = await desktop.bridge();
    await bridge.call(desktopMenuCall, menus);
    expect(await bridge.call(desktopMenuCall, said)).toMatchObject({ err: { code: 'bad-request' } });
    expect(menu('VM')).toHaveLength(2);
  });
});

describe('a console in a window of its own', () => {
  const search = 'console=0a1b2c3d-0000-4000-8000-00000000abcd&host=h1&kind=serial&target=serial0';

  it('is Drover’s own page, as closed in as the first, and answers no questions', async () => {
    const first = await desktop.open();
    const bridge = await desktop.bridge();
    expect(await bridge.call(desktopConsoleCall, { search })).toEqual({ err: null, data: null });
    const [, other] = [...desktop.BrowserWindow.all];
    expect(other?.webContents.getURL()).toBe(`app://drover/?${search}`);
    expect(other?.options.webPreferences).toEqual(first.options.webPreferences);
    expect(other?.webContents.windowOpenHandler({ url: 'https://example.net/' })).toEqual({ action: 'deny' });
    expect(desktop.drover.windowCount).toBe(1);
    // It may ask Drover, and nothing of its shell.
    const frame = desktop.frameOf(`app://drover/?${search}`);
    const ask = (name: string, args: unknown) => other?.webContents.invoke(frame, 'call', name, args);
    expect(await ask('hosts.list', {})).toMatchObject({ err: null });
    expect(await ask(desktopMenuCall, menus)).toMatchObject({ err: { code: 'bad-request' } });
    expect(await ask(desktopConsoleCall, { search })).toMatchObject({ err: { code: 'bad-request' } });
    // It has no menus of its own, and the app's act on the app's own window: not while this one is in front.
    expect(other?.menu).toBe(false);
    await bridge.call(desktopMenuCall, menus);
    const chosen: unknown[] = [];
    bridge.on('menu', (payload) => chosen.push(payload));
    if (other) other.focused = true;
    click(menu('VM')[0]);
    expect(chosen).toEqual([]);
    if (other) other.focused = false;
    click(menu('VM')[0]);
    expect(chosen).toHaveLength(1);
    // Asked for twice, it is the same one.
    await bridge.call(desktopConsoleCall, { search });
    expect(desktop.BrowserWindow.all.size).toBe(2);
    expect(other?.focused).toBe(true);
    // Its end is nobody else's, and leaves no trace of where it stood.
    other?.close();
    expect(desktop.drover.windowCount).toBe(1);
    expect(desktop.preferences.window).toEqual({});
  });

  it.each([
    ['https://example.net/'],
    ['console=x#token=y'],
    ['console=../../etc'],
    ['x=1'],
    [`console=${'x'.repeat(3_000)}`],
    [7],
  ])('is not opened for %j', async (said) => {
    await desktop.open();
    const bridge = await desktop.bridge();
    expect(await bridge.call(desktopConsoleCall, { search: said })).toMatchObject({ err: { code: 'bad-request' } });
    expect(desktop.BrowserWindow.all.size).toBe(1);
  });
});

describe('a link', () => {
  it.each([
    ['drover://kvm1/web01', { host: 'kvm1', vm: 'web01' }],
    ['DROVER://kvm1', { host: 'kvm1', vm: null }],
    ['drover://kvm1/', { host: 'kvm1', vm: null }],
    ['drover://kvm%201/a%2Fb', { host: 'kvm 1', vm: 'a/b' }],
  ])('%s names a host and a VM', (text, show) => {
    expect(linkOf(text)).toEqual(show);
  });

  it.each([
    'https://kvm1/web01',
    'drover:',
    'drover://',
    'drover://kvm1/%00',
    'drover://kvm1/%zz',
    'drover://kvm1/a/b',
    `drover://${'x'.repeat(300)}`,
  ])('%s is none', (text) => expect(linkOf(text)).toBeNull());

  it('is found among a program’s arguments', () => {
    expect(linkIn(['drover://not/this', '--flag', 'drover://kvm1/web01'])).toEqual({ host: 'kvm1', vm: 'web01' });
  });

  it('is shown by the instance that runs, once its page listens', async () => {
    const window = await desktop.open();
    const bridge = await desktop.bridge();
    const shown: unknown[] = [];
    bridge.on('show', (payload) => shown.push(payload));
    desktop.app.emit('second-instance', {}, ['drover', 'drover://kvm1/web01']);
    await expect.poll(() => window.focused).toBe(true);
    expect(shown).toEqual([]);
    await bridge.call(desktopMenuCall, menus);
    expect(shown).toEqual([{ host: 'kvm1', vm: 'web01' }]);
    const event = { preventDefault: vi.fn() };
    desktop.app.emit('open-url', event, 'drover://kvm2');
    await expect.poll(() => shown.length).toBe(2);
    expect(event.preventDefault).toHaveBeenCalled();
  });

  it('is the system’s to open with the app, where it is installed', async () => {
    desktop.world.packaged = true;
    await desktop.open();
    expect(desktop.record.protocols).toEqual(['drover']);
  });
});

describe('a task that ends', () => {
  const tell = (data: MigrationView) => {
    desktop.drover.feed.push({ event: 'migration', data });
    desktop.drover.feed.flush();
  };

  it('is told by a notification where nobody looks, and a click on it shows the window', async () => {
    const window = await desktop.open();
    tell(migration('web01', 'direct'));
    tell(migration('web01', 'direct', 'completed'));
    expect(desktop.record.notifications).toMatchObject([{ title: 'web01: Completed' }]);
    desktop.record.notifications[0]?.emit('click');
    await expect.poll(() => window.focused).toBe(true);
  });

  it('is not told to who looks at it, and not what had ended before', async () => {
    const window = await desktop.open();
    tell(migration('old', 'direct', 'completed'));
    window.focused = true;
    tell(migration('web01', 'direct'));
    tell(migration('web01', 'direct', 'failed'));
    expect(desktop.record.notifications).toEqual([]);
  });
});

describe('leaving while VMs move', () => {
  let moving: MigrationView[];
  beforeEach(() => {
    moving = [];
    desktop.drover.carry['migrations.list'] = () => moving;
  });

  it('says what becomes of each, by the way it goes', () => {
    expect(quitWords([migration('old', 'direct', 'completed')])).toBeNull();
    const words = quitWords([
      migration('web01', 'p2p'),
      migration('db01', 'direct'),
      migration('mail01', 'relay'),
      migration('ci01', 'tunnelled'),
      migration('last', 'auto', 'queued'),
    ]);
    expect(words?.message).toBe('5 VMs are being migrated.');
    const [alone, driven, queued] = words?.detail.split('\n\n') ?? [];
    expect(alone).toMatch(/^web01, ci01: .*goes on without Drover/);
    expect(driven).toMatch(/^db01, mail01: .*cancelled, and the VM runs on where it was/);
    expect(queued).toMatch(/^last: .*will not begin/);
    expect(quitWords([migration('web01', 'direct')])?.message).toBe('web01 is being migrated.');
  });

  it('stays in the background until nothing needs Drover, and then ends by itself', async () => {
    const window = await desktop.open();
    moving = [migration('web01', 'direct'), migration('db01', 'p2p')];
    desktop.app.quit();
    await expect.poll(() => window.isDestroyed()).toBe(true);
    expect(desktop.record.asked).toMatchObject([
      { message: '2 VMs are being migrated.', buttons: ['Stay in the Background', 'Quit Now', 'Cancel'] },
    ]);
    expect([desktop.record.exitCode, desktop.drover.closed]).toEqual([null, false]);
    moving = [migration('db01', 'p2p')];
    desktop.drover.feed.push({ event: 'migration', data: migration('web01', 'direct', 'completed') });
    desktop.drover.feed.flush();
    await expect.poll(() => desktop.record.exitCode).toBe(0);
    expect(desktop.drover.closed).toBe(true);
  });

  it('comes back from the background when it is started again', async () => {
    await desktop.open();
    moving = [migration('web01', 'relay')];
    desktop.app.quit();
    await expect.poll(() => desktop.BrowserWindow.all.size).toBe(0);
    desktop.app.emit('second-instance', {}, []);
    await expect.poll(() => desktop.BrowserWindow.all.size).toBe(1);
    moving = [];
    desktop.drover.feed.push({ event: 'migration', data: migration('web01', 'relay', 'completed') });
    desktop.drover.feed.flush();
    await Promise.resolve();
    expect(desktop.record.exitCode).toBeNull();
  });

  it('quits at once where that is chosen, and not where it is cancelled', async () => {
    await desktop.open();
    moving = [migration('web01', 'direct')];
    desktop.world.pressed = 2;
    desktop.app.quit();
    await expect.poll(() => desktop.record.asked.length).toBe(1);
    expect(desktop.drover.closed).toBe(false);
    desktop.world.pressed = 1;
    await expect
      .poll(() => {
        desktop.app.quit();
        return desktop.record.exitCode;
      })
      .toBe(0);
    expect(desktop.drover.closed).toBe(true);
  });
});

it('keeps the computer from falling asleep while a migration needs Drover, and no longer', async () => {
  await desktop.open();
  const moving = (...all: MigrationView[]) => {
    desktop.drover.carry['migrations.list'] = () => all;
    desktop.drover.feed.push({ event: 'migration', data: migration('web01', 'direct') });
    desktop.drover.feed.flush();
  };
  const awake = () => [...desktop.record.awake.values()];
  moving(migration('web01', 'direct'), migration('db01', 'p2p'));
  await expect.poll(awake).toEqual(['prevent-app-suspension']);
  moving(migration('db01', 'p2p'));
  await expect.poll(awake).toEqual([]);
});

it('is known to Windows by the name that its shortcut has', async () => {
  await desktop.open();
  const packed = readFileSync(join(import.meta.dirname, '..', '..', 'electron-builder.yml'), 'utf8');
  expect(packed).toContain(`appId: ${appId}\n`);
  if (process.platform === 'win32') expect(desktop.record.appUserModelId).toBe(appId);
});

describe.runIf(process.platform !== 'darwin')('the tray', () => {
  const keep = () => menu('File').find(({ type }) => type === 'checkbox');
  const set = (checked: boolean) => (keep()?.click as unknown as (item: { checked: boolean }) => void)({ checked });
  const icon = () => [...desktop.Tray.all][0];
  const chosen = (label: string) => icon()?.menu.find((item) => item.label === label);

  it('is not used unasked: then closing the window ends Drover', async () => {
    const window = await desktop.open();
    expect([keep()?.checked, icon()]).toEqual([false, undefined]);
    window.close();
    await expect.poll(() => desktop.record.exitCode).toBe(0);
  });

  it('keeps Drover running without a window, says what moves, and brings the window back', async () => {
    const window = await desktop.open();
    set(true);
    await expect.poll(() => desktop.preferences.window['tray']).toBe(true);
    expect(icon()?.image).toMatch(/tray\.png$/);
    window.close();
    expect([desktop.record.exitCode, desktop.drover.closed]).toEqual([null, false]);
    desktop.drover.carry['migrations.list'] = () => [migration('web01', 'p2p')];
    desktop.drover.feed.push({ event: 'migration', data: migration('web01', 'p2p') });
    desktop.drover.feed.flush();
    await expect.poll(() => icon()?.tip).toBe('Drover: 1 VM is being migrated');
    click(chosen('Open Drover'));
    await expect.poll(() => desktop.BrowserWindow.all.size).toBe(1);
    desktop.drover.carry['migrations.list'] = () => [];
    click(chosen('Quit'));
    await expect.poll(() => desktop.record.exitCode).toBe(0);
    expect(icon()).toBeUndefined();
  });

  it('is there from the start where it was wanted, and goes when it is switched off', async () => {
    desktop.preferences.window['tray'] = true;
    await desktop.open();
    await expect.poll(() => icon()).toBeDefined();
    expect(keep()?.checked).toBe(true);
    set(false);
    expect(icon()).toBeUndefined();
  });

  it('shows that Drover stays in the background for a migration, and goes with it', async () => {
    await desktop.open();
    let moving = [migration('web01', 'direct')];
    desktop.drover.carry['migrations.list'] = () => moving;
    desktop.app.quit();
    await expect.poll(() => icon()).toBeDefined();
    moving = [];
    desktop.drover.feed.push({ event: 'migration', data: migration('web01', 'direct', 'completed') });
    desktop.drover.feed.flush();
    await expect.poll(() => desktop.record.exitCode).toBe(0);
    expect(icon()).toBeUndefined();
  });
});

describe('newer releases', () => {
  it.each([
    ['0.2.0', '0.1.9', true],
    ['0.1.10', '0.1.9', true],
    ['0.1.9', '0.1.10', false],
    ['1.0.0', '1.0.0', false],
  ])('%s beside %s', (one, other, newer) => expect(isNewer(one, other)).toBe(newer));

  it('are looked for once a day, told once, and not when that is switched off', async () => {
    const timers: (() => void)[] = [];
    const found: string[] = [];
    let tag: unknown = 'v1.3.0';
    const updates = new Updates({
      version: '1.2.3',
      address: 'https://api.example/latest',
      fetch: async () => ({ ok: true, json: async () => ({ tag_name: tag }) }),
      found: (version) => found.push(version),
      later: (act) => {
        timers.push(act);
        return () => void timers.splice(timers.indexOf(act), 1);
      },
    });
    const day = async () => {
      timers.shift()?.();
      await new Promise((resolve) => setImmediate(resolve));
    };
    await day();
    expect(found).toEqual([]);
    updates.on = true;
    await day();
    await day();
    expect(found).toEqual(['1.3.0']);
    tag = 'v9.9.9<script>';
    await day();
    tag = 'v1.4.0';
    await day();
    expect(found).toEqual(['1.3.0', '1.4.0']);
    updates.on = false;
    expect(timers).toEqual([]);
  });

  it('are not asked about from a checkout, and the menu switches them off for good', async () => {
    await desktop.open();
    const item = () => menu('Help')?.find(({ label }) => label?.startsWith('Look for'));
    const help = template().find(({ role }) => role === 'help')?.submenu as MenuItemConstructorOptions[];
    const look = help.find(({ type }) => type === 'checkbox');
    expect([look?.checked, item()]).toEqual([false, undefined]);
    (look?.click as unknown as (item: { checked: boolean }) => void)({ checked: false });
    await expect.poll(() => desktop.preferences.window['updates']).toBe(false);
    expect(desktop.record.fetched).toEqual([]);
  });
});

it('keeps reports of crashes on this machine', async () => {
  await desktop.open();
  expect(desktop.record.crashes).toEqual({ uploadToServer: false });
  expect(desktop.record.paths['crashDumps']).toMatch(/drover-window.crashes$/);
});
