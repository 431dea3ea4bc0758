// Which host keys are trusted: the user's and the system's known_hosts, and a file of our own that is written.
import { createHmac, randomBytes } from 'node:crypto';
import { mkdir, readFile, stat } from 'node:fs/promises';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';
import { replaceFile } from '../files/replace-file.ts';
import { glob } from './glob.ts';
import { keyType, type HostKeyStatus } from './host-key.ts';
import { systemFile } from './places.ts';

export interface KnownHostsFiles {
  /** Read and written. */
  own: string;
  /** Read only, of the user. */
  user: string[];
  /** Read only, of the machine. */
  system: string[];
}

/** Files to read in place of the usual ones. */
type Instead = Partial<Omit<KnownHostsFiles, 'own'>>;

/** `[marker] names type base64 [comment]` */
interface Line {
  marker: 'revoked' | 'cert-authority' | null;
  names: string;
  type: string;
  base64: string;
  /** `path:number` */
  where: string;
}

export interface HostKeyVerdict {
  status: HostKeyStatus;
  /** The lines that decided, as `path:number`. */
  where: string[];
}

/** What is known of one host at one moment. */
export class KeysOfHost {
  readonly #lines: Line[];
  /** For a port of its own: what is known of the host without it, which OpenSSH takes too. */
  readonly #portless: KeysOfHost | null;

  constructor(lines: Line[], portless: KeysOfHost | null) {
    this.#lines = lines;
    this.#portless = portless;
  }

