// Where VMs are told to move: the hint while they are dragged, the dialog that asks, its options.
import { buttons } from './common.ts';
import { count, vms } from './format.ts';

export const dragHint = {
  /** These three follow the name of the host. */
  refused: (what: string, why: string | null) => `cannot take ${what}: ${why ?? ''}`,
  isHere: (many: number) => `is where ${many === 1 ? 'it is' : 'they are'} now`,
  drop: (what: string, note: string | null) => `– drop to migrate ${what} here${note ? `. ${note}` : ''}`,
  nowhere: (what: string) => `Drop ${what} on a host to migrate it. Escape cancels.`,
};

export const migrateDialog = {
  title: (what: string, host: string | undefined) =>
    host === undefined ? `Migrate ${what}` : `Migrate ${what} to ${host}?`,
  to: 'to',
  anotherHost: 'Another host…',
  noTarget: 'choose where to',
  gone: (many: number) => `${count(many, 'VM is', 'VMs are')} not there any more, or moved meanwhile.`,
  targets: (what: string) => `Migrate ${what} to`,
  asking: 'Both hosts are being asked whether it can work…',
  checkAgain: 'Check again',
  happens: 'What happens',
  /** Where they do not all come from the same one. */
  theirHosts: 'their hosts',
  batch: (many: number, host: string) => `${vms(many)} to ${host}`,
  cancel: buttons.cancel,
  migrate: 'Migrate',
  migrateSome: (some: number, all: number) => `Migrate ${some} of ${all}`,
  off: {
    noTarget: 'Choose a host first',
    nothingLeft: 'Nothing is left to move',
    checking: 'The hosts are being asked',
    forbidden: 'The checks forbid it',
  },
};

export const moveOptions = {
  title: (changed: number) => `Options${changed > 0 ? ` (${changed} changed)` : ''}`,
};
