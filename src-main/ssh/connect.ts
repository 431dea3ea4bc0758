// Connects and logs in: TCP, key exchange, host key, login, each within its limit.
import { Socket } from 'node:net';
import { homedir, userInfo } from 'node:os';
import { Connection, type SshConnection } from './connection.ts';
import { Ssh2Carrier } from './carrier.ts';
import type { HostConfig } from './config.ts';
import { calledOff } from './dial.ts';
import { SshError, printable } from './error.ts';
import { fetchHostKey } from './fetch-host-key.ts';
import { beyondSsh2, offeredTo, shakeHands, type Handshake } from './handshake.ts';
import { hangUp } from './hang-up.ts';
import { fingerprint, keyType, type HostKeySeen } from './host-key.ts';
import { expandHome, findIdentities } from './identities.ts';
import type { HostKeyVerdict, KeysOfHost, KnownHosts } from './known-hosts.ts';
import { Login } from './login.ts';
import type { SshKeepalive, SshOptions, SshTarget, SshTimeouts } from './options.ts';
import { systemAgent } from './places.ts';
import { Routes } from './routes.ts';
import { SecretCache } from './secrets.ts';
import { acknowledgeAtOnce, askNoProofOfKeys, onRefusal, preferSha512, signAtOnce } from './ssh2.ts';
import { KeyRefused, connectSystem } from './system.ts';
import { whySystem } from './system-choice.ts';
import { HadToAsk, type Wire } from './wire.ts';

const defaultTimeouts: SshTimeouts = { connectMs: 8000, handshakeMs: 10_000, loginMs: 20_000, openMs: 10_000 };
/** A pulled cable is noticed after 12 s at the latest: up to one interval passes before silence can begin. */
const defaultKeepalive: SshKeepalive = { intervalMs: 3000, count: 3 };
/** Logging in is followed by a burst of small packets; then what the host says is mostly answers. */
const burstMs = 500;

/** @throws SshError with a sentence for the admin. */
export async function connectSsh(options: SshOptions): Promise<SshConnection> {
  const sources = await sourcesOf(options);
  const { config } = sources;
  const { prompts, routes = direct } = options;
  const asks = prompts !== null && routes.asks(config);
  let connect = asks || (await bySystem(options, sources)) ? connectBySystem : connectOnce;
  for (let tries = 0; ; tries += 1) {
    try {
      return await connect(options, sources);
    } catch (error) {
      if (!(error instanceof SshError)) throw error;
      // What the host asks for, or the configuration, ssh2 may not know; OpenSSH knows more.
      const asked = prompts !== null && error instanceof HadToAsk;
      if ((asked || beyondSsh2(error)) && connect === connectOnce && (await hasClient(options))) {
        if (asked) routes.learn(config);
        connect = connectBySystem;
        continue;
      }
      const pin = connect === connectBySystem ? pinApprovedBySystem : pinApproved;
      if (error.kind === 'untrusted' && error.hostKey && (await pin(options, sources, error.hostKey))) {
        return connect(options, await sourcesOf(options, config));
      }
      if (!turnedAway(error) || tries === moreTries) throw error;
    }
    await pause(Math.min(turnedAwayMostMs, turnedAwayMs * 2 ** tries) * (0.5 + Math.random()), options);
  }
}

/** What is read before a connection is made. */
interface Sources {
  config: HostConfig | null;
  known: KeysOfHost;
  /** In place of the usual files of known hosts. */
  instead: { user?: string[]; system?: string[] };
  /** The agent's socket. */
  agent: string | null;
  home: string;
  /** The agent's keys before those of files, in ssh's own order. */
  agentFirst?: boolean;
}

async function sourcesOf(options: SshOptions, read?: HostConfig | null): Promise<Sources> {
  const { target, routes = direct, knownHosts } = options;
  const config = read === undefined ? await routes.configOf(target) : read;
  const home = options.home ?? homedir();
  const configured = config?.identityAgent === undefined ? systemAgent() : config.identityAgent;
  const agent = options.agent === undefined ? configured : options.agent;
  const userFiles =
    target.knownHostsFile === undefined ? config?.userKnownHostsFiles : [expandHome(target.knownHostsFile, home)];
  const instead = {
    ...(userFiles && { user: userFiles }),
    ...(config?.globalKnownHostsFiles && { system: config.globalKnownHostsFiles }),
  };
  const named = namedAs(target, config);
  return { config, known: await knownHosts.of(named.host, named.port, instead), instead, agent, home };
}

