// An ssh2 client on a connected socket, up to the host's key: what a login and a look from outside share.
import { Deadline } from './deadline.ts';
import { calledOff, seconds } from './dial.ts';
import { SshError, printable, type SshPhase } from './error.ts';
import { patientMs } from './options.ts';
import { hangUp } from './hang-up.ts';
import { algorithmsOf, type Algorithms } from './algorithms.ts';
import { Client, identOf, type AnyAuthMethod, type OfferedAlgorithms, type SshClient } from './ssh2.ts';
import { type Wire, writeTogether } from './wire.ts';

export interface HandshakeOptions {
  socket: Wire;
  label: string;
  user: string;
  /** Which are offered, as by `offeredTo`. */
  algorithms: OfferedAlgorithms;
  handshakeMs: number;
  signal?: AbortSignal | undefined;
  /** Judges the host's key; an error ends the connection. Called again when keys are exchanged anew. */
  verify(key: Buffer): SshError | null;
  /** What to try next; null: nothing. Not called before the host key was taken. */
  login(): AnyAuthMethod | Promise<AnyAuthMethod | null> | null;
  loginMs: number;
  /** Why there was no login; `said`: the words with which the host broke it off. */
  failure(said?: string): SshError;
}

type ClientError = Error & { level?: string; code?: unknown };

export interface Handshake {
  client: SshClient;
  deadline: Deadline;
  /** Resolves when logged in. The client has no listeners of ours any more then. */
  done: Promise<void>;
  /** From now on the login may take longer, as a person may be waited for elsewhere. */
  patient(): void;
  /** Aborted when it failed. */
  signal: AbortSignal;
  fail(error: SshError): void;
  /** The host's first line. */
  banner(): string;
}

export function shakeHands(options: HandshakeOptions): Handshake {
  const { socket, label, signal } = options;
  const client = new Client();
  const gone = new AbortController();
  let phase: SshPhase = 'banner';
  let over = false;
  let { loginMs } = options;
  let firstBytes = Buffer.alloc(0);
  let settle!: { resolve(): void; reject(error: SshError): void };
  const done = new Promise<void>((resolve, reject) => (settle = { resolve, reject }));

  const finish = () => {
    over = true;
    deadline.stop();
    socket.off('data', hear);
    signal?.removeEventListener('abort', abort);
    client.removeAllListeners();
  };
  const fail = (error: SshError) => {
    if (over) return;
    finish();
    // Politely where a login had begun: the host's log then says that we left, not that we broke off.
    hangUp(client, socket, phase === 'login' && socket.writable);
    gone.abort();
    settle.reject(error);
  };
  const abort = () => fail(calledOff(label));
  const deadline = new Deadline(() => {
    heardFrom();
    if (phase === 'banner' && firstBytes.length > 0) {
      broke(null);
      return;
    }
    const doing = {
      banner: 'said nothing that SSH begins with',
      'key-exchange': 'began to exchange keys, and did not finish',
      login: 'did not finish the login',
    }[phase as 'banner' | 'key-exchange' | 'login'];
    const limit = seconds(phase === 'login' ? loginMs : options.handshakeMs);
    fail(new SshError('timeout', phase, `${label} ${doing} within ${limit}. Is the host overloaded or stuck?`));
  });
  const heardFrom = () => {
    if (phase === 'banner' && identOf(client) !== '') phase = 'key-exchange';
  };
  const hear = (chunk: Buffer) => {
    heardFrom();
    if (phase === 'banner' && firstBytes.length < 256) firstBytes = Buffer.concat([firstBytes, chunk]).subarray(0, 256);
  };
  const broke = (error: ClientError | null) => {
    heardFrom();
    fail(why(error, phase, firstBytes, options));
  };

  client.on('error', (error: ClientError) => {
    if (error.level !== 'agent') broke(error); // a key that was not signed with: the login has noted it, and goes on
  });
  client.on('end', () => broke(null));
  client.on('close', () => broke(null));
  client.on('handshake', () => {
    phase = 'login';
    deadline.set(loginMs);
  });
  client.on('change password', () => {
    const message = `The password of ${options.user} on ${label} has expired. Log in by ssh once, and choose a new one.`;
    fail(new SshError('auth-failed', 'login', message));
  });
  client.on('ready', () => {
    finish();
    settle.resolve();
  });
  signal?.addEventListener('abort', abort, { once: true });

  writeTogether(socket);
  client.connect({
    sock: socket,
    username: options.user,
    readyTimeout: 0,
    strictVendor: false,
    algorithms: options.algorithms,
    hostVerifier: (key: Buffer) => {
      const error = options.verify(key);
      if (error) fail(error);
      return !error;
    },
    authHandler: (methods: string[] | null, _partial, next) => {
      if (over) return;
      if (methods === null) {
        next({ type: 'none', username: options.user }); // tells what the host takes
        return;
      }
      void Promise.resolve(options.login()).then(
        (method) => {
          if (over) return;
          if (method) next(method);
          else fail(options.failure());
        },
        (error: unknown) => fail(error instanceof SshError ? error : unexpected(label, error)),
      );
    },
  });
  socket.on('data', hear);
  deadline.set(options.handshakeMs);
  if (signal?.aborted) abort();
  else if (socket.destroyed || socket.readableEnded) broke(null);
  const patient = () => {
    loginMs = patientMs(options);
    if (!over) deadline.set(loginMs);
  };
  return { client, deadline, done, patient, signal: gone.signal, fail, banner: () => identOf(client).trim() };
}

