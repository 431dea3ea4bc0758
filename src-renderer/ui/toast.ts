// A sentence shown for a while.
export interface Toast {
  id: number;
  level: 'info' | 'warn' | 'error';
  message: string;
  /** The same sentence again only counts. */
  count: number;
}
