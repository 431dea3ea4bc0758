// How long until something is due, in words.

/** `in 12 s`, `now`; null where nothing is planned. */
export function soon(at: string | null, now: number): string | null {
  if (at === null) return null;
  const seconds = Math.ceil((Date.parse(at) - now) / 1000);
  if (seconds <= 0) return 'now';
  return seconds < 90 ? `in ${seconds} s` : `in ${Math.round(seconds / 60)} min`;
}
