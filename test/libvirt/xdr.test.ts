// XDR: what is written is read again, by the rules of RFC 4506; what does not fit is refused, on both sides.
import { describe, expect, test } from 'vitest';
import { errorInfo, param, paramRecord, paramValues, Reader, Writer, XdrError } from '../../src-main/libvirt/index.ts';
import type { AnyCodec, Param } from '../../src-main/libvirt/index.ts';
import { dom, params } from '../../src-main/libvirt/types.ts';
import {
  bool,
  bytes,
  count,
  f64,
  flags,
  i32,
  i64,
  list,
  opt,
  orElse,
  size,
  str,
  struct,
  u32,
  u64,
  uuid,
  words,
} from '../../src-main/libvirt/xdr.ts';

function written(codec: AnyCodec, value: unknown): Buffer {
  const to = new Writer(4);
  codec.write(to, value);
  return to.bytes();
}

function read(codec: AnyCodec, raw: Buffer): unknown {
  const from = new Reader(raw);
  const value: unknown = codec.read(from);
  from.end();
  return value;
}

const id = '8f6a3c1e-0b1d-4c7e-9a53-1f1e5d3b7a01';

describe('what is written', () => {
  const cases: [string, AnyCodec, unknown, string][] = [
    ['i32', i32, -1, 'ffffffff'],
    ['u32', u32, 4294967295, 'ffffffff'],
    ['i64', i64, -2n, 'fffffffffffffffe'],
    ['u64', u64, 2n ** 64n - 1n, 'ffffffffffffffff'],
    ['f64', f64, 1.5, '3ff8000000000000'],
    ['size', size, 2 ** 53 - 1, '001fffffffffffff'],
    ['count', count, -1, 'ffffffffffffffff'],
    ['bool', bool, true, '00000001'],
    ['an empty string', str, '', '00000000'],
    ['a string of 1', str, 'a', '0000000161000000'],
    ['a string of 4', str, 'abcd', '0000000461626364'],
    ['a string that is not ASCII', str, 'né', '000000036ec3a900'],
    ['bytes with a zero at their end', bytes, Buffer.from('ab\0'), '0000000361620000'],
    ['uuid', uuid, id, id.replaceAll('-', '')],
    ['nothing', opt(str), null, '00000000'],
    ['something', opt(u32), 7, '0000000100000007'],
    ['a list', list(i32, 3), [1, -1], '0000000200000001ffffffff'],
    ['char[4]', words(4), 'xy', '00000078000000790000000000000000'],
    ['a struct, in its order', struct({ b: u32, a: u32 }), { b: 1, a: 2 }, '0000000100000002'],
  ];
  test.each(cases)('%s has its layout, and is read again', (_, codec, value, hex) => {
    const raw = written(codec, value);
    expect(raw.toString('hex')).toBe(hex);
    expect(read(codec, raw)).toEqual(value);
  });

  test('what may be left out stands for its fallback', () => {
    const codec = struct({ dom, flags, why: opt(str), level: orElse(i32, 2) });
    const raw = written(codec, { dom: { name: 'web01', uuid: id } });
    expect(read(codec, raw)).toEqual({ dom: { name: 'web01', uuid: id, id: -1 }, flags: 0, why: null, level: 2 });
  });

  test('padding is zero, whatever the memory held', () => {
    const to = new Writer(64);
    to.raw(Buffer.alloc(64, 0xff));
    to.truncate(0);
    str.write(to, 'a');
    expect(to.bytes().toString('hex')).toBe('0000000161000000');
  });
});

describe('what does not fit is refused', () => {
  const writes: [string, AnyCodec, unknown][] = [
    ['an i32 too large', i32, 2 ** 31],
    ['a u32 below zero', u32, -1],
    ['a fraction as u64', u64, 1.5],
    ['a u64 below zero', u64, -1n],
    ['no number', u32, 'one'],
    ['a missing number', i32, undefined],
    ['a fraction', i32, 1.5],
    ['no f64', f64, '1'],
    ['a string too long', str, 'x'.repeat(4_194_305)],
    ['a string with a zero byte', str, 'a\0b'],
    ['a UUID too short', uuid, '8f6a3c1e'],
    ['a list too long', list(i32, 2), [1, 2, 3]],
    ['a name too long for its words', words(4), 'abcd'],
  ];
  test.each(writes)('writing %s', (_, codec, value) => {
    expect(() => written(struct({ field: codec }), { field: value })).toThrow(XdrError);
    expect(() => written(struct({ field: codec }), { field: value })).toThrow(/^field: /);
  });

  const reads: [string, AnyCodec, string][] = [
    ['half a number', u32, '0001'],
    ['a string longer than what is there', str, '0000000561626364'],
    ['a string of 4 GiB', str, 'ffffffff'],
    ['a string without its padding', str, '0000000161'],
    ['bytes of 2 GiB', bytes, '7fffffff00000000'],
    ['a list of 4 billion', list(i32, 16_384), 'ffffffff00000000'],
    ['a list longer than the bytes that are left', list(str, 16_384), '0000400000000000'],
    ['neither absent nor present', opt(u32), '0000000200000007'],
    ['a size past 2^53', size, '0020000000000000'],
    ['a parameter of an unknown kind', params(4), '0000000100000001610000000000000800000000'],
    ['a parameter’s name of 80 bytes', params(4), `0000000100000050${'61'.repeat(80)}0000000100000000`],
    ['a half error', errorInfo, '0000002a'],
  ];
  test.each(reads)('reading %s', (_, codec, hex) => {
    expect(() => read(codec, Buffer.from(hex, 'hex'))).toThrow(XdrError);
  });

  test('the message says which field, however deep', () => {
    const codec = struct({ outer: struct({ inner: uuid }) });
    expect(() => written(codec, { outer: { inner: 'x' } })).toThrow('outer.inner: “x” is no UUID');
  });
});

describe('typed parameters', () => {
  const given: Param[] = [
    param.i32('a', -5),
    param.u32('b', 4_000_000_000),
    param.i64('c', -6),
    param.u64('bandwidth', 2n ** 64n - 1n),
    param.f64('e', 0.25),
    param.bool('success', true),
    param.str('migrate_disks', 'vda'),
    param.str('migrate_disks', 'vdb'),
  ];

  test('of every kind are read as they were written; past 2^53 as a bigint', () => {
    expect(read(params(64), written(params(64), given))).toEqual(given);
    expect(read(params(1), written(params(1), [param.u64('cpu.time', 5n)]))).toEqual([param.u64('cpu.time', 5)]);
  });

  test('by name: the first of each, or all of one', () => {
    expect(paramRecord(given)['migrate_disks']).toBe('vda');
    expect(paramValues(given, 'migrate_disks')).toEqual(['vda', 'vdb']);
    expect(paramValues(given, 'none')).toEqual([]);
  });

  test('a name cannot be one of JavaScript’s own', () => {
    const record = paramRecord([param.str('__proto__', 'x'), param.u32('toString', 1)]);
    expect(record['__proto__']).toBe('x');
    expect(Object.entries(record)).toContainEqual(['toString', 1]);
    expect(record['constructor']).toBeUndefined();
    expect(({} as Record<string, unknown>)['x']).toBeUndefined();
  });
});

test('read bytes are a copy, so that a small cookie does not keep a large packet', () => {
  const raw = written(bytes, Buffer.from('cookie\0'));
  const cookie = read(bytes, raw) as Buffer;
  raw.fill(0);
  expect(cookie.toString()).toBe('cookie\0');
});
