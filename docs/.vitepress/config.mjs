// The documentation's site. Its pages are made ready in docs/.site by build/docs/prepare.ts.
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { defineConfig } from 'vitepress';

/** Below which path it is published: `/` or, for GitHub Pages, `/drover/`. */
const base = process.env.DOCS_BASE || '/';

const page = (text, link) => ({ text, link });

const site = join(import.meta.dirname, '..', '.site');

/** Pages of a folder by their first heading, in the order of their names; without those named elsewhere. */
function others(folder, named) {
  if (!existsSync(join(site, folder))) return [];
  return readdirSync(join(site, folder))
    .filter((name) => name.endsWith('.md') && !named.includes(name.slice(0, -3)))
    .sort()
    .map((name) => {
      const [, heading = name] = /^# (.+)$/m.exec(readFileSync(join(site, folder, name), 'utf8')) ?? [];
      return page(heading, `/${folder}${name.slice(0, -3)}`);
    });
}

/** In the sidebar at a place of their own. */
const placed = [
  'index',
  'window',
  'discovery',
  'connections',
  'troubleshooting',
  'api',
  'security',
  'changelog',
  'architecture',
  'flow',
  'migration',
  'chaos',
];
const inside = ['libvirt-client', 'wire', 'benchmarks'];

export default defineConfig({
  srcDir: '.site',
  outDir: '.vitepress/dist',
  base,
  lang: 'en',
  title: 'Drover',
  description: 'See every libvirt host and VM, and drag a VM onto another host to migrate it, live.',
  cleanUrls: false, // works from any file server
  head: [['link', { rel: 'icon', type: 'image/svg+xml', href: `${base}icon.svg` }]],
  themeConfig: {
    logo: '/icon.svg',
    search: { provider: 'local' },
    outline: [2, 3],
    socialLinks: process.env.DOCS_REPOSITORY ? [{ icon: 'github', link: process.env.DOCS_REPOSITORY }] : [],
    nav: [
      page('Guide', '/guide/install'),
      page('Command line', '/reference/cli'),
      page('API', '/api'),
      page('Troubleshooting', '/troubleshooting'),
    ],
    sidebar: [
      {
        text: 'Begin',
        items: [
          page('Requirements', '/guide/requirements'),
          page('Install', '/guide/install'),
          page('First steps', '/guide/first-steps'),
        ],
      },
      {
        text: 'Use',
        items: [
          page('The window', '/window'),
          page('Finding hosts', '/discovery'),
          page('Connections', '/connections'),
          page('Migrating', '/guide/migrate'),
          page('The command line', '/guide/command-line'),
          page('On a server', '/guide/server'),
          page('Troubleshooting', '/troubleshooting'),
        ],
      },
      {
        text: 'Reference',
        items: [
          page('Commands', '/reference/cli'),
          page('Configuration', '/reference/configuration'),
          page('The automation API', '/api'),
          page('API calls', '/reference/rest'),
          page('Security', '/security'),
          page('Changelog', '/changelog'),
        ],
      },
      {
        text: 'Inside',
        items: [
          page('Architecture', '/architecture'),
          page('How data flows', '/flow'),
          page('Migration', '/migration'),
          page('Chaos on real hosts', '/chaos'),
          page('The libvirt client', '/libvirt-client'),
          page('The wire', '/wire'),
          page('Benchmarks', '/benchmarks'),
          ...others('', [...placed, ...inside]),
          ...others('decisions/', []),
        ],
      },
    ],
  },
});
