// The troubleshooting page: each entry names the files and folders whose sentences it explains, and gets them listed.
import type { Sentence } from './sentences.ts';

/** `<!-- says: src-main/ssh/dial.ts src-main/demo/ -->`: a file goes to the entry that names it, else its folder, closest. */
const mark = /^<!-- says: (.+) -->$/gm;

/** What is said in code only, never to a person about a failure. */
export const notFailures = new Set([
  'contract/calls.ts',
  'src-main/shells/openapi.ts',
  'src-main/shells/electron-updates.ts',
]);

const placesOf = (page: string) => [...page.matchAll(mark)].flatMap(([, places = '']) => places.split(' '));

/** Of what the page names, what stands for a file. */
function placeOf(places: readonly string[], file: string): string | undefined {
  return places
    .filter((place) => place === file || (place.endsWith('/') && file.startsWith(place)))
    .sort((a, b) => b.length - a.length)[0];
}

const told = (sentences: readonly Sentence[]) => sentences.filter(({ file }) => !notFailures.has(file));

/** Sentences that no entry would hold. */
export function unexplained(page: string, sentences: readonly Sentence[]): Sentence[] {
  const places = placesOf(page);
  return told(sentences).filter(({ file }) => placeOf(places, file) === undefined);
}

/** @throws Error where a sentence would have no entry */
export function fillTroubleshooting(page: string, sentences: readonly Sentence[]): string {
  const missing = unexplained(page, sentences);
  if (missing.length > 0) {
    throw new Error(
      `docs/troubleshooting.md has no entry for ${[...new Set(missing.map(({ file }) => file))].join(', ')}`,
    );
  }
  const places = placesOf(page);
  return page.replace(mark, (_, named: string) =>
    told(sentences)
      .filter(({ file }) => named.split(' ').includes(placeOf(places, file) ?? ''))
      .map(({ text }) => `- ${escaped(text)}`)
      .join('\n'),
  );
}

/** As plain text: not as Markdown, HTML or Vue. */
export const escaped = (text: string) =>
  text
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('{{', '&#123;&#123;')
    .replace(/([\\`*_[\]])/g, '\\$1');
