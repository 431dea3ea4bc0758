// Finds out that the other end of a WebSocket is gone, which TCP alone may take hours to tell.
import type { WebSocket } from 'ws';
import { beatMs } from '../../contract/wire.ts';

/** Ends a socket that answered no ping for a whole beat. @param beat done at each beat, besides */
export function keepAlive(socket: WebSocket, beat: () => void = () => {}, ms = beatMs): void {
  let heard = true;
  socket.on('pong', () => (heard = true));
  socket.on('message', () => (heard = true));
  const timer = setInterval(() => {
    if (!heard) return socket.terminate();
    heard = false;
    socket.ping();
    beat();
  }, ms);
  socket.on('close', () => clearInterval(timer));
}
