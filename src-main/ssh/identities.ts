// The keys that may be offered to a host: those of the agent and those in files, each once.
import { readFile, stat } from 'node:fs/promises';
import type { Socket } from 'node:net';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { glob } from './glob.ts';
import { keyType } from './host-key.ts';
import { fromPkcs8, isLockedPkcs8, isPkcs8 } from './key-formats.ts';
import { OpenSSHAgent, parseKey, type GetStreamCallback, type ParsedKey } from './ssh2.ts';

/** One key to offer. Its public half is known; its private half may be locked, or in the agent. */
export interface Identity {
  /** A file's path, or `agent`. */
  name: string;
  publicKey: ParsedKey;
  /** In a file behind a passphrase, and not in the agent. */
  locked: boolean;
  /** Signing takes neither a person nor much time, so it need not be asked for first. */
  quick?: boolean;
  sign(data: Buffer, hash: string | undefined, unlock: Unlock): Promise<Buffer>;
}

/** Gets the private key of a locked file. @throws when it stays locked. */
export type Unlock = (name: string, text: string) => Promise<ParsedKey>;

export interface Identities {
  offers: Identity[];
  /** Files whose public half is not known before they are unlocked: offered last. */
  sealed: { name: string; text: string }[];
  /** What could not be used and why, each the end of a sentence. */
  notes: string[];
}

/** In ssh's order: a server that hears few keys hears the same ones. */
const usual = ['id_rsa', 'id_ecdsa', 'id_ed25519'];
const agentAnswersMs = 2000;
/** An agent may ask its owner to confirm each use. */
const agentSignsMs = 60_000;

/** An ssh-agent that may be gone, or hang: then a request fails within its limit, and nothing of it is left. */
class Agent extends OpenSSHAgent {
  limitMs = agentAnswersMs;

  override getStream(cb: GetStreamCallback): void {
    super.getStream((error, stream) => {
      const socket = stream as Socket | undefined;
      socket?.setTimeout(this.limitMs, () => socket.destroy());
      cb(error, stream);
    });
  }
}

export interface IdentitySources {
  /** The agent's socket. */
  agent: string | null;
  /** Given ones are read instead of the usual ones, and complained of when they are missing. */
  keyFiles: string[] | undefined;
  home: string;
  /** Of the agent's keys only those whose files are named, as with IdentitiesOnly. */
  only?: boolean;
  /** What keys may sign by (PubkeyAcceptedAlgorithms); a server would count the others for nothing. */
  algorithms?: string[] | undefined;
  /** All keys of the agent come first, as with ssh, and not those of the files that are named. */
  agentFirst?: boolean;
}

/** Reads what is there; fails for nothing, but notes it. */
export async function findIdentities(sources: IdentitySources): Promise<Identities> {
  const { agent, keyFiles, home, only = false, agentFirst = false, algorithms } = sources;
  const notes: string[] = [];
  const given = keyFiles !== undefined;
  const paths = (keyFiles ?? usual.map((name) => join(home, '.ssh', name))).map((path) => expandHome(path, home));
  const [held, files] = await Promise.all([
    agent ? agentKeys(agent, notes) : [],
    Promise.all(paths.map((path) => readKeyFile(path, given, notes))),
  ]);
  const inAgent = new Map(held.map((identity) => [id(identity.publicKey), identity]));
  const offers: Identity[] = [];
  const sealed: Identities['sealed'] = [];
  const late: Identity[] = [];
  const early = agentFirst ? late : offers;
  for (const file of files) {
    if (!file) continue;
    if (!file.publicKey) {
      sealed.push({ name: file.name, text: file.text });
      continue;
    }
    const kept = inAgent.get(id(file.publicKey));
    if (kept) {
      // The agent signs without a question, so a file that it holds too is its.
      inAgent.delete(id(file.publicKey));
      offers.push({ ...kept, name: file.name });
    } else if (file.publicOnly) {
      if (given) notes.push(`${file.name} is a public key, and the agent does not hold its private one`);
    } else if (given && !file.locked) early.push(fromFile(file.name, file.text, file.publicKey, false));
    else late.push(fromFile(file.name, file.text, file.publicKey, file.locked));
  }
  // Servers count each key that is offered, and hang up after six: so the files named for this host come first,
  // then the agent's other keys, then what would ask a question.
  late.sort((a, b) => Number(a.locked) - Number(b.locked));
  const all = [...offers, ...(only ? [] : inAgent.values()), ...late];
  const usable = algorithms ? all.filter(({ publicKey }) => signsBy(publicKey.type, algorithms)) : all;
  if (usable.length < all.length) notes.push('PubkeyAcceptedAlgorithms leaves some keys out');
  return { offers: usable, sealed, notes };
}

function signsBy(type: string, algorithms: string[]): boolean {
  const ways = type === 'ssh-rsa' ? ['rsa-sha2-512', 'rsa-sha2-256', 'ssh-rsa'] : [type];
  return algorithms.some((pattern) => ways.some((way) => glob(pattern, way)));
}

const id = (key: ParsedKey) => key.getPublicSSH().toString('base64');

export function expandHome(path: string, home = homedir()): string {
  return path === '~' || path.startsWith('~/') ? join(home, path.slice(1)) : path;
}

