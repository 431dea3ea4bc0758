// What a host has beside libvirt: a stream to a place on it, and a command's own output, whatever its login shell prints.
import type { Duplex } from 'node:stream';
import type { RunLimits, SshConnection, SshRun } from './connection.ts';
import { SshError, printable } from './error.ts';
import { carryScript, greeting, shell } from './scripts.ts';

/** By forwarding; where the SSH server forwards nothing, by netcat or socat on the host. @throws SshError */
export async function openPlace(
  ssh: SshConnection,
  place: { path: string } | { host: string; port: number },
): Promise<Duplex> {
  try {
    return await ('path' in place ? ssh.openUnix(place.path) : ssh.openTcp(place.host, place.port));
  } catch (refused) {
    if (!(refused instanceof SshError) || refused.kind !== 'channel-refused') throw refused;
    const { message } = refused;
    const script = carryScript(place);
    if (script === null) throw refused;
    const failed = (said: string) =>
      new SshError('channel-refused', 'open', `${message}${said ? ` (nc there said: “${said}”)` : ''}`);
    try {
      const nothing = async (said: string) => failed(printable(said, 300));
      return (await ssh.exec(shell(script), { greeting, nothing })).stdio;
    } catch (error) {
      if (!(error instanceof SshError) || error.kind !== 'channel-refused') throw error;
      const option = 'path' in place ? 'AllowStreamLocalForwarding' : 'AllowTcpForwarding';
      const remedy = `If it is there, allow forwarding in the host’s sshd_config (${option} yes), or install nc or socat there.`;
      throw new SshError('channel-refused', 'open', `${message} ${remedy}`);
    }
  }
}

/** In a POSIX shell. What a login shell's own files print is no part of the answer. @throws SshError */
export const runAlone = (ssh: SshConnection, command: string, limits: RunLimits = {}): Promise<SshRun> =>
  ssh.run(shell(`echo drover:begin; ${command}`), { ...limits, greeting });
