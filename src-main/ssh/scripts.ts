// Small shell scripts that are run on a host: one line each, for a POSIX shell, whatever the login shell is.

/** Said right before a program takes over, so that what a login shell prints on its own is told apart. */
export const greeting = Buffer.from('drover:begin\n');

/** A word of the shell that means itself. */
export const quoted = (word: string) => `'${word.replaceAll("'", `'\\''`)}'`;

/** The script as a command for any login shell. */
export const shell = (script: string) => `sh -c ${quoted(script)}`;

/** libvirt's own helper, which finds the daemon by itself. Ends with 127 where it is not installed. */
export function helperScript(uri: string, readOnly: boolean): string {
  const command = `virt-ssh-helper ${readOnly ? '-r ' : ''}${quoted(uri)}`;
  return `command -v virt-ssh-helper >/dev/null 2>&1 || exit 127; echo drover:begin; exec ${command}`;
}

/** Netcat on the first of the sockets that is there. Ends with 127 where it is not installed. */
export function netcatScript(sockets: string[]): string {
  // OpenBSD's netcat outlives the end of its input unless told; the others do not know the option.
  const quits = 'q=; nc -h 2>&1 | grep -q "^[[:space:]]*-q" && q=-q0';
  const each = `if test -S "$s"; then ${quits}; echo drover:begin; exec nc $q -U "$s"; fi`;
  return `command -v nc >/dev/null 2>&1 || exit 127; for s in ${sockets.join(' ')}; do ${each}; done; exit 1`;
}
