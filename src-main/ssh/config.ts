// OpenSSH's configuration for one host: asked of ssh itself where it is there, else read from the same files.
import { execFile } from 'node:child_process';
import { isIP, isIPv6, SocketAddress } from 'node:net';
import { homedir, userInfo } from 'node:os';
import { dirname, join } from 'node:path';
import {
  keywordOf,
  mentioned,
  readConfig,
  unread,
  valuesFor,
  type ConfigQuery,
  type ConfigValues,
} from './config-files.ts';
import { expandPath, expandTokens, type TokenValues } from './config-tokens.ts';
import { SshError, printable } from './error.ts';
import { asPipe, systemAgent, systemFile } from './places.ts';

/** What the configuration says of a host. Undefined: nothing, so Drover's own default holds. */
export interface HostConfig {
  /** The name or address to connect to. */
  hostName: string;
  port: number;
  user: string;
  identityFiles?: string[];
  identitiesOnly: boolean;
  /** The agent's socket; null: none. */
  identityAgent?: string | null;
  /** Hosts to go through, the nearest first: `user@host:port`. */
  proxyJump: string[];
  /** For a shell, its tokens expanded. */
  proxyCommand?: string;
  /** The command as it is written: the same for all hosts that are reached by it. */
  proxyCommandName?: string;
  userKnownHostsFiles?: string[];
  globalKnownHostsFiles?: string[];
  strictHostKeyChecking: 'ask' | 'yes' | 'accept-new' | 'no';
  hashKnownHosts: boolean;
  /** As it is written. */
  knownHostsCommand?: string;
  /** The name that keys are known by, without a port. */
  hostKeyAlias?: string;
  serverAliveIntervalMs?: number;
  serverAliveCount?: number;
  connectTimeoutMs?: number;
  ciphers?: string[];
  kex?: string[];
  macs?: string[];
  hostKeyAlgorithms?: string[];
  /** What keys may sign by that log in. */
  keyAlgorithms?: string[];
  /** Ways to log in, in their order, where they are not the usual ones. */
  methods?: LoginMethod[];
  family?: 4 | 6;
  /** The address of this machine to connect from. */
  from?: string;
  /** No key is asked of what answers on this machine itself, as at the near end of a tunnel. */
  anyKeyOfLocalhost: boolean;
  certificateFiles?: string[];
  /** What else is set that only OpenSSH's client does, by its keyword. */
  onlySsh?: string[];
  gssapi?: boolean;
}

export type LoginMethod = 'publickey' | 'keyboard-interactive' | 'password';

export interface ConfigSources {
  /** Default: `~/.ssh/config`. */
  user?: string;
  /** Default: the system's, e.g. `/etc/ssh/ssh_config`. */
  system?: string;
  /** Default: the user's home folder. */
  home?: string;
  /** OpenSSH's client; null: the files are read without it. */
  program?: string | null;
}

/** Taken from ssh, its defaults too, where a file is included that only ssh can find. */
const unseen = new Set([
  ...['identityfile', 'identitiesonly', 'identityagent', 'userknownhostsfile', 'globalknownhostsfile'],
  ...['stricthostkeychecking', 'hostkeyalias', 'addressfamily', 'gssapiauthentication', 'hostbasedauthentication'],
  ...['pubkeyauthentication', 'passwordauthentication', 'kbdinteractiveauthentication', 'preferredauthentications'],
  ...['bindaddress', 'bindinterface', 'knownhostscommand', 'proxyusefdpass', 'nohostauthenticationforlocalhost'],
  'verifyhostkeydns',
]);
/** What changes how Drover connects. Where none of it is in any file, ssh need not be asked. */
const telling = new Set([
  ...unseen,
  ...['hostname', 'user', 'port', 'proxyjump', 'proxycommand', 'serveraliveinterval', 'serveralivecountmax'],
  ...['connecttimeout', 'ciphers', 'kexalgorithms', 'macs', 'hostkeyalgorithms', 'pubkeyacceptedalgorithms'],
  ...['canonicalizehostname', 'certificatefile', 'pkcs11provider', 'securitykeyprovider', 'revokedhostkeys'],
]);
/** ssh has no default of its own for these, or its default is what is wanted. */
const trusted = new Set([
  'hostname',
  'user',
  'port',
  'revokedhostkeys',
  'proxyjump',
  'proxycommand',
  'certificatefile',
]);
const askingMs = 10_000;

