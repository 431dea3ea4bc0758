// A migration from its target's choice to its end: the parts of its dialogs, its task, and the plan of an evacuation.
import { count, duration, memory, percent } from './format.ts';

export const attention = {
  title: 'What can be done',
  about: 'Nothing is deleted unless you say so here.',
  act: 'Do this',
  /** It is asked about once more. */
  actLater: 'Do this…',
  sure: 'Yes, delete: this cannot be undone',
  no: 'No',
};

export const courseNote = {
  downtime: (ms: number) => `Allow a stop of ${duration(ms)}`,
  bandwidth: (mibps: number) => `Allow ${mibps.toLocaleString('en')} MiB/s`,
  postCopy: 'Switch to post-copy…',
  restart: (missing: string) => `Start again with ${missing}…`,
  cancel: 'Cancel migration',
  restartAbout: (name: string) =>
    `What a migration may use besides is settled at its start: starting again cancels this one, and ${name} runs on where it is.`,
};

export const migratingList = {
  label: 'What the checks say to each VM',
  ok: 'can move',
  warn: 'can move, with a warning',
  blocked: 'cannot move',
  checking: 'being checked',
};

export const migrationReceipt = {
  by: 'Started by',
  started: 'Started',
  ended: 'Ended',
  virsh: 'The same with virsh',
  copy: 'Copy command',
};

export const oneWay = {
  title: 'There is no way back from post-copy',
  happens: (name: string, from: string, to: string) =>
    `${name} runs on ${to} at once, and fetches the rest of its memory from ${from} while it runs.`,
  danger: (name: string, from: string, to: string) =>
    `It cannot be cancelled then. If ${from}, ${to} or the way between them fails before all memory is there, the running system of ${name} is lost, as if its power had been cut.`,
  slow: 'Until then it may be slow.',
  yes: (name: string) => `Switch ${name} over now`,
  no: 'No, go on as before',
};

export const phaseSteps = {
  label: (name: string) => `Phases of migrating ${name}`,
};

export const planTable = {
  stay: (many: number) => count(many, 'VM stays', 'VMs stay'),
  move: (many: number) => count(many, 'VM moves', 'VMs move'),
  vm: 'VM',
  whyStays: 'Why it cannot move',
  to: 'To',
  whyThere: 'Why there',
};

export const targetList = {
  filter: 'Filter hosts',
  ok: 'can take it',
  warn: 'with a warning',
  checking: 'being checked',
  blocked: 'cannot take it',
  here: 'here now',
  free: (kib: number) => `${memory(kib)} free`,
  /** After what is free. */
  cpu: (used: number) => `· CPU ${percent(used)}`,
  none: (wanted: string) => `No host has “${wanted}” in its name`,
};

export const taskRow = {
  fold: 'Fold',
  unfold: 'Unfold',
  /** Read out for the arrow between two hosts. */
  to: 'to',
  cancel: (what: string, name: string) => `Cancel ${what} ${name}`,
};
