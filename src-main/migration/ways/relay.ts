// The way through the admin's machine, for hosts that do not reach each other: what the source sends into a Unix
// socket of its own comes out at the target's, by way of the two SSH connections that are there anyway.
import type { Duplex } from 'node:stream';
import { pipeline } from 'node:stream';
import { Failure } from '../../../contract/failure.ts';
import type { Host } from '../../fleet/host.ts';
import { type Param, param } from '../../libvirt/index.ts';

export interface Relay {
  /** What each side is told: where it connects to, or listens. */
  params(disks: boolean): { source: Param[]; target: Param[] };
  /** Its folders stay, for `removeSockets`. */
  close(): void;
}

/** @throws Failure where either host has no place for the sockets */
export async function openRelay(id: string, source: Host, target: Host): Promise<Relay> {
  const undos: (() => void)[] = [];
  const open = new Set<Duplex>();
  const close = () => {
    for (const undo of undos) undo();
    for (const stream of open) stream.destroy();
  };
  try {
    // On the target QEMU itself makes the socket, whoever it runs as.
    const [here, there] = await Promise.all([makeFolder(source, id, 'sends'), makeFolder(target, id, 'listens')]);
    for (const what of ['memory', 'disks'] as const) {
      undos.push(await source.listenUnix(`${here}/${what}`, (from) => void join(from, `${there}/${what}`)));
    }
    const told = (folder: string, disks: boolean) => [
      param.str('migrate_uri', `unix://${folder}/memory`),
      ...(disks ? [param.str('disks_uri', `unix://${folder}/disks`)] : []),
    ];
    return { params: (disks) => ({ source: told(here, disks), target: told(there, disks) }), close };
  } catch (error) {
    close();
    throw error;
  }

  /** Each waits for the other, so what is under way here is bounded by their buffers. */
  async function join(from: Duplex, path: string): Promise<void> {
    open.add(from);
    let to: Duplex;
    try {
      to = await target.openUnix(path);
    } catch {
      from.destroy(); // the source then says that its connection broke
      return;
    }
    open.add(to);
    const forget = () => {
      open.delete(from);
      open.delete(to);
    };
    pipeline(from, to, forget);
    pipeline(to, from, forget);
  }
}

/** Where root has them, and where a user has, whom the system's own folders are closed to. */
const foldersOf = (id: string) => ({ root: `/run/drover-${id}`, user: `/tmp/drover-${id}` });

/**
 * Root gives the folder to whom QEMU runs as. A user cannot: there QEMU has to get in as anybody could, so the folder
 * has a name that nobody can list, nor see among the processes. In it nobody can take away what is another's, and what
 * QEMU makes there belongs to the user's group, so that its SSH session may connect to it.
 */
async function makeFolder(host: Host, id: string, side: 'sends' | 'listens'): Promise<string> {
  const { root, user } = foldersOf(id);
  const owner = '/var/lib/libvirt/qemu';
  const asRoot = `mkdir -m 0711 ${root} && { [ ! -d ${owner} ] || chown --reference=${owner} ${root}; } && echo ${root}`;
  const mode = side === 'listens' ? '3773' : '0711';
  const asUser = `mkdir -m 0711 ${user} && dir=$(mktemp -d ${user}/XXXXXXXXXXXXXXXX) && cd "$dir" && chmod ${mode} . && echo "$dir"`;
  const made = await host.shell(`{ if [ "$(id -u)" = 0 ]; then ${asRoot}; else ${asUser}; fi; } 2>&1`);
  const said = made?.stdout.trim().split('\n').at(-1) ?? '';
  if (made?.code === 0 && said.startsWith('/')) return said;
  throw new Failure(
    'refused',
    `${host.label} has no place for the relay’s sockets, neither in /run nor in /tmp${said ? ` (“${said}”)` : ''}. Can ${host.uri.user ?? 'root'} run commands there?`,
  );
}

/** Whoever made them, if any are there. @returns whether the host carried it out */
export async function removeSockets(host: Host, id: string): Promise<boolean> {
  const { root, user } = foldersOf(id);
  const ran = await host.shell(`[ "$(id -u)" != 0 ] || rm -rf ${root}; rm -rf ${user}`);
  return ran !== null;
}
