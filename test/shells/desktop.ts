// The desktop app on Electron's double, anew for each test, since an app is one per process.
import { expect, vi } from 'vitest';
import type { Preferences } from '../../contract/model.ts';
import type { Bridge } from '../../contract/wire.ts';
import type { StartOptions } from '../../src-main/api/drover.ts';
import type * as Double from './electron-double.ts';
import { StandIn } from './stand-in.ts';

export interface Desktop extends Pick<
  typeof Double,
  'app' | 'record' | 'world' | 'session' | 'protocol' | 'frameOf' | 'BrowserWindow' | 'Tray'
> {
  drover: StandIn;
  preferences: Preferences;
  started: StartOptions[];
  /** Starts the app, without waiting for its window. */
  run(start?: () => Promise<StandIn>): Promise<void>;
  open(): Promise<Double.BrowserWindow>;
  /** What the real preload gives to the page. */
  bridge(): Promise<Bridge>;
}

export const about = { version: '1.2.3', repository: 'https://github.com/someone/drover' };

export async function freshDesktop(): Promise<Desktop> {
  vi.resetModules();
  vi.doMock('electron', () => import('./electron-double.ts'));
  const double = (await import('electron')) as unknown as typeof Double;
  const { runElectron } = await import('../../src-main/shells/electron.ts');
  const drover = new StandIn();
  const preferences: Preferences = { theme: 'system', window: {} };
  drover.carry['preferences.get'] = () => preferences;
  drover.carry['preferences.set'] = ({ window }) => Object.assign(preferences.window, window);
  const started: StartOptions[] = [];
  const run: Desktop['run'] = async (start = async () => drover) => {
    // As in Electron: it is ready once the entry module has run, which therefore may not wait for that.
    await runElectron((options) => {
      started.push(options);
      return start();
    }, about);
    double.app.begin();
  };
  const open = async () => {
    await run();
    await expect.poll(() => [...double.BrowserWindow.all].some(({ visible }) => visible)).toBe(true);
    const [window] = double.BrowserWindow.all;
    if (!window) throw new Error('there is no window');
    return window;
  };
  const bridge = async () => {
    await import('../../src-main/shells/preload.ts');
    return double.record.exposed['drover'] as Bridge;
  };
  return { ...double, drover, preferences, started, run, open, bridge };
}
