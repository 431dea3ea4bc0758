// Which finds can be added, in which order they stand, and how they are named.
import { describe, expect, it } from 'vitest';
import type { Found } from '../../contract/model.ts';
import { adoptable, byWorth, placeOf, whyNot } from '../../src-renderer/parts/adoptable.ts';

const found = (address: string, change: Partial<Found> = {}): Found => ({
  address,
  port: 22,
  kind: 'ssh',
  fingerprint: 'SHA256:x',
  ...change,
});

describe('what was found', () => {
  it('can be added where its key was seen and it is no host yet', () => {
    expect(adoptable(found('10.0.0.1'))).toBe(true);
    expect(whyNot(found('10.0.0.1', { hostId: 'h1' }))).toMatch(/already/);
    expect(whyNot(found('10.0.0.1', { kind: 'open' }))).toMatch(/no SSH/);
    expect(whyNot(found('10.0.0.1', { kind: 'silent' }))).toMatch(/not answer/);
    const { fingerprint: _unseen, ...keyless } = found('10.0.0.1');
    expect(whyNot(keyless)).toMatch(/could not be read/);
  });

  it('is named by its port only where that is not the usual one', () => {
    expect(
      [found('10.0.0.1'), found('10.0.0.1', { port: 2222 }), found('fd00::1', { port: 2222 })].map(placeOf),
    ).toEqual(['10.0.0.1', '10.0.0.1:2222', '[fd00::1]:2222']);
  });

  it('stands with libvirt hosts first, and by address as people count', () => {
    const list = [
      found('10.0.0.10'),
      found('10.0.0.9'),
      found('10.0.0.77', { kind: 'libvirt' }),
      found('10.0.0.1', { kind: 'open' }),
    ];
    expect(list.sort(byWorth).map((one) => one.address)).toEqual(['10.0.0.77', '10.0.0.9', '10.0.0.10', '10.0.0.1']);
  });
});
