// The way to one host's libvirt: over its one SSH connection, or through the local socket. Carries any number of
// libvirt connections.
import { once } from 'node:events';
import { connect } from 'node:net';
import type { Duplex } from 'node:stream';
import { Failure } from '../../contract/failure.ts';
import type { HostKey } from '../../contract/model.ts';
import type { HostUri } from '../../contract/uri.ts';
import { AuthFailed, Connection, openLocal } from '../libvirt/index.ts';
import {
  connectSsh,
  type HostKeySeen,
  type KnownHosts,
  openLibvirt,
  openPlace,
  runAlone,
  type SecretCache,
  type Routes,
  type SshConnection,
  SshError,
  type SshPrompts,
  type SshRun,
  Sudo,
  sudoWouldHelp,
} from '../ssh/index.ts';

export interface Reach {
  /** Open SSH connections: 1, or 0 where there is no SSH. */
  readonly connections: number;
  /** Why its libvirt can only be looked at, in a sentence; null or left out: it can be changed. */
  readonly readOnly?: string | null;
  /** The address to tell another host to reach this one by; null for a local one. */
  readonly address: string | null;
  /**
   * One more libvirt connection.
   * @param keepalive False for connections that own a migration: an outage is waited out.
   */
  open(options: { keepalive: boolean; signal?: AbortSignal }): Promise<Connection>;
  /** Runs a short command on the host; null where there is no shell to run it in. */
  run(command: string, options?: { timeoutMs: number }): Promise<SshRun> | null;
  /** A stream to where something listens on the host, as the host itself sees it. @throws SshError; node's own error */
  dial(place: Place): Promise<Duplex>;
  /** A stream to a Unix socket on the host; left out where there is no SSH. @throws SshError */
  openUnix?(path: string): Promise<Duplex>;
  /** Has the host listen on a Unix socket, until the undo. @throws SshError */
  listenUnix?(path: string, taken: (stream: Duplex) => void): Promise<() => void>;
  /** While held, silence never ends it. */
  hold(): () => void;
  /** Asks the host at once whether it lives; left out where there is no network in between. */
  ask?(): void;
  on(event: 'silent' | 'heard', listener: () => void): () => void;
  /** True from its end on. */
  readonly isEnded: boolean;
  close(): void;
}

/** Where something listens: a port, or a Unix socket. */
export type Place = { host: string; port: number } | { path: string };

/** What every SSH login of the fleet shares. */
export interface Logins {
  knownHosts: KnownHosts;
  secrets: SecretCache;
  /** OpenSSH's configuration and the jump hosts; left out: every way is direct. */
  routes?: Routes;
}

export interface ReachOptions {
  uri: HostUri;
  label: string;
  logins: Logins;
  /** Null: nobody is there to ask. */
  prompts: SshPrompts | null;
  /** A fingerprint that was approved beforehand: pinned on first sight. */
  trust: string | null;
  signal: AbortSignal;
  onHostKey: (seen: HostKeySeen) => void;
  /** Called when it begins to wait for a jump host. */
  onWait?: () => void;
}

export type OpenReach = (options: ReachOptions) => Promise<Reach>;

/** @throws SshError, LibvirtError, Failure */
export const openReach: OpenReach = (options) =>
  options.uri.transport === 'ssh' ? overSsh(options) : Promise.resolve(overSocket(options.uri));

async function overSsh({
  uri,
  label,
  logins,
  prompts,
  trust,
  signal,
  onHostKey,
  onWait,
}: ReachOptions): Promise<Reach> {
  const { host, port, user, parameters } = uri;
  if (host === null) throw new Failure('bad-request', `“${uri.text}” names no host.`);
  const ssh = await connectSsh({
    target: {
      host,
      port,
      user,
      label,
      ...(parameters.keyfile !== undefined && { keyFiles: [parameters.keyfile] }),
      ...(parameters.known_hosts !== undefined && { knownHostsFile: parameters.known_hosts }),
      noVerify: parameters.no_verify === '1',
      system: parameters.command === 'ssh',
      ...(trust !== null && { trust }),
    },
    knownHosts: logins.knownHosts,
    secrets: logins.secrets,
    ...(logins.routes && { routes: logins.routes }),
    ...(onWait && { onWait }),
    prompts,
    signal,
    onHostKey,
  });
  // root needs none.
  const sudo =
    parameters.sudo === '1' && ssh.user !== 'root' ? new Sudo(ssh, { prompts, secrets: logins.secrets, signal }) : null;
  return new SshReach(ssh, uri, sudo);
}

class SshReach implements Reach {
  readonly address: string;
  readonly #ssh: SshConnection;
  readonly #uri: HostUri;
  readonly #sudo: Sudo | null;
  #how: string | undefined;
  #readOnly: string | null;
  #ended = false;

  constructor(ssh: SshConnection, uri: HostUri, sudo: Sudo | null) {
    this.#ssh = ssh;
    this.#uri = uri;
    this.#sudo = sudo;
    this.#readOnly = readOnlyByUri(uri);
    this.address = ssh.address;
    ssh.onEnd(() => {
      this.#ended = true;
    });
  }

  get isEnded(): boolean {
    return this.#ended;
  }

  get connections(): number {
    return this.#ended ? 0 : 1;
  }

  get readOnly(): string | null {
    return this.#readOnly;
  }

