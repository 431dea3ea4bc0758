// One TCP connection, as a sweep needs it: called, heard, hung up or handed on.
import { connect, type Socket } from 'node:net';

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
  /** Hands the socket on, paused, as if `read` had not been read from it yet. */
  hand(read: Buffer): Socket;
}

export type Dial = (target: Target, listener: Listener) => Line;

/** By the system's own sockets: needs no rights, works wherever Node does. */
export const dial: Dial = ({ address, port }, listener) => {
  const socket = connect({ host: address, port, autoSelectFamily: false, noDelay: true });
  let mine = true;
  const on = {
    connect: () => listener.opened(),
    data: (chunk: Buffer) => listener.said(chunk),
    end: () => listener.ended(),
    close: () => listener.ended(),
    error: (error: NodeJS.ErrnoException) => listener.failed(error.code ?? 'EIO'),
  };
  for (const [event, heard] of Object.entries(on)) socket.on(event, heard);
  const release = () => {
    mine = false;
    socket.on('error', () => {}); // what still goes wrong, nobody has to hear of
    for (const [event, heard] of Object.entries(on)) socket.off(event, heard);
  };
  return {
    hangUp() {
      if (mine) release();
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
