// What carries the channels of one SSH connection: ssh2, or the system's own ssh.
import type { Duplex, Readable } from 'node:stream';
import { hangUp } from './hang-up.ts';
import { ping, type SshClient } from './ssh2.ts';
import type { Wire } from './wire.ts';

/** One channel, as ssh2 has it: it emits `exit` with a code, or with null and a signal. */
export interface Channel extends Duplex {
  readonly stderr: Readable;
  close(): void;
}

/** `reason`: SSH's number for why a channel was not opened. */
export type OpenError = Error & { reason?: number | string };
type Opened = (error: OpenError | undefined, channel: Channel) => void;

export interface Carrier {
  /** How many bytes were ever heard of the host. */
  readonly bytesRead: number;
  openUnix(path: string, done: Opened): void;
  openTcp(host: string, port: number, done: Opened): void;
  exec(command: string, done: Opened): void;
  /** Has the host listen. Returns the undo. */
  listenUnix(path: string, taken: (channel: Duplex) => void, done: (error?: OpenError) => void): () => void;
  /** Asks the host for any sign of life. */
  ping(): void;
  on(event: 'data', listener: () => void): void;
  /** `error` null: it just ended. May be called more than once. */
  onOver(listener: (error: Error | null) => void): void;
  hangUp(politely: boolean): void;
}

export class Ssh2Carrier implements Carrier {
  readonly #client: SshClient;
  readonly #socket: Wire;

  /** @param client Logged in. */
  constructor(client: SshClient, socket: Wire) {
    this.#client = client;
    this.#socket = socket;
  }

  get bytesRead(): number {
    return this.#socket.bytesRead;
  }

  openUnix(path: string, done: Opened): void {
    this.#client.openssh_forwardOutStreamLocal(path, done);
  }

  openTcp(host: string, port: number, done: Opened): void {
    this.#client.forwardOut('127.0.0.1', 0, host, port, done);
  }

  exec(command: string, done: Opened): void {
    this.#client.exec(command, done);
  }

  listenUnix(path: string, taken: (channel: Duplex) => void, done: (error?: OpenError) => void): () => void {
    const client = this.#client;
    const accept = ({ socketPath }: { socketPath: string }, take: () => unknown) => {
      if (socketPath === path) taken(take() as Channel);
    };
    client.on('unix connection', accept);
    client.openssh_forwardInStreamLocal(path, (error) => {
      if (error) client.off('unix connection', accept);
      done(error ?? undefined);
    });
    return () => {
      client.off('unix connection', accept);
      client.openssh_unforwardInStreamLocal(path, () => undefined);
    };
  }

  ping(): void {
    ping(this.#client);
  }

  on(event: 'data', listener: () => void): void {
    this.#socket.on(event, listener);
  }

  onOver(listener: (error: Error | null) => void): void {
    this.#client.on('error', (error) => listener(error));
    this.#client.on('end', () => listener(null));
    this.#client.on('close', () => listener(null));
  }

  hangUp(politely: boolean): void {
    hangUp(this.#client, this.#socket, politely);
  }
}
