// The second way to connect: the system's own ssh, as a master that lends its connection (ControlMaster). It brings
// what ssh2 does not do: certificates, FIDO keys, Kerberos, PKCS#11, and host keys signed by an authority.
import { spawn, type ChildProcess } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as pause } from 'node:timers/promises';
import { Askpass } from './askpass.ts';
import { Connection, type SshConnection } from './connection.ts';
import type { HostConfig } from './config.ts';
import { Deadline } from './deadline.ts';
import { calledOff, seconds } from './dial.ts';
import { SshError } from './error.ts';
import { fingerprint, keyType, plainKey, type HostKeySeen, type HostKeyStatus } from './host-key.ts';
import { expandHome } from './identities.ts';
import { MuxCarrier, terminate } from './mux.ts';
import { patientMs, type SshKeepalive, type SshOptions, type SshTimeouts } from './options.ts';
import type { SystemRoute } from './routes.ts';
import { SystemAnswers } from './system-answers.ts';
import { SystemLog, keyRefusal, whyEnded, whyLeft } from './system-log.ts';

/** How long a master stays when Drover is gone without a word. */
const orphanSeconds = 5;

/** How long to wait for the last words of an ssh that has left. */
const lastWordsMs = 500;

/** Of the connections that there are: what is left of them goes with Drover. */
const folders = new Set<string>();
process.on('exit', () => {
  for (const folder of folders) rmSync(folder, { recursive: true, force: true });
});

export interface SystemParts {
  config: HostConfig | null;
  /** Where the target is, and what its keys are known by. */
  place: { host: string; port: number };
  named: { host: string; port: number };
  limits: SshTimeouts;
  keepalive: SshKeepalive;
  route: SystemRoute;
  /** Files of known hosts, Drover's own first. */
  knownHosts: { user: string[]; system: string[] };
  /** Whether the key is known, by the same files. */
  status: (key: Buffer) => HostKeyStatus;
  /** Take keys of one type only. */
  hostKeyAlgorithm?: string;
}

/** @throws SshError with a sentence for the admin. */
export async function connectSystem(options: SshOptions, parts: SystemParts): Promise<SshConnection> {
  const { route } = parts;
  try {
    return await begin(options, parts);
  } catch (error) {
    route.release();
    throw error;
  } finally {
    route.leave();
  }
}

