// Ends a connection, in whatever state it is.
import type { SshClient } from './ssh2.ts';
import type { Wire } from './wire.ts';

/** How long the last packets may take before the socket is torn down. */
const lingerMs = 500;

/** Closes what is left of a connection, politely where the other end still listens; the socket is always freed. */
export function hangUp(client: SshClient, socket: Wire, politely: boolean): void {
  client.on('error', () => undefined); // what comes now is of no interest
  if (!politely) {
    socket.destroy();
    return;
  }
  try {
    client.end();
  } catch {
    // It has just ended by itself.
  }
  setTimeout(() => socket.destroy(), lingerMs).unref();
}
