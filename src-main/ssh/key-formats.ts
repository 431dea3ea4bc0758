// Private keys in the forms that ssh2 does not read: PKCS #8, which it is given in one that it does.
import { createPrivateKey, type KeyObject } from 'node:crypto';
import { uint32 } from './mux.ts';

export const isPkcs8 = (text: string) => /^-----BEGIN (?:ENCRYPTED )?PRIVATE KEY-----/m.test(text);
export const isLockedPkcs8 = (text: string) => text.includes('-----BEGIN ENCRYPTED PRIVATE KEY-----');

/** Unlocked, and in PEM, or OpenSSH's own form. @throws Error where the passphrase does not open it, or it is no key */
export function fromPkcs8(text: string, passphrase?: string): string {
  const key = createPrivateKey({ key: text, format: 'pem', ...(passphrase !== undefined && { passphrase }) });
  switch (key.asymmetricKeyType) {
    case 'rsa':
      return key.export({ type: 'pkcs1', format: 'pem' }) as string;
    case 'ec':
      return key.export({ type: 'sec1', format: 'pem' }) as string;
    case 'ed25519':
      return ed25519(key);
    default:
      throw new Error(`keys of the kind ${key.asymmetricKeyType} are not for SSH`);
  }
}

const field = (bytes: Buffer | string) => {
  const body = Buffer.from(bytes as string);
  return Buffer.concat([uint32(body.length), body]);
};

function ed25519(key: KeyObject): string {
  const { x = '', d = '' } = key.export({ format: 'jwk' });
  const [half, secret] = [Buffer.from(x, 'base64url'), Buffer.from(d, 'base64url')];
  const publicKey = Buffer.concat([field('ssh-ed25519'), field(half)]);
  const check = uint32(0x64726f76); // any number, twice
  const comment = field('');
  const inner = [check, check, publicKey, field(Buffer.concat([secret, half])), comment];
  const length = inner.reduce((sum, { length: bytes }) => sum + bytes, 0);
  const padding = Buffer.from(Array.from({ length: (8 - (length % 8)) % 8 }, (_, at) => at + 1));
  const whole = [
    Buffer.from('openssh-key-v1\0'),
    ...[field('none'), field('none'), field(''), uint32(1)],
    ...[field(publicKey), field(Buffer.concat([...inner, padding]))],
  ];
  const body = Buffer.concat(whole).toString('base64').replace(/.{70}/g, '$&\n');
  return `-----BEGIN OPENSSH PRIVATE KEY-----\n${body}\n-----END OPENSSH PRIVATE KEY-----\n`;
}
