// The whole app in Chromium. `window`: on a made-up main side, needs nothing else. `lab`: on real hosts, run inside the
// lab's admin namespace. `shell`: the desktop shell's code, on Electron where its binary is.
import { defineConfig } from '@playwright/test';

export default defineConfig({
  testDir: '.',
  outputDir: '../../test-results',
  timeout: 60_000,
  expect: { timeout: 20_000 },
  fullyParallel: false,
  // One after another: the lab is one, and frames are measured.
  workers: 1,
  forbidOnly: Boolean(process.env['CI']),
  reporter: 'list',
  use: {
    viewport: { width: 1280, height: 800 },
    trace: 'retain-on-failure',
    screenshot: 'only-on-failure',
    launchOptions: {
      executablePath: process.env['DROVER_CHROMIUM'] ?? '/usr/bin/chromium',
      args: [
        '--no-sandbox',
        '--disable-gpu',
        '--disable-quic',
        '--no-first-run',
        '--disable-background-networking',
        '--disable-component-update',
        '--disable-sync',
      ],
    },
  },
  projects: [
    { name: 'window', testMatch: ['window*.spec.ts'] },
    { name: 'shell', testMatch: ['electron*.spec.ts'] },
    { name: 'lab', testMatch: ['lab*.spec.ts'], timeout: 120_000 },
  ],
});
