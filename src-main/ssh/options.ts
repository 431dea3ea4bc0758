// What a connection is made from: where to, who with, and who may be asked.
import type { HostKeySeen } from './host-key.ts';
import type { KnownHosts } from './known-hosts.ts';
import type { Routes } from './routes.ts';
import type { SecretCache } from './secrets.ts';

export interface SshTarget {
  /** Name or address, an IPv6 one without brackets; or what OpenSSH's configuration has under that name. */
  host: string;
  /** Null: as configured, else 22. */
  port: number | null;
  /** Null: as configured, else the user that runs Drover. */
  user: string | null;
  /** Hosts to go through, the nearest first, instead of those that are configured: `user@host:port`. */
  jumps?: string[];
  /** The ways that wait for this one, as it is a jump host of theirs; so that a circle ends. */
  behind?: string[];
  /** Given by `keyfile=`: only these are read, instead of the ones in `~/.ssh`. `~/` is the home folder. */
  keyFiles?: string[];
  /** Given by `known_hosts=`: read instead of the user's own. */
  knownHostsFile?: string;
  /** `no_verify=1`: any host key but a revoked one is taken, and none is kept. */
  noVerify?: boolean;
  /** By the system's own ssh, whatever the configuration says. */
  system?: boolean;
  /** A fingerprint (`SHA256:…`) that was approved beforehand: an unknown key that has it is pinned and trusted. */
  trust?: string;
  /** What sentences call the host. */
  label: string;
}

export interface SshQuestion {
  kind: 'password' | 'passphrase' | 'keyboard-interactive';
  /** What is asked for: `root@kvm1`, or a key file's path. */
  title: string;
  /** The server's own words, made printable; may be empty. */
  instruction: string;
  prompts: { text: string; echo: boolean }[];
  /** The last answer was refused. */
  again: boolean;
  /** What the answer can be kept under, beyond the session; left out where it is of no use a second time. */
  keepAs?: string;
}

export interface SshPrompts {
  /**
   * Asked only when needed, and only once the host key is trusted.
   * @param signal Aborted when the connection is gone, and the answer of no use.
   * @returns One answer a prompt; null: cancelled.
   */
  ask(question: SshQuestion, signal: AbortSignal): Promise<string[] | null>;
}

/** Limits of the phases, in milliseconds. The time that a person takes to answer is not counted. */
export interface SshTimeouts {
  /** Name lookup and TCP. */
  connectMs: number;
  /** Banner and key exchange. */
  handshakeMs: number;
  /** Three times as long where a password or an answer is sent: a host may then wait for somebody's tap on a phone. */
  loginMs: number;
  /** Until a channel is open. */
  openMs: number;
}

export interface SshKeepalive {
  /** How often the host has to be heard; it is pinged when it was not. */
  intervalMs: number;
  /** After how many intervals of silence the connection is lost. */
  count: number;
}

export interface SshOptions {
  target: SshTarget;
  knownHosts: KnownHosts;
  /** Null: there is nobody to ask. */
  prompts: SshPrompts | null;
  /** The agent's socket or pipe; default the configured one, or the system's; null: none. */
  agent?: string | null;
  /** Where `.ssh` is; default the user's home folder. */
  home?: string;
  timeouts?: Partial<SshTimeouts>;
  /** Default: silence is told after 9 s, and the connection lost after 12 s at most. */
  keepalive?: SshKeepalive;
  /** Calls the attempt off; of no effect once connected. */
  signal?: AbortSignal;
  /** The host's key, as soon as it is seen; before anything was proven. */
  onHostKey?(seen: HostKeySeen): void;
  /** Called when the attempt begins to wait for a person, or for a jump host: others need not wait for that. */
  onWait?(): void;
  /** OpenSSH's configuration and the jump hosts; share one among all hosts. Default: the way is direct. */
  routes?: Routes;
  /** Share one among all hosts, so that nothing is asked twice. */
  secrets?: SecretCache;
}

/** How long a login may take once something of a person's is sent. */
export const patientMs = ({ loginMs }: Pick<SshTimeouts, 'loginMs'>) => 3 * loginMs;
