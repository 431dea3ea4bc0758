// How a command ends, for scripts: one number for each kind of end.
import type { FailureCode } from '../../contract/failure.ts';
import type { MigrationView } from '../../contract/model.ts';

export const exitCodes = {
  0: 'done; for a migration: completed',
  1: 'failed; for a migration: failed, and the VM runs where it was',
  2: 'the command line was not understood',
  3: 'refused beforehand: a check said no, or something else is under way',
  4: 'there is no such host, VM or migration',
  5: 'a host, or Drover itself, was not reached in time',
  6: 'a host’s key is not trusted, or its login failed',
  7: 'a migration was cancelled: the VM runs where it was',
  8: 'a migration needs attention: look at it before anything else',
  130: 'ended by Ctrl+C',
} as const;

export type ExitCode = keyof typeof exitCodes;

const failures: Record<FailureCode, ExitCode> = {
  'bad-request': 2,
  unauthorized: 6,
  forbidden: 6,
  'not-found': 4,
  conflict: 3,
  refused: 3,
  'untrusted-host-key': 6,
  'auth-failed': 6,
  unreachable: 5,
  libvirt: 1,
  timeout: 5,
  unsupported: 1,
  internal: 1,
};

export const exitOf = (code: FailureCode): ExitCode => failures[code];

/** Of one that has ended, or waits for somebody. */
export function exitOfMigration({ state }: Pick<MigrationView, 'state'>): ExitCode {
  switch (state) {
    case 'completed':
      return 0;
    case 'cancelled':
      return 7;
    case 'needs-attention':
      return 8;
    case 'failed':
    case 'queued':
    case 'running':
      return 1;
    default:
      return state satisfies never;
  }
}
