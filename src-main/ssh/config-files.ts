// OpenSSH's configuration files, read as ssh reads them: the first value found for a keyword is the one that counts.
import { readFile, readdir } from 'node:fs/promises';
import { userInfo } from 'node:os';
import { basename, dirname, isAbsolute, join } from 'node:path';
import { glob } from './glob.ts';

/** A keyword in lower case, with its words. */
export interface ConfigEntry {
  keyword: string;
  words: string[];
  /** All of the value, as it stands there: what a command is taken from. */
  text: string;
  /** What a `Host` or `Match` line, or an `Include`, has under it. */
  entries: ConfigEntry[];
}

/** What a host is asked for by. */
export interface ConfigQuery {
  host: string;
  /** Null: not given beside the configuration. */
  user: string | null;
  port: number | null;
}

/** Keyword to values, the first one the one that counts; only `identityfile` and `certificatefile` have several. */
export type ConfigValues = Map<string, string[]>;

/** Tools write files for thousands of hosts. */
const fileLimit = 1 << 24;
const includeDepth = 16;
const several = new Set(['identityfile', 'certificatefile']);

/** A file with all that it includes. One that is not there says nothing. @param folder What included paths start from. */
export async function readConfig(path: string, folder: string, home: string, depth = 0): Promise<ConfigEntry[]> {
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch {
    return [];
  }
  const entries = parseConfig(text);
  await include(entries, folder, home, depth);
  return entries;
}

/** The entries of one text; an `Include` is not followed. */
export function parseConfig(text: string): ConfigEntry[] {
  if (text.length > fileLimit) return [];
  const top: ConfigEntry[] = [];
  let under = top;
  // Line by line, so that one that is malformed spoils no other; ssh itself says what is wrong with it.
  for (const line of text.split(/\r?\n/)) {
    const entry = entryOf(line) ?? unreadable(line);
    if (!entry) continue;
    if (entry.keyword === 'host' || entry.keyword === 'match') {
      top.push(entry);
      under = entry.entries;
    } else under.push(entry);
  }
  return top;
}

/** A `Host` or `Match` that cannot be read is for nobody: what stands under it is not for whoever was named before. */
function unreadable(line: string): ConfigEntry | null {
  const opens = /^[\s\uFEFF]*"?(host|match)\b/i.test(line);
  return opens ? { keyword: 'host', words: [], text: '', entries: [] } : null;
}

/** Keywords that have another name now: older files, and an older ssh, know them by these. */
const renamed = new Map([
  ['pubkeyacceptedkeytypes', 'pubkeyacceptedalgorithms'],
  ['challengeresponseauthentication', 'kbdinteractiveauthentication'],
  ['skeyauthentication', 'kbdinteractiveauthentication'],
  ['tisauthentication', 'kbdinteractiveauthentication'],
  ['dsaauthentication', 'pubkeyauthentication'],
  ['smartcarddevice', 'pkcs11provider'],
]);

/** In lower case, and by the name that it has today. */
export function keywordOf(written: string): string {
  const keyword = written.toLowerCase();
  return renamed.get(keyword) ?? keyword;
}

/** `Keyword value`, or `Keyword=value`; only the sign between the two is no part of the value. */
function entryOf(line: string): ConfigEntry | null {
  const [, inQuotes, plain = '', rest = ''] =
    /^[\s\uFEFF]*(?:"([^"]+)"|([^\s=#"]+))(?:\s*=\s*|\s+)(\S.*)$/.exec(line.trimEnd()) ?? [];
  const keyword = inQuotes ?? plain;
  const words = keyword === '' ? null : wordsOf(rest);
  if (words === null || words.length === 0) return null;
  return { keyword: keywordOf(keyword), words, text: rest, entries: [] };
}

/** As ssh splits a line: quotes of both kinds, a backslash before a quote, another or a blank. Null: a quote is open. */
function wordsOf(text: string): string[] | null {
  const words: string[] = [];
  let word: string | null = null;
  let quote = '';
  for (let at = 0; at < text.length; at += 1) {
    const sign = text.charAt(at);
    const next = text.charAt(at + 1);
    if (sign === '\\' && next !== '' && (`"'\\`.includes(next) || (quote === '' && next === ' '))) {
      word = (word ?? '') + next;
      at += 1;
    } else if (quote === '' && (sign === ' ' || sign === '\t')) {
      if (word !== null) words.push(word);
      word = null;
    } else if (quote === '' && word === null && sign === '#') break;
    else if (quote === '' && (sign === '"' || sign === "'")) {
      quote = sign;
      word ??= '';
    } else if (sign === quote) quote = '';
    else word = (word ?? '') + sign;
  }
  if (quote !== '') return null;
  if (word !== null) words.push(word);
  return words;
}

async function include(entries: ConfigEntry[], folder: string, home: string, depth: number): Promise<void> {
  for (const entry of entries) {
    if (entry.keyword === 'include' && depth < includeDepth) {
      for (const word of entry.words) {
        const named = word.startsWith('~/') ? join(home, word.slice(1)) : word;
        for (const path of await matching(isAbsolute(named) ? named : join(folder, named))) {
          entry.entries.push(...(await readConfig(path, folder, home, depth + 1)));
        }
      }
    } else await include(entry.entries, folder, home, depth);
  }
}

