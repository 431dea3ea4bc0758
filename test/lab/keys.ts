// SSH keys of the lab: made anew for every run, never the user's.
import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { run } from './run.ts';

export const keyTypes = ['ed25519', 'ecdsa', 'rsa'] as const;
export type KeyType = (typeof keyTypes)[number];

/** Makes a key pair at `file` and `file.pub`; returns the public line. */
export async function makeKey(file: string, type: KeyType, passphrase = ''): Promise<string> {
  const size = type === 'rsa' ? ['-b', '2048'] : [];
  await run(['ssh-keygen', '-q', '-t', type, ...size, '-N', passphrase, '-C', 'drover-lab', '-f', file]);
  return (await readFile(`${file}.pub`, 'utf8')).trim();
}

/** A host's keys of all three types, as sshd names them. */
export async function makeHostKeys(folder: string): Promise<Record<KeyType, string>> {
  const made = await Promise.all(
    keyTypes.map(async (type) => [type, await makeKey(join(folder, `ssh_host_${type}_key`), type)] as const),
  );
  return Object.fromEntries(made) as Record<KeyType, string>;
}

/** `SHA256:…` of a public key's line, as ssh shows it. */
export function fingerprintOf(publicLine: string): string {
  const blob = Buffer.from(publicLine.split(' ')[1] ?? '', 'base64');
  return `SHA256:${createHash('sha256').update(blob).digest('base64').replace(/=+$/, '')}`;
}