/** Whether the host needs the system's own ssh, and there is one. */
async function bySystem({ target, routes = direct }: SshOptions, sources: Sources): Promise<boolean> {
  if ((await whySystem({ target, ...sources })) === null) return false;
  if (target.system === true || (await hasClient({ routes }))) return true;
  if (sources.config?.onlySsh?.includes('RevokedHostKeys')) {
    // Without it a revoked key might be taken.
    const message = `RevokedHostKeys is set for ${target.label}, and there is no OpenSSH client here to read that list. Install it, or mark revoked keys in known_hosts (@revoked).`;
    throw new SshError('misconfigured', 'connect', message);
  }
  return false;
}

const hasClient = async ({ routes = direct }: Pick<SshOptions, 'routes'>) => (await routes.client()) !== null;

const direct = new Routes();

/** A server that has too many logins going on closes new ones before it has said a word: a moment later it takes them. */
const turnedAway = ({ kind, phase }: SshError) => kind === 'lost' && phase === 'banner';
const moreTries = 8;
const turnedAwayMs = 150;
const turnedAwayMostMs = 1500;

function pause(ms: number, { signal, target }: SshOptions): Promise<void> {
  return new Promise((resolve, reject) => {
    const end = () => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', end);
      if (signal?.aborted) reject(calledOff(target.label));
      else resolve();
    };
    const timer = setTimeout(end, ms);
    signal?.addEventListener('abort', end, { once: true });
    if (signal?.aborted) end();
  });
}

/** A host has keys of several types and shows one: the one that was approved may be another, so it is asked for. */
async function pinApproved(options: SshOptions, { config }: Sources, shown: HostKeySeen): Promise<boolean> {
  const { target, knownHosts, timeouts, signal, routes = direct } = options;
  const { trust } = target;
  // A jump host's key is not what was approved.
  const named = namedAs(target, config);
  if (trust === undefined || shown.of.host !== named.host || shown.of.port !== named.port) return false;
  const timeoutMs = timeouts?.handshakeMs ?? defaultTimeouts.handshakeMs;
  for (const type of ['ssh-ed25519', 'ecdsa-sha2-nistp256', 'ssh-rsa']) {
    if (type === shown.algorithm) continue;
    const { host, port } = placeOf(target, config);
    const way = await routes.open({ host, port, timeoutMs, config }, options, connectSsh).catch(() => null);
    if (!way) return false;
    const other = await fetchHostKey(host, port, { timeoutMs, signal, types: [type], socket: way.wire }).catch(
      () => null,
    );
    way.leave();
    if (other?.fingerprint !== unpadded(trust)) continue;
    await keep(knownHosts, target.label, named, other.key, config);
    return true;
  }
  return false;
}

async function pinApprovedBySystem(options: SshOptions, sources: Sources, shown: HostKeySeen): Promise<boolean> {
  const { target, knownHosts } = options;
  const { config } = sources;
  const named = namedAs(target, config);
  if (target.trust === undefined || shown.of.host !== named.host || shown.of.port !== named.port) return false;
  const wanted = unpadded(target.trust);
  const ofType = async (hostKeyAlgorithm: string) => {
    const outcome: unknown = await connectBySystem(options, sources, hostKeyAlgorithm).catch((error: unknown) => error);
    return outcome instanceof SshError ? outcome.hostKey : undefined;
  };
  const types = ['ssh-ed25519', 'ecdsa-sha2-nistp256', 'rsa-sha2-512'];
  let found: HostKeySeen | undefined = shown.fingerprint === wanted ? shown : undefined;
  for (const type of types) if (found?.fingerprint !== wanted) found = await ofType(type);
  if (found?.fingerprint !== wanted || found.key.length === 0) return false;
  await keep(knownHosts, target.label, named, found.key, config);
  return true;
}

