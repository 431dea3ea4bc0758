// The other ends that the tests of a connection need: an SSH server made of ssh2, and a wire that can be cut.
import { generateKeyPairSync } from 'node:crypto';
import { connect, createServer, type AddressInfo, type Server as NetServer, type Socket } from 'node:net';
import ssh2, { type AuthContext, type Connection, type ServerConfig } from 'ssh2';
import type { SshPrompts, SshQuestion } from '../../src-main/ssh/index.ts';

export interface Peer {
  host: string;
  port: number;
  stop(): Promise<void>;
}

/** Whatever listens, on loopback; stopping it ends its connections too. */
export async function listen<S extends NetServer>(server: S, host = '127.0.0.1'): Promise<Peer> {
  const sockets = new Set<Socket>();
  server.on('connection', (socket: Socket) => {
    sockets.add(socket);
    socket.on('error', () => undefined).on('close', () => sockets.delete(socket));
  });
  await new Promise<void>((resolve) => server.listen(0, host, resolve));
  const { port } = server.address() as AddressInfo;
  return {
    host,
    port,
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        for (const socket of sockets) socket.destroy();
      }),
  };
}

/** Says `first` to whoever connects, if anything, and then does `next`. */
export const rawPeer = (next: (socket: Socket) => void = () => undefined) =>
  listen(createServer((socket) => next(socket)));

export interface SshPeer extends Peer {
  /** Its host key in wire format. */
  key: Buffer;
  /** The methods that were tried, in order, with their password if any. */
  attempts: string[];
  /** How many connections it has now. */
  connections(): number;
  /** Ends them. */
  hangUp(): void;
}

/** An SSH server; `authenticate` decides. By default, `none` is refused and everything else is taken. */
export async function sshPeer(
  authenticate: (context: AuthContext, attempts: string[]) => void = (context) => context.accept(),
  options: { connected?: (client: Connection) => void; config?: Partial<ServerConfig>; methods?: string[] } = {},
): Promise<SshPeer> {
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const pem = privateKey.export({ type: 'sec1', format: 'pem' }) as string;
  const parsed = ssh2.utils.parseKey(pem);
  if (parsed instanceof Error) throw parsed;
  const attempts: string[] = [];
  const clients = new Set<Connection>();
  const server = new ssh2.Server({ hostKeys: [pem], ...options.config }, (client) => {
    clients.add(client);
    client.on('error', () => undefined).on('close', () => clients.delete(client));
    client.on('authentication', (context) => {
      attempts.push(context.method === 'password' ? `password ${context.password}` : context.method);
      if (context.method === 'none') context.reject((options.methods ?? ['password', 'keyboard-interactive']) as never);
      else authenticate(context, attempts);
    });
    options.connected?.(client);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', () => resolve()));
  const { port } = server.address() as AddressInfo;
  return {
    host: '127.0.0.1',
    port,
    key: parsed.getPublicSSH(),
    attempts,
    connections: () => clients.size,
    hangUp: () => clients.forEach((client) => client.end()),
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        for (const client of clients) client.end();
      }),
  };
}

export interface Wire extends Peer {
  /** Nothing passes any more, in either direction, and nobody is told: a pulled cable. */
  pull(): void;
  /** What was held passes again. */
  plug(): void;
  /** Both ends see the connection end. */
  cut(): void;
  /** How many connections pass it now. */
  connections(): number;
  /** How many pieces the host sent so far. */
  answers(): number;
}

/** Everything between a client and `host`:`port`. */
export async function wireTo(host: string, port: number): Promise<Wire> {
  const pairs = new Set<[Socket, Socket]>();
  let pulled = false;
  let answers = 0;
  const server = createServer((near) => {
    const far = connect(port, host);
    const pair: [Socket, Socket] = [near, far];
    pairs.add(pair);
    const end = () => {
      pairs.delete(pair);
      near.destroy();
      far.destroy();
    };
    for (const [from, to] of [pair, [far, near] as [Socket, Socket]]) {
      from.setNoDelay(true);
      from
        .on('data', (chunk) => {
          if (from === far) answers += 1;
          to.write(chunk);
        })
        .on('error', end)
        .on('close', end);
    }
    if (pulled) pair.forEach((socket) => socket.pause());
  });
  const peer = await listen(server);
  const each = (act: (socket: Socket) => void) => pairs.forEach((pair) => pair.forEach(act));
  return {
    ...peer,
    pull: () => {
      pulled = true;
      each((socket) => socket.pause());
    },
    plug: () => {
      pulled = false;
      each((socket) => socket.resume());
    },
    cut: () => each((socket) => socket.destroy()),
    connections: () => pairs.size,
    answers: () => answers,
  };
}

/** A person who answers in order, and whose questions are kept. Out of answers is a cancel. */
export function person(...answers: (string | string[] | null)[]): SshPrompts & { questions: SshQuestion[] } {
  const questions: SshQuestion[] = [];
  return {
    questions,
    ask: async (question) => {
      questions.push(question);
      const answer = answers.shift() ?? null;
      return typeof answer === 'string' ? [answer] : answer;
    },
  };
}
