// What to sweep: a CIDR, an address, a range or a list of these becomes an exact count and an iterator.
import ipaddr from 'ipaddr.js';
import { Failure } from '../../contract/failure.ts';
import { compareAddresses, isPrivate, isPrivateV6, nobodyAt, parseAddress, span, toText } from './address.ts';

/** As wide as is swept without asking twice: a /16. */
const WIDE = 65_536;

export interface Range {
  /** What is really swept, host bits dropped. */
  readonly text: string;
  /** What was corrected, as sentences. */
  readonly notes: readonly string[];
  /** How many addresses, each counted once. */
  readonly count: number;
  /** Each address once, in an order that spreads over the whole range. */
  addresses(): Generator<string>;
  /** @param address in its normal form */
  has(address: string): boolean;
  /** Where an address stands in the range, lower ones first, from 0; -1 for what is not in it. */
  placeOf(address: string): number;
}

interface Span {
  from: number;
  to: number;
}

interface Entry {
  text: string;
  note?: string;
  /** Null for a single IPv6 address, which `text` then is. */
  span: Span | null;
}

const examples = 'Give for instance 192.168.1.0/24, 192.168.1.7, 192.168.1.10-192.168.1.50, or several with commas.';
const bad = (message: string, detail?: Record<string, unknown>) => new Failure('bad-request', message, detail);

/**
 * @param confirm the admin was asked about a wide or public range, and wants it
 * @throws Failure `bad-request`: what is wrong and what would be right; for one that is wide or public
 *   with `detail.addresses`, their number
 */
export function parseRange(given: string | readonly string[], confirm = false): Range {
  const words = (typeof given === 'string' ? [given] : given).flatMap((text) => text.split(/[\s,;]+/)).filter(Boolean);
  if (words.length === 0) throw bad(`There is nothing to sweep. ${examples}`);
  const entries = words.map(parseEntry);
  const v6 = [...new Set(entries.flatMap(({ span, text }) => (span ? [] : [text])))].sort(compareAddresses);
  const v6places = new Map(v6.map((text, place) => [text, place]));
  const spans = merge(entries.flatMap(({ span }) => span ?? []));
  const starts = startsOf(spans);
  const v4count = starts[spans.length] ?? 0;
  const count = v4count + v6.length;
  const range = describe(entries);

  if (!confirm) {
    const publicOne = entries.find(({ span, text }) => !(span ? isPrivate(span.from, span.to) : isPrivateV6(text)));
    const why = publicOne ? `${publicOne.text} is public` : count > WIDE ? `${range} is wider than a /16` : null;
    if (why) {
      throw bad(
        `${why}: a sweep would call ${count.toLocaleString('en')} ${count === 1 ? 'address' : 'addresses'}. Confirm it if you may do that there.`,
        { addresses: count, confirm: true },
      );
    }
  }
  const at = (index: number) => {
    const span = lastOf(spans.length, (one) => starts[one]! <= index);
    return toText(spans[span]!.from + index - starts[span]!);
  };
  const placeOf = (text: string) => {
    const address = parseAddress(text);
    if (!address) return -1;
    if ('v6' in address) return (v6places.get(address.v6) ?? -1 - v4count) + v4count;
    const index = lastOf(spans.length, (one) => spans[one]!.from <= address.v4);
    const span = spans[index];
    return span && span.from <= address.v4 && address.v4 <= span.to ? starts[index]! + address.v4 - span.from : -1;
  };
  return {
    text: range,
    notes: [...new Set(entries.flatMap(({ note }) => note ?? []))],
    count,
    *addresses() {
      const stride = strideOf(v4count);
      for (let turn = 0, index = 0; turn < v4count; turn += 1, index = (index + stride) % v4count) yield at(index);
      yield* v6;
    },
    has: (address) => placeOf(address) >= 0,
    placeOf,
  };
}

function parseEntry(word: string): Entry {
  if (word.includes('/')) return parseCidr(word);
  const single = parseAddress(word);
  if (single) return checked(word, 'v4' in single ? entryOf(single.v4, single.v4) : { text: single.v6, span: null });
  const ends = word.split('-');
  if (ends.length === 2) return parseEnds(word, ends[0]!, ends[1]!);
  throw bad(`“${word}” is no address, range or CIDR${hint(word)}. ${examples}`);
}

