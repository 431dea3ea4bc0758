// Serves the window on its made-up main side, and the gallery, to the browser tests.
import { join } from 'node:path';
import { svelte } from '@sveltejs/vite-plugin-svelte';
import { defineConfig } from 'vite';

const top = join(import.meta.dirname, '..', '..', '..');

export default defineConfig({
  root: import.meta.dirname,
  base: './',
  plugins: [svelte({ configFile: false })],
  build: {
    outDir: join(top, 'dist', 'test-window'),
    emptyOutDir: true,
    target: 'es2022',
    reportCompressedSize: false,
    rolldownOptions: { input: ['index.html', 'gallery.html'].map((page) => join(import.meta.dirname, page)) },
  },
  server: { host: '127.0.0.1', fs: { allow: [top] } },
});