/** The configuration of the user that runs Drover. Files are read anew for each connection, as ssh does. */
export class SshConfig {
  readonly #user: string;
  readonly #system: string;
  readonly #home: string;
  readonly #program: string | null;
  /** ssh takes its files from where the user database says, so others are named to it. */
  readonly #named: boolean;

  constructor(sources: ConfigSources = {}) {
    this.#home = sources.home ?? homedir();
    this.#user = sources.user ?? join(this.#home, '.ssh/config');
    this.#system = sources.system ?? systemFile('ssh_config');
    this.#program = sources.program === undefined ? 'ssh' : sources.program;
    this.#named = this.#user !== join(userInfo().homedir, '.ssh/config') || sources.system !== undefined;
  }

  /** OpenSSH's client, and what leads it to the same files; null: there is none, or it is not to be used. */
  get client(): { program: string; files: string[] } | null {
    return this.#program === null ? null : { program: this.#program, files: this.#named ? ['-F', this.#user] : [] };
  }

  /** @throws SshError `misconfigured` where ssh would not go on either */
  async of(query: ConfigQuery): Promise<HostConfig> {
    const files = await Promise.all([
      readConfig(this.#user, dirname(this.#user), this.#home),
      readConfig(this.#system, dirname(this.#system), this.#home),
    ]);
    const words = files.reduce((found, entries) => mentioned(entries, found), new Set<string>());
    const tells = words.has(unread) || [...words].some((word) => telling.has(word));
    // A file that is named to ssh has to be there.
    const asked = tells && !(this.#named && files[0].length === 0) ? await this.#ask(query) : null;
    const values = asked ?? valuesFor(files, query);
    if (asked) keepApart(asked, () => valuesFor(files, query));
    // ssh answers with its own defaults for the rest: ours may differ, where its ciphers are more than we have.
    for (const keyword of values.keys()) {
      const told = words.has(keyword) || trusted.has(keyword) || (words.has(unread) && unseen.has(keyword));
      if (!told) values.delete(keyword);
    }
    try {
      return interpret(values, query, this.#home);
    } catch (error) {
      throw misconfigured(query.host, error instanceof Error ? error.message : String(error));
    }
  }

  /** Null where there is no ssh. */
  async #ask({ host, user, port }: ConfigQuery): Promise<ConfigValues | null> {
    const program = this.#program;
    if (program === null) return null;
    const argv = [
      ...['-G', '-T', '-N'], // no command: one that is configured would be too many, and none too few to fork with
      ...(this.#named ? ['-F', this.#user] : []),
      ...(user === null ? [] : ['-l', user]),
      ...(port === null ? [] : ['-p', String(port)]),
      ...['--', host],
    ];
    return new Promise((resolve, reject) => {
      const child = execFile(program, argv, { timeout: askingMs, maxBuffer: 1 << 20 }, (error, stdout, stderr) => {
        if (!error) resolve(answered(stdout));
        else if (error.code === 'ENOENT' || error.code === 'EACCES') resolve(null);
        else reject(misconfigured(host, stderr.trim() || (error.killed ? 'ssh -G did not answer' : error.message)));
      });
      child.stdin?.end();
    });
  }
}

/** Of several paths ssh tells only all of them, with blanks between; where one has blanks itself, the files tell. */
function keepApart(asked: ConfigValues, read: () => ConfigValues): void {
  for (const keyword of ['userknownhostsfile', 'globalknownhostsfile']) {
    const [said = ''] = asked.get(keyword) ?? [];
    if (!said.includes(' ')) continue;
    const [own = ''] = read().get(keyword) ?? [];
    if (own.replaceAll('\0', ' ') === said) asked.set(keyword, [own]);
  }
}

/** `keyword value` in each line. */
function answered(said: string): ConfigValues {
  const values: ConfigValues = new Map();
  for (const line of said.split('\n')) {
    const at = line.indexOf(' ');
    if (at < 0) continue;
    const keyword = keywordOf(line.slice(0, at));
    values.set(keyword, [...(values.get(keyword) ?? []), line.slice(at + 1)]);
  }
  return values;
}

function misconfigured(host: string, said: string): SshError {
  const message = `OpenSSH’s configuration cannot be used for ${host} (${printable(said, 300).replace(/\.$/, '')}). Mend it; “ssh -G ${host}” says whether it is right.`;
  return new SshError('misconfigured', 'connect', message);
}

/** @throws RangeError for a value that cannot be meant */
export function interpret(values: ConfigValues, query: ConfigQuery, home: string): HostConfig {
  const one = (keyword: string) => values.get(keyword)?.[0];
  const unlessNone = (keyword: string) => {
    const value = one(keyword);
    return value === undefined || value === '' || value.toLowerCase() === 'none' ? undefined : value;
  };
  const user = one('user') ?? userInfo().username;
  const port = number(one('port')) ?? 22;
  const hostName = numeric(
    (one('hostname') ?? '%h').replace(/%([%h])/g, (_, token) => (token === 'h' ? query.host : '%')).toLowerCase(),
  );
  const alias = unlessNone('hostkeyalias')?.toLowerCase();
  const jump = unlessNone('proxyjump') ?? '';
  const tokens: TokenValues = { host: hostName, asked: query.host, port, user, home, alias: alias ?? null, jump };
  const paths = (keyword: string) =>
    one(keyword)
      ?.split(one(keyword)?.includes('\0') ? '\0' : /\s+/)
      .filter((path) => path !== '')
      .map((path) => expandPath(path, tokens))
      .filter((path) => path.toLowerCase() !== 'none');
  const aliveMs = (number(one('serveraliveinterval')) ?? 0) * 1000;
  const family = one('addressfamily');
  const command = unlessNone('proxycommand');
  return defined({
    hostName,
    port,
    user,
    identityFiles: identityFiles(values.get('identityfile'), tokens),
    identitiesOnly: yes(one('identitiesonly')),
    identityAgent: agentOf(one('identityagent'), tokens),
    proxyJump: jump === '' ? [] : jump.split(',').map((hop) => expandHop(hop.trim(), tokens)),
    proxyCommand: command === undefined ? undefined : expandCommand(command, tokens),
    proxyCommandName: command,
    userKnownHostsFiles: paths('userknownhostsfile'),
    globalKnownHostsFiles: paths('globalknownhostsfile'),
    strictHostKeyChecking: strictness(one('stricthostkeychecking')),
    hashKnownHosts: yes(one('hashknownhosts')),
    knownHostsCommand: unlessNone('knownhostscommand'),
    hostKeyAlias: alias,
    serverAliveIntervalMs: aliveMs || undefined,
    serverAliveCount: aliveMs > 0 ? (number(one('serveralivecountmax')) ?? 3) : undefined,
    connectTimeoutMs: (number(unlessNone('connecttimeout')) ?? 0) * 1000 || undefined,
    ciphers: list(one('ciphers')),
    kex: list(one('kexalgorithms')),
    macs: list(one('macs')),
    hostKeyAlgorithms: list(one('hostkeyalgorithms')),
    keyAlgorithms: list(one('pubkeyacceptedalgorithms')),
    methods: methods(one),
    family: family === 'inet' ? 4 : family === 'inet6' ? 6 : undefined,
    from: isIP(one('bindaddress') ?? '') ? one('bindaddress') : undefined,
    anyKeyOfLocalhost: yes(one('nohostauthenticationforlocalhost')),
    certificateFiles: values
      .get('certificatefile')
      ?.filter((path) => path.toLowerCase() !== 'none')
      .map((path) => expandPath(path, tokens)),
    onlySsh: onlySsh(values),
    gssapi: yes(one('gssapiauthentication')),
  });
}

function onlySsh(values: ConfigValues): string[] {
  const found: string[] = [];
  const set = (keyword: string, unless: RegExp) => {
    const value = values.get(keyword)?.[0];
    return value !== undefined && value !== '' && !unless.test(value);
  };
  if (set('pkcs11provider', /^none$/i)) found.push('PKCS11Provider');
  if (set('securitykeyprovider', /^(internal|none)$/i)) found.push('SecurityKeyProvider');
  if (set('hostbasedauthentication', /^no$/i)) found.push('HostbasedAuthentication');
  if (set('revokedhostkeys', /^none$/i)) found.push('RevokedHostKeys');
  if (set('knownhostscommand', /^none$/i)) found.push('KnownHostsCommand');
  if (set('verifyhostkeydns', /^(no|false|ask)$/i)) found.push('VerifyHostKeyDNS');
  if (set('bindinterface', /^none$/i)) found.push('BindInterface');
  const from = values.get('bindaddress')?.[0] ?? '';
  if (from !== '' && from !== '*' && !isIP(from)) found.push('BindAddress'); // a name, which only ssh looks up
  if (set('proxycommand', /^none$/i) && yes(values.get('proxyusefdpass')?.[0])) found.push('ProxyUseFdpass');
  return found;
}

/** In ssh's own order. */
export const everyMethod: LoginMethod[] = ['publickey', 'keyboard-interactive', 'password'];

/** Undefined: the usual ones. */
function methods(one: (keyword: string) => string | undefined): LoginMethod[] | undefined {
  const off = new Map([
    ['publickey', one('pubkeyauthentication')],
    ['keyboard-interactive', one('kbdinteractiveauthentication')],
    ['password', one('passwordauthentication')],
  ]);
  const wanted = one('preferredauthentications')
    ?.split(',')
    .map((name) => name.trim());
  const known = (wanted ?? everyMethod).filter((name): name is LoginMethod => everyMethod.includes(name as never));
  const left = known.filter((name) => !/^(no|false)$/i.test(off.get(name) ?? ''));
  return left.join() === everyMethod.join() ? undefined : left;
}

/** What is not known is left out. */
function defined<T extends object>(object: { [K in keyof T]: T[K] | undefined }): T {
  return Object.fromEntries(Object.entries(object).filter(([, value]) => value !== undefined)) as T;
}

/** ssh's own usual files are ours too; they are not complained of when they are missing. */
const usual = /^~\/\.ssh\/id_(?:rsa|dsa|ecdsa|ecdsa_sk|ed25519|ed25519_sk|xmss)$/;

function identityFiles(given: string[] | undefined, tokens: TokenValues): string[] | undefined {
  if (!given || given.every((path) => usual.test(path))) return undefined;
  return given.filter((path) => path.toLowerCase() !== 'none').map((path) => expandPath(path, tokens));
}

function agentOf(given: string | undefined, tokens: TokenValues): string | null | undefined {
  if (given === undefined) return undefined;
  if (given.toLowerCase() === 'none') return null;
  if (given === 'SSH_AUTH_SOCK') return systemAgent();
  const variable = /^\$(\w+)$/.exec(given)?.[1];
  return variable === undefined ? asPipe(expandPath(given, tokens)) : process.env[variable] || null;
}

/** A shell is to read it, so nothing that a URI brought in may mean anything to a shell. */
function expandCommand(command: string, tokens: TokenValues): string {
  const shellSigns = /[^\p{L}\p{N}._:@%+/-]|^-/u;
  for (const value of [tokens.host, tokens.asked, tokens.user, ...(tokens.alias === null ? [] : [tokens.alias])]) {
    if (shellSigns.test(value))
      throw new RangeError(`“${value}” would mean something to the shell that runs ProxyCommand`);
  }
  return expandTokens(command, tokens);
}

/** As with ssh, which makes a command of it: `%%` before the zone of an address is one sign. */
function expandHop(hop: string, tokens: TokenValues): string {
  try {
    return expandTokens(hop, tokens);
  } catch {
    return hop; // a zone that is written plainly
  }
}

/** Keys of an address are known by its shortest form, however it was written. */
function numeric(hostName: string): string {
  const [address = '', zone] = hostName.split('%');
  if (!isIPv6(address)) return hostName;
  const short = new SocketAddress({ address, family: 'ipv6' }).address;
  return zone === undefined ? short : `${short}%${zone}`;
}

function strictness(given: string | undefined): HostConfig['strictHostKeyChecking'] {
  switch (given?.toLowerCase()) {
    case 'yes':
    case 'true':
      return 'yes';
    case 'accept-new':
      return 'accept-new';
    case 'no':
    case 'off':
    case 'false':
      return 'no';
    default:
      return 'ask';
  }
}

const yes = (given: string | undefined) => given !== undefined && /^(yes|true)$/i.test(given);

/** Seconds, or a count; OpenSSH's `1m30s` too. */
function number(given: string | undefined): number | undefined {
  if (given === undefined) return undefined;
  const units = { s: 1, m: 60, h: 3600, d: 86_400, w: 604_800 };
  let sum = 0;
  for (const [, digits, unit = 's'] of given.toLowerCase().matchAll(/(\d+)([smhdw]?)/g)) {
    sum += Number(digits) * units[(unit || 's') as keyof typeof units];
  }
  if (!/^\d[\dsmhdw]*$/i.test(given)) throw new RangeError(`“${printable(given, 40)}” is no number`);
  return sum;
}

/** A plain list. One that adds to ssh's defaults (`+`, `-`, `^`) only ssh can complete. */
const list = (given: string | undefined) =>
  given === undefined || /^[+^-]/.test(given) ? undefined : given.split(',').map((name) => name.trim());
