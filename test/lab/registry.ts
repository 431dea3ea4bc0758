// Which labs there are on this machine, whose they are, and which were left behind by a run that was killed.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, mkdir, mkdtemp, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { HostRecord } from './host.ts';
import type { KeyType } from './keys.ts';
import { removeNetwork } from './namespaces.ts';
import { alive, end, type ProcessId } from './processes.ts';

/** On a real disk: QEMU opens the guests' images past the page cache. */
const ROOT = '/var/tmp/drover-lab';

export interface AdminRecord {
  namespace: string;
  address: string;
  /** A process that holds the admin's namespaces. */
  keeper: ProcessId;
  home: string;
  /** Key files by type; `locked` is an ed25519 key with a passphrase. */
  keys: Record<KeyType | 'locked', string>;
  passphrase: string;
  /** Holds every key of every host, and one that is empty. */
  knownHosts: string;
  emptyKnownHosts: string;
}

/** lab.json: all that a test needs to find the lab. */
export interface LabState {
  prefix: string;
  directory: string;
  /** The process that the lab belongs to; null for one that is kept until it is taken down. */
  owner: ProcessId | null;
  /** False until all of it is there. */
  ready: boolean;
  /** e.g. `10.7.9.0/24`, within the lab's namespaces only. */
  subnet: string;
  /** What every host sees as /srv/shared. */
  shared: string;
  /** Of every account on every host. */
  password: string;
  admin: AdminRecord | null;
  hosts: HostRecord[];
}

/**
 * One at a time on this machine: what takes a prefix, and what removes a lab, must not see each other half done. The
 * kernel lets go of the lock with the process that has it.
 */
async function alone<T>(work: () => Promise<T>): Promise<T> {
  await mkdir(ROOT, { recursive: true });
  const holder = spawn('flock', ['--exclusive', join(ROOT, '.lock'), 'sh', '-c', 'echo held; cat'], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  try {
    await once(holder.stdout, 'data');
    return await work();
  } finally {
    holder.stdin.end();
  }
}

export const directoryOf = (prefix: string) => join(ROOT, prefix);

export async function writeState(state: LabState, folder = state.directory): Promise<void> {
  const file = join(folder, 'lab.json');
  await writeFile(`${file}.new`, JSON.stringify(state, null, 2) + '\n');
  await rename(`${file}.new`, file); // whole or not at all: a killed run's lab must stay readable
}

export const readState = async (file: string) => JSON.parse(await readFile(file, 'utf8')) as LabState;

/** Takes the prefix, with the first state of its lab, once what was left behind is gone. @throws Error where a lab has it. */
export async function claim(state: LabState): Promise<void> {
  const { prefix } = state;
  if (!/^[a-z][a-z0-9]{0,9}$/.test(prefix)) {
    throw new Error(`“${prefix}” is no prefix for a lab: up to ten small letters and digits, a letter first`);
  }
  await alone(async () => {
    await removeLeft();
    await settleIn(state);
  });
}

async function settleIn(state: LabState): Promise<void> {
  const { prefix, directory } = state;
  // Renamed into place with its state in it: there is no moment at which a killed run leaves a folder of nobody's.
  const fresh = await mkdtemp(join(ROOT, '.new-'));
  await chmod(fresh, 0o755); // QEMU of an ordinary user passes through
  await writeState(state, fresh);
  await rename(fresh, directory).catch(async (error: NodeJS.ErrnoException) => {
    await rm(fresh, { recursive: true, force: true });
    if (error.code === 'ENOTEMPTY' || error.code === 'EEXIST') {
      throw new Error(`there is a lab ${prefix} already: take it down first`);
    }
    throw error;
  });
}

export async function listLabs(): Promise<LabState[]> {
  const names = await readdir(ROOT).catch(() => []);
  const states = await Promise.all(names.map((name) => readState(join(ROOT, name, 'lab.json')).catch(() => null)));
  return states.filter((state) => state !== null);
}

/** Ends the lab's own processes and removes all that it made. Works on half a lab too, and twice. */
export const remove = (state: LabState): Promise<void> => alone(() => removeOne(state));

async function removeOne(state: LabState): Promise<void> {
  // With its process 1 a host's whole pid namespace ends, and with its last process every mount of it.
  await Promise.all([...state.hosts.map((host) => end(host.init)), state.admin && end(state.admin.keeper)]);
  await removeNetwork(state.prefix);
  await rm(state.directory, { recursive: true, force: true, maxRetries: 5 });
}

/** Removes labs whose owner is gone; returns their prefixes. */
export const sweep = (): Promise<string[]> => alone(removeLeft);

async function removeLeft(): Promise<string[]> {
  const left = (await listLabs()).filter(({ owner }) => owner !== null && !alive(owner));
  await Promise.all(left.map(removeOne));
  return left.map(({ prefix }) => prefix);
}
