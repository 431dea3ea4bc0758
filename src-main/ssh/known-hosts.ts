// Which host keys are trusted: the user's and the system's known_hosts, and a file of our own that is written.
import type { HostKeyStatus } from './host-key.ts';

export interface KnownHostsFiles {
  /** Read and written. */
  own: string;
  /** Read only, of the user. */
  user: string[];
  /** Read only, of the machine. */
  system: string[];
}

export class KnownHosts {
  constructor(_files: KnownHostsFiles) {
    throw new Error('not built yet');
  }
  /** The user's and the system's files as OpenSSH has them, with `own` beside them. */
  static beside(_own: string, _home?: string): KnownHosts {
    throw new Error('not built yet');
  }
  lookup(_host: string, _port: number, _key: Buffer): Promise<HostKeyStatus> {
    throw new Error('not built yet');
  }
  pin(_host: string, _port: number, _key: Buffer, _options?: { replace?: boolean }): Promise<void> {
    throw new Error('not built yet');
  }
  forget(_host: string, _port: number): Promise<void> {
    throw new Error('not built yet');
  }
}
