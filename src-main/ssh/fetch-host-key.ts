// Takes a host's key and banner without logging in: for discovery.
import type { Duplex } from 'node:stream';
import type { HostKeySeen } from './host-key.ts';

export interface FetchedHostKey extends Omit<HostKeySeen, 'status'> {
  /** The host's first line, printable. */
  banner: string;
}

/**
 * @param options.socket Connected already; else it is dialled. It is closed in the end.
 * @throws SshError
 */
export function fetchHostKey(
  _host: string,
  _port: number,
  _options: { timeoutMs: number; signal?: AbortSignal; socket?: Duplex },
): Promise<FetchedHostKey> {
  throw new Error('not built yet');
}
