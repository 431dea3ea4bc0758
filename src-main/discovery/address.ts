// IP addresses as this room handles them: IPv4 ones as numbers, so that a range costs nothing to hold.
import ipaddr from 'ipaddr.js';

/** IPv6 addresses are only ever single; their normal form tells two apart. */
export type Address = { v4: number } | { v6: string };

/** @returns null for what is no address in its usual form, e.g. `010.1.1.1` */
export function parseAddress(text: string): Address | null {
  if (ipaddr.IPv4.isValidFourPartDecimal(text)) return { v4: toNumber(text) };
  if (!ipaddr.IPv6.isValid(text)) return null;
  const address = ipaddr.IPv6.parse(text);
  if (address.isIPv4MappedAddress()) return { v4: toNumber(address.toIPv4Address().toString()) };
  const zone = address.zoneId;
  if (zone !== undefined && !/^[\w.-]{1,32}$/.test(zone)) return null;
  return { v6: address.toRFC5952String().replace(/%.*/, '') + (zone ? `%${zone}` : '') };
}

/** One string per address: IPv6 shortened, IPv4 out of its IPv6 clothes. Null for what is no address. */
export function normalAddress(text: string): string | null {
  const address = parseAddress(text);
  if (!address) return null;
  return 'v4' in address ? toText(address.v4) : address.v6;
}

export function toNumber(dotted: string): number {
  return dotted.split('.').reduce((sum, octet) => sum * 256 + Number(octet), 0);
}

export function toText(v4: number): string {
  return `${v4 >>> 24}.${(v4 >>> 16) & 255}.${(v4 >>> 8) & 255}.${v4 & 255}`;
}

/** For sorting, lower first and IPv4 before IPv6. */
export function compareAddresses(a: string, b: string): number {
  const v6 = Number(a.includes(':')) - Number(b.includes(':'));
  if (v6 !== 0) return v6;
  if (!a.includes(':')) return toNumber(a) - toNumber(b);
  const [one, two] = [expanded(a), expanded(b)];
  return one < two ? -1 : Number(one > two);
}

/** Sorts as the number that it is. */
function expanded(v6: string): string {
  const [address = '', zone = ''] = v6.split('%');
  const bytes = ipaddr.IPv6.parse(address).toByteArray();
  return `${Buffer.from(bytes).toString('hex')}%${zone}`;
}

// What is swept without asking twice: addresses that lead to no stranger. Documentation ranges are not among
// them: nobody should have hosts there.
const own = (
  [
    ['10.0.0.0', 8],
    ['100.64.0.0', 10],
    ['127.0.0.0', 8],
    ['169.254.0.0', 16],
    ['172.16.0.0', 12],
    ['192.168.0.0', 16],
    ['198.18.0.0', 15],
  ] as const
).map(([base, bits]) => span(toNumber(base), bits));

/** First and last address of a CIDR, host bits dropped. */
export function span(address: number, bits: number): { from: number; to: number } {
  const size = 2 ** (32 - bits);
  const from = address - (address % size);
  return { from, to: from + size - 1 };
}

export function isPrivate(from: number, to: number): boolean {
  return own.some((block) => block.from <= from && to <= block.to);
}

export function isPrivateV6(text: string): boolean {
  return ['uniqueLocal', 'linkLocal', 'loopback'].includes(ipaddr.IPv6.parse(text).range());
}

/** Why no host can be there; null where one can. */
export function nobodyAt(address: Address): string | null {
  if ('v6' in address) {
    const kind = ipaddr.IPv6.parse(address.v6).range();
    return kind === 'multicast' || kind === 'unspecified' ? kind : null;
  }
  if (address.v4 < 2 ** 24) return 'unspecified';
  if (address.v4 >= 0xe0000000 && address.v4 < 0xf0000000) return 'multicast';
  return address.v4 === 0xffffffff ? 'broadcast' : null;
}
