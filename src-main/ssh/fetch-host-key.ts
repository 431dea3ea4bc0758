// Takes a host's key and banner without logging in: for discovery.
import { dial } from './dial.ts';
import { SshError, printable } from './error.ts';
import { offeredTo, shakeHands } from './handshake.ts';
import type { Wire } from './wire.ts';
import { fingerprint, keyType, type HostKeySeen } from './host-key.ts';

export interface FetchedHostKey extends Omit<HostKeySeen, 'status' | 'of'> {
  /** The host's first line, printable. */
  banner: string;
}

export interface FetchOptions {
  /** For all of it. */
  timeoutMs: number;
  signal?: AbortSignal | undefined;
  /** Connected already; else it is dialled. It is closed in the end. Nothing may have been read from it. */
  socket?: Wire;
  /** Types of keys that are known of this host, to be asked for first. */
  types?: string[];
}

/** The key is not proven to be the host's: that is done when somebody connects. @throws SshError */
export async function fetchHostKey(host: string, port: number, options: FetchOptions): Promise<FetchedHostKey> {
  const { timeoutMs, signal, types = [] } = options;
  const started = performance.now();
  const socket = options.socket ?? (await dial({ host, port, label: host, timeoutMs, signal }));
  const taken = new SshError('cancelled', 'key-exchange', 'The key was taken.');
  let key: Buffer | undefined;
  const handshake = shakeHands({
    socket,
    label: host,
    user: 'nobody',
    algorithms: offeredTo(host, null, types),
    handshakeMs: Math.max(1, timeoutMs - (performance.now() - started)),
    loginMs: 1,
    signal,
    verify: (shown) => {
      key = Buffer.from(shown);
      return taken;
    },
    login: () => null,
    failure: () => taken,
  });
  try {
    await handshake.done;
  } catch (error) {
    if (error !== taken || !key) throw error;
  }
  if (!key) throw taken;
  return {
    algorithm: keyType(key),
    fingerprint: fingerprint(key),
    key,
    banner: printable(handshake.banner()),
  };
}