/** @throws SshError */
async function begin(options: SshOptions, parts: SystemParts): Promise<SshConnection> {
  const { target, signal } = options;
  const { label } = target;
  const { config, place, named, limits, route } = parts;
  if (signal?.aborted) throw calledOff(label);
  const folder = privateFolder(label);
  folders.add(folder);
  const control = join(folder, 'ctl');
  const user = target.user ?? config?.user ?? '';
  const byCommand = route.command === null && config?.proxyCommand !== undefined;
  const login = `${user}@${place.host}:${place.port}`;
  const answers = new SystemAnswers({ options, login, user, byCommand, marked: route.tellsKeys });
  let deadline: Deadline | undefined;
  let askpass: Askpass | undefined;
  let child: ChildProcess | undefined;
  let done = false;
  const clear = () => {
    askpass?.close();
    folders.delete(folder);
    rmSync(folder, { recursive: true, force: true });
  };

  const log = new SystemLog(() => {
    if (log.phase === 'key-exchange') deadline?.set(limits.handshakeMs);
    else if (log.phase === 'login') deadline?.set(log.patient ? patientMs(limits) : limits.loginMs);
    if (log.patient) {
      route.leave();
      options.onWait?.();
    }
  });
  try {
    askpass = await Askpass.open(folder, (asked) => {
      options.onWait?.();
      route.leave();
      const answer = answers.to(asked);
      return deadline ? deadline.without(answer) : answer;
    });
    const env = { ...process.env, ...askpass.environment };
    // Of its own group and session, so that it never asks at a terminal that Drover was started from.
    child = spawn(route.program, argv(options, parts, folder, control), {
      env,
      detached: true,
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    const ssh = child;
    const exited = new Promise<number | null>((resolve, reject) => {
      ssh.on('error', reject);
      ssh.on('exit', (code) => resolve(code));
    });
    let allRead: Promise<unknown> = Promise.resolve();
    if (ssh.stderr) {
      const lines = createInterface({ input: ssh.stderr }).on('line', (line) => log.line(line));
      allRead = new Promise((resolve) => lines.once('close', () => resolve(null)));
    }
    const stopped = new Promise<never>((_, reject) => {
      const stop = (error: SshError) => {
        reject(error);
        kill(ssh);
      };
      deadline = new Deadline(() => stop(tooSlow(log, label, limits)));
      deadline.set(limits.connectMs);
      signal?.addEventListener('abort', () => !done && stop(calledOff(label)), { once: true });
      answers.onCancel((error) => stop(error));
    });
    stopped.catch(() => undefined);
    // It goes to the background when it is logged in.
    const code = await Promise.race([exited, stopped]);
    // What it said last is read: its output may come after its end. The one in the background keeps its own open.
    await Promise.race([allRead, pause(code === 0 ? 0 : lastWordsMs)]);
    const anyKey = takesAnyKey(options, config);
    const seen = keySeen(log, folder, named, parts.status);
    // ssh has checked it, where it was told to.
    if (seen && code === 0 && !anyKey) seen.status = 'trusted';
    const refusal = keyRefusal(log);
    if (seen && code === 0) {
      // Where the certificate was not taken, it was the key itself that was.
      if (!log.certified) seen.algorithm = keyType(seen.key) || seen.algorithm;
      // Told to take any, ssh only warns.
      if (anyKey && refusal) seen.status = refusal.status;
      if (seen.status === 'revoked') throw new KeyRefused(seen, refusal?.where ?? [], null);
    }
    if (code !== 0) {
      if (refusal && seen) {
        // Without a certificate that holds, it is the key itself that can be trusted.
        const algorithm = keyType(seen.key) || seen.algorithm;
        const shown = { ...seen, algorithm, status: refusal.status };
        options.onHostKey?.(shown);
        throw new KeyRefused(shown, refusal.where, refusal.certificate);
      }
      throw whyLeft(log, { ...place, label, via: route.via?.label ?? null });
    }
    answers.succeeded();
    askpass.close(); // once it is logged in, ssh asks nothing more
    if (seen) options.onHostKey?.(seen);
    const carrier = await MuxCarrier.open(control);
    done = true;
    if (signal?.aborted) {
      carrier.hangUp();
      throw calledOff(label);
    }
    const connection = new Connection({
      carrier,
      via: route.via,
      address: place.host,
      hostKey: seen ?? { algorithm: '', fingerprint: '', status: 'trusted', key: Buffer.alloc(0), of: named },
      banner: log.banner,
      user: log.user ?? user,
      login: `${log.user ?? user}@${place.host}:${place.port}`,
      label,
      openMs: limits.openMs,
      keepalive: parts.keepalive,
      controlPath: control,
      why: () => whyEnded(log, label),
    });
    connection.onEnd(() => {
      route.release();
      void terminate(control).finally(clear);
    });
    return connection;
  } catch (error) {
    if (child && child.exitCode === 0) void terminate(control).finally(clear);
    else clear();
    if (error instanceof SshError || error instanceof KeyRefused) throw error;
    const said = error instanceof Error ? error.message : String(error);
    throw new SshError('unreachable', 'connect', `ssh could not be used to reach ${label} (${said}).`);
  } finally {
    deadline?.stop();
  }
}

/** The longest path that a folder of ours may lie in: those of Unix sockets end at some hundred bytes, ssh's part included. */
const longestParent = 60;

/** A folder of the user's alone, with a short name of plain signs, as ssh and shells are told it. @throws SshError */
function privateFolder(label: string): string {
  const given = [process.env['XDG_RUNTIME_DIR'] ?? '', tmpdir()];
  const usable = given.filter((path) => /^\/[\w./+-]*$/.test(path) && path.length <= longestParent);
  for (const parent of usable) {
    try {
      return mkdtempSync(join(parent, 'drover-ssh-'));
    } catch {
      // It is not there, or full, or not for this user.
    }
  }
  try {
    return mkdtempSync('/tmp/drover-ssh-');
  } catch (error) {
    const message = `ssh, which ${label} needs, keeps a socket in a folder that Drover makes, and neither $TMPDIR nor /tmp can be written (${String(error)}).`;
    throw new SshError('misconfigured', 'connect', message);
  }
}

/** The host's key was not taken. */
export class KeyRefused extends Error {
  readonly seen: HostKeySeen;
  readonly where: string[];
  /** Why its certificate was not taken, in ssh's words; null: it has none, or that is not the reason. */
  readonly certificate: string | null;

  constructor(seen: HostKeySeen, where: string[], certificate: string | null) {
    super('the host key was not taken');
    this.seen = seen;
    this.where = where;
    this.certificate = certificate;
  }
}

const takesAnyKey = ({ target }: SshOptions, config: HostConfig | null) =>
  target.noVerify === true || config?.strictHostKeyChecking === 'no';

function argv(options: SshOptions, parts: SystemParts, folder: string, control: string) {
  const { target, agent, prompts, home } = options;
  const { config, route, knownHosts } = parts;
  const anyKey = takesAnyKey(options, config);
  const newKeys = anyKey || config?.strictHostKeyChecking === 'accept-new';
  // ssh adds new keys to the first of the files. Drover writes them itself, into its own.
  const user = newKeys ? ['/dev/null', ...knownHosts.user] : knownHosts.user;
  const set = {
    LogLevel: 'DEBUG1',
    ControlMaster: 'yes',
    ControlPersist: String(orphanSeconds),
    // What a connection of Drover's never does, whatever the configuration says for a login by hand.
    ...{ ForwardAgent: 'no', ForwardX11: 'no', ClearAllForwardings: 'yes', PermitLocalCommand: 'no', Tunnel: 'no' },
    ...{ RemoteCommand: 'none', RequestTTY: 'no', UpdateHostKeys: 'no', VisualHostKey: 'no', CheckHostIP: 'no' },
    ...(prompts ? { BatchMode: 'no', NumberOfPasswordPrompts: '3' } : { BatchMode: 'yes' }),
    StrictHostKeyChecking: anyKey ? 'no' : newKeys ? 'accept-new' : 'yes',
    UserKnownHostsFile: files(user),
    GlobalKnownHostsFile: files(knownHosts.system),
    // The host's key comes to us only so; from 8.5 on. A command of the configuration's own follows: ssh splits its words.
    ...(route.tellsKeys && {
      KnownHostsCommand: `/bin/sh -c 'echo %K >>${join(folder, 'keys')}; exec "$@"' sh ${config?.knownHostsCommand ?? 'true'}`,
    }),
    ...(parts.hostKeyAlgorithm !== undefined && { HostKeyAlgorithms: parts.hostKeyAlgorithm }),
    ...(agent === null && { IdentityAgent: 'none' }),
    ...(typeof agent === 'string' && { IdentityAgent: agent }),
    ...(route.command !== null && { ProxyCommand: route.command, ProxyUseFdpass: 'no' }),
    // The least that keeps a NAT on the way open; whether the host lives is asked for by Drover.
    ...{ ServerAliveInterval: '30', ServerAliveCountMax: '1000' },
  };
  return [
    ...route.files,
    ...['-v', '-N', '-T', '-a', '-x', '-M', '-S', control],
    ...Object.entries(set).flatMap(([name, value]) => ['-o', `${name}=${value}`]),
    ...(target.keyFiles ?? []).flatMap((path) => ['-i', expandHome(path, home)]),
    ...(target.user === null ? [] : ['-l', target.user]),
    ...(target.port === null ? [] : ['-p', String(target.port)]),
    ...['--', target.host],
  ];
}

/** As ssh's configuration has paths: quoted, and a percent sign stands for itself. */
function files(paths: string[]): string {
  const usable = paths.filter((path) => !path.includes('"'));
  return usable.length > 0 ? usable.map((path) => `"${path.replaceAll('%', '%%')}"`).join(' ') : 'none';
}

/** The key that was shown last, in full where ssh handed it over. */
function keySeen(
  log: SystemLog,
  folder: string,
  of: { host: string; port: number },
  status: (key: Buffer) => HostKeyStatus,
): HostKeySeen | null {
  let told: string[] = [];
  try {
    told = readFileSync(join(folder, 'keys'), 'utf8').split('\n');
  } catch {
    // None was shown, or this ssh does not tell it.
  }
  const base64 = told.findLast((line) => line.length > 16);
  if (base64 !== undefined) {
    const told = Buffer.from(base64, 'base64');
    const algorithm = keyType(told);
    const key = plainKey(told);
    if (algorithm) return { algorithm, fingerprint: fingerprint(key), status: status(key), key, of };
  }
  return log.key && { ...log.key, status: 'unknown', key: Buffer.alloc(0), of };
}

function tooSlow(log: SystemLog, label: string, limits: SshTimeouts): SshError {
  const within = (ms: number, doing: string) =>
    new SshError('timeout', log.phase, `${label} ${doing} within ${seconds(ms)}. Is the host overloaded or stuck?`);
  switch (log.phase) {
    case 'key-exchange':
      return within(limits.handshakeMs, 'began to exchange keys, and did not finish');
    case 'login':
      return within(log.patient ? patientMs(limits) : limits.loginMs, 'did not finish the login');
    case 'banner':
      return within(limits.connectMs, 'said nothing that SSH begins with');
    default:
      return new SshError(
        'timeout',
        'connect',
        `${label} did not answer within ${seconds(limits.connectMs)}. Is it up, and does a firewall let SSH through?`,
      );
  }
}

/** It, and a ProxyCommand that it started. */
function kill({ pid, exitCode, signalCode }: ChildProcess): void {
  if (pid === undefined || exitCode !== null || signalCode !== null) return;
  try {
    process.kill(-pid, 'SIGTERM');
  } catch {
    // It has just left.
  }
}
