// The documentation beside the code: what it links to is there, what it tells people to run exists, and every sentence
// that Drover says when something fails has its entry.
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve, sep } from 'node:path';
import { describe, expect, it } from 'vitest';
import { cliPage } from '../../build/docs/cli-page.ts';
import { restPage, type OpenApi } from '../../build/docs/rest-page.ts';
import { sentences, top } from '../../build/docs/sentences.ts';
import { escaped, fillTroubleshooting, notFailures, unexplained } from '../../build/docs/troubleshooting.ts';
import { calls } from '../../contract/calls.ts';
import { statusOf } from '../../contract/failure.ts';
import { commands, globalOptions } from '../../src-main/cli/commands.ts';
import { describeApi } from '../../src-main/shells/openapi.ts';

const shown = { commands: commands.filter(({ name }) => name !== 'complete'), globalOptions };

/** Generated for the site, by its address. */
const generated: Record<string, string> = {
  'docs/reference/cli.md': cliPage(shown),
  'docs/reference/rest.md': restPage(describeApi('1.2.3') as unknown as OpenApi),
};

function pages(): string[] {
  const inDocs = readdirSync(join(top, 'docs'), { recursive: true, encoding: 'utf8' })
    .filter((path) => path.endsWith('.md') && !path.includes('node_modules') && !path.startsWith('.'))
    .map((path) => `docs/${path.replaceAll(sep, '/')}`);
  return ['README.md', 'CONTRIBUTING.md', 'SECURITY.md', 'CHANGELOG.md', ...inDocs, ...Object.keys(generated)];
}

const textOf = (path: string) => generated[path] ?? readFileSync(join(top, path), 'utf8');

/** As VitePress and GitHub make them of headings, near enough; and those that are said. */
function anchors(text: string): Set<string> {
  const found = new Set<string>();
  for (const [, heading = ''] of text.replace(/^```[^]*?^```/gm, '').matchAll(/^#{1,6} (.+)$/gm)) {
    const said = /\{#([\w-]+)\}/.exec(heading)?.[1];
    const slug = heading
      .toLowerCase()
      .replace(/`/g, '')
      .replace(/[^\p{L}\p{N}]+/gu, '-')
      .replace(/^-|-$/g, '');
    found.add(said ?? slug);
  }
  return found;
}

describe.each(pages())('%s', (path) => {
  it('links to what is there', () => {
    const text = textOf(path).replace(/^```[^]*?^```/gm, '');
    for (const [, target = '', hash = ''] of text.matchAll(/\]\(([^)\s#]*)(?:#([^)]*))?\)/g)) {
      if (/^[a-z]+:|^\//i.test(target)) continue;
      const meant = target === '' ? path : relative(top, resolve(top, dirname(path), target)).replaceAll(sep, '/');
      expect(meant in generated || existsSync(join(top, meant)), `${path} → ${target}`).toBe(true);
      if (hash && meant.endsWith('.md'))
        expect([...anchors(textOf(meant))], `${path} → ${target}#${hash}`).toContain(hash);
    }
  });

  it('tells to run only what there is', () => {
    const { scripts } = JSON.parse(readFileSync(join(top, 'package.json'), 'utf8')) as {
      scripts: Record<string, string>;
    };
    const text = textOf(path);
    for (const [, script] of text.matchAll(/npm run ([\w:]+)/g)) expect(Object.keys(scripts)).toContain(script);
    const blocks = [...text.matchAll(/^```sh\n([^]*?)^```/gm)].map(([, block = '']) => block).join('\n');
    const own = /^\s*drover\(\)/m.test(blocks); // a page that makes a function of that name
    for (const [, name = '', rest = ''] of blocks.matchAll(/(?:^|[ (|&])(?:npx )?drover ([a-z]+)\b(.*)$/gm)) {
      if (own) continue;
      const command = shown.commands.find((one) => one.name === name);
      expect(command, `drover ${name}`).toBeDefined();
      for (const [, option = ''] of rest.replace(/#.*/, '').matchAll(/ --([a-z-]+)/g)) {
        expect(Object.keys({ ...command?.options, ...globalOptions }), `drover ${name} --${option}`).toContain(option);
      }
    }
  });
});

describe('the references', () => {
  it('have every command, every option and every call', () => {
    const cli = generated['docs/reference/cli.md'] ?? '';
    for (const { name, options } of shown.commands) {
      expect(cli).toContain(`### drover ${name} `);
      for (const option of Object.keys(options)) expect(cli).toContain(`--${option}`);
    }
    const rest = generated['docs/reference/rest.md'] ?? '';
    for (const [name, { door }] of Object.entries(calls)) {
      // One that has a choice of words in its path stands there once for each word.
      if (door) expect(rest).toMatch(new RegExp(`\\{#${name.replaceAll('.', '-')}[-}]`));
    }
  });
});

describe('troubleshooting', () => {
  const page = textOf('docs/troubleshooting.md');
  const all = sentences();

  it('finds the sentences in the code', () => {
    const texts = all.map(({ text }) => text);
    expect(texts.length).toBeGreaterThan(300);
    expect(texts).toContain(
      '… is in use, perhaps by another Drover. Choose another port by --listen, or 0 for a free one.',
    );
    expect(texts).toContain(
      'Another Drover… is using …. Close that one, or give this one a folder of its own with --data.',
    );
  });

  it('has an entry for each of them', () => {
    expect(unexplained(page, all)).toEqual([]);
    const filled = fillTroubleshooting(page, all);
    for (const { file, text } of all) {
      if (!notFailures.has(file)) expect(filled).toContain(`- ${escaped(text)}\n`);
    }
  });

  it('explains every code', () => {
    for (const code of Object.keys(statusOf)) expect(page).toContain(`\`${code}\``);
  });
});
