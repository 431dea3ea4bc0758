// How the window is built and served while it is worked on. Its own tools alone: the main side is esbuild's.
import { join } from 'node:path';
import { svelte } from '@sveltejs/vite-plugin-svelte';
import { defineConfig } from 'vite';

const top = join(import.meta.dirname, '..');
const root = join(top, 'src-renderer');
/** Where `serve` is while the window is worked on: build/dev.mjs says. */
const serve = process.env.DROVER_DEV_SERVE;

/** To the server it has to look as if the page came from there. */
const ours = (proxy) => {
  for (const event of ['proxyReq', 'proxyReqWs']) {
    proxy.on(event, (request) => {
      if (request.hasHeader('origin')) request.setHeader('origin', serve);
    });
  }
};

export default defineConfig({
  root,
  base: './',
  plugins: [svelte({ configFile: false })],
  build: {
    outDir: join(top, 'dist', 'window'),
    emptyOutDir: true,
    target: 'es2022',
    reportCompressedSize: false,
    rolldownOptions: { checks: { bundlerTimings: false } }, // how long plugins take is no news
    chunkSizeWarningLimit: 1_000,
    assetsInlineLimit: 0, // the page's policy takes no data: but pictures
  },
  server: {
    host: '127.0.0.1',
    cors: false,
    fs: { allow: [top] },
    proxy: serve && {
      '/api': { target: serve, changeOrigin: true, configure: ours },
      // Not what begins with it: the window has a folder of that name.
      '^/link(\\?.*)?$': { target: serve, changeOrigin: true, ws: true, configure: ours },
    },
  },
});
