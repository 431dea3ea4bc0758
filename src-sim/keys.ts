// Ed25519 keys that follow from the seed, in OpenSSH's formats.
import { createHash, createPrivateKey, createPublicKey } from 'node:crypto';
import { bytesOf, type Seed } from './chance.ts';

export interface SshKey {
  /** As in an `id_ed25519` file. */
  privateKey: string;
  /** As in a line of `authorized_keys`, without a comment: `ssh-ed25519 AAAA…`. */
  publicKey: string;
  /** As OpenSSH shows it: `SHA256:…`. */
  fingerprint: string;
}

const TYPE = 'ssh-ed25519';
/** What stands before the 32 bytes of an Ed25519 key in PKCS #8. */
const PKCS8 = Buffer.from('302e020100300506032b657004220420', 'hex');

export function sshKey(...seed: Seed[]): SshKey {
  const secret = bytesOf('ssh key', ...seed);
  const key = createPrivateKey({ key: Buffer.concat([PKCS8, secret]), format: 'der', type: 'pkcs8' });
  const { x = '' } = createPublicKey(key).export({ format: 'jwk' });
  const open = Buffer.from(x, 'base64url');
  const blob = strings(TYPE, open);
  return {
    privateKey: pem(blob, strings(TYPE, open, Buffer.concat([secret, open]), '')),
    publicKey: `${TYPE} ${blob.toString('base64')}`,
    fingerprint: fingerprintOf(blob),
  };
}

export const fingerprintOf = (blob: Buffer) =>
  `SHA256:${createHash('sha256').update(blob).digest('base64').replace(/=+$/, '')}`;

/** Each with its length before it, as SSH writes strings. */
function strings(...parts: (string | Buffer)[]): Buffer {
  return Buffer.concat(
    parts.flatMap((part) => {
      const bytes = Buffer.from(part as string);
      return [word(bytes.length), bytes];
    }),
  );
}

function word(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
}

/** A key file of OpenSSH, not encrypted: twice the same check word, then the key, padded with 1, 2, 3… to eights. */
function pem(blob: Buffer, secret: Buffer): string {
  const check = word(0x64726f76);
  const body = Buffer.concat([check, check, secret]);
  const padding = Buffer.from(Array.from({ length: -body.length & 7 }, (_, at) => at + 1));
  const whole = Buffer.concat([
    Buffer.from('openssh-key-v1\0'),
    strings('none', 'none', ''),
    word(1),
    strings(blob, Buffer.concat([body, padding])),
  ]);
  const lines = whole.toString('base64').replace(/.{70}/g, '$&\n').trimEnd();
  return `-----BEGIN OPENSSH PRIVATE KEY-----\n${lines}\n-----END OPENSSH PRIVATE KEY-----\n`;
}
