// How the window writes figures: short, with their unit, the same everywhere.

const binary = ['KiB', 'MiB', 'GiB', 'TiB', 'PiB'];

/** Three figures at the most: `512 MiB`, `1.5 GiB`, `16 GiB`. */
export function memory(kib: number): string {
  let value = kib;
  let unit = 0;
  while (value >= 1024 && unit < binary.length - 1) {
    value /= 1024;
    unit += 1;
  }
  return `${short(value)} ${binary[unit] ?? ''}`;
}

export const bytes = (count: number): string => (count < 1024 ? `${Math.round(count)} B` : memory(count / 1024));

/** Bytes a second. */
export const rate = (bps: number): string => `${bytes(bps)}/s`;

/** `12.4 of 32 GiB`: both in the unit of the whole. */
export function part(usedKib: number, wholeKib: number): string {
  const whole = memory(wholeKib);
  const scale = wholeKib / Number.parseFloat(whole);
  return `${short(scale > 0 ? usedKib / scale : 0)} of ${whole}`;
}

export const percent = (value: number): string => `${Math.round(value)}%`;

export const count = (value: number, one: string, many: string): string =>
  `${value.toLocaleString('en')} ${value === 1 ? one : many}`;

export const vms = (many: number): string => count(many, 'VM', 'VMs');
export const hosts = (many: number): string => count(many, 'host', 'hosts');

/** `480 ms`, `7.2 s`, `3 min 05 s`, `2 h 10 min`. */
export function duration(ms: number): string {
  if (ms < 1000) return `${Math.round(ms)} ms`;
  const seconds = ms / 1000;
  if (seconds < 60) return `${seconds < 10 ? seconds.toFixed(1) : Math.round(seconds)} s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return `${minutes} min ${String(Math.floor(seconds % 60)).padStart(2, '0')} s`;
  return `${Math.floor(minutes / 60)} h ${String(minutes % 60).padStart(2, '0')} min`;
}

const minute = new Intl.DateTimeFormat(undefined, { hour: '2-digit', minute: '2-digit', hour12: false });
const clock = new Intl.DateTimeFormat(undefined, {
  hour: '2-digit',
  minute: '2-digit',
  second: '2-digit',
  hour12: false,
});
const day = new Intl.DateTimeFormat(undefined, { month: 'short', day: 'numeric' });

/** The time of day; with the day where it is another. */
export function moment(iso: string, now = new Date()): string {
  const at = new Date(iso);
  return at.toDateString() === now.toDateString() ? clock.format(at) : `${day.format(at)}, ${minute.format(at)}`;
}

/** How long until then: `in 12 s`, `now`; null where nothing is planned. */
export function soon(at: string | null, now: number): string | null {
  if (at === null) return null;
  const seconds = Math.ceil((Date.parse(at) - now) / 1000);
  if (seconds <= 0) return 'now';
  return seconds < 90 ? `in ${seconds} s` : `in ${Math.round(seconds / 60)} min`;
}

function short(value: number): string {
  if (value >= 100) return String(Math.round(value));
  return value.toFixed(1).replace(/\.0$/, '');
}
