// Why libvirt was not reached on a host that could be logged in to: asked only after every way failed.
import type { SshConnection } from './connection.ts';
import { SshError, printable } from './error.ts';
import { shell } from './scripts.ts';

/** @param sockets Where its daemon should listen, as words of the shell. */
export async function whyNoLibvirt(ssh: SshConnection, sockets: string[]): Promise<SshError> {
  try {
    const { stdout, stderr } = await ssh.run(shell(probe(sockets)));
    return explain(readProbe(stdout), ssh.label, ssh.user, stderr || stdout);
  } catch (error) {
    if (error instanceof SshError && error.kind !== 'channel-refused') return error;
    const message = `${ssh.label} forwards no connection to libvirt’s socket, and lets ${ssh.user} run no command. Allow stream forwarding in its sshd_config (AllowStreamLocalForwarding yes).`;
    return new SshError('no-libvirt', 'open', message);
  }
}

/** Says what is there in lines that begin with `drover:`, whatever else a login shell prints. */
function probe(sockets: string[]): string {
  const may = 'test -r "$s" && test -w "$s" && echo "drover:open $s" || echo "drover:shut $(ls -ld "$s") "';
  return [
    'PATH=$PATH:/usr/local/sbin:/usr/sbin:/sbin',
    `for s in ${sockets.join(' ')}; do test -S "$s" && { ${may}; }; done`,
    'for p in libvirtd virtqemud virt-ssh-helper nc socat; do command -v $p >/dev/null 2>&1 && echo "drover:has $p"; done',
    'echo "drover:groups $(id -Gn)"',
  ].join('; ');
}

export interface Probed {
  /** The sockets that this user may use. */
  open: string[];
  /** The sockets that it may not use, each with its owner. */
  shut: { path: string; user: string; group: string; groupMay: boolean }[];
  programs: string[];
  /** Null: no command was run. */
  groups: string[] | null;
}

export function readProbe(said: string): Probed {
  const probed: Probed = { open: [], shut: [], programs: [], groups: null };
  for (const [, what, rest = ''] of said.matchAll(/^drover:(\w+) (.*)$/gm)) {
    const words = printable(rest, 1000);
    if (what === 'open') probed.open.push(words);
    else if (what === 'has') probed.programs.push(words);
    else if (what === 'groups') probed.groups = words.split(' ').filter(Boolean);
    else if (what === 'shut') {
      const [mode = '', , user = '', group = ''] = words.split(' ');
      const path = words.slice(Math.max(0, words.indexOf('/')));
      probed.shut.push({ path, user, group, groupMay: mode.slice(4, 6) === 'rw' && group !== 'root' });
    }
  }
  return probed;
}

/** @param said What was printed instead of an answer. */
export function explain({ open, shut, programs, groups }: Probed, label: string, user: string, said = ''): SshError {
  const none = (message: string) => new SshError('no-libvirt', 'open', message);
  if (groups === null) {
    const words = printable(said, 300);
    return none(
      `${label} runs something else than what was asked for when ${user} logs in (a forced command, a restricted shell, or a password that has expired), so libvirt could not be reached${words ? `; it said “${words}”` : ''}. Use a login with a shell, or allow stream forwarding.`,
    );
  }
  const [closed] = shut;
  if (open.length === 0 && closed) {
    const owner = closed.groupMay ? `group ${closed.group}` : `user ${closed.user}`;
    const remedy = closed.groupMay
      ? `Add it to that group (usermod -aG ${closed.group} ${user}), then connect again`
      : `Log in as ${closed.user}, or let a group use the socket (unix_sock_group in libvirtd.conf)`;
    const message = `${user} may not use libvirt on ${label}: ${closed.path} belongs to ${owner}, and ${user} is in ${groups.join(', ') || 'no group'}. ${remedy}.`;
    return new SshError('no-permission', 'open', message);
  }
  const daemon = programs.find((name) => name === 'libvirtd' || name === 'virtqemud');
  if (open.length > 0) {
    const helped = ['virt-ssh-helper', 'nc', 'socat'].some((name) => programs.includes(name));
    return none(
      helped
        ? `libvirt on ${label} does not answer at ${open.join(' or ')}. Is its daemon running? (systemctl status ${daemon ?? 'libvirtd'})`
        : `The SSH server of ${label} does not forward connections to ${open[0]}, and none of virt-ssh-helper, nc and socat is installed there. Set AllowStreamLocalForwarding yes, or install one of them.`,
    );
  }
  return none(
    daemon
      ? `libvirt is installed on ${label}, but is not running. Start it there: systemctl enable --now ${daemon}.socket`
      : `There is no libvirt on ${label}: no socket of it, and no program. Install it there (libvirt-daemon-system, or libvirt), or remove the host.`,
  );
}
