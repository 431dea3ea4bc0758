// What the scan's field says while it is typed.
import { describe, expect, it } from 'vitest';
import type { Found } from '../../contract/model.ts';
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
  const found = (address: string, kind: Found['kind']): Found => ({ address, port: 22, kind });

  it('shows each address of a small range, filling as they are tried', () => {
    const cells = mapCells(placesOf('10.0.0.0/29'), [found('10.0.0.2', 'ssh'), found('10.0.0.6', 'open')], 0.5, 100);
    expect(cells.map((cell) => cell.grade)).toEqual(['tried', 'ssh', 'tried', 'later', 'later', 'open']);
    expect(cells[1]?.from).toBe('10.0.0.2');
  });

  it('gathers a wide range into cells that show the best of what is in them', () => {
    const cells = mapCells(
      placesOf('10.0.0.0/16'),
      [found('10.0.0.1', 'ssh'), found('10.0.0.2', 'libvirt'), found('10.0.255.254', 'open')],
      1,
      256,
    );
    expect(cells).toHaveLength(256);
    expect(cells[0]).toMatchObject({ grade: 'libvirt', from: '10.0.0.1', to: '10.0.1.0' });
    expect(cells[255]?.grade).toBe('open');
    expect(cells[100]?.grade).toBe('tried');
  });

  it('is empty for what is no range', () => expect(mapCells(null, [], 0, 256)).toEqual([]));
});
