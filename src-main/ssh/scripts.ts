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
  if (!('path' in place)) {
    const { host, port } = place;
    return either(has('nc'), `${quoted(host)} ${port}`, has('socat'), quoted(`TCP:${bracketed(host)}:${port}`));
  }
  return `s=${quoted(place.path)}; ${toSocket}`;
}

const nameOnly = /^[A-Za-z0-9][A-Za-z0-9.-]*$/;
const bracketed = (host: string) => (host.includes(':') ? `[${host}]` : host);
const has = (program: string) => `command -v ${program} >/dev/null 2>&1`;

/** OpenBSD's netcat outlives the end of its input unless told; the others do not know the option. */
const quits = 'q=; nc -h 2>&1 | grep -q "^[[:space:]]*-q" && q=-q0';

/** @param nc Whether netcat would do, as a condition of the shell; what it is told. @param socat As well. */
function either(nc: string, ncWords: string, socat: string, socatWord: string): string {
  const begin = (when: string, command: string) => `${when} && { echo drover:begin; exec ${command}; }`;
  return [quits, begin(nc, `nc $q ${ncWords}`), begin(socat, `socat - ${socatWord}`), 'exit 127'].join('; ');
}

/**
 * To the socket `$s`. Traditional netcat, and busybox's, know none: it has to say that it does, or there is no socat. To
 * socat, signs in a path are a language of their own.
 */
const toSocket = either(
  `{ nc -h 2>&1 | grep -q "^[[:space:]]*-U" || { ${has('nc')} && ! ${has('socat')}; }; }`,
  '-U "$s"',
  `case "$s" in *[!A-Za-z0-9_@%+=./-]*) false;; *) ${has('socat')};; esac`,
  '"UNIX-CONNECT:$s"',
);

/** Netcat, or socat, on the first of the sockets that is there. @param as As for `helperScript`: then only netcat. */
export function netcatScript(sockets: string[], as = ''): string {
  const begin = as === '' ? toSocket : `${quits}; echo drover:begin; exec ${as}nc $q -U "$s"`;
  const able = as === '' ? `${has('nc')} || ${has('socat')} || exit 127` : there('nc', as);
  return `${able}; for s in ${sockets.join(' ')}; do if test -S "$s"; then ${begin}; fi; done; exit 1`;
}
