// What the scan's field says while it is typed.
import { describe, expect, it } from 'vitest';
import { addressesOf, measureRange } from '../../src-renderer/parts/scan-range.ts';

const count = (text: string) => {
  const measured = measureRange(text);
  return measured?.ok ? measured.addresses : measured?.problem;
};

describe('measuring a range', () => {
  it.each([
    ['192.168.1.0/24', 254],
    ['192.168.1.77/24', 254],
    ['10.0.0.0/16', 65_534],
    ['10.0.0.4/30', 2],
    ['10.0.0.4/31', 2],
    ['10.0.0.4/32', 1],
    ['10.0.0.4', 1],
    ['10.0.0.5-10.0.0.20', 16],
    ['10.0.0.5 - 20', 16],
    ['10.0.0.1, 10.0.0.2 10.0.0.2', 2],
    ['10.0.0.0/24, 10.0.0.128/25', 254],
    ['fd00::1, fd00::2', 2],
    ['0.0.0.0/0', 2 ** 32 - 2],
  ])('%s holds %d', (text, addresses) => expect(count(text)).toBe(addresses));

  it.each([
    ['192.168', /not finished/],
    ['192.168.1.0/33', /from \/0 to \/32/],
    ['010.1.1.1', /leading zero/],
    ['10.0.0.9-10.0.0.3', /upside down/],
    ['10.0.0.1-fd00::1', /mixes/],
    ['kvm1', /no address or subnet/],
    ['10.0.0.256', /no address or subnet/],
    ['1-2-3', /more than one dash/],
  ])('%s is answered by a sentence', (text, sentence) => expect(count(text)).toMatch(sentence));

  it('says nothing of an empty field', () => expect(measureRange('  ')).toBeNull());

  it.each([
    ['10.0.0.0/8', true, false],
    ['10.0.0.0/16', false, false],
    ['8.8.8.0/24', false, true],
    ['192.168.0.0/24', false, false],
  ])('%s: wide %s, public %s', (text, wide, isPublic) => {
    expect(measureRange(text)).toMatchObject({ ok: true, wide, isPublic });
  });

  it('lists the addresses in order, none twice, and not more than asked for', () => {
    expect(addressesOf('10.0.0.4/30, 10.0.0.6', 10)).toEqual(['10.0.0.5', '10.0.0.6']);
    expect(addressesOf('10.0.0.0/24', 100)).toBeNull();
    expect(addressesOf('fd00::ff-fd00::101', 10)).toEqual(['fd00::ff', 'fd00::100', 'fd00::101']);
  });
});
