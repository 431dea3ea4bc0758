// The way to each host: what OpenSSH's configuration says of it, and the jump hosts that connections share.
import type { SshConnection } from './connection.ts';
import type { HostConfig, SshConfig } from './config.ts';
import { calledOff, dial } from './dial.ts';
import { SshError } from './error.ts';
import { Gate, hangsMs } from './gate.ts';
import { hopOf } from './hop.ts';
import type { SshOptions, SshTarget } from './options.ts';
import { quoted } from './scripts.ts';
import { tellsKeys, versionOf } from './system-choice.ts';
import { CommandWire, type Wire } from './wire.ts';

/** Logins under way at once through one jump host. */
const throughOneJump = 4;
/** A ProxyCommand often is a login of its own at one jump host, whose server begins to refuse them at some number. */
const throughOneCommand = 2;
/** How long a jump host stays connected when nobody goes through it any more. */
const lingerMs = 10_000;

export interface Way {
  wire: Wire;
  /** The connection that it goes through. */
  via: SshConnection | null;
  /** Says that the login is over, or waits for a person: the next one may begin. To be called once, or more often. */
  leave: () => void;
}

/** How the system's ssh is to go. */
export interface SystemRoute {
  program: string;
  /** What leads it to the configuration. */
  files: string[];
  /** A ProxyCommand over the shared connection to a jump host; null: it goes as it is configured. */
  command: string | null;
  via: SshConnection | null;
  /** As of a way. */
  leave: () => void;
  /** The jump host is not gone through any more. */
  release: () => void;
  /** It hands over the key of the host, and marks what the host itself asks by whose it is. */
  tellsKeys: boolean;
}

type Connect = (options: SshOptions) => Promise<SshConnection>;

interface Jump {
  connection: Promise<SshConnection>;
  /** Calls the attempt off when nobody waits for it any more. */
  abort: AbortController;
  users: number;
  linger: NodeJS.Timeout | undefined;
}

export class Routes {
  readonly #config: SshConfig | null;
  readonly #jumps = new Map<string, Jump>();
  readonly #gates = new Map<string, Gate>();
  /** Commands that are an ssh themselves, and ask. */
  readonly #asking = new Set<string>();

  /** @param config Null: OpenSSH's is not read. */
  constructor(config: SshConfig | null = null) {
    this.#config = config;
  }

  /** What holds for a target; what the target itself says comes first. @throws SshError `misconfigured` */
  async configOf({ host, port, user, jumps }: SshTarget): Promise<HostConfig | null> {
    const config = (await this.#config?.of({ host, user, port })) ?? null;
    if (config === null) return null;
    // As with ssh: a ProxyJump for all hosts is not meant for the jump host itself.
    const [only, ...others] = config.proxyJump;
    const itself = only !== undefined && others.length === 0 && hopOf(only).host === host;
    return { ...config, proxyJump: jumps ?? (itself ? [] : config.proxyJump) };
  }

  /** Whether the host is reached by a command that had to ask before: it is begun where it can from the start. */
  asks(config: HostConfig | null): boolean {
    return config?.proxyCommandName !== undefined && this.#asking.has(config.proxyCommandName);
  }

  learn(config: HostConfig | null): void {
    if (config?.proxyCommandName !== undefined) this.#asking.add(config.proxyCommandName);
  }

  /** Lets so many logins at a time use one way. @throws SshError when it was called off */
  async #enter(name: string, places: number, { signal, target }: SshOptions): Promise<() => void> {
    const gate = this.#gates.get(name) ?? new Gate(places, hangsMs);
    this.#gates.set(name, gate);
    try {
      return await gate.enter(signal);
    } catch {
      throw calledOff(target.label);
    }
  }

  /** A wire to the SSH server. @throws SshError */
  async open(
    at: { host: string; port: number; timeoutMs: number; config: HostConfig | null },
    options: SshOptions,
    connect: Connect,
  ): Promise<Way> {
    const { host, port, timeoutMs, config } = at;
    const { target, signal } = options;
    const hops = config?.proxyJump ?? [];
    if (hops.length > 0) return this.#through(hops, at, options, connect);
    if (config?.proxyCommand !== undefined) {
      options.onWait?.();
      const leave = await this.#enter(`command ${config.proxyCommandName}`, throughOneCommand, options);
      return { wire: new CommandWire(config.proxyCommand, target.label), via: null, leave };
    }
    const { family, from } = config ?? {};
    const wire = await dial({ host, port, label: target.label, timeoutMs, family, from, signal });
    return { wire, via: null, leave: () => undefined };
  }

  /** Whether there is an ssh that can lend its connection; null where there is not. */
  async client(): Promise<{ program: string; files: string[]; version: number } | null> {
    if (process.platform === 'win32') return null; // OpenSSH has no ControlMaster there
    const client = this.#config ? this.#config.client : { program: 'ssh', files: ['-F', 'none'] };
    const version = client && (await versionOf(client.program));
    return client && version !== null ? { ...client, version } : null;
  }

