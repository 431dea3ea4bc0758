// Host keys for tests: well formed, and nobody's.
import { spawnSync } from 'node:child_process';
import { keyType } from '../../src-main/ssh/index.ts';

export const hasSshKeygen = spawnSync('ssh-keygen', ['-?']).error === undefined;

const field = (bytes: Buffer | string) => {
  const body = Buffer.from(bytes as string);
  const length = Buffer.alloc(4);
  length.writeUInt32BE(body.length);
  return Buffer.concat([length, body]);
};

/** A public key in wire format; another `seed` is another key. */
export function aKey(type: 'ssh-ed25519' | 'ssh-rsa' | 'ecdsa-sha2-nistp256', seed: number): Buffer {
  const bytes = (length: number) => Buffer.alloc(length, seed).fill(0x42, 0, 1);
  if (type === 'ssh-ed25519') return Buffer.concat([field(type), field(bytes(32))]);
  if (type === 'ssh-rsa') return Buffer.concat([field(type), field(Buffer.from([1, 0, 1])), field(bytes(256))]);
  return Buffer.concat([field(type), field('nistp256'), field(Buffer.concat([Buffer.from([4]), bytes(64)]))]);
}

/** As it stands in a file: `ssh-ed25519 AAAA…`. */
export const wire = (key: Buffer) => `${keyType(key)} ${key.toString('base64')}`;
