// What both sides of a migration hold while it lasts.
import type { Client } from '../client.ts';
import type { Daemon } from '../daemon.ts';
import type { Domain } from '../domain.ts';
import type { Transfer } from './transfer.ts';

/** Who drives: an admin's connection, or another daemon (peer to peer). */
export type Driver = Client | { readonly number: 0; readonly gone: boolean; hangUp(): void };

/** On the source: the job, from begin to confirm. */
export interface Outgoing {
  driver: Driver;
  flags: number;
  phase: 'begun' | 'performing' | 'performed' | 'confirming';
  transfer: Transfer | null;
  /** Asked to cancel before memory went over. */
  aborted: boolean;
  /** The paused guest's state before the migration stopped it. */
  wasPaused: boolean;
  beganMs: number;
}

/** On the target: from prepare to finish. */
export interface Incoming {
  driver: Driver;
  daemon: Daemon;
  domain: Domain;
  flags: number;
  port: number;
  /** That port, or the path of a Unix socket. */
  at: string;
  /** Defined by this migration, so gone again where it fails. */
  persist: boolean;
  /** Where the memory comes from, once it does. */
  from: { transfer: Transfer; domain: Domain; daemon: Daemon } | null;
  /** All of it has come. */
  arrived: { runMs: number; line: string } | null;
  finishing: boolean;
}