  async open(options: { keepalive: boolean; signal?: AbortSignal }): Promise<Connection> {
    try {
      return await this.#openAs(this.#readOnly !== null, options);
    } catch (error) {
      if (this.#readOnly !== null || this.#uri.parameters.socket !== undefined) throw error;
      const forbidden = forbids(error);
      if (!forbidden) throw error;
      // Who may not change anything may often look.
      const connection = await this.#openAs(true, options).catch(() => null);
      if (!connection) throw error;
      const helps = this.#sudo === null && (await sudoWouldHelp(this.#ssh));
      this.#readOnly =
        forbidden.message + (helps ? ' Or have Drover use sudo there: add sudo=1 to the host’s URI.' : '');
      return connection;
    }
  }

  async #openAs(
    readOnly: boolean,
    { keepalive, signal }: { keepalive: boolean; signal?: AbortSignal },
  ): Promise<Connection> {
    const { socket, proxy, mode } = this.#uri.parameters;
    const tunnel = await openLibvirt(this.#ssh, {
      uri: this.#uri.daemonUri,
      ...(socket !== undefined && { socket }),
      ...(proxy !== undefined && { proxy: proxy as 'auto' | 'native' | 'netcat' }),
      ...(mode !== undefined && { mode: mode as 'auto' | 'direct' | 'legacy' }),
      ...(this.#how !== undefined && { remember: this.#how }),
      ...(!readOnly && this.#sudo && { sudo: this.#sudo }),
      readOnly,
    });
    this.#how = tunnel.how;
    return Connection.open(tunnel.duplex, {
      uri: this.#uri.daemonUri,
      readOnly,
      ...(keepalive ? {} : { keepalive: false as const }),
      ...(signal && { signal }),
    });
  }

  dial(place: Place): Promise<Duplex> {
    return openPlace(this.#ssh, place);
  }

  openUnix(path: string): Promise<Duplex> {
    return this.#ssh.openUnix(path);
  }

  listenUnix(path: string, taken: (stream: Duplex) => void): Promise<() => void> {
    return this.#ssh.listenUnix(path, taken);
  }

  run(command: string, options?: { timeoutMs: number }): Promise<SshRun> {
    return runAlone(this.#ssh, command, options);
  }

  hold(): () => void {
    return this.#ssh.hold();
  }

  ask(): void {
    this.#ssh.ask();
  }

  on(event: 'silent' | 'heard', listener: () => void): () => void {
    return this.#ssh.on(event, listener);
  }

  close(): void {
    this.#ssh.close();
  }
}

/** Why the user, who can log in, may not use libvirt as it was asked for; null: that is not what failed. */
function forbids(thrown: unknown): Error | null {
  // A program on the host may have begun, and told only then.
  for (let error = thrown; error instanceof Error; error = error.cause) {
    if (error instanceof AuthFailed || (error instanceof SshError && error.kind === 'no-permission')) return error;
  }
  return null;
}

/** The socket that only lets look is named by the URI itself. */
function readOnlyByUri({ parameters: { socket } }: HostUri): string | null {
  return socket?.endsWith('-ro') ? `Its URI names the read-only socket ${socket}.` : null;
}

/** How long something on this machine may take to answer. */
const dialMs = 10_000;

function overSocket(uri: HostUri): Reach {
  // There is no one connection that carries them all, so they are ended one by one.
  const open = new Set<Connection>();
  let ended = false;
  let readOnly = readOnlyByUri(uri);
  const dial = (signal: AbortSignal | undefined) =>
    openLocal(uri.daemonUri, {
      readOnly: readOnly !== null,
      ...(uri.parameters.socket !== undefined && { socket: uri.parameters.socket }),
      ...(signal && { signal }),
    });
  const mayOnlyLook = (error: NodeJS.ErrnoException) =>
    readOnly === null && uri.parameters.socket === undefined && (error.code === 'EACCES' || error.code === 'EPERM');
  return {
    get readOnly() {
      return readOnly;
    },
    connections: 0,
    address: null,
    open: async ({ keepalive, signal }) => {
      const socket = await dial(signal).catch(async (error: NodeJS.ErrnoException) => {
        if (!mayOnlyLook(error)) throw error;
        readOnly = error.message;
        return dial(signal).catch(() => {
          readOnly = null;
          throw error;
        });
      });
      const connection = await Connection.open(socket, {
        uri: uri.daemonUri,
        readOnly: readOnly !== null,
        ...(keepalive ? {} : { keepalive: false as const }),
        ...(signal && { signal }),
      });
      open.add(connection);
      connection.onEnd(() => open.delete(connection));
      if (ended) connection.destroy();
      return connection;
    },
    dial: async (place) => {
      const socket = connect(place);
      try {
        await once(socket, 'connect', { signal: AbortSignal.timeout(dialMs) });
      } catch (error) {
        socket.destroy();
        throw error;
      }
      return socket;
    },
    run: () => null,
    hold: () => () => {},
    on: () => () => {},
    get isEnded() {
      return ended;
    },
    close() {
      ended = true;
      for (const connection of open) connection.destroy();
    },
  };
}

/** What is told of a host key: plain data, a revoked one counts as changed. */
export function hostKeyView(seen: HostKeySeen): HostKey {
  return {
    algorithm: seen.algorithm,
    fingerprint: seen.fingerprint,
    status: seen.status === 'revoked' ? 'changed' : seen.status,
  };
}
