// Opens an address in a browser: as an app's window where the browser can, else as a page.
import { spawn } from 'node:child_process';
import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';

interface Opener {
  program: string;
  args: string[];
}

/** Browsers that show a page as a window of its own. */
const browsers: Partial<Record<NodeJS.Platform, string[]>> = {
  darwin: [
    '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
    '/Applications/Microsoft Edge.app/Contents/MacOS/Microsoft Edge',
    '/Applications/Chromium.app/Contents/MacOS/Chromium',
  ],
  win32: ['ProgramFiles', 'ProgramFiles(x86)', 'LocalAppData']
    .map((name) => process.env[name])
    .filter((folder) => folder !== undefined)
    .flatMap((folder) => [
      join(folder, 'Google', 'Chrome', 'Application', 'chrome.exe'),
      join(folder, 'Microsoft', 'Edge', 'Application', 'msedge.exe'),
    ]),
};
const names = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable', 'microsoft-edge', 'msedge'];

/** Starts it and goes on; where it cannot be, says so. */
export function openWindow(url: string, log: (line: string) => void, path = process.env['PATH'] ?? ''): void {
  const { program, args } = opener(url, path);
  const failed = (why: string) =>
    log(`the window was not opened: ${program}: ${why}; open the printed address yourself`);
  const child = spawn(program, args, { detached: true, stdio: 'ignore' });
  child.on('error', (error) => failed(error.message));
  child.on('exit', (code) => code && failed(`it ended with ${code}`));
  child.unref();
}

function opener(url: string, path: string): Opener {
  const known =
    browsers[process.platform] ?? path.split(delimiter).flatMap((folder) => names.map((name) => join(folder, name)));
  const browser = known.find(runs);
  if (browser) return { program: browser, args: [`--app=${url}`] };
  switch (process.platform) {
    case 'darwin':
      return { program: 'open', args: [url] };
    case 'win32':
      return { program: 'explorer', args: [url] };
    default:
      return { program: 'xdg-open', args: [url] };
  }
}

function runs(program: string): boolean {
  try {
    accessSync(program, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
