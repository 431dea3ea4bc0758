// Connects and logs in: TCP, key exchange, host key, login, each within its limit.
import { homedir, userInfo } from 'node:os';
import { Connection, type SshConnection } from './connection.ts';
import { calledOff, dial } from './dial.ts';
import { SshError, printable } from './error.ts';
import { fetchHostKey } from './fetch-host-key.ts';
import { shakeHands, type Handshake } from './handshake.ts';
import { hangUp } from './hang-up.ts';
import { fingerprint, keyType, type HostKeySeen } from './host-key.ts';
import { expandHome, findIdentities } from './identities.ts';
import type { HostKeyVerdict, KnownHosts } from './known-hosts.ts';
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
  try {
    return await connectOnce(options);
  } catch (error) {
    const unknown = error instanceof SshError && error.kind === 'untrusted';
    if (unknown && error.hostKey && (await pinApproved(options, error.hostKey))) return connectOnce(options);
    throw error;
  }
}

/** A host has keys of several types and shows one: the one that was approved may be another, so it is asked for. */
async function pinApproved({ target, knownHosts, timeouts, signal }: SshOptions, shown: HostKeySeen): Promise<boolean> {
  const { host, port, trust } = target;
  if (trust === undefined) return false;
  const timeoutMs = timeouts?.handshakeMs ?? defaultTimeouts.handshakeMs;
  for (const type of ['ssh-ed25519', 'ecdsa-sha2-nistp256', 'ssh-rsa']) {
    if (type === shown.algorithm) continue;
    const other = await fetchHostKey(host, port, { timeoutMs, signal, types: [type] }).catch(() => null);
    if (other?.fingerprint !== unpadded(trust)) continue;
    await keep(knownHosts, target, other.key);
    return true;
  }
  return false;
}

async function keep(knownHosts: KnownHosts, { host, port, label }: SshTarget, key: Buffer): Promise<void> {
  try {
    await knownHosts.pin(host, port, key);
  } catch (error) {
    const said = printable(error instanceof Error ? error.message : String(error));
    const message = `The host key of ${label} is trusted now, but that could not be written down (${said}).`;
    throw new SshError('untrusted', 'key-exchange', message);
  }
}

const unpadded = (print: string) => print.replace(/=+$/, '');

async function connectOnce(options: SshOptions): Promise<SshConnection> {
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
  let kept: Promise<void> | undefined;
  const verify = (key: Buffer): SshError | null => {
    if (seen) {
      // A later exchange of keys: the host has to be the one it was.
      return seen.key.equals(key) ? null : hostKeyError({ ...seen, key, status: 'changed' }, [], target);
    }
    const { status: found, where } = known.check(key);
    const print = fingerprint(key);
    const approved = found === 'unknown' && target.trust !== undefined && print === unpadded(target.trust);
    const status = approved ? 'trusted' : found;
    seen = { algorithm: keyType(key), fingerprint: print, status, key: Buffer.from(key) };
    options.onHostKey?.(seen);
    if (approved) {
      // Kept at once, whatever the login comes to.
      kept = keep(options.knownHosts, target, seen.key);
      kept.catch(() => undefined); // awaited below
    }
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
  try {
    await handshake.done;
  } catch (error) {
    await kept?.catch(() => undefined); // why there was no login matters more
    throw error;
  }
  login?.succeeded();
  const { client } = handshake;
  if (!seen || signal?.aborted) {
    hangUp(client, socket, true);
    throw calledOff(label);
  }
  acknowledgeAtOnce(client, socket, burstMs);
  const keepalive = options.keepalive ?? defaultKeepalive;
  const { openMs } = limits;
  const banner = handshake.banner();
  const ssh = new Connection({ client, socket, hostKey: seen, banner, user, label, openMs, keepalive });
  try {
    await kept;
  } catch (error) {
    ssh.close();
    throw error;
  }
  return ssh;
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
