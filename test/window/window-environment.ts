// Runs a test as the window's code runs: the client's Svelte, with its signals, on no DOM at all.
import type { Environment } from 'vitest/runtime';

export default {
  name: 'window',
  viteEnvironment: 'client',
  setup: () => ({ teardown: () => {} }),
} satisfies Environment;
