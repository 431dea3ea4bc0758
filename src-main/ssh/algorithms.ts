// Which algorithms are offered to a host: ssh2's, as far as OpenSSH's configuration leaves them.
import { supported, type OfferedAlgorithms } from './ssh2.ts';

/** As configured; undefined: not restricted. */
export interface Algorithms {
  ciphers?: string[];
  kex?: string[];
  macs?: string[];
  hostKeyAlgorithms?: string[];
}

/** In the order of OpenSSH, and without what signs by SHA-1, as there. */
const preferred: string[] = [
  'ssh-ed25519',
  'ecdsa-sha2-nistp256',
  'ecdsa-sha2-nistp384',
  'ecdsa-sha2-nistp521',
  'rsa-sha2-512',
  'rsa-sha2-256',
];

/** The algorithms of the known types first: also where an order is configured, as a host may have keys of other types too. */
export function hostKeyAlgorithms(types: string[], of: string[] = preferred): string[] {
  const typeOf = (algorithm: string) => (algorithm.startsWith('rsa-') ? 'ssh-rsa' : algorithm);
  const rank = (algorithm: string) => {
    const at = types.indexOf(typeOf(algorithm));
    return at < 0 ? types.length : at;
  };
  return of.toSorted((a, b) => rank(a) - rank(b));
}

/** In the order that is configured. Where nothing is left, ssh2 is not able to do what is asked for. */
export function algorithmsOf(configured: Algorithms, types: string[]): OfferedAlgorithms {
  const { ciphers, kex, macs, hostKeyAlgorithms: hostKeys } = configured;
  return {
    serverHostKey: hostKeyAlgorithms(types, hostKeys && preferable(hostKeys, supported.serverHostKey)),
    ...(ciphers && { cipher: preferable(ciphers, supported.cipher) }),
    ...(kex && { kex: preferable(kex, supported.kex) }),
    ...(macs && { hmac: preferable(macs, supported.hmac) }),
  } as OfferedAlgorithms;
}

/** @throws RangeError when none is left */
function preferable(wanted: string[], able: readonly string[]): string[] {
  const left = wanted.filter((name) => able.includes(name));
  if (left.length > 0) return left;
  throw new RangeError(`none of ${wanted.slice(0, 4).join(', ')} is known to Drover`);
}
