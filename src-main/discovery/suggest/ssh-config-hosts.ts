// The hosts that an ssh_config names: aliases without wildcards, with what their own section says of them.
import { normalAddress } from '../address.ts';
import { fitting, isHostName, type Named } from './suggestion.ts';

/** Reads a file that the config includes. @returns '' where it is not there */
export type ReadIncluded = (pattern: string) => Promise<string[]>;

/** Files included by included files, no deeper. */
const DEPTH = 4;

interface Section {
  aliases: string[];
  options: Map<string, string>;
}

export async function hostsOfSshConfig(text: string, included: ReadIncluded, home: string): Promise<Named[]> {
  const sections: Section[] = [];
  await read(text, included, sections, DEPTH);
  const aliases = [...new Set(sections.flatMap((section) => section.aliases.filter(isHostName)))];
  return aliases.map((alias) => {
    // As OpenSSH does: the first that says it counts. Patterns count too, as `Host *` with a User.
    const said = (option: string) =>
      sections.find((section) => matches(section.aliases, alias) && section.options.has(option))?.options.get(option);
    const host = said('hostname')?.replaceAll('%h', alias) ?? alias;
    const address = normalAddress(host);
    const port = Number(said('port') ?? 22);
    const keyfile = said('identityfile')?.replace(/^~(?=\/)/, home);
    return {
      name: alias,
      port: Number.isInteger(port) && port >= 1 && port <= 65535 ? port : 22,
      user: said('user'),
      // Tokens would have to be expanded as OpenSSH does it; then the usual keys serve.
      keyfile: keyfile?.includes('%') === true ? undefined : keyfile,
      host: address === null && !isHostName(host) ? alias : host,
      addresses: address === null ? [] : [address],
      from: 'ssh_config',
    };
  });
}

async function read(text: string, included: ReadIncluded, sections: Section[], depth: number): Promise<void> {
  let section: Section = { aliases: ['*'], options: new Map() };
  sections.push(section);
  for (const line of text.split('\n')) {
    const [, word = '', rest = ''] = /^\s*([A-Za-z]+)(?:\s*=\s*|\s+)(.*?)\s*$/.exec(line) ?? [];
    const values = [...rest.matchAll(/"([^"]*)"|(\S+)/g)].map(([, quoted, plain]) => quoted ?? plain ?? '');
    switch (word.toLowerCase()) {
      case '':
        break;
      case 'host':
        section = { aliases: values, options: new Map() };
        sections.push(section);
        break;
      case 'match':
        // Its conditions are not for us to judge: what it says is passed over.
        section = { aliases: [], options: new Map() };
        sections.push(section);
        break;
      case 'include':
        if (depth === 0) break;
        for (const pattern of values) {
          for (const file of await included(pattern)) await read(file, included, sections, depth - 1);
        }
        section = { aliases: section.aliases, options: section.options };
        break;
      default: {
        const option = word.toLowerCase();
        if (values[0] !== undefined && !section.options.has(option)) section.options.set(option, values[0]);
      }
    }
  }
}

/** One pattern fits, and none that begins with `!`. */
function matches(patterns: readonly string[], alias: string): boolean {
  const fits = (pattern: string) => fitting(pattern)(alias);
  if (patterns.some((pattern) => pattern.startsWith('!') && fits(pattern.slice(1)))) return false;
  return patterns.some((pattern) => !pattern.startsWith('!') && fits(pattern));
}
