// ssh2 as the room uses it: its public parts, and behind names of ours the few that it keeps to itself.
// Those were tried with ssh2 1.17.0; the tests of this room fail where another version moved them.
import ssh2, { type Algorithms, type Client as ClientType, type ParsedKey } from 'ssh2';
import constants from 'ssh2/lib/protocol/constants.js';
import type { Wire } from './wire.ts';

export type {
  AnyAuthMethod,
  AuthHandlerMiddleware,
  Client as SshClient,
  ClientChannel,
  GetStreamCallback,
  ParsedKey,
  ServerHostKeyAlgorithm,
} from 'ssh2';
export const { Client, BaseAgent, OpenSSHAgent } = ssh2;
export const { parseKey } = ssh2.utils;

export type OfferedAlgorithms = Algorithms;

/** What ssh2 is able to do, which only a module of its own tells. */
export const supported = {
  serverHostKey: constants.SUPPORTED_SERVER_HOST_KEY,
  cipher: constants.SUPPORTED_CIPHER,
  kex: constants.SUPPORTED_KEX,
  hmac: constants.SUPPORTED_MAC,
};

interface Inner {
  _protocol: {
    ping(): void;
    requestFailure(): void;
    _remoteIdentRaw?: Buffer;
    authPK(user: string, key: ParsedKey, algorithm?: string, sign?: unknown): void;
    _handlers: {
      USERAUTH_FAILURE: (protocol: unknown, methods: string[], partial: boolean) => void;
      USERAUTH_PK_OK: (protocol: unknown) => void;
      GLOBAL_REQUEST: (protocol: unknown, name: string, wantReply: boolean, data: unknown) => void;
      EXT_INFO: (protocol: unknown, extensions: { name: string; algs?: string[] }[]) => void;
    };
  };
  /** What waits for the answers to global requests, in their order. */
  _callbacks: (() => void)[];
}

const inner = (client: ClientType) => client as unknown as Inner;

/** The host's first line; '' until it was said. */
export function identOf(client: ClientType): string {
  return inner(client)._protocol._remoteIdentRaw?.toString('latin1') ?? '';
}

/** Asks for a sign of life; any bytes that come are one. */
export function ping(client: ClientType): void {
  const { _protocol, _callbacks } = inner(client);
  try {
    _protocol.ping();
    _callbacks.push(() => undefined); // its answer, so that later ones find their own
  } catch {
    // The connection has just ended, and says so by itself.
  }
}

/** Tells at each refusal which methods may go on. ssh2 itself forgets to, when an agent's key was refused. */
export function onRefusal(client: ClientType, refused: (methods: string[], partial: boolean) => void): void {
  const handlers = inner(client)._protocol._handlers;
  const handle = handlers.USERAUTH_FAILURE;
  handlers.USERAUTH_FAILURE = (protocol, methods, partial) => {
    refused(methods, partial);
    handle(protocol, methods, partial);
  };
}

/**
 * Signs with some keys without asking first whether the host would take them: that saves a round trip, and the
 * 5 to 9 ms that OpenSSH's server puts off every answer to a login that is not complete.
 */
export function signAtOnce(client: ClientType, may: (key: ParsedKey) => boolean): void {
  const protocol = inner(client)._protocol;
  const authPK = protocol.authPK.bind(protocol);
  protocol.authPK = (user, key, algorithm, sign) => {
    if (!sign && may(key)) protocol._handlers.USERAUTH_PK_OK(protocol);
    else authPK(user, key, algorithm, sign);
  };
}

/**
 * OpenSSH's server tells all its host keys after a login, and ssh2 would have it prove each by a signature before it
 * answers anything else. Nobody here makes use of that.
 */
export function askNoProofOfKeys(client: ClientType): void {
  const handlers = inner(client)._protocol._handlers;
  const handle = handlers.GLOBAL_REQUEST;
  handlers.GLOBAL_REQUEST = (protocol, name, wantReply, data) => {
    if (name !== 'hostkeys-00@openssh.com' || wantReply) handle(protocol, name, wantReply, data);
  };
}

/**
 * RSA keys sign by SHA-512 where the server knows it, as ssh has them do: ssh2 takes SHA-256 first, and then no other, and
 * a server may tell that it knows both and take only one.
 */
export function preferSha512(client: ClientType): void {
  const handlers = inner(client)._protocol._handlers;
  const handle = handlers.EXT_INFO;
  handlers.EXT_INFO = (protocol, extensions) => {
    const told = extensions.map((extension) =>
      extension.algs?.includes('rsa-sha2-512')
        ? { ...extension, algs: extension.algs.filter((name) => name !== 'rsa-sha2-256') }
        : extension,
    );
    handle(protocol, told);
  };
}

/**
 * Acknowledges at once what the host says, for the first moments after login. OpenSSH's server sends some notes
 * then, and holds its answers back until each is acknowledged (Nagle), which our kernel puts off for 40 ms unless
 * there is something to send. So where nothing was, a packet goes out that OpenSSH takes as a sign of life.
 */
export function acknowledgeAtOnce(client: ClientType, socket: Wire, forMs: number): void {
  if (!identOf(client).includes('OpenSSH')) return;
  const heard = () => {
    const before = socket.bytesWritten;
    setImmediate(() => {
      if (socket.bytesWritten !== before || !socket.writable) return; // what was written acknowledges too
      try {
        inner(client)._protocol.requestFailure();
      } catch {
        // The connection has just ended.
      }
    });
  };
  socket.prependListener('data', heard);
  setTimeout(() => socket.off('data', heard), forMs).unref();
}
