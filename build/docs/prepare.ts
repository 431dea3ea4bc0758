// Makes docs/.site ready: the pages as they are, links out of docs/ turned to the repository, and what is generated.
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join, relative, resolve, sep } from 'node:path';
import about from '../../package.json' with { type: 'json' };
import { commands, globalOptions } from '../../src-main/cli/commands.ts';
import { describeApi } from '../../src-main/shells/openapi.ts';
import { cliPage } from './cli-page.ts';
import { restPage, type OpenApi } from './rest-page.ts';
import { sentences, top } from './sentences.ts';
import { fillTroubleshooting } from './troubleshooting.ts';

const docs = join(top, 'docs');
const site = join(docs, '.site');
/** Null: what a page names outside of the site has no address, and is only named. */
const repository = process.env['DOCS_REPOSITORY']?.replace(/\/$/, '') ?? null;

/** Links in pages and images that are meant for the repository's own reader. */
const link = /\[([^\]]*)\]\(([^)\s#]+)(#[^)]*)?\)/g;

/** A page as the site has it. @param at its place below docs/ */
function forSite(text: string, at: string): string {
  return text.replace(link, (whole, words: string, target: string, hash = '') => {
    if (/^[a-z]+:|^\//i.test(target)) return whole;
    const meant = resolve(docs, dirname(at), target);
    if (!relative(docs, meant).startsWith('..')) return whole;
    const path = relative(top, meant).split(sep).join('/');
    if (!existsSync(meant)) throw new Error(`docs/${at} links to ${target}, which is not there`);
    if (path === 'CHANGELOG.md') return `[${words}](/changelog${hash})`;
    return repository === null ? words : `[${words}](${repository}/blob/main/${path}${hash})`;
  });
}

function* pagesOf(folder: string): Generator<string> {
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    if (entry.name.startsWith('.') || entry.name === 'node_modules') continue;
    const path = join(folder, entry.name);
    if (entry.isDirectory()) yield* pagesOf(path);
    else if (entry.name.endsWith('.md')) yield relative(docs, path);
  }
}

function write(at: string, text: string): void {
  const path = join(site, at);
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, text);
}

rmSync(site, { recursive: true, force: true });
const shown = { commands: commands.filter(({ name }) => name !== 'complete'), globalOptions };
for (const at of pagesOf(docs)) {
  const text = readFileSync(join(docs, at), 'utf8');
  write(at, forSite(at === 'troubleshooting.md' ? fillTroubleshooting(text, sentences()) : text, at));
}
write('reference/cli.md', cliPage(shown));
write('reference/rest.md', restPage(describeApi(about.version) as unknown as OpenApi));
write('changelog.md', forSite(readFileSync(join(top, 'CHANGELOG.md'), 'utf8'), '../changelog.md'));
cpSync(join(docs, 'images'), join(site, 'images'), { recursive: true });
mkdirSync(join(site, 'public'), { recursive: true });
cpSync(join(top, 'assets', 'icon.svg'), join(site, 'public', 'icon.svg'));
console.log(`docs: ${[...pagesOf(site)].length} pages made ready`);