  /** A way for the system's ssh. @throws SshError */
  async system(
    at: { host: string; port: number; config: HostConfig | null },
    options: SshOptions,
    connect: Connect,
  ): Promise<SystemRoute> {
    const client = await this.client();
    if (!client) {
      const message = `There is no OpenSSH client that could reach ${options.target.label}. Install it, or leave command=ssh out of the URI.`;
      throw new SshError('misconfigured', 'connect', message);
    }
    const { program, files, version } = client;
    const route = { program, files, tellsKeys: tellsKeys(version), command: null, via: null, release: () => {} };
    const { config, host, port } = at;
    const hops = config?.proxyJump ?? [];
    if (hops.length === 0) {
      if (config?.proxyCommand === undefined) return { ...route, leave: () => {} };
      options.onWait?.();
      const leave = await this.#enter(`command ${config.proxyCommandName}`, throughOneCommand, options);
      return { ...route, leave };
    }
    const name = `ssh ${hops.join(',')}`;
    const { connection, release } = await this.#jump(
      name,
      hops,
      { ...options, target: { ...options.target, system: true } },
      connect,
    );
    try {
      const leave = await this.#enter(`jump ${name}`, throughOneJump, options);
      const words = [program, '-F', 'none', '-S', connection.controlPath ?? '', '-o', 'ControlMaster=no'];
      words.push('-o', 'ProxyCommand=false', '-W', `[${host}]:${port}`, '--', 'jump');
      const command = words.map((word) => quoted(word).replaceAll('%', '%%')).join(' ');
      return { ...route, command, via: connection, leave, release };
    } catch (error) {
      release();
      throw error;
    }
  }

  async #through(
    hops: string[],
    { host, port }: { host: string; port: number },
    options: SshOptions,
    connect: Connect,
  ): Promise<Way> {
    const name = hops.join(',');
    const { connection, release } = await this.#jump(name, hops, options, connect);
    let leave = () => {};
    try {
      leave = await this.#enter(`jump ${name}`, throughOneJump, options);
      const opening = connection.openTcp(host, port);
      const stream = await orAborted(opening, options.signal, options.target.label).catch((error: unknown) => {
        // Called off: one that comes late is of no use.
        opening.then(
          (late) => late.destroy(),
          () => undefined,
        );
        throw error;
      });
      stream.once('close', release);
      return { wire: stream as Wire, via: connection, leave };
    } catch (error) {
      leave();
      release();
      if (!(error instanceof SshError) || error.kind !== 'channel-refused') throw error;
      const message = `${options.target.label} cannot be reached from ${connection.label} at ${host} port ${port}. Is it up, is the address right as seen from there, and does that server forward TCP (AllowTcpForwarding)?`;
      throw new SshError('unreachable', 'connect', message);
    }
  }

  /** The one connection to a jump host, made by whoever needs it first. */
  async #jump(name: string, hops: string[], options: SshOptions, connect: Connect) {
    const { label, behind = [] } = options.target;
    if (behind.includes(name)) {
      const message = `${label} would be reached through itself. Mend ProxyJump in OpenSSH’s configuration, where it leads in a circle.`;
      throw new SshError('misconfigured', 'connect', message);
    }
    const jump = this.#jumps.get(name) ?? this.#connect(name, hops, options, connect);
    jump.users += 1;
    clearTimeout(jump.linger);
    let used = true;
    const release = () => {
      if (!used) return;
      used = false;
      jump.users -= 1;
      if (jump.users > 0) return;
      jump.linger = setTimeout(() => this.#drop(name, jump), lingerMs);
      jump.linger.unref();
    };
    const { signal } = options;
    const leave = () => {
      release();
      if (jump.users === 0) this.#drop(name, jump);
    };
    signal?.addEventListener('abort', leave, { once: true });
    try {
      options.onWait?.();
      const connection = await orAborted(jump.connection, signal, options.target.label);
      return { connection, release };
    } catch (error) {
      release();
      throw error;
    } finally {
      signal?.removeEventListener('abort', leave);
    }
  }

  #connect(name: string, hops: string[], options: SshOptions, connect: Connect): Jump {
    const { behind = [] } = options.target;
    const before = hops.slice(0, -1);
    const hop = hopOf(hops.at(-1) ?? '');
    const abort = new AbortController();
    const target: SshTarget = {
      ...hop,
      ...(before.length > 0 && { jumps: before }),
      label: `${hop.host} (jump host)`,
      ...(name.startsWith('ssh ') && { system: true }),
      behind: [...behind, name],
    };
    const { knownHosts, prompts, agent, home, timeouts, keepalive, secrets } = options;
    const connection = connect({
      target,
      knownHosts,
      prompts,
      routes: this,
      signal: abort.signal,
      ...(agent !== undefined && { agent }),
      ...(home !== undefined && { home }),
      ...(timeouts && { timeouts }),
      ...(keepalive && { keepalive }),
      ...(secrets && { secrets }),
      // Of a jump host's key only one that is in the way is shown in place of the host's own.
      onHostKey: (seen) => {
        if (seen.status !== 'trusted') options.onHostKey?.(seen);
      },
    });
    const jump: Jump = { connection, abort, users: 0, linger: undefined };
    this.#jumps.set(name, jump);
    const forget = () => {
      clearTimeout(jump.linger);
      if (this.#jumps.get(name) === jump) this.#jumps.delete(name);
    };
    connection.then((ssh) => ssh.onEnd(forget), forget);
    return jump;
  }

  #drop(name: string, jump: Jump): void {
    if (this.#jumps.get(name) === jump) this.#jumps.delete(name);
    clearTimeout(jump.linger);
    jump.abort.abort();
    jump.connection.then(
      (ssh) => ssh.close(),
      () => undefined,
    );
  }
}

function orAborted<T>(promise: Promise<T>, signal: AbortSignal | undefined, label: string): Promise<T> {
  if (!signal) return promise;
  return new Promise((resolve, reject) => {
    const abort = () => reject(calledOff(label));
    const done = () => signal.removeEventListener('abort', abort);
    if (signal.aborted) abort();
    signal.addEventListener('abort', abort, { once: true });
    promise.then(resolve, reject);
    void promise.then(done, done);
  });
}