/** Why it ended before it was done. @param error Null: it was just closed. */
function why(error: ClientError | null, phase: SshPhase, firstBytes: Buffer, options: HandshakeOptions): SshError {
  const { label, socket } = options;
  if (socket.errored instanceof SshError) return socket.errored; // a jump host, or a ProxyCommand, tells why itself
  const port = 'remotePort' in socket ? Number(socket.remotePort) : 22;
  const reset = error?.level === 'client-socket';
  const said = error ? printable(error.message) : '';
  if (phase === 'login') {
    if (error && typeof error.code === 'number') return options.failure(said);
    return new SshError(
      'lost',
      phase,
      `${label} ${reset || !error ? 'closed the connection' : `broke the rules of SSH (${said})`} during the login. Try again, or read its SSH server’s log.`,
    );
  }
  if (phase === 'banner') {
    const words = printable(firstBytes.toString('latin1'), 80);
    const first = /^(HTTP\/\S+ \d+[^:]*?)(?: [\w-]+:|$)/.exec(words)?.[1] ?? words;
    if (words === '' || /MaxStartups|Not allowed at this time/i.test(words)) {
      const how = words === '' ? 'without a word' : `with “${words}”`;
      const message = `${label} closed the connection ${how}. Its SSH server may have too many logins going on (MaxStartups), or block this address; try again in a minute.`;
      return new SshError('lost', phase, message);
    }
    return new SshError(
      'not-ssh',
      phase,
      `Port ${port} of ${label} speaks no SSH; it said “${first}”. Is it the right port?`,
    );
  }
  if (!error || reset) {
    return new SshError(
      'lost',
      phase,
      `${label} closed the connection in the middle of the key exchange. Try again, or read its SSH server’s log.`,
    );
  }
  return noExchange(label, said);
}

/**
 * @param types Known types of the host's key, to be asked for first.
 * @throws SshError `no-key-exchange` where the configuration asks for none that ssh2 knows
 */
export function offeredTo(label: string, configured: Algorithms | null, types: string[]): OfferedAlgorithms {
  try {
    return algorithmsOf(configured ?? {}, types);
  } catch (error) {
    throw noExchange(label, (error as Error).message);
  }
}

/**
 * What ssh2 cannot do: there is no algorithm in common, or the host's banner is longer than the packets that it reads. Not
 * where a host only broke the rules: it would be called twice.
 */
export const beyondSsh2 = ({ kind, message }: SshError) =>
  (kind === 'no-key-exchange' && /\((?:Handshake failed: no matching|none of )/.test(message)) ||
  (kind === 'lost' && /\(Bad packet length\) during the login/.test(message));

function noExchange(label: string, said: string): SshError {
  const message = `${label} and Drover found no way to exchange keys (${said}). Its SSH server may be too old, or configured too strictly. OpenSSH’s client may know more ways: where it is installed on this machine, Drover logs in by it.`;
  return new SshError('no-key-exchange', 'key-exchange', message);
}

function unexpected(label: string, error: unknown): SshError {
  const said = printable(error instanceof Error ? error.message : String(error));
  return new SshError('auth-failed', 'login', `The login to ${label} could not go on (${said}).`);
}
