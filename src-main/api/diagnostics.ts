// What an admin can send to who helps: how Drover does and what went wrong, without a name, an address or a secret.
import { isIPv6 } from 'node:net';
import type { Diagnostics, HostView, MigrationView } from '../../contract/model.ts';

/** How many lines of the log are kept, and how many migrations are told. */
const lines = 400;
const migrationsTold = 50;
/** Shorter than this, a name stands in too many words to be replaced in them. */
const shortest = 2;

const leftOut = [
  'names, addresses and users of the hosts that are known now: “host-1”, “host-2”…, here and in every message',
  'names and UUIDs of their VMs and of the migrations: “vm-1”, “vm-2”…, where a message names one',
  'not left out: names of jump hosts, of hosts and VMs that are gone, of pools and files; read it before you send it',
  'keys, passwords, passphrases, tokens: none of them is ever logged',
  'what consoles show, and the XML of VMs',
];

/** The last lines that were logged. */
export class LogTail {
  #lines: string[] = [];

  add(line: string): void {
    this.#lines.push(`${new Date().toISOString()} ${line.slice(0, 2_000)}`);
    if (this.#lines.length > 2 * lines) this.#lines = this.#lines.slice(-lines);
  }

  get all(): string[] {
    return this.#lines.slice(-lines);
  }
}

export interface DiagnosticsOptions {
  version: string;
  uptimeMs: number;
  hosts: readonly HostView[];
  /** Names and UUIDs of all VMs. */
  domains: readonly { hostId: string; name: string; uuid: string }[];
  migrations: readonly MigrationView[];
  log: readonly string[];
}

export function diagnostics({ version, uptimeMs, hosts, domains, migrations, log }: DiagnosticsOptions): Diagnostics {
  const alias = new Map(hosts.map(({ id }, at) => [id, `host-${at + 1}`]));
  const said = [
    ...log,
    ...hosts.map(({ error }) => error?.message ?? ''),
    ...migrations.flatMap(({ error, notices = [] }) => [error?.message ?? '', ...notices]),
  ];
  const blind = blinder(said.join('\n').toLowerCase(), [
    ...hosts.flatMap(({ id, label, uri, info }) => {
      const { hostname = '', username = '' } = URL.canParse(uri) ? new URL(uri) : {};
      const own = [id, label, hostname, info?.hostname ?? '', info?.uuid ?? ''];
      return [
        ...own.map((name): [string, string] => [name, alias.get(id) ?? 'host']),
        // Everybody is root somewhere; it tells nothing.
        ...(username && username !== 'root' ? [[username, 'user'] as [string, string]] : []),
      ];
    }),
    ...domains.flatMap(({ name, uuid }, at): [string, string][] => [
      [name, `vm-${at + 1}`],
      [uuid, `vm-${at + 1}`],
    ]),
    ...migrations.flatMap(({ name, uuid }, at): [string, string][] => [
      [name, `moved-vm-${at + 1}`],
      [uuid, `moved-vm-${at + 1}`],
    ]),
  ]);
  return {
    at: new Date().toISOString(),
    drover: version,
    node: process.versions.node,
    electron: process.versions['electron'] ?? null,
    platform: `${process.platform} ${process.arch}`,
    uptimeMs,
    memoryBytes: process.memoryUsage.rss(),
    hosts: hosts.map(({ id, uri, state, error, info, connections, domains: counts }) => ({
      name: alias.get(id) ?? id,
      // Of its URI, how it is connected to and nothing of where.
      scheme: uri.split(':')[0] ?? '',
      state,
      error: error && { code: error.code, message: blind(error.message) },
      connections,
      domains: counts,
      info: info && {
        hypervisor: info.hypervisor,
        hypervisorVersion: info.hypervisorVersion,
        libvirtVersion: info.libvirtVersion,
        arch: info.arch,
        cpus: info.cpus,
        memoryKiB: info.memoryKiB,
      },
    })),
    migrations: migrations.slice(0, migrationsTold).map((migration) => ({
      from: alias.get(migration.from) ?? 'a host',
      to: alias.get(migration.to) ?? 'a host',
      mode: migration.options.mode,
      transport: migration.options.transport,
      storage: migration.options.storage,
      state: migration.state,
      phase: migration.phase,
      startedAt: migration.startedAt,
      endedAt: migration.endedAt,
      error: migration.error && { code: migration.error.code, message: blind(migration.error.message) },
      notices: (migration.notices ?? []).map(blind),
    })),
    log: log.map(blind),
    leftOut,
  };
}

/**
 * Replaces names by their aliases wherever they stand as words, and every address there is.
 * @param all what will be asked for, in lower case: of 20,000 names only those in it are looked for in each text
 */
function blinder(all: string, names: readonly (readonly [name: string, alias: string])[]): (text: string) => string {
  // The first alias of a name holds, and the longest name goes first: a name may be a part of another.
  const aliases = new Map<string, string>();
  for (const [name, alias] of names) {
    const key = name.toLowerCase();
    if (name.length >= shortest && !aliases.has(key) && all.includes(key)) aliases.set(key, alias);
  }
  const sorted = [...aliases.keys()].sort((a, b) => b.length - a.length);
  const known =
    sorted.length === 0
      ? null
      : new RegExp(`(?<![\\p{L}\\p{N}])(?:${sorted.map(escape).join('|')})(?![\\p{L}\\p{N}])`, 'giu');
  return (text) => {
    const named = known ? text.replace(known, (name) => aliases.get(name.toLowerCase()) ?? 'name') : text;
    return named
      .replace(/\b\d{1,3}(?:\.\d{1,3}){3}\b/g, 'address')
      .replace(/[\da-f:]*:[\da-f:.]+/gi, (found) => (isIPv6(found) ? 'address' : found))
      .replace(/\bSHA256:[\w+/]{43}=?/g, 'fingerprint')
      .replace(/\/(?:home|Users)\/[^/\s:]+/g, '/home/user')
      .replace(/\\Users\\[^\\\s:]+/g, '\\Users\\user');
  };
}

const escape = (text: string) => text.replace(/[.*+?^${}()|[\]\\/]/g, '\\$&');
