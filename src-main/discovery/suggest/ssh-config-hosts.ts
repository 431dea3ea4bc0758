// The hosts that ~/.ssh/config names: aliases without wildcards, with what the configuration says of them.
import { join } from 'node:path';
import { readConfig, valuesFor, type ConfigEntry } from '../../ssh/config-files.ts';
import { normalAddress } from '../address.ts';
import { isHostName, type Named } from './suggestion.ts';

export async function hostsOfSshConfig(home: string): Promise<Named[]> {
  const folder = join(home, '.ssh');
  const entries = await readConfig(join(folder, 'config'), folder, home);
  return [...aliasesOf(entries)].map((alias) => {
    const values = valuesFor([entries], { host: alias, user: null, port: null });
    const host = values.get('hostname')?.[0]?.replaceAll('%h', alias) ?? alias;
    const address = normalAddress(host);
    const port = Number(values.get('port')?.[0] ?? 22);
    return {
      name: alias,
      host,
      port: Number.isInteger(port) && port >= 1 && port <= 65535 ? port : 22,
      user: values.get('user')?.[0],
      addresses: address === null ? [] : [address],
      from: 'ssh_config',
      // Whoever connects by the alias gets user, port, keys and jump hosts from the same place.
      uri: `qemu+ssh://${alias}/system`,
    };
  });
}

function aliasesOf(entries: readonly ConfigEntry[], found = new Set<string>()): Set<string> {
  for (const { keyword, words, entries: under } of entries) {
    if (keyword === 'host') for (const word of words) if (isHostName(word)) found.add(word);
    aliasesOf(under, found);
  }
  return found;
}
