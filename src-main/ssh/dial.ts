// A TCP connection to a host, within a limit of time.
import { connect, type Socket } from 'node:net';
import { SshError } from './error.ts';

export interface DialOptions {
  host: string;
  port: number;
  label: string;
  timeoutMs: number;
  /** Only addresses of this family; default both. */
  family?: 4 | 6 | undefined;
  signal?: AbortSignal | undefined;
}

/** @throws SshError */
export function dial({ host, port, label, timeoutMs, family, signal }: DialOptions): Promise<Socket> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted) {
      reject(calledOff(label));
      return;
    }
    // Paused: what the host says or does first is for whom the socket is given to.
    const socket = connect({ host, port, noDelay: true, ...(family && { family }) }).pause();
    const settle = (error: SshError | null) => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', abort);
      socket.removeAllListeners();
      if (!error) resolve(socket);
      else {
        socket.on('error', () => undefined).destroy();
        reject(error);
      }
    };
    const abort = () => settle(calledOff(label));
    const timer = setTimeout(() => {
      const message = `${label} did not answer on port ${port} within ${seconds(timeoutMs)}. Is it up, and does a firewall let SSH through?`;
      settle(new SshError('timeout', 'connect', message));
    }, timeoutMs);
    signal?.addEventListener('abort', abort, { once: true });
    socket.once('connect', () => settle(null));
    socket.once('error', (error) => settle(explain(error, host, port, label)));
  });
}

export function calledOff(label: string): SshError {
  return new SshError('cancelled', 'connect', `The connection to ${label} was called off.`);
}

export const seconds = (ms: number) => `${Number((ms / 1000).toFixed(2))} s`;

function explain(error: NodeJS.ErrnoException, host: string, port: number, label: string): SshError {
  // A name with several addresses fails with one error for each; the first is as good as any.
  const [first] = error instanceof AggregateError ? (error.errors as NodeJS.ErrnoException[]) : [];
  const code = (first ?? error).code ?? error.code ?? error.message;
  switch (code) {
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
    case 'EAI_FAIL':
    case 'EAI_NODATA':
    case 'ENODATA':
      return new SshError(
        'unresolved',
        'connect',
        `The name ${host} has no address${code === 'EAI_AGAIN' ? ' just now: the name server did not answer' : ''}. Check its spelling, or use the address.`,
      );
    case 'ECONNREFUSED':
      return new SshError(
        'refused',
        'connect',
        `${label} is up, but nothing answers on port ${port}. Is its SSH server running, and on that port?`,
      );
    case 'ETIMEDOUT':
      return new SshError(
        'timeout',
        'connect',
        `${label} did not answer on port ${port}. Is it up, and does a firewall let SSH through?`,
      );
    default:
      return new SshError(
        'unreachable',
        'connect',
        `${label} cannot be reached on port ${port} (${code}). Is it up, and is there a route to it?`,
      );
  }
}
