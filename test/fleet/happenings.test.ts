import { expect, it } from 'vitest';
import { Happenings, mostHappenings } from '../../src-main/fleet/happenings.ts';

const at = (detail: string) => ({ at: '2026-11-26T00:00:00.000Z', hostId: 'h1', event: 'started', detail });
const details = (happenings: Happenings, uuid: string) => happenings.of(uuid).map(({ detail }) => detail);

it('tells the newest first, of each VM alone', () => {
  const happenings = new Happenings();
  for (const detail of ['1', '2']) happenings.add('a', at(detail));
  happenings.add('b', at('3'));
  expect(details(happenings, 'a')).toEqual(['2', '1']);
  expect(details(happenings, 'b')).toEqual(['3']);
  expect(details(happenings, 'c')).toEqual([]);
  happenings.forget('a');
  expect(details(happenings, 'a')).toEqual([]);
});

it('keeps so many of one VM, the newest', () => {
  const happenings = new Happenings();
  for (let each = 0; each <= mostHappenings; each += 1) happenings.add('a', at(String(each)));
  expect(details(happenings, 'a')).toHaveLength(mostHappenings);
  expect(details(happenings, 'a').at(-1)).toBe('1');
});

it('keeps so many at all: of the VM that nothing happened to for longest, they are forgotten first', () => {
  const happenings = new Happenings();
  const vms = 201;
  for (let vm = 0; vm < vms; vm += 1) {
    for (let each = 0; each < mostHappenings; each += 1) happenings.add(`vm${vm}`, at(String(each)));
    if (vm === 100) happenings.add('vm0', at('again'));
  }
  expect(details(happenings, 'vm1')).toEqual([]);
  expect(details(happenings, 'vm0')[0]).toBe('again');
  expect(details(happenings, `vm${vms - 1}`)).toHaveLength(mostHappenings);
});
