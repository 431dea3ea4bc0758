// A sentence shown for a while.
export interface Toast {
  id: number;
  level: 'info' | 'warn' | 'error';
  message: string;
  /** The same sentence again only counts. */
  count: number;
  /** What can be done about it. */
  action?: { label: string; run: () => void } | undefined;
}
