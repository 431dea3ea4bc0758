// The dialog that empties a host for maintenance.
import { buttons } from './common.ts';
import { memory, vms } from './format.ts';

export const evacuateHost = {
  title: (host: string) => `Empty ${host}?`,
  about: (host: string) =>
    `Its running VMs move live to other hosts. ${host} itself is left as it is, ready for maintenance.`,
  onto: 'Onto',
  free: (kib: number) => `${memory(kib)} free`,
  noOther: 'No other host is connected.',
  noTarget: 'There is no host to move to: connect or choose one.',
  asking: 'The hosts are being asked what they can take…',
  planAgain: 'Plan again',
  isEmpty: (host: string) => `No VM is on ${host}: it is empty already.`,
  parallel: 'At a time',
  parallelHint: 'More share the same link',
  parallelUnit: 'VMs',
  course:
    'When it starts, the plan is made once more from how the hosts stand then. It stops beginning further ones as soon as one does not end well; those under way go on.',
  cancel: buttons.cancel,
  /** Null while it is not known how many. */
  move: (many: number | null) => (many === null ? 'Move' : `Move ${vms(many)}`),
  off: {
    noTarget: 'Choose a host to move to',
    planning: 'The plan is being made',
    noPlan: 'There is no plan',
    noneMoves: 'No VM can move',
  },
};
