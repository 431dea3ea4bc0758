// The daemon on this machine, by its UNIX socket.
import { connect } from 'node:net';
import type { Socket } from 'node:net';
import { posix } from 'node:path';

export interface LocalOptions {
  readOnly?: boolean;
  /** This socket and no other. */
  socket?: string;
  signal?: AbortSignal;
}

/** The sockets of a local URI, in the order they are tried: the modular daemon's, then the monolithic one's. */
export function localSockets(uri: string, { readOnly = false, socket }: LocalOptions = {}): string[] {
  if (socket) return [socket];
  const session = /^[a-z]+:\/\/\/session$/.test(uri);
  const folder = session
    ? posix.join(process.env['XDG_RUNTIME_DIR'] ?? `/run/user/${process.getuid?.() ?? 0}`, 'libvirt')
    : '/run/libvirt';
  // A daemon of one's own session has no read-only socket.
  const tail = readOnly && !session ? '-ro' : '';
  return ['virtqemud-sock', 'libvirt-sock'].map((name) => posix.join(folder, name + tail));
}

/**
 * Connects to the daemon that serves a local URI: `qemu:///system`, `qemu:///session`, `test:///default`.
 * @throws Error with a sentence, its `code` that of the system (`ENOENT`, `EACCES`, …)
 */
export async function openLocal(uri: string, options: LocalOptions = {}): Promise<Socket> {
  const sockets = localSockets(uri, options);
  let failed: NodeJS.ErrnoException | null = null;
  for (const path of sockets) {
    try {
      return await dial(path, options.signal);
    } catch (error) {
      options.signal?.throwIfAborted();
      // A socket that refuses us says more than one that is not there.
      if (!failed || (error as NodeJS.ErrnoException).code !== 'ENOENT') failed = error as NodeJS.ErrnoException;
    }
  }
  throw Object.assign(new Error(sentence(failed?.code, sockets), { cause: failed }), { code: failed?.code });
}

function dial(path: string, signal: AbortSignal | undefined): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect(signal ? { path, signal } : { path });
    socket.once('error', reject);
    socket.once('connect', () => {
      socket.off('error', reject);
      resolve(socket);
    });
  });
}

function sentence(code: string | undefined, sockets: string[]): string {
  if (process.platform === 'win32') {
    return 'No libvirt daemon runs on Windows: name a host that Drover reaches by SSH, as in qemu+ssh://HOST/system.';
  }
  const where = sockets.join(' or ');
  switch (code) {
    case 'ENOENT':
    case 'ECONNREFUSED':
      return `No libvirt daemon listens on this machine (${where}): install libvirt and start libvirtd or virtqemud.`;
    case 'EACCES':
    case 'EPERM':
      return `This user may not open libvirt's socket on this machine (${where}): run as root, or join the group libvirt and log in again.`;
    default:
      return `libvirt's socket on this machine (${where}) cannot be opened: ${code ?? 'unknown error'}.`;
  }
}
