import { beforeEach, describe, expect, it } from 'vitest';
import type { LinkEvents } from '../../contract/events.ts';
import { Failure } from '../../contract/failure.ts';
import { ElectronLink } from '../../src-renderer/link/electron.ts';
import type * as Double from './electron-double.ts';
import { freshDesktop, type Desktop } from './desktop.ts';

let desktop: Desktop;
beforeEach(async () => (desktop = await freshDesktop()));

const uuid = '0a1b2c3d-0000-4000-8000-00000000abcd';

describe('the desktop app', () => {
  it('opens one window on its own page, as closed in as Electron can make it', async () => {
    const { options, webContents } = await desktop.open();
    expect(options.webPreferences).toMatchObject({
      sandbox: true,
      contextIsolation: true,
      nodeIntegration: false,
      webviewTag: false,
    });
    expect(options.webPreferences?.preload).toMatch(/dist.main.preload\.cjs$/);
    expect(webContents.getURL()).toBe('app://drover/');
    expect(desktop.record.sandboxed).toBe(true);
    expect(desktop.record.schemes).toMatchObject([{ scheme: 'app', privileges: { standard: true, secure: true } }]);
    expect(desktop.record.paths['userData']).toMatch(/drover-window$/);
    expect(desktop.drover.windowCount).toBe(1);
    expect(desktop.started[0]?.dataDir).toBeNull();
  });

  it('keeps its data where it is told', async () => {
    desktop.world.switches = { data: '/tmp/other', 'user-data-dir': '/tmp/profile' };
    await desktop.open();
    expect(desktop.started[0]?.dataDir).toBe('/tmp/other');
    expect(desktop.record.paths['userData']).toBeUndefined();
  });

  it('leaves to the first instance what a second is asked for', async () => {
    desktop.world.secondInstance = true;
    await desktop.run();
    expect([desktop.record.exitCode, desktop.started]).toEqual([0, []]);
  });

  it('shows its window when a second instance is started', async () => {
    const window = await desktop.open();
    window.minimized = true;
    desktop.app.emit('second-instance');
    await expect.poll(() => window.focused).toBe(true);
    expect(window.minimized).toBe(false);
  });

  it('says why it cannot start', async () => {
    const fresh = await import('../../contract/failure.ts');
    await desktop.run(async () => {
      throw new fresh.Failure('conflict', 'Another Drover is using the folder.');
    });
    await expect.poll(() => desktop.record.exitCode).toBe(1);
    expect(desktop.record.errors).toEqual(['Drover cannot start: Another Drover is using the folder.']);
  });

  it('quits when its window is closed, once Drover has closed', async () => {
    const window = await desktop.open();
    let finish: (() => void) | null = null;
    desktop.drover.onClose = () => new Promise((resolve) => (finish = resolve));
    window.close();
    desktop.app.quit();
    await expect.poll(() => finish).not.toBeNull();
    expect(desktop.record.exitCode).toBeNull();
    (finish as unknown as () => void)();
    await expect.poll(() => desktop.record.exitCode).toBe(0);
    expect(desktop.drover.closed).toBe(true);
    expect(desktop.drover.windowCount).toBe(0);
  });

  it('comes back where it stood', async () => {
    const place = { x: 40, y: 50, width: 900, height: 700, maximized: true };
    desktop.preferences.window['desktop'] = place;
    const window = await desktop.open();
    expect(window.options).toMatchObject({ x: 40, y: 50, width: 900, height: 700 });
    expect(window.maximized).toBe(true);
    desktop.preferences.window = {};
    desktop.app.quit();
    await expect.poll(() => desktop.record.exitCode).toBe(0);
    expect(desktop.preferences.window['desktop']).toEqual(place);
  });

  it.each([
    ['off the screen', { x: 5000, y: 50, width: 900, height: 700, maximized: false }],
    ['nonsense', { x: 'left', width: -1 }],
  ])('takes its usual size where the place that was kept is %s', async (_, place) => {
    desktop.preferences.window['desktop'] = place;
    const { options } = await desktop.open();
    expect(options).toMatchObject({ width: 1280, height: 800 });
    expect(options.x).toBeUndefined();
  });

  it('offers to open the window again when its page crashed', async () => {
    const { webContents } = await desktop.open();
    webContents.emit('render-process-gone', {}, { reason: 'crashed' });
    await expect.poll(() => webContents.reloads).toBe(1);
  });
});

