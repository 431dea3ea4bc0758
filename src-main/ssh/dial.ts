// A TCP connection to a host, within a limit of time.
import { connect, isIP, type Socket } from 'node:net';
import { addressesOf } from './addresses.ts';
import { SshError } from './error.ts';

export interface DialOptions {
  host: string;
  port: number;
  label: string;
  timeoutMs: number;
  /** Only addresses of this family; default both. */
  family?: 4 | 6 | undefined;
  /** The address of this machine to connect from. */
  from?: string | undefined;
  signal?: AbortSignal | undefined;
}

/** How long one address is waited for before the next is tried beside it: whichever answers first is taken. */
const nextMs = 300;

/** By each address of the name until one answers. @throws SshError */
export function dial(options: DialOptions): Promise<Socket> {
  const { host, port, label, timeoutMs, family, from, signal } = options;
  return new Promise((resolve, reject) => {
    if (signal?.aborted) {
      reject(calledOff(label));
      return;
    }
    let over = false;
    let next: NodeJS.Timeout | undefined;
    let failed: SshError | undefined;
    let found = false;
    let left: string[] = [];
    const open = new Set<Socket>();
    const settle = (outcome: Socket | SshError) => {
      over = true;
      clearTimeout(timer);
      clearTimeout(next);
      signal?.removeEventListener('abort', abort);
      for (const socket of open) {
        socket.removeAllListeners();
        if (socket !== outcome) socket.on('error', () => undefined).destroy();
      }
      if (outcome instanceof SshError) reject(outcome);
      else resolve(outcome);
    };
    const attempt = () => {
      clearTimeout(next);
      const address = left.shift();
      if (address === undefined) {
        if (open.size === 0 && failed) settle(failed);
        return;
      }
      // Paused: what the host says or does first is for whom the socket is given to.
      const way = { host: address, port, noDelay: true, ...(from !== undefined && { localAddress: from }) };
      const socket = connect(way).pause();
      open.add(socket);
      socket.once('connect', () => settle(socket));
      socket.once('error', (error) => {
        open.delete(socket);
        // A name with several addresses fails with one error for each; the first is as good as any.
        failed ??= explain(error, options);
        attempt();
      });
      if (left.length > 0) next = setTimeout(attempt, nextMs);
    };
    const abort = () => settle(calledOff(label));
    const timer = setTimeout(() => {
      const message = `${label} did not answer on port ${port} within ${seconds(timeoutMs)}. Is it up, and does a firewall let SSH through?`;
      settle(!found ? nameless(host, true) : (failed ?? new SshError('timeout', 'connect', message)));
    }, timeoutMs);
    signal?.addEventListener('abort', abort, { once: true });
    addressesOf(host, family).then(
      (addresses) => {
        found = true;
        // From an address of the other family none would be reached, and that would be told for the reason.
        const reachable = addresses.filter((address) => from === undefined || isIP(address) === isIP(from));
        left = reachable.length > 0 ? reachable : [...addresses];
        if (!over) attempt();
      },
      (error: NodeJS.ErrnoException) => {
        if (!over) settle(explain(error, options));
      },
    );
  });
}

export function calledOff(label: string): SshError {
  return new SshError('cancelled', 'connect', `The connection to ${label} was called off.`);
}

export const seconds = (ms: number) => `${Number((ms / 1000).toFixed(2))} s`;

function nameless(host: string, unanswered: boolean): SshError {
  const why = unanswered ? ' just now: the name server did not answer' : '';
  return new SshError(
    'unresolved',
    'connect',
    `The name ${host} has no address${why}. Check its spelling, or use the address.`,
  );
}

function explain(error: NodeJS.ErrnoException, { host, port, label, from }: DialOptions): SshError {
  const code = error.code ?? error.message;
  switch (code) {
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
    case 'EAI_FAIL':
    case 'EAI_NODATA':
    case 'ENODATA':
      return nameless(host, code === 'EAI_AGAIN');
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
    default: {
      const message =
        from !== undefined && code === 'EADDRNOTAVAIL'
          ? `${label} is to be reached from ${from}, which is no address of this machine just now. Is a VPN down? Else mend BindAddress in OpenSSH’s configuration.`
          : `${label} cannot be reached on port ${port} (${code}). Is it up, and is there a route to it?`;
      return new SshError('unreachable', 'connect', message);
    }
  }
}
