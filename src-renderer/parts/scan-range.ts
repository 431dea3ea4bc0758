// What a scan's field says, measured while it is typed: how many addresses, and what is wrong with it.
// The main side has the last word; this only answers at once.
import ipaddr from 'ipaddr.js';

export type Measured =
  | { ok: true; addresses: number; first: string; wide: boolean; isPublic: boolean }
  /** `problem` is a sentence. */
  | { ok: false; problem: string };

/** Ranges wider than a /16 are asked about. */
const WIDE = 65_536;

interface Span {
  first: bigint;
  last: bigint;
  v6: boolean;
}

/** Null for an empty field. Takes CIDRs, addresses and ranges `a-b`, separated by commas or white space. */
export function measureRange(text: string): Measured | null {
  const entries = text
    .replace(/\s*-\s*/g, '-')
    .split(/[\s,;]+/)
    .filter(Boolean);
  if (entries.length === 0) return null;
  const spans: Span[] = [];
  for (const entry of entries) {
    const span = spanOf(entry);
    if (typeof span === 'string') return { ok: false, problem: span };
    spans.push(span);
  }
  const merged = merge(spans);
  const addresses = merged.reduce((sum, span) => sum + Number(span.last - span.first + 1n), 0);
  return {
    ok: true,
    addresses,
    first: written(spans[0] as Span),
    wide: addresses > WIDE,
    isPublic: merged.some(isPublic),
  };
}

/** The whole addresses of a range, in order, or null where it has more than `most`. */
export function addressesOf(text: string, most: number): string[] | null {
  const measured = measureRange(text);
  if (!measured?.ok || measured.addresses > most) return null;
  const entries = text
    .replace(/\s*-\s*/g, '-')
    .split(/[\s,;]+/)
    .filter(Boolean);
  const spans = merge(entries.map(spanOf).filter((span) => typeof span !== 'string'));
  return spans.flatMap(({ first, last, v6 }) =>
    Array.from({ length: Number(last - first) + 1 }, (_, at) => address(first + BigInt(at), v6)),
  );
}

function spanOf(entry: string): Span | string {
  const [from = '', to, ...more] = entry.split('-');
  if (more.length > 0) return `“${entry}” has more than one dash.`;
  if (to !== undefined) {
    const first = parse(from);
    // 10.0.0.5-20 is short for 10.0.0.5-10.0.0.20
    const last = parse(/^\d{1,3}$/.test(to) ? from.replace(/\d+$/, to) : to);
    if (!first || !last) return `“${entry}” is no range: write it as 10.0.0.5-10.0.0.20.`;
    if (first.v6 !== last.v6) return `“${entry}” mixes IPv4 and IPv6.`;
    if (first.value > last.value) return `“${entry}” is upside down: ${to} comes before ${from}.`;
    return { first: first.value, last: last.value, v6: first.v6 };
  }
  const [base = '', prefix, ...rest] = entry.split('/');
  const at = parse(base);
  if (!at || rest.length > 0) return notAddress(base, entry);
  const bits = at.v6 ? 128 : 32;
  if (prefix === undefined) return { first: at.value, last: at.value, v6: at.v6 };
  if (!/^\d{1,3}$/.test(prefix) || Number(prefix) > bits) {
    return `“/${prefix}” is no prefix length: it goes from /0 to /${bits}.`;
  }
  const size = 1n << BigInt(bits - Number(prefix));
  const network = (at.value / size) * size;
  // The network's own address and its broadcast are nobody's.
  const edge = !at.v6 && size > 2n ? 1n : 0n;
  return { first: network + edge, last: network + size - 1n - edge, v6: at.v6 };
}

function notAddress(base: string, entry: string): string {
  if (/^\d+(\.\d+){0,2}\.?$/.test(base)) return `“${entry}” is not finished: a subnet looks like 192.168.1.0/24.`;
  if (/(^|\.)0\d/.test(base)) return `“${base}” has a number with a leading zero, which some read as octal.`;
  return `“${entry}” is no address or subnet: write it as 192.168.1.0/24.`;
}

function parse(text: string): { value: bigint; v6: boolean } | null {
  const v6 = text.includes(':');
  if (v6 ? !ipaddr.IPv6.isValid(text) || text.includes('%') : !ipaddr.IPv4.isValidFourPartDecimal(text)) return null;
  const value = ipaddr
    .parse(text)
    .toByteArray()
    .reduce((sum, byte) => sum * 256n + BigInt(byte), 0n);
  return { value, v6 };
}

/** The same addresses with none named twice. */
function merge(spans: Span[]): Span[] {
  const merged: Span[] = [];
  for (const span of [...spans].sort((a, b) => Number(a.v6) - Number(b.v6) || (a.first < b.first ? -1 : 1))) {
    const before = merged.at(-1);
    if (before && before.v6 === span.v6 && span.first <= before.last) {
      if (span.last > before.last) before.last = span.last;
    } else merged.push({ ...span });
  }
  return merged;
}

function address(value: bigint, v6: boolean): string {
  const bytes = Array.from({ length: v6 ? 16 : 4 }, (_, at) =>
    Number((value >> BigInt(8 * ((v6 ? 15 : 3) - at))) & 255n),
  );
  return ipaddr.fromByteArray(bytes).toString();
}

const written = ({ first, last, v6 }: Span) =>
  first === last ? address(first, v6) : `${address(first, v6)} – ${address(last, v6)}`;

const closed = new Set(['private', 'loopback', 'linkLocal', 'uniqueLocal', 'carrierGradeNat']);

const isPublic = ({ first, last, v6 }: Span) =>
  [first, last].some((value) => !closed.has(ipaddr.parse(address(value, v6)).range()));
