// Recent tasks: the list of them, what can be done with one, and a migration in full.
import { buttons } from './common.ts';
import { bytes, duration } from './format.ts';

export const taskList = {
  title: 'Recent tasks',
  running: (many: number) => `${many} running`,
  failed: (many: number) => `${many} failed`,
  clear: 'Clear what is over',
  none: 'No tasks yet',
  noneAbout: 'Migrations, scans and what you do to VMs show up here.',
  actionsFor: (what: string, target: string) => `Actions for ${what} ${target}`,
  columns: {
    task: 'Task',
    target: 'Target',
    host: 'Host',
    result: 'Result',
    started: 'Started',
    took: 'Took',
    cancel: buttons.cancel,
  },
};

export const taskActions = {
  details: 'Details',
  /** Undefined where it is not known any more where it came from. */
  moveBack: (host = 'its host') => `Move Back to ${host}…`,
  virsh: 'Copy as virsh Command',
  cancel: buttons.cancel,
  cancelParts: 'Cancel What Is Under Way',
  allDone: (many: number) => `all ${many}`,
  because: (counts: string, reason: string) => `${counts}: ${reason}`,
  stoppedFor: (ms: number) => `stopped for ${duration(ms)}`,
  found: (many: number) => `${many} found`,
};

export const taskDetail = {
  title: (name: string | undefined) => (name === undefined ? 'Migration' : `Migration of ${name}`),
  to: 'to',
  figures: {
    soFar: 'So far',
    took: 'Took',
    stoodStill: 'Stood still',
    stoodStillHint: 'As libvirt measured it',
    copied: 'Copied',
    remaining: 'Remaining',
    timeLeft: 'Time left',
    wouldStop: 'Would stop',
    wouldStopHint: 'If it were switched over with what a pass leaves',
    throughput: 'Throughput',
    guestWrites: 'Guest writes',
    pass: 'Pass',
    passHint: 'How often the memory was gone over',
    slowedDown: 'Slowed down',
    slowedDownHint: 'By auto-converge',
  },
  copied: (done: number, all: number) => `${bytes(done)} of ${bytes(all)}`,
  timeLeft: (ms: number | null) => (ms === null ? 'cannot be told' : `about ${duration(ms)}`),
  wouldStop: (ms: number, allowedMs: number) => `${duration(ms)}; ${duration(allowedMs)} allowed`,
  slowedBy: (percent: number) => `by ${percent}%`,
  notices: 'To know about it',
  options: 'Options and virsh command',
  receipt: 'Receipt',
  notKept: 'This migration is not kept any more',
  moveBack: (host: string | undefined) => `Move back${host === undefined ? '' : ` to ${host}`}…`,
  tryAgain: 'Try again…',
  noWayBack: 'It runs on the target already: from post-copy there is no way back',
  cancel: 'Cancel migration',
  close: 'Close',
};

export const migrationLimits = {
  form: 'Limits while it runs',
  bandwidth: 'Bandwidth at most',
  bandwidthUnit: 'MiB/s',
  noLimit: 'no limit',
  downtime: 'Longest stop',
  downtimeUnit: 'ms',
  nothingGiven: 'Give a figure first',
  apply: 'Apply',
  postCopy: 'Post-copy…',
};