/** The paths that a pattern stands for, in order. */
async function matching(pattern: string): Promise<string[]> {
  if (!/[*?]/.test(pattern)) return [pattern];
  const last = basename(pattern);
  const found: string[] = [];
  for (const folder of await matching(dirname(pattern))) {
    const names = await readdir(folder).catch(() => []);
    for (const name of names.sort()) {
      if (glob(last, name) && name.startsWith('.') === last.startsWith('.')) found.push(join(folder, name));
    }
  }
  return found;
}

/** Stands for what is in files whose names only ssh can tell. */
export const unread = '?';

/** The keywords that stand anywhere, whichever hosts they are for. */
export function mentioned(entries: ConfigEntry[], found = new Set<string>()): Set<string> {
  for (const { keyword, words, entries: under } of entries) {
    found.add(keyword);
    if (keyword === 'include' && words.some((word) => /[[$%]|^~[^/]/.test(word))) found.add(unread);
    mentioned(under, found);
  }
  return found;
}

/** What the files say of one host. `Match exec` never matches: nothing is run. */
export function valuesFor(files: ConfigEntry[][], query: ConfigQuery): ConfigValues {
  const values: ConfigValues = new Map();
  if (query.user !== null) values.set('user', [query.user]);
  if (query.port !== null) values.set('port', [String(query.port)]);
  const state = { values, host: query.host, final: false, again: false };
  for (const entries of files) walk(entries, state);
  if (state.again) {
    // A `Match final` was there: once more, by the name that the first pass came to.
    values.set('hostname', [nameOf(state).toLowerCase()]);
    state.final = true;
    for (const entries of files) walk(entries, state);
  }
  return values;
}

interface Walk {
  values: ConfigValues;
  host: string;
  final: boolean;
  again: boolean;
}

function walk(entries: ConfigEntry[], state: Walk): void {
  for (const entry of entries) {
    switch (entry.keyword) {
      case 'host':
        if (anyOf(entry.words, state.final ? nameOf(state) : state.host)) walk(entry.entries, state);
        break;
      case 'match':
        if (matches(entry.words, state)) walk(entry.entries, state);
        break;
      case 'include':
        walk(entry.entries, state);
        break;
      default:
        take(entry, state.values);
    }
  }
}

function take({ keyword, words, text }: ConfigEntry, values: ConfigValues): void {
  // Words that hold blanks stay apart.
  const joint = words.some((word) => word.includes(' ')) && words.length > 1 ? '\0' : ' ';
  const value = keyword === 'proxycommand' ? text : words.join(joint);
  const held = values.get(keyword);
  // Of ProxyJump and ProxyCommand the one that stands first wins; ProxyJump none is no jump.
  if (keyword === 'proxyjump' && values.has('proxycommand')) return;
  if (keyword === 'proxycommand' && (values.get('proxyjump') ?? ['none'])[0]?.toLowerCase() !== 'none') return;
  if (!held) values.set(keyword, [value]);
  else if (several.has(keyword) && !held.includes(value)) held.push(value);
}

/** `HostName` as far as it is known. */
const nameOf = ({ values, host }: Walk) =>
  (values.get('hostname')?.[0] ?? host).replaceAll('%h', host).replaceAll('%%', '%');

const known = new Set(['all', 'final', 'canonical', 'host', 'originalhost', 'user', 'localuser']);

function matches(words: string[], state: Walk): boolean {
  const rest = [...words];
  let all = rest.length > 0;
  for (let word = rest.shift(); word !== undefined; word = rest.shift()) {
    const not = word.startsWith('!');
    const [criterion = '', inWord] = (not ? word.slice(1) : word).toLowerCase().split('=', 2);
    const alone = ['all', 'canonical', 'final'].includes(criterion);
    const patterns = alone ? [] : (inWord ?? rest.shift() ?? '').split(',');
    // Of a command, a network or a tag nothing is known here: neither that it is so, nor that it is not.
    all &&= known.has(criterion) && fulfils(criterion, patterns, state) !== not;
  }
  return all;
}

function fulfils(criterion: string, patterns: string[], state: Walk): boolean {
  switch (criterion) {
    case 'all':
      return true;
    case 'final':
      state.again = true;
      return state.final;
    case 'canonical':
      return state.final; // it asks for no second pass, and counts in one
    case 'host':
      return anyOf(lower(patterns), nameOf(state).toLowerCase());
    case 'originalhost':
      return anyOf(lower(patterns), state.host.toLowerCase());
    case 'user':
      return anyOf(patterns, state.values.get('user')?.[0] ?? userInfo().username);
    case 'localuser':
      return anyOf(patterns, userInfo().username);
    default:
      return false;
  }
}

const lower = (patterns: string[]) => patterns.map((pattern) => pattern.toLowerCase());

/** As in known_hosts: one that is negated and matches rules the name out. */
export function anyOf(patterns: string[], name: string): boolean {
  let matched = false;
  for (const pattern of patterns) {
    if (pattern.startsWith('!')) {
      if (glob(pattern.slice(1), name)) return false;
    } else matched ||= glob(pattern, name);
  }
  return matched;
}