async function connectBySystem(
  options: SshOptions,
  sources: Sources,
  hostKeyAlgorithm?: string,
): Promise<SshConnection> {
  const { target, knownHosts, routes = direct } = options;
  const { config, known, instead } = sources;
  const place = placeOf(target, config);
  const named = namedAs(target, config);
  const route = await routes.system({ ...place, config }, options, connectSsh);
  try {
    const ssh = await connectSystem(options, {
      config,
      place,
      named,
      route,
      limits: limitsOf(options, config),
      keepalive: options.keepalive ?? keepaliveOf(config),
      knownHosts: knownHosts.files(instead),
      status: (key) => known.check(key).status,
      ...(hostKeyAlgorithm !== undefined && { hostKeyAlgorithm }),
    });
    const { hostKey } = ssh;
    const newKeys = ['accept-new', 'no'].includes(config?.strictHostKeyChecking ?? 'ask') && keepsKeys(config);
    if (newKeys && hostKey.key.length > 0 && known.check(hostKey.key).status === 'unknown' && !isCertificate(hostKey)) {
      await keep(knownHosts, target.label, named, hostKey.key, config);
    }
    return ssh;
  } catch (error) {
    throw error instanceof KeyRefused ? hostKeyError(error.seen, error.where, target, error.certificate) : error;
  }
}

const isCertificate = ({ algorithm }: HostKeySeen) => algorithm.includes('-cert-');

/** Where the target is: its address as configured. */
function placeOf({ host, port }: SshTarget, config: HostConfig | null): { host: string; port: number } {
  return { host: config?.hostName ?? host, port: config?.port ?? port ?? 22 };
}

/** What its keys are known by. */
function namedAs(target: SshTarget, config: HostConfig | null): { host: string; port: number } {
  const alias = config?.hostKeyAlias;
  return alias === undefined ? placeOf(target, config) : { host: alias, port: 22 };
}

/**
 * Whether new keys are to be kept: not where the configuration takes any and has ssh write them nowhere, as for hosts that
 * are made anew often.
 */
function keepsKeys(config: HostConfig | null): boolean {
  if (config?.strictHostKeyChecking !== 'no') return true;
  return config.userKnownHostsFiles === undefined || config.userKnownHostsFiles.some((path) => path !== '/dev/null');
}

async function keep(
  knownHosts: KnownHosts,
  label: string,
  { host, port }: { host: string; port: number },
  key: Buffer,
  config: HostConfig | null,
): Promise<void> {
  try {
    await knownHosts.pin(host, port, key, { hash: config?.hashKnownHosts ?? false });
  } catch (error) {
    const said = printable(error instanceof Error ? error.message : String(error));
    const message = `The host key of ${label} is trusted now, but that could not be written down (${said}).`;
    throw new SshError('untrusted', 'key-exchange', message);
  }
}

const unpadded = (print: string) => print.replace(/=+$/, '');

