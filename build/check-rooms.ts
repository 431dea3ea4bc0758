// Which room may import which. Data flows ssh → libvirt → fleet → api → shell ⇢ link → stores → views.
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve, sep } from 'node:path';

const mayImport: Record<string, string[]> = {
  contract: [],
  files: [],
  ssh: ['files'],
  libvirt: [], // takes a Duplex, never ssh2
  discovery: ['ssh', 'libvirt', 'contract'],
  fleet: ['ssh', 'libvirt', 'contract'],
  consoles: ['fleet', 'libvirt', 'contract'],
  migration: ['fleet', 'libvirt', 'ssh', 'files', 'contract'],
  settings: ['files', 'contract'],
  demo: ['contract'], // starts src-sim by its file's name
  api: ['fleet', 'consoles', 'migration', 'discovery', 'settings', 'demo', 'contract'],
  shells: ['api', 'words', 'contract'], // main.ts alone imports everything
  cli: ['shells', 'settings', 'api', 'link', 'words', 'contract'], // joins a running Drover by the window's link
  sim: ['libvirt'], // its codec; never the app's model
  link: ['words', 'contract'],
  words: ['contract'], // the window's sentences, and how it writes numbers
  stores: ['link', 'words', 'contract'],
  drag: ['words', 'contract'],
  ui: ['words'],
  parts: ['ui', 'words', 'contract'],
  gallery: ['parts', 'ui', 'words', 'contract'],
  views: ['parts', 'ui', 'stores', 'drag', 'link', 'words', 'contract'],
};

/** Packages that belong to one room, or to a few. */
const packages: Record<string, string[]> = {
  'write-file-atomic': ['files'],
  ssh2: ['ssh', 'sim'],
  electron: ['shells'],
  ws: ['shells', 'cli'],
  svelte: ['stores', 'drag', 'ui', 'parts', 'gallery', 'views', 'root:src-renderer'],
  '@xterm/xterm': ['parts'],
  '@novnc/novnc': ['parts'],
};

const top = resolve(import.meta.dirname, '..');

/** `src-main/fleet/host.ts` is of room `fleet`; a file that stands right in a top folder is of its root. */
function roomOf(path: string): string {
  const [folder = '', next = '', ...rest] = relative(top, path).split(sep);
  if (folder === 'contract') return 'contract';
  if (folder === 'src-sim') return 'sim';
  return rest.length > 0 ? next : `root:${folder}`;
}

function* files(folder: string): Generator<string> {
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) yield* files(path);
    else if (/\.(ts|svelte)$/.test(entry.name) && !entry.name.endsWith('.d.ts')) yield path;
  }
}

const importing =
  /(?:^|[;\s])(?:import|export)\s*(?:type\s*)?(?:[\w*{}\s,$]+?\s*from\s*)?['"]([^'"]+)['"]|import\(\s*['"]([^'"]+)['"]/g;

const wrong: string[] = [];
let count = 0;
for (const folder of ['contract', 'src-main', 'src-sim', 'src-renderer']) {
  for (const file of files(join(top, folder))) {
    count += 1;
    const room = roomOf(file);
    const text = readFileSync(file, 'utf8').replace(/\/\*[^]*?\*\/|^\s*\/\/.*$/gm, '');
    for (const [, plain, dynamic] of text.matchAll(importing)) {
      const wanted = plain ?? dynamic ?? '';
      const at = relative(top, file);
      if (!wanted.startsWith('.')) {
        const name = wanted
          .split('/')
          .slice(0, wanted.startsWith('@') ? 2 : 1)
          .join('/');
        const owners = packages[name];
        if (owners && !owners.includes(room)) wrong.push(`${at}: the package ${name} belongs to ${owners.join(', ')}`);
        continue;
      }
      const target = roomOf(resolve(dirname(file), wanted));
      if (target === room || room.startsWith('root:')) continue;
      const allowed = mayImport[room];
      if (!allowed) wrong.push(`${at}: the room ${room} is not in the table of build/check-rooms.ts`);
      else if (!allowed.includes(target)) wrong.push(`${at}: ${room} may not import ${target} (${wanted})`);
    }
  }
}
for (const line of wrong) console.error(line);
console.log(`rooms: ${count} files, ${wrong.length} imports in a forbidden direction`);
process.exitCode = wrong.length > 0 ? 1 : 0;
