// The admin's side of the lab: a namespace on the same network, a home with SSH keys, and the hosts' names.
import { spawn } from 'node:child_process';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { keyTypes, makeKey, type KeyType } from './keys.ts';
import { namespaceOf } from './namespaces.ts';
import { processId, type ProcessId } from './processes.ts';
import type { AdminRecord } from './registry.ts';
import { until } from './run.ts';

const PASSPHRASE = 'lab-passphrase';

export interface AdminFiles extends Omit<AdminRecord, 'namespace' | 'keeper' | 'address'> {
  publicKeys: string[];
}

/** Makes the home with its keys; known_hosts comes when the hosts' keys are there. */
export async function makeHome(home: string): Promise<AdminFiles> {
  const folder = join(home, '.ssh');
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const files = Object.fromEntries(keyTypes.map((type) => [type, join(folder, `id_${type}`)])) as Record<
    KeyType,
    string
  >;
  const locked = join(folder, 'id_locked');
  const publicKeys = await Promise.all([
    ...keyTypes.map((type) => makeKey(files[type], type)),
    makeKey(locked, 'ed25519', PASSPHRASE),
  ]);
  const emptyKnownHosts = join(folder, 'known_hosts.empty');
  await writeFile(emptyKnownHosts, '');
  return {
    home,
    keys: { ...files, locked },
    passphrase: PASSPHRASE,
    knownHosts: join(folder, 'known_hosts'),
    emptyKnownHosts,
    publicKeys,
  };
}

/** Runs inside the admin's namespaces, in the folder that the caller is in. */
export const insideAdmin = (admin: AdminRecord, argv: string[], env: Record<string, string> = {}): string[] => [
  ...['nsenter', '-t', String(admin.keeper.pid), '-m', '-u', '-n', '--', 'env', '-C', process.cwd()],
  ...Object.entries({ HOME: admin.home, ...env }).map(([name, value]) => `${name}=${value}`),
  ...argv,
];

/** Starts the process that holds the namespaces, with the files of `folder` over the machine's. */
export async function startKeeper(prefix: string, folder: string, home: string, hostsFile: string): Promise<ProcessId> {
  await writeFile(join(folder, 'hosts'), hostsFile);
  await writeFile(join(folder, 'nsswitch.conf'), 'passwd: files\ngroup: files\nshadow: files\nhosts: files\n');
  const passwd = await readFile('/etc/passwd', 'utf8');
  // ssh looks for the home here, not in $HOME.
  await writeFile(join(folder, 'passwd'), passwd.replace(/^(root:(?:[^:]*:){4})[^:]*/m, `$1${home}`));
  const child = spawn(
    'ip',
    [
      ...['netns', 'exec', namespaceOf(prefix, 'adm'), 'unshare', '--mount', '--uts'],
      ...['bash', join(import.meta.dirname, 'admin-init.sh'), folder],
    ],
    { detached: true, cwd: '/', stdio: ['ignore', 'pipe', 'pipe'], env: { PATH: process.env.PATH, LC_ALL: 'C' } },
  );
  let said = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk: Buffer) => (said += chunk.toString()));
  await until('the admin’s side starts', () => {
    if (child.exitCode !== null) throw new Error(`the admin’s side did not start: ${said.trim()}`);
    return said.includes('ready\n');
  });
  for (const stream of [child.stdout, child.stderr] as Readable[]) stream.destroy();
  child.unref();
  const keeper = processId(child.pid ?? 0);
  if (!keeper) throw new Error(`the admin’s side ended at once: ${said.trim()}`);
  return keeper;
}