async function agentKeys(path: string, notes: string[]): Promise<Identity[]> {
  const agent = new Agent(path);
  const keys = await new Promise<ParsedKey[]>((resolve) => {
    agent.getIdentities((error, found) => {
      if (error) notes.push(`the agent at ${path} did not answer`);
      resolve((error ? [] : (found ?? [])) as ParsedKey[]);
    });
  });
  return keys.map((publicKey) => ({
    name: 'agent',
    publicKey,
    locked: false,
    sign: (data, hash) =>
      new Promise((resolve, reject) => {
        const signer = new Agent(path);
        signer.limitMs = agentSignsMs;
        signer.sign(publicKey, data, { hash: hash as 'sha256' }, (error, signature) => {
          if (signature) resolve(signature);
          else reject(error ?? new Error('the agent did not sign'));
        });
      }),
  }));
}

function fromFile(name: string, text: string, publicKey: ParsedKey, locked: boolean): Identity {
  return {
    name,
    publicKey,
    locked,
    quick: !locked && publicKey.type !== 'ssh-rsa',
    sign: async (data, hash, unlock) => {
      const parsed = locked ? await unlock(name, text) : unlocked(text);
      if (parsed instanceof Error) throw parsed;
      const signature: Buffer | Error = parsed.sign(data, hash);
      if (signature instanceof Error) throw signature;
      return signature;
    },
  };
}

interface KeyFile {
  name: string;
  text: string;
  locked: boolean;
  /** Null: not to be known before it is unlocked. */
  publicKey: ParsedKey | null;
  /** The private one is in the agent, or nowhere. */
  publicOnly?: boolean;
}

async function readKeyFile(name: string, given: boolean, notes: string[]): Promise<KeyFile | null> {
  let text: string;
  try {
    const { mode, uid, size } = await stat(name);
    if (size > 1 << 20) throw new Error('is too big for a key');
    if (process.getuid && !name.endsWith('.pub') && uid === process.getuid() && (mode & 0o077) !== 0) {
      notes.push(`${name} can be read by others, and is not used until they cannot (chmod 600 ${name})`);
      return null;
    }
    text = await readFile(name, 'utf8');
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT') {
      // The agent may hold the private key of a public one that lies there.
      const publicKey = await publicFile(`${name}.pub`);
      if (publicKey) return { name, text: '', locked: false, publicKey, publicOnly: true };
      if (given) notes.push(`the key file ${name} does not exist`);
    } else if (code === 'EACCES') notes.push(`the key file ${name} may not be read by this user`);
    else notes.push(`the key file ${name} could not be read (${message})`);
    return null;
  }
  const key = unlocked(text);
  if (!(key instanceof Error)) {
    return { name, text, locked: false, publicKey: key, publicOnly: !key.isPrivateKey() };
  }
  if (!isLocked(text)) {
    notes.push(`${name} is no key that can be used (${key.message})`);
    return null;
  }
  return { name, text, locked: true, publicKey: publicHalf(text) ?? (await publicFile(`${name}.pub`)) };
}

/** The key of a file that needs no passphrase, or of any file with one. An error says why not. */
export function unlocked(text: string, passphrase?: string): ParsedKey | Error {
  try {
    const parsed = isPkcs8(text) ? parseKey(fromPkcs8(text, passphrase)) : parseKey(text, passphrase);
    return Array.isArray(parsed) ? (parsed[0] as ParsedKey) : parsed;
  } catch (error) {
    return error instanceof Error ? error : new Error('malformed key');
  }
}

function isLocked(text: string): boolean {
  if (isLockedPkcs8(text)) return true;
  if (/^Proc-Type: 4,ENCRYPTED|^Encryption: aes/m.test(text)) return true;
  const parts = openSshParts(text);
  return parts !== null && parts.cipher !== 'none';
}

/** OpenSSH's own format has the public key in the clear. Null for others. */
export function publicBlob(text: string): Buffer | null {
  return openSshParts(text)?.publicKey ?? null;
}

/** Locked by a cipher that ssh2 does not know. */
export const isLockedBeyond = (text: string) => openSshParts(text)?.cipher === 'chacha20-poly1305@openssh.com';

function publicHalf(text: string): ParsedKey | null {
  const blob = publicBlob(text);
  if (!blob) return null;
  const key = parseKey(blob);
  return key instanceof Error ? null : key;
}

async function publicFile(path: string): Promise<ParsedKey | null> {
  try {
    const key = parseKey(await readFile(path, 'utf8'));
    return key instanceof Error || key.isPrivateKey() ? null : key;
  } catch {
    return null;
  }
}

/** `openssh-key-v1\0`, then cipher, key derivation, its options, the count of keys, and the public key. */
function openSshParts(text: string): { cipher: string; publicKey: Buffer } | null {
  const body = /-----BEGIN OPENSSH PRIVATE KEY-----([^-]+)-----END OPENSSH PRIVATE KEY-----/.exec(text)?.[1];
  if (body === undefined) return null;
  const bytes = Buffer.from(body, 'base64');
  const magic = 'openssh-key-v1\0';
  if (bytes.toString('latin1', 0, magic.length) !== magic) return null;
  try {
    let at = magic.length;
    const field = () => {
      const length = bytes.readUInt32BE(at);
      if (at + 4 + length > bytes.length) throw new RangeError('cut');
      at += 4 + length;
      return bytes.subarray(at - length, at);
    };
    const cipher = field().toString('latin1');
    field();
    field();
    at += 4;
    const publicKey = field();
    return keyType(publicKey) ? { cipher, publicKey } : null;
  } catch {
    return null;
  }
}