describe('the page’s bridge', () => {
  it('is two methods and nothing else', async () => {
    await desktop.open();
    const bridge = await desktop.bridge();
    expect(Object.keys(desktop.record.exposed)).toEqual(['drover']);
    expect(Object.keys(bridge).sort()).toEqual(['call', 'on']);
  });

  it('calls, with bytes as bytes, and gets results and failures', async () => {
    await desktop.open();
    const link = new ElectronLink(await desktop.bridge());
    desktop.drover.asked.length = 0;
    expect(await link.call('hosts.list', {})).toEqual({ call: 'hosts.list' });
    await link.call('consoles.write', { consoleId: 'c', bytes: Uint8Array.of(0, 255) });
    expect(desktop.drover.asked[1]?.args['bytes']).toEqual(Uint8Array.of(0, 255));
    desktop.drover.carry['hosts.get'] = () => {
      throw new Failure('not-found', 'There is no such host.', { id: 'h9' });
    };
    const failure = link.call('hosts.get', { id: 'h9' });
    await expect(failure).rejects.toMatchObject({ name: 'Failure', code: 'not-found', detail: { id: 'h9' } });
  });

  it('tells of changes and consoles, until told to stop', async () => {
    await desktop.open();
    desktop.drover.carry['consoles.open'] = (_, caller) => {
      caller.send('console.data', { consoleId: 'c1', bytes: Uint8Array.of(1) });
      return { consoleId: 'c1' };
    };
    const link = new ElectronLink(await desktop.bridge());
    const ups: boolean[] = [];
    const deltas: LinkEvents['deltas'][] = [];
    const data: LinkEvents['console.data'][] = [];
    link.on('up', (up) => ups.push(up));
    const undo = link.on('deltas', (batch) => deltas.push(batch));
    link.on('console.data', (event) => data.push(event));
    await link.call('consoles.open', { hostId: 'h', uuid });
    desktop.drover.notice('one');
    desktop.drover.feed.flush();
    undo();
    undo();
    desktop.drover.notice('two');
    desktop.drover.feed.flush();
    expect(ups).toEqual([true]);
    expect(data).toEqual([{ consoleId: 'c1', bytes: Uint8Array.of(1) }]);
    expect(deltas.map((batch) => batch.deltas.map(({ seq }) => seq))).toEqual([[1]]);
  });

  it('ends what a page had opened when it is loaded anew, and tells the new one once', async () => {
    const { webContents } = await desktop.open();
    const link = new ElectronLink(await desktop.bridge());
    let ended = false;
    desktop.drover.carry['consoles.open'] = (_, caller) => {
      caller.onEnd(() => (ended = true));
      return { consoleId: 'c' };
    };
    await link.call('consoles.open', { hostId: 'h', uuid });
    webContents.emit('did-start-navigation', { isMainFrame: false, isSameDocument: false });
    webContents.emit('did-start-navigation', { isMainFrame: true, isSameDocument: true });
    expect(ended).toBe(false);
    webContents.reload();
    expect(ended).toBe(true);
    const deltas: unknown[] = [];
    link.on('deltas', (batch) => deltas.push(batch));
    desktop.drover.notice('one');
    desktop.drover.feed.flush();
    expect(deltas).toHaveLength(1);
  });
});

