// What a scan's field says, measured while it is typed: how many addresses, and what is wrong with it.
// The main side has the last word; this only answers at once.
import ipaddr from 'ipaddr.js';
import { scanRange as words } from '../words/discovery.ts';

export type Measured =
  | { ok: true; addresses: number; wide: boolean; isPublic: boolean }
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
  const spans = spansOf(text);
  if (typeof spans === 'string') return { ok: false, problem: spans };
  if (spans.length === 0) return null;
  const merged = merge(spans);
  const addresses = merged.reduce((sum, span) => sum + Number(span.last - span.first + 1n), 0);
  return { ok: true, addresses, wide: addresses > WIDE, isPublic: merged.some(isPublic) };
}

/** The addresses of a range by their place in it, without a list of them all. Null for what is no range. */
export interface Places {
  count: number;
  /** From 0; -1 for what is not in the range. */
  placeOf(address: string): number;
  addressAt(place: number): string;
}

export function placesOf(text: string): Places | null {
  const spans = spansOf(text);
  if (typeof spans === 'string' || spans.length === 0) return null;
  const merged = merge(spans);
  const sizes = merged.map((span) => Number(span.last - span.first + 1n));
  return {
    count: sizes.reduce((sum, size) => sum + size, 0),
    placeOf(address) {
      const at = parse(address);
      let before = 0;
      for (const [index, { first, last, v6 }] of merged.entries()) {
        if (at?.v6 === v6 && first <= at.value && at.value <= last) return before + Number(at.value - first);
        before += sizes[index] ?? 0;
      }
      return -1;
    },
    addressAt(place) {
      let before = 0;
      for (const [index, { first, v6 }] of merged.entries()) {
        const size = sizes[index] ?? 0;
        if (place < before + size) return written(first + BigInt(place - before), v6);
        before += size;
      }
      return '';
    },
  };
}

/** The spans that a text names, or the sentence that says why it names none. */
function spansOf(text: string): Span[] | string {
  const spans: Span[] = [];
  for (const entry of text
    .replace(/\s*[-–]\s*/g, '-')
    .split(/[\s,;]+/)
    .filter(Boolean)) {
    const span = spanOf(entry);
    if (typeof span === 'string') return span;
    spans.push(span);
  }
  return spans;
}

function spanOf(entry: string): Span | string {
  const [from = '', to, ...more] = entry.split('-');
  if (more.length > 0) return words.dashes(entry);
  if (to !== undefined) {
    const first = parse(from);
    // 10.0.0.5-20 is short for 10.0.0.5-10.0.0.20
    const last = parse(/^\d{1,3}$/.test(to) ? from.replace(/\d+$/, to) : to);
    if (!first || !last) return words.noRange(entry);
    if (first.v6 !== last.v6) return words.mixed(entry);
    if (first.value > last.value) return words.upsideDown(entry, from, to);
    return { first: first.value, last: last.value, v6: first.v6 };
  }
  const [base = '', prefix, ...rest] = entry.split('/');
  const at = parse(base);
  if (!at || rest.length > 0) return notAddress(base, entry);
  const bits = at.v6 ? 128 : 32;
  if (prefix === undefined) return { first: at.value, last: at.value, v6: at.v6 };
  if (!/^\d{1,3}$/.test(prefix) || Number(prefix) > bits) {
    return words.noPrefix(prefix, bits);
  }
  const size = 1n << BigInt(bits - Number(prefix));
  const network = (at.value / size) * size;
  // The network's own address and its broadcast are nobody's.
  const edge = !at.v6 && size > 2n ? 1n : 0n;
  return { first: network + edge, last: network + size - 1n - edge, v6: at.v6 };
}

function notAddress(base: string, entry: string): string {
  if (/^\d+(\.\d+){0,2}\.?$/.test(base)) return words.unfinished(entry);
  if (/(^|\.)0\d/.test(base)) return words.leadingZero(base);
  return words.noAddress(entry);
}

function parse(text: string): { value: bigint; v6: boolean } | null {
  const v6 = text.includes(':');
  const bare = text.replace(/%[\w.-]+$/, '');
  if (v6 ? !ipaddr.IPv6.isValid(bare) : !ipaddr.IPv4.isValidFourPartDecimal(text)) return null;
  const value = ipaddr
    .parse(bare)
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

function written(value: bigint, v6: boolean): string {
  const size = v6 ? 16 : 4;
  const bytes = Array.from({ length: size }, (_, at) => Number((value >> BigInt(8 * (size - 1 - at))) & 255n));
  return ipaddr.fromByteArray(bytes).toString();
}

const closed = new Set(['private', 'loopback', 'linkLocal', 'uniqueLocal', 'carrierGradeNat']);

const isPublic = ({ first, last, v6 }: Span) =>
  [first, last].some((value) => !closed.has(ipaddr.parse(written(value, v6)).range()));
