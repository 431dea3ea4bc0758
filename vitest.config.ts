import { defineConfig } from 'vitest/config';
import { svelte } from '@sveltejs/vite-plugin-svelte';

// Two rings: what needs nothing (unit), and what needs the lab's real hosts (lab; run inside its admin namespace).
export default defineConfig({
  test: {
    projects: [
      {
        plugins: [svelte({ configFile: false })],
        test: {
          name: 'unit',
          include: ['test/**/*.test.ts'],
          exclude: ['test/lab/**', 'test/app/**', '**/*.svelte.test.ts'],
          testTimeout: 20_000,
          expect: { poll: { timeout: 10_000, interval: 10 } }, // a busy machine is no failure
        },
      },
      {
        // What draws by signals: on the client's Svelte, as in the window, and on no DOM.
        plugins: [svelte({ configFile: false })],
        resolve: { conditions: ['browser'] },
        test: {
          name: 'unit-window',
          include: ['test/window/**/*.svelte.test.ts'],
          environment: './test/window/window-environment.ts',
          server: { deps: { inline: ['svelte'] } },
        },
      },
      {
        test: {
          name: 'lab',
          include: ['test/lab/**/*.test.ts'],
          testTimeout: 60_000,
          hookTimeout: 120_000,
          fileParallelism: false,
        },
      },
    ],
  },
});
