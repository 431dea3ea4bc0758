import { describe, expect, it } from 'vitest';
import { Failure } from '../../contract/failure.ts';
import { parseRange } from '../../src-main/discovery/range.ts';
import { random, seed } from './random.ts';

const sorted = (range: { addresses(): Iterable<string> }) => [...range.addresses()].sort();

function refusal(given: string | string[]): Failure {
  try {
    parseRange(given);
  } catch (error) {
    if (error instanceof Failure) return error;
  }
  throw new Error(`${String(given)} was not refused`);
}

describe('what a range holds', () => {
  it.each<[string | string[], number, string]>([
    ['192.168.1.0/24', 254, '192.168.1.0/24'],
    ['192.168.1.0/30', 2, '192.168.1.0/30'],
    ['192.168.1.0/31', 2, '192.168.1.0/31'],
    ['192.168.1.7/32', 1, '192.168.1.7/32'],
    ['192.168.1.7', 1, '192.168.1.7'],
    ['192.168.1.10-192.168.1.12', 3, '192.168.1.10-192.168.1.12'],
    ['192.168.1.10-12', 3, '192.168.1.10-192.168.1.12'],
    ['192.168.1.255-192.168.2.1', 3, '192.168.1.255-192.168.2.1'],
    ['10.0.0.0/16', 65_534, '10.0.0.0/16'],
    ['10.0.0.1, 10.0.0.2;10.0.0.3\n10.0.0.1', 3, '10.0.0.1, 10.0.0.2, 10.0.0.3'],
    [['10.0.0.1', '10.0.0.0/29', '10.0.0.5-10.0.0.9'], 9, '10.0.0.1, 10.0.0.0/29, 10.0.0.5-10.0.0.9'],
    ['fd00::1', 1, 'fd00::1'],
    ['FD00:0::0001, fd00::1, fe80::1%eth0, 10.0.0.1', 3, 'fd00::1, fe80::1%eth0, 10.0.0.1'],
    ['::ffff:10.0.0.1, 10.0.0.1', 1, '10.0.0.1'],
    ['fd00::1/128', 1, 'fd00::1'],
  ])('%j has %i addresses', (given, count, text) => {
    const range = parseRange(given);
    expect(range.count).toBe(count);
    expect([...range.addresses()]).toHaveLength(count);
    expect(range.text).toBe(text);
    expect(range.notes).toEqual([]);
  });

  it('leaves out the address of the network and the one that calls all of it, unless they are named', () => {
    expect(sorted(parseRange('10.0.0.0/30'))).toEqual(['10.0.0.1', '10.0.0.2']);
    expect(sorted(parseRange('10.0.0.0/30, 10.0.0.3'))).toEqual(['10.0.0.1', '10.0.0.2', '10.0.0.3']);
  });

  it('drops host bits and says so', () => {
    const range = parseRange('10.1.2.3/24');
    expect(range.text).toBe('10.1.2.0/24');
    expect(range.count).toBe(254);
    expect(range.notes).toEqual(['10.1.2.3/24 has host bits set; what is swept is 10.1.2.0/24.']);
  });

  it('spreads over the whole range from the beginning', () => {
    const first = [...parseRange('10.0.0.0/16').addresses()].slice(0, 16);
    expect(new Set(first.map((address) => address.split('.')[2]!)).size).toBe(16);
  });

  it('names of a very long list only the first', () => {
    const range = parseRange(Array.from({ length: 30 }, (_, n) => `10.0.${n}.1`));
    expect(range.count).toBe(30);
    expect(range.text).toMatch(/10\.0\.19\.1 and 10 more$/);
  });

  it(`holds each address of random lists once, and no other (seed ${seed})`, () => {
    const next = random(seed);
    const pick = (below: number) => Math.floor(next() * below);
    for (let round = 0; round < 200; round += 1) {
      const expected = new Set<string>();
      const words = Array.from({ length: 1 + pick(6) }, () => {
        const from = pick(600);
        const to = from + pick(80);
        const name = (n: number) => `10.9.${n >> 8}.${n & 255}`;
        const kind = pick(3);
        if (kind === 0) {
          expected.add(name(from));
          return name(from);
        }
        if (kind === 1) {
          for (let n = from; n <= to; n += 1) expected.add(name(n));
          return `${name(from)}-${name(to)}`;
        }
        const bits = 24 + pick(9);
        const size = 2 ** (32 - bits);
        const base = from - (from % size);
        const edge = size > 2 ? 1 : 0;
        for (let n = base + edge; n < base + size - edge; n += 1) expected.add(name(n));
        return `${name(from)}/${bits}`;
      });
      const range = parseRange(words);
      const addresses = [...range.addresses()];
      expect(addresses, words.join(' ')).toHaveLength(range.count);
      expect(new Set(addresses), words.join(' ')).toEqual(expected);
      for (let n = 0; n < 700; n += 7) {
        const address = `10.9.${n >> 8}.${n & 255}`;
        expect(range.has(address), `${address} in ${words.join(' ')}`).toBe(expected.has(address));
      }
    }
  });
});

describe('what is refused, with a sentence', () => {
  it.each([
    ['', /nothing to sweep/],
    [' , ', /nothing to sweep/],
    ['kvm1.example.org', /“kvm1.example.org” is no address, range or CIDR/],
    ['010.1.1.1', /leading zeros/],
    ['10.0.0.0/08', /number from 0 to 32/],
    ['10.1.1', /of four numbers/],
    ['0x0a.1.1.1', /no address/],
    ['10.0.0.256', /no address/],
    ['10.0.0.0/33', /number from 0 to 32/],
    ['10.0.0.0/', /number from 0 to 32/],
    ['10.0.0.0/24/2', /no CIDR/],
    ['10.0.0/24', /no CIDR: “10.0.0” is no address of four numbers/],
    ['10.0.0.9-10.0.0.2', /upside down.*10\.0\.0\.2-10\.0\.0\.9/],
    ['10.0.0.9-2', /upside down/],
    ['10.0.0.9-', /no range/],
    ['10.0.0.1-10.0.0.300', /“10.0.0.300” is no address/],
    ['fd00::/64', /IPv6 networks are too wide/],
    ['fd00::1-fd00::9', /IPv6 ranges are too wide/],
    ['fe80::1%$(reboot)', /no address/],
    ['224.0.0.5', /multicast/],
    ['0.0.0.0', /unspecified/],
    ['255.255.255.255', /broadcast/],
    ['ff02::1', /multicast/],
  ])('%j', (given, sentence) => {
    const { code, message } = refusal(given);
    expect(code).toBe('bad-request');
    expect(message).toMatch(sentence);
  });

  it.each([
    ['10.0.0.0/15', 131_070, /wider than a \/16.*131,070/],
    ['10.0.0.0/16, 10.1.0.0/16', 131_068, /wider than a \/16/],
    ['8.8.8.8', 1, /8\.8\.8\.8 is public.*1 address/],
    ['203.0.113.0/24', 254, /public.*254/],
    ['10.0.0.1, 2001:4860:4860::8888', 2, /2001:4860:4860::8888 is public/],
    ['9.255.255.0-10.0.0.5', 262, /public/],
    ['0.0.0.0/0', 2 ** 32 - 2, /public/],
  ])('%j, until it is confirmed', (given, count, sentence) => {
    const { code, message, detail } = refusal(given);
    expect(code).toBe('bad-request');
    expect(message).toMatch(sentence);
    expect(detail).toEqual({ addresses: count, confirm: true });
    expect(parseRange(given, true).count).toBe(count);
  });
});
