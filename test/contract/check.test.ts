// What the small checks let through.
import { describe, expect, it } from 'vitest';
import * as check from '../../contract/check.ts';

const uuid = '8f6a3c1e-0b1d-4c7e-9a53-1f1e5d3b7a01';
const takes = (codec: { safeParse: (value: unknown) => { success: boolean } }, value: unknown) =>
  codec.safeParse(value).success;

describe('a UUID', () => {
  it('comes out in lower case', () => {
    expect(check.uuid.parse(uuid.toUpperCase())).toBe(uuid);
  });
  it.each(['', 'web01', uuid.replaceAll('-', ''), `${uuid}0`, ` ${uuid}`, `${uuid}\n`, 7, null])(
    'is not %j',
    (value) => {
      expect(takes(check.uuid, value)).toBe(false);
    },
  );
});

describe('a flag of a query', () => {
  it.each([
    [true, true],
    ['1', true],
    ['true', true],
    ['', false],
    ['0', false],
    ['false', false],
    [false, false],
  ])('%j means %j', (given, meant) => {
    expect(check.flag.parse(given)).toBe(meant);
  });
  it.each(['yes', 'TRUE', '2', 1, null])('is not %j', (value) => expect(takes(check.flag, value)).toBe(false));
});

describe('a fingerprint', () => {
  const digest = 'A'.repeat(43);
  it('is as ssh-keygen prints it, with or without padding', () => {
    expect(takes(check.fingerprint, `SHA256:${digest}`)).toBe(true);
    expect(takes(check.fingerprint, `SHA256:${digest}=`)).toBe(true);
  });
  it.each([digest, `MD5:${digest}`, `SHA256:${digest.slice(1)}`, `SHA256:${digest}\n`, `sha256:${digest}`])(
    'is not %j',
    (value) => expect(takes(check.fingerprint, value)).toBe(false),
  );
});

describe('tags', () => {
  it('are words, each of them once', () => {
    expect(check.tags.parse(['web', 'Prod', 'größe', 'k8s/a.b:c', 'prod'])).toEqual([
      'web',
      'prod',
      'größe',
      'k8s/a.b:c',
    ]);
    expect(check.tags.parse([])).toEqual([]);
  });
  it.each(['', 'two words', 'a,b', 'say"a"', 'a\n', 'a\u0007', 'x'.repeat(65), 7])('are not %j', (one) =>
    expect(takes(check.tags, [one])).toBe(false),
  );
  it('are not without end', () => {
    expect(
      takes(
        check.tags,
        Array.from({ length: 51 }, (_, at) => `t${at}`),
      ),
    ).toBe(false);
  });
});

describe('migration options', () => {
  it('may be left out, or empty', () => {
    expect(check.migrationOptions.parse({})).toEqual({});
    expect(takes(check.migrationOptions, { bandwidthMiBps: null, destName: null })).toBe(true);
  });
  it.each([
    { mode: 'teleport' },
    { transport: 'pigeon' },
    { bandwidthMiBps: 0 },
    { bandwidthMiBps: 1.5 },
    { bandwidthMiBps: '5' },
    { maxDowntimeMs: -1 },
    { parallel: 256 },
    { destName: '' },
    { persistent: 'yes' },
    { unknown: true },
  ])('refuse %j', (options) => expect(takes(check.migrationOptions, options)).toBe(false));
});

describe('a scan', () => {
  it('takes a range, or a list of them', () => {
    expect(takes(check.scan, { cidr: '10.0.0.0/24' })).toBe(true);
    expect(takes(check.scan, { cidr: ['10.0.0.1', '10.0.1.0/24'], ports: [22, 2222], rate: 500 })).toBe(true);
    expect(takes(check.scan, { cidr: '10.0.0.1', ports: '22, 5900-5902' })).toBe(true);
  });
  it.each([
    {},
    { cidr: '' },
    { cidr: [] },
    { cidr: 'a', ports: [] },
    { cidr: 'a', ports: [0] },
    { cidr: 'a', rate: 0 },
  ])('refuses %j', (scan) => expect(takes(check.scan, scan)).toBe(false));
});

it('a label is trimmed, and not empty', () => {
  expect(check.label.parse('  kvm1 ')).toBe('kvm1');
  expect(takes(check.label, '   ')).toBe(false);
});
