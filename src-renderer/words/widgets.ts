// What the plain widgets say by themselves.
import { buttons } from './common.ts';

export const dialog = {
  close: buttons.close,
};

export const errorNote = {
  details: 'Details',
  code: 'code',
};

export const meter = {
  unknown: (label: string) => `${label}: not known`,
};

/** A step is read out with where it stands: `Log in, under way`. */
export const steps = {
  done: 'done',
  now: 'under way',
  stopped: 'stopped here',
  later: 'to come',
};

export const tabs = {
  close: (label: string) => `Close ${label}`,
};

export const toasts = {
  region: 'Notices',
  dismiss: 'Dismiss',
};
