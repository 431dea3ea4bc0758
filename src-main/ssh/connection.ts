// One SSH connection to a host, which carries everything.
import type { Duplex } from 'node:stream';
import type { SshError } from './error.ts';
import type { HostKeySeen } from './host-key.ts';

export interface SshExec {
  /** The command's standard input and output. */
  stdio: Duplex;
  /** What it said on standard error so far; at most 64 KiB of it. */
  stderr(): string;
  /** Resolves when it ended, or the connection did (both null). */
  exited: Promise<{ code: number | null; signal: string | null }>;
}

export interface SshRun {
  stdout: string;
  stderr: string;
  /** Null: ended by a signal, or by the connection's end. */
  code: number | null;
}

export interface SshConnection {
  readonly hostKey: HostKeySeen;
  /** The host's first line, e.g. `SSH-2.0-OpenSSH_9.2p1 Debian-2`. */
  readonly banner: string;
  /** Who is logged in. */
  readonly user: string;
  readonly label: string;
  /** A stream to a Unix socket on the host. @throws SshError */
  openUnix(path: string): Promise<Duplex>;
  /** A stream to an address as the host sees it. @throws SshError */
  openTcp(host: string, port: number): Promise<Duplex>;
  /** Starts a command in the login shell. @throws SshError */
  exec(command: string): Promise<SshExec>;
  /** Runs a short command to its end. Default limits: 10 s, 1 MiB of output. @throws SshError */
  run(command: string, options?: { timeoutMs?: number; maxBytes?: number }): Promise<SshRun>;
  /** While held, silence is told but never ends the connection. Returns the release. */
  hold(): () => void;
  /** `silent`: not heard for two intervals. `heard`: again. Returns the undo. */
  on(event: 'silent' | 'heard', listener: () => void): () => void;
  /** Resolves once, when the connection is over; null: it was closed by us. */
  readonly ended: Promise<SshError | null>;
  /** As `ended`, for a listener; called soon when it is over already. Returns the undo. */
  onEnd(listener: (error: SshError | null) => void): () => void;
  /** Ends it; its streams end too. */
  close(): void;
}
