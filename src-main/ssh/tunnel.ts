// From an SSH connection to libvirt's daemon: the ways there, and which one the host has.
import type { Duplex } from 'node:stream';
import type { Silent } from './channel.ts';
import type { SshConnection } from './connection.ts';
import { SshError, printable } from './error.ts';
import { whyNoLibvirt } from './no-libvirt.ts';
import { greeting, helperScript, netcatScript, quoted, shell } from './scripts.ts';
import { refusal, Sudo } from './sudo.ts';

export interface LibvirtWish {
  /** What the daemon is asked to open: `qemu:///system`, `qemu:///session`, `test:///default`. */
  uri: string;
  /** The URI's parameters, as libvirt means them. */
  socket?: string | undefined;
  proxy?: 'auto' | 'native' | 'netcat' | undefined;
  mode?: 'auto' | 'direct' | 'legacy' | undefined;
  /** Through the read-only socket. */
  readOnly?: boolean | undefined;
  /** The daemon's socket is root's, and the login is not: the program on the host is begun by it. */
  sudo?: Sudo | undefined;
  /** What worked last time: `how` of an earlier tunnel. Tried first. */
  remember?: string | undefined;
}

export interface LibvirtTunnel {
  /** When the far end's program gives up before it said a byte, the stream's error tells why. */
  duplex: Duplex;
  /** The way taken: `streamlocal /run/libvirt/libvirt-sock`, `virt-ssh-helper`, `netcat`. */
  how: string;
  /** What the far end's program said besides; '' for a socket. */
  stderr: () => string;
}

interface Way {
  how: string;
  /** @throws SshError `channel-refused` where the host does not have this way. */
  open(ssh: SshConnection): Promise<Omit<LibvirtTunnel, 'how'>>;
}

/**
 * Opens a stream to libvirt's daemon by the first way that the host has: its socket, forwarded by the SSH server;
 * libvirt's own helper; netcat.
 * @throws SshError `no-libvirt`, `no-permission`, or why the connection could not be used.
 */
export async function openLibvirt(ssh: SshConnection, wish: LibvirtWish): Promise<LibvirtTunnel> {
  const ways = waysTo(wish);
  const remembered = ways.findIndex((way) => way.how === wish.remember);
  if (remembered > 0) ways.unshift(...ways.splice(remembered, 1));
  for (const way of ways) {
    try {
      return { ...(await way.open(ssh)), how: way.how };
    } catch (error) {
      if (!(error instanceof SshError) || error.kind !== 'channel-refused') throw error;
    }
  }
  throw await whyNoLibvirt(ssh, words(wish));
}

/** In the order in which they are tried. */
function waysTo(wish: LibvirtWish): Way[] {
  const { uri, socket, proxy = 'auto', mode = 'auto', readOnly = false, sudo } = wish;
  const explain = (ssh: SshConnection) => whyNoLibvirt(ssh, words(wish));
  // Before 9.1 the helper knows no parameters, so they are given only when one was.
  const parameters = [
    ...(socket === undefined ? [] : [`socket=${encodeURIComponent(socket)}`]),
    ...(mode === 'auto' ? [] : [`mode=${mode}`]),
  ].join('&');
  const program = (name: string, script: (as: string) => string) =>
    sudo ? bySudo(name, script, sudo, explain) : byCommand(name, script(''), explain);
  const native = program(helper, (as) => helperScript(uri + (parameters && `?${parameters}`), readOnly, as));
  const netcat = program('netcat', (as) => netcatScript(words(wish), as));
  // The SSH server forwards to what the user may open.
  const direct = (sudo ? [] : socketsFor(wish)).flatMap(({ path }) => (path === null ? [] : [byForwarding(path)]));
  switch (proxy) {
    case 'native':
      return [native];
    case 'netcat':
      return [netcat];
    case 'auto':
      // A named socket is reached as netcat would reach it; the helper would look for the daemon by itself.
      return socket !== undefined || mode !== 'auto' ? [...direct, netcat] : [...direct, native, netcat];
    default:
      return proxy satisfies never;
  }
}

interface SocketOnHost {
  /** Null where only the host knows it. */
  path: string | null;
  /** The path as a word of the shell. */
  word: string;
}

const words = (wish: LibvirtWish) => socketsFor(wish).map(({ word }) => word);

/** Where the daemon listens, the likelier first. */
function socketsFor({ uri, socket, mode = 'auto', readOnly = false }: LibvirtWish): SocketOnHost[] {
  if (socket !== undefined) return [{ path: socket, word: quoted(socket) }];
  const tail = readOnly ? '-ro' : '';
  const names = [];
  // The modular daemon is reached without the proxy that listens in libvirtd's place; it knows only its own driver.
  if (mode !== 'legacy' && uri.startsWith('qemu:')) names.push('virtqemud-sock');
  if (mode !== 'direct' || names.length === 0) names.push('libvirt-sock');
  if (uri.endsWith('/session')) {
    // A session's daemon has one socket for both, in a folder that depends on the login.
    return names.map((name) => ({ path: null, word: `"\${XDG_RUNTIME_DIR:-/run/user/$(id -u)}/libvirt/${name}"` }));
  }
  return names.map((name) => ({ path: `/run/libvirt/${name}${tail}`, word: `/run/libvirt/${name}${tail}` }));
}

function byForwarding(path: string): Way {
  return {
    how: `streamlocal ${path}`,
    open: async (ssh) => ({ duplex: await ssh.openUnix(path), stderr: () => '' }),
  };
}

const helper = 'virt-ssh-helper';
/**
 * Where the SSH server runs the helper whatever it is asked for (`command=` of a key, ForceCommand), no greeting comes: like
 * the daemon behind it, it says nothing before it is spoken to.
 */
const forced = (ssh: SshConnection): Silent => ({
  ms: 3000,
  // A shell that only takes long to begin says its greeting in the end; the helper has nothing to say where nothing is asked.
  waits: () =>
    ssh.run(shell('echo drover:begin')).then(
      ({ stdout }) => !stdout.includes(greeting.toString()),
      () => true,
    ),
});

function byCommand(how: string, script: string, explain: (ssh: SshConnection) => Promise<SshError>): Way {
  return {
    how,
    open: async (ssh) => {
      const { stdio, stderr } = await ssh.exec(shell(script), {
        greeting,
        ...(how === helper && { silent: forced(ssh) }),
        nothing: async (said) => saying(await explain(ssh), how, said), // it did not reach the daemon
      });
      return { duplex: stdio, stderr };
    },
  };
}

/** Begun as root: what sudo itself refuses is told as such. */
function bySudo(
  name: string,
  script: (as: string) => string,
  sudo: Sudo,
  explain: (ssh: SshConnection) => Promise<SshError>,
): Way {
  return {
    how: `sudo ${name}`,
    open: async (ssh) => {
      const { stdio, stderr } = await sudo.start(
        { name: name === 'netcat' ? 'nc' : name, script },
        {
          greeting,
          nothing: async (said) => {
            const words = Sudo.words(said);
            return refusal(said) === null ? saying(await explain(ssh), name, words) : sudo.refused(name, said);
          },
        },
      );
      return { duplex: stdio, stderr: () => Sudo.words(stderr()) };
    },
  };
}

function saying({ kind, phase, message }: SshError, program: string, said: string): SshError {
  const words = printable(said, 300);
  return new SshError(kind, phase, words ? `${message} (${program} said: “${words}”)` : message);
}
