// One TCP connection, as a sweep needs it: called, heard, hung up or handed on.
import { connect } from 'node:net';
import type { Duplex } from 'node:stream';

export interface Target {
  address: string;
  port: number;
}

/** What a connection tells; nothing after `ended` or `failed`, nor after it was hung up or handed on. */
export interface Listener {
  opened(): void;
  said(chunk: Buffer): void;
  ended(): void;
  /** @param code the system's, e.g. `ECONNREFUSED` */
  failed(code: string): void;
}

export interface Line {
  /** Also for a socket that was handed on. */
  hangUp(): void;
  /** Hands the socket on as if `read` had not been read from it yet. */
  hand(read: Buffer): Duplex;
}

export type Dial = (target: Target, listener: Listener) => Line;

/** By the system's own sockets: needs no rights, works wherever Node does. */
export const dial: Dial = ({ address, port }, listener) => {
  const socket = connect({ host: address, port, autoSelectFamily: false, noDelay: true });
  let heard = true;
  const release = () => {
    heard = false;
    // One that was destroyed may still fail, which nobody has to hear of.
    socket.removeAllListeners().on('error', () => {});
  };
  socket
    .on('connect', () => listener.opened())
    .on('data', (chunk) => listener.said(chunk))
    .on('end', () => listener.ended())
    .on('error', (error: NodeJS.ErrnoException) => listener.failed(error.code ?? 'EIO'))
    .on('close', () => heard && listener.ended());
  return {
    hangUp() {
      if (heard) release();
      socket.destroy();
    },
    hand(read) {
      release();
      socket.pause();
      socket.unshift(read);
      return socket;
    },
  };
};
