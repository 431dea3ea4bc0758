// On a Node that is too old, as some distributions have it: what a person runs first says so, and does nothing else.
import { spawnSync } from 'node:child_process';
import { join, resolve } from 'node:path';
import { expect, it } from 'vitest';

const top = resolve(import.meta.dirname, '..', '..');
const older = `Object.defineProperty(process, 'versions', { value: { ...process.versions, node: '18.20.4' } })`;

it.each(['bin/drover.mjs', 'build/demo.mjs', 'build/start.mjs', 'build/ready.mjs'])('%s', (script) => {
  const words = ['--import', `data:text/javascript,${encodeURIComponent(older)}`, join(top, script), '--help'];
  const { status, stdout, stderr } = spawnSync(process.execPath, words, { encoding: 'utf8', cwd: top });
  expect([status, stdout, stderr]).toEqual([
    1,
    '',
    expect.stringMatching(/needs Node 20\.19 or newer; this is 18\.20\.4\.\n$/),
  ]);
});
