// The licences of the packages that a bundle has taken in: most of them ask to be told along with what is built of them.
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** The folder of the package that a file is of; null for a file of ours. */
function packageOf(file) {
  const path = file.replaceAll('\\', '/').replace(/[?\0].*$/, '');
  const found = /^(.*\/node_modules\/(?:@[^/]+\/)?[^/]+)\//.exec(path);
  return found ? found[1] : null;
}

function aboutOf(folder) {
  const { name, version, license, repository, homepage } = JSON.parse(
    readFileSync(join(folder, 'package.json'), 'utf8'),
  );
  const from = (typeof repository === 'string' ? repository : repository?.url) ?? homepage ?? '';
  const texts = readdirSync(folder)
    .filter((each) => /^(licen[cs]e|copying|notice)/i.test(each))
    .map((each) => readFileSync(join(folder, each), 'utf8').trim());
  return {
    name,
    version,
    license: typeof license === 'string' ? license : (license?.type ?? 'see below'),
    from,
    texts,
  };
}

/**
 * @param {Iterable<string>} files whole paths of what was bundled
 * @returns {string} name, version, licence, where its source is, and the licence's text, of each package
 */
export function licencesOf(files) {
  const folders = new Set(
    [...files].map(packageOf).filter((folder) => folder && existsSync(join(folder, 'package.json'))),
  );
  const packages = [...folders].map(aboutOf).sort((a, b) => (a.name < b.name ? -1 : 1));
  const told = packages.map(({ name, version, license, from, texts }) =>
    [`${name} ${version}`, `Licence: ${license}`, ...(from ? [`Source: ${from}`] : []), '', ...texts].join('\n'),
  );
  return `Drover has parts of these packages in it. Its own licence is in LICENSE.\n\n${told.join(`\n\n${'-'.repeat(80)}\n\n`)}\n`;
}

/** For Vite: lays the file beside what it builds. */
export const licencesPlugin = {
  name: 'licences',
  generateBundle(_options, bundle) {
    const files = Object.values(bundle).flatMap((part) => part.moduleIds ?? []);
    this.emitFile({ type: 'asset', fileName: 'licences.txt', source: licencesOf(files) });
  },
};
