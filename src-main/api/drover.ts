// What a shell is given to run: Drover, started, and how to end it.
import type { Cipher } from '../settings/index.ts';
import type { Door } from './door.ts';

export type { Cipher };

export interface StartOptions {
  /** Where inventory, known hosts, journal and settings are kept; null for the platform's folder. */
  dataDir: string | null;
  log: (line: string) => void;
  /** The system's keychain, where the shell has one: answers may be kept then. */
  cipher?: Cipher | null;
  /** With the simulated demo fleet. */
  demo?: boolean;
}

export interface Drover {
  readonly door: Door;
  readonly version: string;
  /** How many windows are there to answer questions; without any, logins that would ask fail at once. */
  windows(count: number): void;
  /**
   * Ends consoles and connections; migrations end as their transport allows (p2p goes on without Drover).
   * Resolves when all is closed.
   */
  close(): Promise<void>;
}

export type Start = (options: StartOptions) => Promise<Drover>;