describe('a page that lies', () => {
  it('is refused where it is not the window’s own', async () => {
    const { webContents } = await desktop.open();
    desktop.drover.asked.length = 0;
    const frameOf = (...of: Parameters<typeof Double.frameOf>) => desktop.frameOf(...of);
    const foreign = [
      null,
      frameOf('https://evil.example/'),
      frameOf('app://evil/'),
      frameOf('app://drover.evil.example/'),
      frameOf('data:text/html,app://drover/'),
      frameOf('app://drover/', webContents.mainFrame),
    ];
    for (const frame of foreign) {
      expect(await webContents.invoke(frame, 'call', 'hosts.list', {})).toMatchObject({ err: { code: 'forbidden' } });
    }
    expect(desktop.drover.asked).toEqual([]);
  });

  it('gets sentences for calls that are none and for arguments that are absurd', async () => {
    await desktop.open();
    const bridge = await desktop.bridge();
    desktop.drover.asked.length = 0;
    for (const name of ['constructor', '__proto__', 'hosts', '', 'toString', null, 7, {}, ['hosts.list'], new Map()]) {
      expect(await bridge.call(name as string, {})).toMatchObject({ err: { code: 'not-found' } });
    }
    const cyclic: Record<string, unknown> = {};
    cyclic['id'] = cyclic;
    const absurd = [
      null,
      undefined,
      7,
      'h1',
      [],
      new Map([['id', 'h1']]),
      cyclic,
      { id: Infinity },
      { id: 'x'.repeat(1e6) },
    ];
    for (const args of absurd) {
      expect(await bridge.call('hosts.get', args)).toMatchObject({ err: { code: 'bad-request' } });
    }
    expect(desktop.drover.asked).toEqual([]);
    expect(desktop.drover.bugs).toEqual([]);
  });
});

describe('a page in the app', () => {
  it('leads nowhere else, and opens no window', async () => {
    const { webContents } = await desktop.open();
    for (const event of ['will-navigate', 'will-frame-navigate', 'will-redirect', 'will-attach-webview']) {
      expect([event, webContents.attempt(event, 'https://evil.example/')]).toEqual([event, false]);
    }
    expect(webContents.windowOpenHandler({ url: 'app://drover/' })).toEqual({ action: 'deny' });
    expect(desktop.record.opened).toEqual([]);
  });

  it('has links opened by the browser, once the user agreed', async () => {
    const { webContents } = await desktop.open();
    const open = (url: string) => webContents.windowOpenHandler({ url });
    desktop.world.pressed = 1;
    expect(open('https://not-wanted.example/')).toEqual({ action: 'deny' });
    await Promise.resolve();
    desktop.world.pressed = 0;
    for (const url of ['file:///etc/passwd', 'javascript:alert(1)', 'smb://evil/', 'no url', 'https://libvirt.org/']) {
      expect(open(url)).toEqual({ action: 'deny' });
    }
    await expect.poll(() => desktop.record.opened).toEqual(['https://libvirt.org/']);
  });

  it('gets no permission but to copy, to fill the screen and to write where it was told, no device, no download, and nothing from the network', async () => {
    const { webContents } = await desktop.open();
    const { defaultSession } = desktop.session;
    const asked = (permission: string) => {
      let granted: boolean | undefined;
      defaultSession.permissionAsked(webContents, permission, (answer) => (granted = answer));
      return [granted, defaultSession.permissionChecked(webContents, permission)];
    };
    for (const permission of ['media', 'geolocation', 'notifications', 'clipboard-read', 'openExternal', 'usb']) {
      expect([permission, ...asked(permission)]).toEqual([permission, false, false]);
    }
    for (const permission of ['clipboard-sanitized-write', 'fullscreen', 'keyboardLock', 'fileSystem']) {
      expect([permission, ...asked(permission)]).toEqual([permission, true, true]);
      expect(defaultSession.permissionChecked(null, permission)).toBe(false);
    }
    expect(defaultSession.deviceChecked()).toBe(false);
    const schemes = ['http', 'https', 'ws', 'wss', 'file'].map((scheme) => `${scheme}://*/*`);
    expect(defaultSession.requests?.urls).toEqual(expect.arrayContaining(schemes));
    let decided: unknown;
    defaultSession.requests?.seen({ url: 'https://evil.example/' }, (answer) => (decided = answer));
    expect(decided).toEqual({ cancel: true });
    let downloads = true;
    defaultSession.emit('will-download', { preventDefault: () => (downloads = false) });
    expect(downloads).toBe(false);
  });

  it.each([
    ['GET', 'app://drover/../package.json'],
    ['GET', 'app://drover/%2e%2e/main/main.js'],
    ['GET', 'app://evil/index.html'],
    ['POST', 'app://drover/'],
  ])('is not served for %s %s', async (method, url) => {
    await desktop.open();
    const answer = desktop.protocol.handlers.get('app')?.({ method, url });
    expect(answer?.status).toBe(404);
    expect(answer?.headers.get('content-security-policy')).toMatch(/script-src 'self';/);
  });
});
