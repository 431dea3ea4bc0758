// Small shell scripts that are run on a host: one line each, for a POSIX shell, whatever the login shell is.
import { isIP } from 'node:net';

/** Said right before a program takes over, so that what a login shell prints on its own is told apart. */
export const greeting = Buffer.from('drover:begin\n');

/** A word of the shell that means itself. */
export const quoted = (word: string) => `'${word.replaceAll("'", `'\\''`)}'`;

/**
 * The script as a command for any login shell. Within quotes fish knows `\'` and csh `!`: what means something to any of
 * them stands outside of quotes, behind a backslash.
 */
export const shell = (script: string) => `sh -c '${script.replace(/['\\!]/g, (sign) => `'\\${sign}'`)}'`;

/** Ends with 127 where the program is not installed. By sudo, it tells where it is, and where there is no sudo. */
function there(program: string, as: string): string {
  if (as === '') return `command -v ${program} >/dev/null 2>&1 || exit 127`;
  const sudo = 'command -v sudo >/dev/null 2>&1 || { echo drover:no-sudo >&2; exit 1; }';
  return `p=$(command -v ${program}) || exit 127; echo "drover:at $p"; ${sudo}`;
}

/** libvirt's own helper, which finds the daemon by itself. @param as What it is begun by: sudo. */
export function helperScript(uri: string, readOnly: boolean, as = ''): string {
  const command = `${as}virt-ssh-helper ${readOnly ? '-r ' : ''}${quoted(uri)}`;
  return `${there('virt-ssh-helper', as)}; echo drover:begin; exec ${command}`;
}

/**
 * Netcat, or socat, to one place on the host. Ends with 127 where there is neither. Null where the place, which a VM's
 * definition names, could be an option or an address of another kind to them.
 */
export function carryScript(place: { path: string } | { host: string; port: number }): string | null {
  const plain =
    'path' in place ? /^\/[^\p{Cc}]*$/u.test(place.path) : isIP(place.host) > 0 || nameOnly.test(place.host);
  if (!plain) return null;
  // To socat, signs in a path are a language of their own.
  const forSocat = !('path' in place) || /^[\w@%+=./-]+$/.test(place.path);
  const socat = 'path' in place ? `UNIX-CONNECT:${place.path}` : `TCP:${bracketed(place.host)}:${place.port}`;
  const nc = 'path' in place ? `-U ${quoted(place.path)}` : `${quoted(place.host)} ${place.port}`;
  return [
    `if command -v nc >/dev/null 2>&1; then ${quits}; echo drover:begin; exec nc $q ${nc}`,
    ...(forSocat
      ? [`elif command -v socat >/dev/null 2>&1; then echo drover:begin; exec socat - ${quoted(socat)}`]
      : []),
    'else exit 127; fi',
  ].join('; ');
}

const nameOnly = /^[A-Za-z0-9][A-Za-z0-9.-]*$/;
const bracketed = (host: string) => (host.includes(':') ? `[${host}]` : host);

/** OpenBSD's netcat outlives the end of its input unless told; the others do not know the option. */
const quits = 'q=; nc -h 2>&1 | grep -q "^[[:space:]]*-q" && q=-q0';

/** Netcat on the first of the sockets that is there. @param as As for `helperScript`. */
export function netcatScript(sockets: string[], as = ''): string {
  const each = `if test -S "$s"; then ${quits}; echo drover:begin; exec ${as}nc $q -U "$s"; fi`;
  return `${there('nc', as)}; for s in ${sockets.join(' ')}; do ${each}; done; exit 1`;
}
