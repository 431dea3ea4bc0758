// SSH: login, known hosts, and the tunnel to a host's libvirt. Knows nothing of the rest.
export { connectSsh } from './connect.ts';
export { SshConfig, type ConfigSources, type HostConfig } from './config.ts';
export type { SshConnection, SshExec, SshRun } from './connection.ts';
export { SshError, printable, type SshErrorKind, type SshPhase } from './error.ts';
export { fetchHostKey, type FetchedHostKey } from './fetch-host-key.ts';
export { Gate, hangsMs } from './gate.ts';
export { fingerprint, keyType, type HostKeySeen, type HostKeyStatus } from './host-key.ts';
export { KnownHosts, type KnownHostsFiles } from './known-hosts.ts';
export type { SshKeepalive, SshOptions, SshPrompts, SshQuestion, SshTarget, SshTimeouts } from './options.ts';
export { Routes } from './routes.ts';
export { SecretCache } from './secrets.ts';
export { Sudo, sudoWouldHelp } from './sudo.ts';
export { openPlace, runAlone } from './carry.ts';
export { openLibvirt, type LibvirtTunnel, type LibvirtWish } from './tunnel.ts';
