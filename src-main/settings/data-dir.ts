// Where Drover keeps what it knows, and that only one Drover does so at a time.
import { mkdir, open, readFile, rename, rm, stat } from 'node:fs/promises';
import { readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join, posix, win32 } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { randomUUID } from 'node:crypto';
import { Failure } from '../../contract/failure.ts';
import { holdByPipe, Taken } from './pipe-lock.ts';

/** The platform's own place for an application's data, below which nothing else writes. */
export function defaultDataDir(platform = process.platform, env: NodeJS.ProcessEnv = process.env, home = homedir()) {
  switch (platform) {
    case 'win32':
      return win32.join(env.APPDATA || win32.join(home, 'AppData', 'Roaming'), 'Drover');
    case 'darwin':
      return posix.join(home, 'Library', 'Application Support', 'Drover');
    default: {
      // The specification asks for an absolute path, and to ignore any other.
      const given = env.XDG_DATA_HOME ?? '';
      return posix.join(given.startsWith('/') ? given : posix.join(home, '.local', 'share'), 'drover');
    }
  }
}

/** Makes the folder where it is missing, for its owner's eyes only. */
export async function makePrivate(dir: string): Promise<void> {
  try {
    await mkdir(dir, { recursive: true, mode: 0o700 });
    if (!(await stat(dir)).isDirectory()) throw Object.assign(new Error(), { code: 'ENOTDIR' });
  } catch (error) {
    throw new Failure(
      'bad-request',
      `Drover can keep no data in ${dir}: ${reason(error)}. Give another folder with --data.`,
    );
  }
}

/** What went wrong with a file, as an admin would say it. */
export function reason(error: unknown): string {
  const { code, message } = error as NodeJS.ErrnoException;
  switch (code) {
    case 'EACCES':
    case 'EPERM':
      return 'permission denied';
    case 'ENOSPC':
    case 'EDQUOT':
      return 'the disk is full';
    case 'EROFS':
      return 'it is on a read-only file system';
    case 'EEXIST':
    case 'ENOTDIR':
      return 'a file is in its place';
    case 'EISDIR':
      return 'a folder is in its place';
    default:
      return code ?? message;
  }
}

interface Holder {
  pid: number;
  /** Tells the process apart from a later one of the same number; null where the system does not say. */
  started: string | null;
}

/** Folders held by this very process, which its own pid cannot tell from a lock that a dead one left. */
const held = new Set<string>();

/**
 * Takes the folder for this process.
 * @returns lets it go again
 * @throws Failure `conflict` where another running Drover has it
 */
export async function lock(dir: string): Promise<() => Promise<void>> {
  const path = join(dir, 'drover.lock');
  const taken = (pid: number | undefined) =>
    new Failure(
      'conflict',
      `Another Drover${pid ? ` (process ${pid})` : ''} is using ${dir}. Close that one, or give this one a folder of its own with --data.`,
      { pid, dir },
    );
  if (held.has(path)) throw taken(process.pid);
  held.add(path);
  if (process.platform === 'win32') {
    try {
      const letGo = await holdByPipe(dir);
      return () => letGo().finally(() => held.delete(path));
    } catch (error) {
      held.delete(path);
      throw error instanceof Taken ? taken(error.pid) : error;
    }
  }
  try {
    const mine: Holder = { pid: process.pid, started: startOf(process.pid) };
    for (let attempt = 1; !(await create(path, JSON.stringify(mine))); attempt += 1) {
      const text = await readFile(path, 'utf8').catch(() => '');
      const holder = read(text);
      if ((holder && running(holder)) || attempt === 5) throw taken(holder?.pid);
      // An empty one may be on its way to being written; else a dead Drover left it.
      if (holder || attempt > 1) await removeStale(path, text);
      else await setTimeout(100);
    }
  } catch (error) {
    held.delete(path);
    throw error;
  }
  return async () => {
    if (held.delete(path)) await rm(path, { force: true });
  };
}

async function create(path: string, text: string): Promise<boolean> {
  try {
    const file = await open(path, 'wx', 0o600);
    await file.writeFile(text).finally(() => file.close());
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw new Failure(
      'bad-request',
      `Drover cannot write in ${path}: ${reason(error)}. Give another folder with --data.`,
    );
  }
}

/** Moves it aside first: of two that do this at once, the later would else delete the lock of the earlier. */
async function removeStale(path: string, text: string): Promise<void> {
  const aside = `${path}.${randomUUID()}`;
  try {
    await rename(path, aside);
  } catch {
    return; // gone already
  }
  if ((await readFile(aside, 'utf8')) === text) await rm(aside);
  else await rename(aside, path);
}

function read(text: string): Holder | null {
  try {
    const { pid, started } = JSON.parse(text) as Partial<Holder>;
    return Number.isInteger(pid) && pid! > 0
      ? { pid: pid!, started: typeof started === 'string' ? started : null }
      : null;
  } catch {
    return null; // cut short when the machine went down
  }
}

function running({ pid, started }: Holder): boolean {
  if (pid === process.pid) return false; // ours would be in `held`
  try {
    process.kill(pid, 0);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EPERM') return false;
  }
  const now = startOf(pid);
  return started === null || now === null || now === started;
}

/** When the process began, in the kernel's own count; Linux only. */
function startOf(pid: number): string | null {
  try {
    // The name, second field, may hold spaces and brackets: count from its end.
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19] ?? null;
  } catch {
    return null;
  }
}
