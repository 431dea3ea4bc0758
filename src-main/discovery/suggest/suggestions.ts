// Hosts that this machine already has names for, gathered without calling any of them.
import { execFile } from 'node:child_process';
import { readFile, stat } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { Suggestion, Suggestions } from '../../../contract/model.ts';
import type { Clock } from '../clock.ts';
import { compareAddresses, normalAddress } from '../address.ts';
import { ownLinks } from '../own-addresses.ts';
import { SSH_PORT, type FleetHost } from '../neighbours.ts';
import { namesOfKnownHosts } from './known-hosts-names.ts';
import { askMdns, type MdnsOptions } from './mdns.ts';
import { addressesOfTable, neighbourCommand } from './neighbour-table.ts';
import { hostsOfSshConfig } from './ssh-config-hosts.ts';
import type { Named } from './suggestion.ts';

const run = promisify(execFile);
/** Larger files are no lists of hosts. */
const MOST_BYTES = 8_000_000;
/** More than anybody reads through. */
const MOST = 2000;

export interface SuggestOptions {
  /** Whose files; the user's own. */
  home?: string;
  fleet: () => Iterable<FleetHost & { uri?: string }>;
  clock: Clock;
  /** For tests. */
  mdnsTo?: MdnsOptions['to'];
  neighbourTable?: () => Promise<string>;
}

export async function suggest(
  { mdns = false }: { mdns?: boolean | undefined },
  options: SuggestOptions,
): Promise<Suggestions> {
  const { home = homedir(), clock, mdnsTo } = options;
  const notes: string[] = [];
  const trying = async (what: string, work: () => Promise<Named[]>): Promise<Named[]> => {
    try {
      return await work();
    } catch (error) {
      notes.push(`${what}: ${error instanceof Error ? error.message.split('\n')[0] : String(error)}.`);
      return [];
    }
  };
  const all = await Promise.all([
    trying('~/.ssh/config could not be read', () => hostsOfSshConfig(home)),
    trying('~/.ssh/known_hosts could not be read', async () =>
      namesOfKnownHosts((await textOf(join(home, '.ssh/known_hosts'))) ?? ''),
    ),
    trying('The neighbour table could not be read', async () =>
      addressesOfTable(await (options.neighbourTable ?? systemTable)()),
    ),
    mdns
      ? trying('The network could not be asked by mDNS', () =>
          askMdns({ clock, ...(mdnsTo ? { by: ['127.0.0.1'], to: mdnsTo } : { by: ownLinks() }) }),
        )
      : [],
  ]);
  const suggestions = merged(all.flat(), [...options.fleet()]);
  if (suggestions.length > MOST) notes.push(`Only the first ${MOST} of ${suggestions.length} are shown.`);
  return { suggestions: suggestions.slice(0, MOST), notes };
}

/** Null where it is not there. */
async function textOf(path: string): Promise<string | null> {
  try {
    const { size } = await stat(path);
    return size > MOST_BYTES ? null : await readFile(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw error;
  }
}

async function systemTable(): Promise<string> {
  const command = neighbourCommand(process.platform);
  if (!command) return '';
  try {
    const { stdout } = await run(command.file, command.args, { timeout: 3000, maxBuffer: MOST_BYTES });
    return stdout;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return '';
    throw error;
  }
}

/** One for each host, however many name it; what names it with more detail first. */
function merged(all: readonly Named[], fleet: readonly (FleetHost & { uri?: string })[]): Suggestion[] {
  const byHost = new Map<string, Suggestion>();
  const places = new Map<string, string>();
  for (const { name, host = name, port, user, addresses, from, uri } of all) {
    const keys = [name, host, ...addresses].map((one) => `${one.toLowerCase()} ${port}`);
    const key = keys.map((one) => places.get(one)).find((one) => one !== undefined) ?? keys[0]!;
    const known = byHost.get(key);
    for (const one of keys) places.set(one, key);
    if (known) {
      known.from = [...new Set([...known.from, from])];
      known.addresses = [...new Set([...known.addresses, ...addresses])];
      continue;
    }
    byHost.set(key, {
      name,
      port,
      ...(user !== undefined && { user }),
      addresses,
      from: [from],
      uri: uri ?? uriOf(host, port),
    });
  }
  const suggestions = [...byHost.values()];
  for (const one of suggestions) {
    const is = (host: FleetHost & { uri?: string }) =>
      (host.port === one.port && one.addresses.includes(normalAddress(host.address) ?? '')) ||
      (host.uri !== undefined && placeOf(host.uri) === placeOf(one.uri));
    const host = fleet.find(is);
    if (host) one.hostId = host.id;
  }
  return suggestions.sort((a, b) => rank(a) - rank(b) || byName(a.name, b.name));
}

/** Host and port of a URI, to compare by. */
function placeOf(uri: string): string {
  const [, host = '', port = SSH_PORT] = /^[^/]*\/\/(?:[^@/]*@)?(\[[^\]]*\]|[^:/]*)(?::(\d+))?/.exec(uri) ?? [];
  return `${host.toLowerCase()} ${port}`;
}

function rank({ from }: Suggestion): number {
  return from.includes('mDNS') ? 0 : from.includes('ssh_config') ? 1 : from.includes('known_hosts') ? 2 : 3;
}

function byName(a: string, b: string): number {
  const [one, two] = [normalAddress(a), normalAddress(b)];
  if (one !== null && two !== null) return compareAddresses(one, two);
  return a < b ? -1 : Number(a > b);
}

function uriOf(host: string, port: number): string {
  // Of a zone, only the `%` has to be written otherwise (RFC 6874).
  const place = host.includes(':') ? `[${host.replace('%', '%25')}]` : host;
  return `qemu+ssh://${place}${port === SSH_PORT ? '' : `:${port}`}/system`;
}
