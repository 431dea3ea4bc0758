// Figures over time: a live one, a migration's course, and the plots of a VM's or a host's past.
import { bytes, rate } from './format.ts';

export const figure = {
  trend: (label: string) => `${label}, the last minutes`,
};

export const migrationPlot = {
  remaining: 'Remaining',
  moves: 'Moves',
  writes: 'Guest writes',
  /** @param left null before the first look */
  remainingCourse: (most: number, left: number | null) =>
    `Remaining, from ${bytes(most)} to ${left === null ? 'nothing yet' : bytes(left)}`,
  ratesCourse: (fastest: number) => `Throughput and what the guest writes, up to ${rate(fastest)}`,
};

export const timePlot = {
  now: 'now',
  label: (of: string, span: string) => `${of}, ${span} to now`,
  /** @param value null where it is not known */
  at: (when: string, value: string | null) => `${when}: ${value ?? 'not known'}`,
};
