// Connects and logs in: TCP, key exchange, host key, login, each within its limit.
import type { SshConnection } from './connection.ts';
import type { SshOptions } from './options.ts';

/** @throws SshError with a sentence for the admin. */
export function connectSsh(_options: SshOptions): Promise<SshConnection> {
  throw new Error('not built yet');
}
