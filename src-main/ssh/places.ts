// Where OpenSSH has things on this system: its folder, and the agent of whoever runs Drover.
import { readdirSync } from 'node:fs';
import { userInfo } from 'node:os';
import { posix, win32 } from 'node:path';

export interface Machine {
  platform: NodeJS.Platform;
  env: NodeJS.ProcessEnv;
  user: string;
  /** Names of the named pipes that there are; asked on Windows alone. */
  pipes: () => string[];
}

const here = (): Machine => ({ platform: process.platform, env: process.env, user: userInfo().username, pipes });

/** A file of the whole machine's, e.g. `ssh_config`. */
export function systemFile(name: string, { platform, env }: Pick<Machine, 'platform' | 'env'> = process): string {
  if (platform !== 'win32') return posix.join('/etc/ssh', name);
  return win32.join(env['ProgramData'] || 'C:\\ProgramData', 'ssh', name);
}

const pipeFolder = '\\\\.\\pipe\\';
const ownPipe = 'openssh-ssh-agent';
const inPipeFolder = /^[\\/]{1,2}[.?][\\/]pipe[\\/]/i;

/**
 * On Windows the pipe that a configuration names, however its slashes are written there: PuTTY writes `\\.\pipe\…`, of
 * which ssh's rules for backslashes leave one at the start, or `//./pipe/…`.
 */
export function asPipe(path: string, platform = process.platform): string {
  return platform === 'win32' ? path.replace(inPipeFolder, () => pipeFolder) : path;
}

/**
 * Where the agent listens: what `$SSH_AUTH_SOCK` names. On Windows, where that may be the socket of another system's ssh
 * (Cygwin's, Git's) that nobody else can open, else OpenSSH's own pipe, and then Pageant's, which speaks the same
 * protocol since PuTTY 0.75; null: there is none.
 */
export function systemAgent({ platform, env, user, pipes: all }: Machine = here()): string | null {
  const given = env['SSH_AUTH_SOCK'] || null;
  if (platform !== 'win32') return given;
  if (given && inPipeFolder.test(given)) return asPipe(given, platform);
  const there = all();
  const own = there.find((name) => name === ownPipe);
  // Its name ends with a hash that differs from login to login.
  const found = own ?? there.find((name) => name.toLowerCase().startsWith(`pageant.${user.toLowerCase()}.`));
  return found === undefined ? null : pipeFolder + found;
}

function pipes(): string[] {
  try {
    return readdirSync(pipeFolder);
  } catch {
    return [ownPipe]; // some versions of Node cannot list them (nodejs/node#56002); an agent that is away harms nothing
  }
}