function parseEnds(word: string, first: string, last: string): Entry {
  const from = parseAddress(first);
  // As nmap writes it: 192.168.1.10-50.
  const short = /^\d{1,3}$/.test(last) && from && 'v4' in from;
  const to = parseAddress(short ? first.replace(/\d+$/, last) : last);
  const wrong = !from ? first : !to ? last : null;
  if (wrong !== null) throw bad(`“${word}” is no range: “${wrong}” is no address${hint(wrong)}. ${examples}`);
  if (!('v4' in from!) || !('v4' in to!)) {
    throw bad(`“${word}”: IPv6 ranges are too wide to sweep. Name the IPv6 addresses one by one.`);
  }
  if (from.v4 > to.v4) {
    throw bad(`“${word}” is upside down: it ends before it begins. Did you mean ${toText(to.v4)}-${toText(from.v4)}?`);
  }
  return checked(word, entryOf(from.v4, to.v4));
}

function parseCidr(word: string): Entry {
  const [, address = '', bitsText = ''] = /^([^/]*)\/([^/]*)$/.exec(word) ?? [];
  const base = parseAddress(address);
  if (!base) throw bad(`“${word}” is no CIDR: “${address}” is no address${hint(address)}. ${examples}`);
  const most = 'v4' in base ? 32 : 128;
  const bits = /^(0|[1-9]\d{0,2})$/.test(bitsText) ? Number(bitsText) : NaN;
  if (!(bits <= most)) throw bad(`“${word}” is no CIDR: the part after the / has to be a number from 0 to ${most}.`);
  if (!('v4' in base)) {
    if (bits === 128) return checked(word, { text: base.v6, span: null });
    throw bad(`“${word}”: IPv6 networks are too wide to sweep. Name the IPv6 addresses one by one.`);
  }
  const { from, to } = span(base.v4, bits);
  const text = `${toText(from)}/${bits}`;
  // The first address names the network and the last calls all of it; a /31 and a /32 have neither (RFC 3021).
  const entry: Entry = bits >= 31 ? { text, span: { from, to } } : { text, span: { from: from + 1, to: to - 1 } };
  if (base.v4 !== from) entry.note = `${word} has host bits set; what is swept is ${text}.`;
  return checked(word, entry);
}

const entryOf = (from: number, to: number): Entry => ({
  text: from === to ? toText(from) : `${toText(from)}-${toText(to)}`,
  span: { from, to },
});

/** Wide ranges may pass over such addresses; what names one at either end is a mistake. */
function checked(word: string, entry: Entry): Entry {
  const ends = entry.span ? [{ v4: entry.span.from }, { v4: entry.span.to }] : [{ v6: entry.text }];
  const why = ends.map(nobodyAt);
  if (why.every(Boolean)) throw bad(`“${word}” can be swept for nothing: no host has a ${why[0]} address.`);
  return entry;
}

function hint(text: string): string {
  if (/(^|\.)0\d/.test(text)) return ' (leading zeros can mean octal; leave them out)';
  if (ipaddr.IPv4.isValid(text)) return ' of four numbers with dots';
  return '';
}

/** Sorted, none overlapping: so each address is called once however often it was named. */
function merge(spans: Span[]): Span[] {
  const merged: Span[] = [];
  for (const { from, to } of spans.toSorted((a, b) => a.from - b.from)) {
    const last = merged.at(-1);
    if (last && from <= last.to + 1) last.to = Math.max(last.to, to);
    else merged.push({ from, to });
  }
  return merged;
}

/** How many addresses stand before each span, and at the end before none. */
function startsOf(spans: Span[]): number[] {
  const starts = [0];
  for (const { from, to } of spans) starts.push(starts.at(-1)! + to - from + 1);
  return starts;
}

/** A step near the golden section that meets every index once: neighbours in time are far apart in the range. */
function strideOf(count: number): number {
  let stride = Math.max(1, Math.round(count * 0.618034));
  while (gcd(stride, count) > 1) stride += 1;
  return stride;
}

/** The last index below `count` that `fits`, where all before it fit too; 0 where none does. */
function lastOf(count: number, fits: (index: number) => boolean): number {
  let low = 0;
  for (let high = count - 1; low < high;) {
    const middle = (low + high + 1) >> 1;
    if (fits(middle)) low = middle;
    else high = middle - 1;
  }
  return low;
}

function gcd(a: number, b: number): number {
  return b === 0 ? a : gcd(b, a % b);
}

function describe(entries: Entry[]): string {
  const texts = [...new Set(entries.map(({ text }) => text))];
  return texts.length <= 20 ? texts.join(', ') : `${texts.slice(0, 20).join(', ')} and ${texts.length - 20} more`;
}