  /** The types of the known keys: ask for these first, so that a known key is what the host shows. */
  get types(): string[] {
    const own = this.#lines.filter((line) => line.marker === null).map((line) => line.type);
    return [...new Set([...own, ...(this.#portless?.types ?? [])])];
  }

  /** Whether there is an authority that may sign keys of this host. */
  get byAuthority(): boolean {
    return this.#lines.some((line) => line.marker === 'cert-authority') || (this.#portless?.byAuthority ?? false);
  }

  /**
   * A key of another type than the known ones counts as changed, not as unknown: known types are asked for
   * first, so a host that shows another one has lost its key, or is not the host.
   */
  check(key: Buffer): HostKeyVerdict {
    const base64 = key.toString('base64');
    const is = (line: Line) => unpadded(line.base64) === unpadded(base64);
    const revoked = this.#lines.filter((line) => line.marker === 'revoked' && is(line));
    if (revoked.length > 0) return { status: 'revoked', where: revoked.map((line) => line.where) };
    const plain = this.#lines.filter((line) => line.marker === null);
    const same = plain.filter(is);
    if (same.length > 0) return { status: 'trusted', where: same.map((line) => line.where) };
    if (plain.length > 0) return { status: 'changed', where: plain.map((line) => line.where) };
    const portless = this.#portless?.check(key);
    if (portless && (portless.status === 'trusted' || portless.status === 'revoked')) return portless;
    return { status: 'unknown', where: [] };
  }
}

export class KnownHosts {
  readonly #files: KnownHostsFiles;
  /** Parsed files, each good for as long as the file on disk looks the same. */
  readonly #parsed = new Map<string, { stamp: string; lines: Line[] }>();
  #writing: Promise<unknown> = Promise.resolve();

  constructor(files: KnownHostsFiles) {
    this.#files = files;
  }

  /** The user's and the system's files where OpenSSH has them, with `own` beside them. */
  static beside(own: string, home = homedir()): KnownHosts {
    return new KnownHosts({
      own,
      user: [join(home, '.ssh/known_hosts'), join(home, '.ssh/known_hosts2')],
      system: ['ssh_known_hosts', 'ssh_known_hosts2'].map((name) => systemFile(name)),
    });
  }

  /** @param instead Read instead of the user's, and the system's, files. */
  async of(host: string, port: number, instead: Instead = {}): Promise<KeysOfHost> {
    const { own, user, system } = { ...this.#files, ...instead };
    const files = [own, ...user, ...system];
    const lines = (await Promise.all(files.map((path) => this.#read(path)))).flat();
    const find = (name: string) => {
      const hashes = new Map<string, boolean>();
      return lines.filter((line) => matches(line.names, name, hashes));
    };
    const named = nameOf(host, port);
    return new KeysOfHost(find(named), port === 22 ? null : new KeysOfHost(find(nameOf(host, 22)), null));
  }

  /** Where it is read from. @param instead As for `of`. */
  files(instead: Instead = {}): { user: string[]; system: string[] } {
    const { own, user, system } = { ...this.#files, ...instead };
    return { user: [own, ...user], system };
  }

  async lookup(host: string, port: number, key: Buffer, instead?: Instead): Promise<HostKeyStatus> {
    return (await this.of(host, port, instead)).check(key).status;
  }

  /**
   * Trusts a key from now on. `replace`: what our own file knew of this host before is forgotten. `hash`: written so
   * that the file does not tell which hosts there are.
   */
  pin(host: string, port: number, key: Buffer, options: { replace?: boolean; hash?: boolean } = {}): Promise<void> {
    const type = keyType(key);
    if (!type) return Promise.reject(new Error('what was to be pinned is no host key'));
    const name = nameOf(host, port);
    const base64 = key.toString('base64');
    return this.#change((lines) => {
      const kept = lines.filter((line) => {
        const parsed = parseLine(line, '');
        if (!parsed || !isOf(parsed, name) || parsed.marker !== null) return true;
        return !options.replace && parsed.base64 !== base64;
      });
      return [...kept, `${options.hash ? hashed(name) : name} ${type} ${base64}`];
    });
  }

  /** Takes what our own file knows of this host out of it. */
  forget(host: string, port: number): Promise<void> {
    const name = nameOf(host, port);
    return this.#change((lines) => lines.filter((line) => !isOf(parseLine(line, ''), name)));
  }

  /** One change after the other, each on what the one before wrote. */
  #change(change: (lines: string[]) => string[]): Promise<void> {
    const path = this.#files.own;
    const work = async () => {
      const text = await readIfThere(path);
      const lines = text.split('\n').filter((line) => line !== '');
      await mkdir(dirname(path), { recursive: true, mode: 0o700 });
      const changed = change(lines).map((line) => `${line}\n`);
      await replaceFile(path, changed.join(''));
    };
    const done = this.#writing.then(work, work);
    this.#writing = done.catch(() => undefined);
    return done;
  }

  async #read(path: string): Promise<Line[]> {
    let stamp: string;
    let text: string;
    try {
      const { ino, size, mtimeMs, ctimeMs } = await stat(path);
      stamp = [ino, size, mtimeMs, ctimeMs].join(' ');
      const held = this.#parsed.get(path);
      if (held?.stamp === stamp) return held.lines;
      text = await readFile(path, 'utf8');
    } catch {
      return []; // not there, or not ours to read: it says nothing
    }
    const lines: Line[] = [];
    let number = 0;
    for (const one of text.split('\n')) {
      number += 1;
      const line = parseLine(one, `${path}:${number}`);
      if (line) lines.push(line);
    }
    this.#parsed.set(path, { stamp, lines });
    return lines;
  }
}

/** Whether the line is of this host alone. */
function isOf(line: Line | null, name: string): boolean {
  if (line?.names.startsWith('|')) return matches(line.names, name, new Map());
  return line?.names === name;
}

function hashed(name: string): string {
  const salt = randomBytes(20);
  return `|1|${salt.toString('base64')}|${createHmac('sha1', salt).update(name).digest('base64')}`;
}

/** As known_hosts names a host: with the port only where it is not 22. */
function nameOf(host: string, port: number): string {
  const name = host.toLowerCase();
  return port === 22 ? name : `[${name}]:${port}`;
}

/** Null for a comment, an empty line, and what is malformed. */
export function parseLine(text: string, where: string): Line | null {
  const fields = text.trim().split(/[ \t]+/);
  let marker: Line['marker'] = null;
  if (fields[0]?.startsWith('@')) {
    const said = fields.shift();
    if (said !== '@revoked' && said !== '@cert-authority') return null;
    marker = said === '@revoked' ? 'revoked' : 'cert-authority';
  }
  const [names = '', type = '', base64 = ''] = fields;
  if (names === '' || names.startsWith('#') || base64 === '') return null;
  // The key says its own type once more: a line that was cut or mixed up shows here.
  if (!/^[A-Za-z0-9+/]+={0,2}$/.test(base64)) return null;
  if (keyType(Buffer.from(base64.slice(0, 96), 'base64')) !== type) return null;
  return { marker, names, type, base64, where };
}

/** @param hashes What was found out about hashed names already: files repeat them, one line a key. */
export function matches(names: string, name: string, hashes: Map<string, boolean>): boolean {
  if (names.startsWith('|')) {
    let matched = hashes.get(names);
    if (matched === undefined) {
      const [, version, salt = '', hash = ''] = names.split('|');
      matched =
        version === '1' && createHmac('sha1', Buffer.from(salt, 'base64')).update(name).digest('base64') === hash;
      hashes.set(names, matched);
    }
    return matched;
  }
  let matched = false;
  for (const pattern of names.toLowerCase().split(',')) {
    if (pattern.startsWith('!')) {
      if (glob(pattern.slice(1), name)) return false;
    } else if (!matched) matched = glob(pattern, name);
  }
  return matched;
}

const unpadded = (base64: string) => base64.replace(/=+$/, '');

async function readIfThere(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return '';
    throw error;
  }
}
