// A host's public key as it comes over the wire: its type and its fingerprint.
import { createHash } from 'node:crypto';

export type HostKeyStatus = 'trusted' | 'unknown' | 'changed' | 'revoked';

export interface HostKeySeen {
  /** The key's type as known_hosts names it: `ssh-ed25519`, `ecdsa-sha2-nistp256`, `ssh-rsa`… */
  algorithm: string;
  /** `SHA256:` and unpadded base64, as `ssh-keygen -l` prints it. */
  fingerprint: string;
  status: HostKeyStatus;
  /** The public key in SSH's wire format. */
  key: Buffer;
  /** Whose key it is, as known_hosts names it: a jump host's may be shown too. */
  of: { host: string; port: number };
}

/** The type that a key in wire format names itself; '' for what is no key. */
export function keyType(key: Buffer): string {
  if (key.length < 5) return '';
  const length = key.readUInt32BE(0);
  if (length === 0 || length > 64 || key.length < 4 + length) return '';
  const type = key.toString('latin1', 4, 4 + length);
  return /^[\x21-\x7e]+$/.test(type) ? type : '';
}

/** How many fields make the key, by its type; a certificate has more before and behind them. */
const keyFields: Record<string, number> = {
  'ssh-ed25519': 1,
  'ssh-rsa': 2,
  'ecdsa-sha2-nistp256': 2,
  'ecdsa-sha2-nistp384': 2,
  'ecdsa-sha2-nistp521': 2,
};

/** The key that a certificate is for; any other key is itself. */
export function plainKey(key: Buffer): Buffer {
  const type = /^(.+)-cert-v01@openssh\.com$/.exec(keyType(key))?.[1];
  const count = type === undefined ? undefined : keyFields[type];
  if (type === undefined || count === undefined) return key;
  const lengthAt = (at: number) => (at + 4 <= key.length ? 4 + key.readUInt32BE(at) : Infinity);
  const start = lengthAt(0) + lengthAt(lengthAt(0)); // behind its type and a nonce
  let end = start;
  for (let n = 0; n < count; n += 1) end += lengthAt(end);
  if (!(end <= key.length)) return key;
  const name = Buffer.from(type);
  const length = Buffer.alloc(4);
  length.writeUInt32BE(name.length);
  return Buffer.concat([length, name, key.subarray(start, end)]);
}

/** `SHA256:` and unpadded base64. */
export function fingerprint(key: Buffer): string {
  return `SHA256:${createHash('sha256').update(key).digest('base64').replace(/=+$/, '')}`;
}
