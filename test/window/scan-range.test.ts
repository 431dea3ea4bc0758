// What the scan's field says while it is typed.
import { describe, expect, it } from 'vitest';
import { mapCells } from '../../src-renderer/parts/range-cells.ts';
import { measureRange, placesOf } from '../../src-renderer/parts/scan-range.ts';

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

  it('knows the place of every address, however wide the range', () => {
    const places = placesOf('10.0.0.4/30, 10.0.0.6, 10.9.0.0/16');
    expect(places?.count).toBe(2 + 65_534);
    expect(
      ['10.0.0.5', '10.0.0.6', '10.9.0.1', '10.9.255.254', '10.9.0.0', 'fd00::1'].map((address) =>
        places?.placeOf(address),
      ),
    ).toEqual([0, 1, 2, 65_535, -1, -1]);
    expect([0, 1, 2, 65_535, 65_536].map((place) => places?.addressAt(place))).toEqual([
      '10.0.0.5',
      '10.0.0.6',
      '10.9.0.1',
      '10.9.255.254',
      '',
    ]);
    expect(placesOf('fd00::ff-fd00::101')?.addressAt(1)).toBe('fd00::100');
    expect(placesOf('kvm1')).toBeNull();
  });
});

describe('the map of a range', () => {
  it('shows each address of a small range as the sweep tells it', () => {
    const cells = mapCells('9s50oc', 6, placesOf('10.0.0.0/29'));
    expect(cells.map((cell) => cell.grade)).toEqual(['tried', 'ssh', 'partly', 'later', 'open', 'closed']);
    expect(cells[1]).toMatchObject({ from: '10.0.0.2', to: '10.0.0.2' });
  });

  it('names the addresses that a cell of a wide range stands for', () => {
    const cells = mapCells('l'.padEnd(1024, '9'), 65_534, placesOf('10.0.0.0/16'));
    expect(cells[0]).toMatchObject({ grade: 'libvirt', from: '10.0.0.1', to: '10.0.0.64' });
    expect(cells[1023]).toMatchObject({ grade: 'tried', to: '10.0.255.254' });
  });

  it('has cells without addresses where the range is told in short', () => {
    expect(mapCells('9', 30, null)).toEqual([{ grade: 'tried', from: null, to: null }]);
    expect(mapCells('', 0, null)).toEqual([]);
  });
});
