// Connects and logs in: TCP, key exchange, host key, login, each within its limit.
import { homedir, userInfo } from 'node:os';
import { Connection, type SshConnection } from './connection.ts';
import { calledOff, dial } from './dial.ts';
import { SshError } from './error.ts';
import { shakeHands, type Handshake } from './handshake.ts';
import { hangUp } from './hang-up.ts';
import { fingerprint, keyType, type HostKeySeen } from './host-key.ts';
import { expandHome, findIdentities } from './identities.ts';
import type { HostKeyVerdict } from './known-hosts.ts';
import { Login } from './login.ts';
import type { SshKeepalive, SshOptions, SshTarget, SshTimeouts } from './options.ts';
import { SecretCache } from './secrets.ts';
import { acknowledgeAtOnce, onRefusal } from './ssh2.ts';

const defaultTimeouts: SshTimeouts = { connectMs: 8000, handshakeMs: 10_000, loginMs: 20_000, openMs: 10_000 };
/** A pulled cable is noticed after 12 s at the latest: up to one interval passes before silence can begin. */
const defaultKeepalive: SshKeepalive = { intervalMs: 3000, count: 3 };
/** Logging in is followed by a burst of small packets; then what the host says is mostly answers. */
const burstMs = 500;

/** @throws SshError with a sentence for the admin. */
export async function connectSsh(options: SshOptions): Promise<SshConnection> {
  const { target, prompts, signal } = options;
  const { host, port, label } = target;
  const home = options.home ?? homedir();
  const user = target.user ?? userInfo().username;
  const limits = { ...defaultTimeouts, ...options.timeouts };
  // What is known and what can be offered is read while the connection is made.
  const agent = options.agent === undefined ? process.env['SSH_AUTH_SOCK'] || null : options.agent;
  const identities = findIdentities({ agent, keyFiles: target.keyFiles, home });
  const knownHostsFile = target.knownHostsFile === undefined ? undefined : expandHome(target.knownHostsFile, home);
  const [socket, known] = await Promise.all([
    dial({ host, port, label, timeoutMs: limits.connectMs, signal }),
    options.knownHosts.of(host, port, knownHostsFile),
  ]);

  let seen: HostKeySeen | undefined;
  let trusted = true;
  let approved = false;
  const verify = (key: Buffer): SshError | null => {
    if (seen) {
      // A later exchange of keys: the host has to be the one it was.
      return seen.key.equals(key) ? null : hostKeyError({ ...seen, key, status: 'changed' }, [], target);
    }
    const { status: found, where } = known.check(key);
    const print = fingerprint(key);
    approved = found === 'unknown' && print === target.trust?.replace(/=$/, '');
    const status = approved ? 'trusted' : found;
    seen = { algorithm: keyType(key), fingerprint: print, status, key: Buffer.from(key) };
    options.onHostKey?.(seen);
    if (status === 'trusted') return null;
    trusted = status === 'unknown';
    if (target.noVerify && status !== 'revoked') return null;
    return hostKeyError(seen, where, target);
  };

  let login: Login | undefined;
  // eslint-disable-next-line prefer-const -- the login begins when the handshake is there
  let handshake: Handshake;
  const begin = () =>
    (login ??= new Login({
      user,
      login: `${user}@${host}:${port}`,
      label,
      identities,
      prompts,
      secrets: options.secrets ?? new SecretCache(),
      trusted,
      signal: handshake.signal,
      waiting: (person) => handshake.deadline.without(person),
      fail: (error) => handshake.fail(error),
    }));
  handshake = shakeHands({
    socket,
    label,
    user,
    types: known.types,
    handshakeMs: limits.handshakeMs,
    loginMs: limits.loginMs,
    signal,
    verify,
    login: () => begin().next(),
    failure: (said) => begin().failure(said),
  });
  onRefusal(handshake.client, (methods, partial) => begin().refused(methods, partial));
  // Kept as soon as it is approved, whatever the login comes to.
  const pinned = () => (approved && seen ? options.knownHosts.pin(host, port, seen.key) : Promise.resolve());
  await handshake.done.finally(pinned);
  login?.succeeded();
  const { client } = handshake;
  if (!seen || signal?.aborted) {
    hangUp(client, socket, true);
    throw calledOff(label);
  }
  acknowledgeAtOnce(client, socket, burstMs);
  const keepalive = options.keepalive ?? defaultKeepalive;
  const { openMs } = limits;
  return new Connection({ client, socket, hostKey: seen, banner: handshake.banner(), user, label, openMs, keepalive });
}

function hostKeyError(seen: HostKeySeen, where: HostKeyVerdict['where'], { label }: SshTarget): SshError {
  const shown = `${seen.algorithm} ${seen.fingerprint}`;
  const known = where.length > 0 ? ` (${where.slice(0, 3).join(', ')})` : '';
  switch (seen.status) {
    case 'changed':
      return new SshError(
        'changed',
        'key-exchange',
        `${label} shows another host key than the one that is known${known}: ${shown}. Either it was installed anew, or something else answers in its place. Nothing was sent to it. Compare the fingerprint on the host itself, and only then replace the known key.`,
        seen,
      );
    case 'revoked':
      return new SshError(
        'revoked',
        'key-exchange',
        `${label} shows a host key that is marked as revoked${known}: ${shown}. Nothing was sent to it. Give the host a new key.`,
        seen,
      );
    case 'unknown':
    case 'trusted':
      return new SshError(
        'untrusted',
        'key-exchange',
        `The host key of ${label} is not known yet: ${shown}. Compare the fingerprint with the host’s own (ssh-keygen -lf), then trust it.`,
        seen,
      );
    default:
      return seen.status satisfies never;
  }
}
