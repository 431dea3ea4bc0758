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

/** `SHA256:` and unpadded base64. */
export function fingerprint(key: Buffer): string {
  return `SHA256:${createHash('sha256').update(key).digest('base64').replace(/=+$/, '')}`;
}
