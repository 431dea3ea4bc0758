// How a connection over SSH fails: a kind to act on, and a sentence to show.
import type { HostKeySeen } from './host-key.ts';

export type SshErrorKind =
  /** OpenSSH's configuration cannot be used as it is. */
  | 'misconfigured'
  /** The name has no address. */
  | 'unresolved'
  /** Nothing listens on the port. */
  | 'refused'
  | 'unreachable'
  /** The host did not go on within the phase's limit. */
  | 'timeout'
  /** Something listens, and it does not speak SSH. */
  | 'not-ssh'
  /** The host key is not known yet; `hostKey` holds it. */
  | 'untrusted'
  /** Another host key than the known one; `hostKey` holds it. */
  | 'changed'
  | 'revoked'
  | 'no-key-exchange'
  | 'auth-failed'
  /** By the admin, at a question, or by the caller's signal. */
  | 'cancelled'
  /** The connection ended without being asked to. */
  | 'lost'
  /** The host refused a channel: no such socket, no more sessions, forwarding switched off. */
  | 'channel-refused'
  /** Logged in, but there is no libvirt to talk to. */
  | 'no-libvirt'
  /** Logged in, libvirt is there, and this user may not open its socket. */
  | 'no-permission';

export type SshPhase = 'connect' | 'banner' | 'key-exchange' | 'login' | 'open' | 'established';

/** `message` is a sentence that names the host, the cause and the remedy. */
export class SshError extends Error {
  readonly kind: SshErrorKind;
  readonly phase: SshPhase;
  readonly hostKey: HostKeySeen | undefined;

  constructor(kind: SshErrorKind, phase: SshPhase, message: string, hostKey?: HostKeySeen) {
    super(message);
    this.name = 'SshError';
    this.kind = kind;
    this.phase = phase;
    this.hostKey = hostKey;
  }
}

/** What a host said, fit for a sentence: one line, printable, and no longer than `limit` characters. */
export function printable(said: string, limit = 200): string {
  const line = said
    .replace(/[\p{Cc}\p{Cf}\p{Cs}\p{Co}\p{Zl}\p{Zp}\uFFFD]+/gu, ' ')
    .replace(/\s+/g, ' ')
    .trim();
  return line.length > limit ? `${line.slice(0, limit - 1)}…` : line;
}
