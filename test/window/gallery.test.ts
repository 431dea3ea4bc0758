// The gallery shows every component there is: none can be made and forgotten.
import { readFileSync, readdirSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { expect, it } from 'vitest';

const window = resolve(import.meta.dirname, '..', '..', 'src-renderer');
const components = (room: string) =>
  readdirSync(join(window, room), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.svelte'))
    .map((name) => join(window, room, name));

/** What a component shows: those that it imports. */
const shows = (file: string) =>
  [...readFileSync(file, 'utf8').matchAll(/^\s*import\s+(?!type\b)[^'"]*['"](\.[^'"]+\.svelte)['"]/gm)].map(
    ([, path = '']) => resolve(dirname(file), path),
  );

/** All that is shown from one on, itself too. */
function reached(from: string): Set<string> {
  const seen = new Set([from]);
  for (const file of seen) for (const next of shows(file)) seen.add(next);
  return seen;
}

const shown = reached(join(window, 'gallery', 'Gallery.svelte'));

it.each(['parts', 'ui'])('shows every component of %s', (room) => {
  const all = components(room);
  expect(all.length).toBeGreaterThan(20);
  expect(all.filter((file) => !shown.has(file)).map((file) => relative(window, file))).toEqual([]);
});

it('has no chapter that cannot be opened', () => {
  expect(components('gallery').filter((file) => !shown.has(file))).toEqual([]);
});