async function connectOnce(options: SshOptions, sources: Sources): Promise<SshConnection> {
  const { target, prompts, signal, routes = direct } = options;
  const { config, known, agent, home, agentFirst = false } = sources;
  const { label } = target;
  const { host, port } = placeOf(target, config);
  const named = namedAs(target, config);
  const user = target.user ?? config?.user ?? userInfo().username;
  const limits = limitsOf(options, config);
  const algorithms = offeredTo(label, config, known.types);
  // What can be offered is read while the connection is made.
  const keyFiles = target.keyFiles ?? config?.identityFiles;
  const identities = findIdentities({
    agent,
    keyFiles,
    home,
    only: config?.identitiesOnly ?? false,
    agentFirst,
    algorithms: config?.keyAlgorithms,
  });
  const way = await routes.open({ host, port, timeoutMs: limits.connectMs, config }, options, connectSsh);
  const socket = way.wire;
  const strict = config?.strictHostKeyChecking ?? 'ask';
  const anyKey = target.noVerify === true || strict === 'no';
  const anyNewKey = strict === 'accept-new' || strict === 'no';
  // As with ssh: a name of its own, or a program in between, is something that a key can be known by.
  const anyKeyHere = config?.anyKeyOfLocalhost === true && config.hostKeyAlias === undefined && isLocal(socket);

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
    const byPerson = target.trust !== undefined && print === unpadded(target.trust);
    const approved = found === 'unknown' && (anyNewKey || byPerson);
    const status = approved || (anyKeyHere && found !== 'revoked') ? 'trusted' : found;
    seen = { algorithm: keyType(key), fingerprint: print, status, key: Buffer.from(key), of: named };
    options.onHostKey?.(seen);
    if (approved && (byPerson || (keepsKeys(config) && !anyKeyHere))) {
      // Kept at once, whatever the login comes to.
      kept = keep(options.knownHosts, label, named, seen.key, config);
      kept.catch(() => undefined); // awaited below
    }
    if (status === 'trusted') return null;
    trusted = status === 'unknown';
    if (anyKey && status !== 'revoked') return null;
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
      methods: config?.methods,
      trusted,
      signal: handshake.signal,
      waiting: (person) => {
        way.leave();
        return handshake.deadline.without(person);
      },
      patient: () => {
        way.leave();
        options.onWait?.();
        handshake.patient();
      },
      fail: (error) => handshake.fail(error),
    }));
  handshake = shakeHands({
    socket,
    label,
    user,
    algorithms,
    handshakeMs: limits.handshakeMs,
    loginMs: limits.loginMs,
    signal,
    verify,
    login: () => begin().next(),
    failure: (said) => begin().failure(said),
  });
  preferSha512(handshake.client);
  onRefusal(handshake.client, (methods, partial) => begin().refused(methods, partial));
  signAtOnce(handshake.client, (key) => begin().signsAtOnce(key));
  askNoProofOfKeys(handshake.client);
  try {
    await handshake.done;
  } catch (error) {
    await kept?.catch(() => undefined); // why there was no login matters more
    // The keys that are named come first, as servers hear few. Where ssh would have got in by the agent's, so do we.
    if (login?.leftAgentKeys && !agentFirst) {
      return connectOnce(options, { ...(await sourcesOf(options, config)), agentFirst: true });
    }
    throw error;
  } finally {
    way.leave();
  }
  login?.succeeded();
  const { client } = handshake;
  if (!seen || signal?.aborted) {
    hangUp(client, socket, true);
    throw calledOff(label);
  }
  if (!way.via) acknowledgeAtOnce(client, socket, burstMs);
  const keepalive = options.keepalive ?? keepaliveOf(config);
  const { openMs } = limits;
  const banner = handshake.banner();
  const ssh = new Connection({
    carrier: new Ssh2Carrier(client, socket),
    via: way.via,
    address: host,
    hostKey: seen,
    banner,
    user,
    login: `${user}@${host}:${port}`,
    label,
    openMs,
    keepalive,
  });
  try {
    await kept;
  } catch (error) {
    ssh.close();
    throw error;
  }
  return ssh;
}

const isLocal = (socket: Wire) => socket instanceof Socket && /^(::ffff:)?127\.|^::1$/.test(socket.remoteAddress ?? '');

function limitsOf({ timeouts }: SshOptions, config: HostConfig | null): SshTimeouts {
  const configured = config?.connectTimeoutMs;
  return {
    ...defaultTimeouts,
    ...(configured !== undefined && { connectMs: configured, handshakeMs: configured }),
    // Who waits longer for a host does so for its login, too, which a slow directory or name server may hold up.
    ...(configured !== undefined && { loginMs: Math.max(configured, defaultTimeouts.loginMs) }),
    ...timeouts,
  };
}

/** A configured one counts where it notices sooner: that a lost host shows soon is promised to the admin. */
function keepaliveOf(config: HostConfig | null): SshKeepalive {
  const intervalMs = config?.serverAliveIntervalMs;
  if (intervalMs === undefined) return defaultKeepalive;
  const count = Math.max(2, config?.serverAliveCount ?? 3);
  const configured = { intervalMs, count };
  const noticed = (keepalive: SshKeepalive) => keepalive.intervalMs * keepalive.count;
  return noticed(configured) < noticed(defaultKeepalive) ? configured : defaultKeepalive;
}

function hostKeyError(
  seen: HostKeySeen,
  where: HostKeyVerdict['where'],
  { label }: SshTarget,
  certificate: string | null = null,
): SshError {
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
        certificate !== null
          ? `${label} shows a certificate that does not count (${printable(certificate)}), and its key alone is not known: ${shown}. Have it signed anew; or compare the fingerprint with the host’s own (ssh-keygen -lf), then trust the key.`
          : `The host key of ${label} is not known yet: ${shown}. Compare the fingerprint with the host’s own (ssh-keygen -lf), then trust it.`,
        seen,
      );
    default:
      return seen.status satisfies never;
  }
}
