// Options: their defaults, and what they ask of libvirt and of virsh.
import { describe, expect, it, test } from 'vitest';
import type { DomainView } from '../../contract/model.ts';
import { migrateFlags as flag } from '../../src-main/libvirt/index.ts';
import { described, flagsFor, type GivenOptions, paramsFor, resolveOptions } from '../../src-main/migration/options.ts';

const domain = (state: DomainView['state'], persistent = true) => ({ state, persistent }) as DomainView;
const resolve = (given: GivenOptions = {}, of = domain('running')) => resolveOptions(given, of);
const move = flag.persist_dest | flag.undefine_source;

describe('what is left out', () => {
  it.each([
    ['running', 'live'],
    ['paused', 'live'],
    ['shutoff', 'offline'],
    ['crashed', 'offline'],
  ] as const)('a VM that is %s moves %s', (state, mode) => {
    expect(resolve({}, domain(state)).mode).toBe(mode);
  });

  it('is what an admin would pick: a persistent VM moves whole, a transient one stays transient', () => {
    expect(resolve()).toMatchObject({ persistent: true, undefineSource: true, storage: 'shared', force: false });
    expect(resolve({}, domain('running', false))).toMatchObject({ persistent: false, undefineSource: false });
  });

  it('is listed, each option once, with the default that it takes', () => {
    const options = resolve();
    expect(described.map(({ name }) => name).sort()).toEqual(Object.keys(options).sort());
    for (const { name, default: usual } of described) {
      if (typeof usual !== 'string') expect([name, options[name]]).toEqual([name, usual]);
    }
  });

  it('may be null as well', () => {
    expect(resolve({ bandwidthMiBps: null, destName: null, migrateUri: null })).toEqual(resolve());
  });
});

test.each<[GivenOptions, string]>([
  [{ mode: 'offline', persistent: false }, 'bad-request'],
  [{ mode: 'offline', storage: 'copy' }, 'bad-request'],
  [{ mode: 'cold', persistent: false }, 'bad-request'],
  [{ mode: 'cold', transport: 'p2p' }, 'bad-request'],
  [{ mode: 'suspend', postCopy: true }, 'bad-request'],
  [{ transport: 'tunnelled', storage: 'copy' }, 'bad-request'],
  [{ transport: 'relay', parallel: 2 }, 'bad-request'],
])('what makes no sense is refused: %j', (given, code) => {
  expect(() => resolve(given)).toThrow(
    expect.objectContaining({ code, message: expect.stringMatching(/\.$/) as string }),
  );
});

describe('libvirt’s flags', () => {
  const cases: [GivenOptions, DomainView['state'], number][] = [
    [{}, 'running', flag.live | move],
    [{ mode: 'suspend' }, 'running', move],
    [{}, 'shutoff', flag.offline | move],
    [{ persistent: false, undefineSource: false }, 'running', flag.live],
    [{ autoConverge: true, compressed: true }, 'running', flag.live | move | flag.auto_converge | flag.compressed],
    [{ parallel: 4, tls: true }, 'running', flag.live | move | flag.parallel | flag.tls],
    [{ unsafe: true }, 'running', flag.live | move | flag.unsafe],
    [{ autoConverge: true, tls: true }, 'shutoff', flag.offline | move],
    [{ storage: 'copy' }, 'running', flag.live | move | flag.non_shared_disk],
    [{ storage: 'copy-incremental' }, 'running', flag.live | move | flag.non_shared_inc],
    [{ mode: 'cold' }, 'shutoff', flag.offline | move],
  ];
  it.each(cases)('%j of one that is %s', (given, state, flags) => {
    expect(flagsFor(resolve(given, domain(state)), false)).toBe(flags);
  });
  it('keep a paused VM paused', () => {
    expect(flagsFor(resolve(), true) & flag.paused).toBe(flag.paused);
  });
});

test('libvirt’s parameters, of the kinds that it expects', () => {
  expect(paramsFor(resolve())).toEqual([]);
  const given = { destName: 'web02', listenAddress: '10.0.0.2', bandwidthMiBps: 100, parallel: 4 };
  expect(paramsFor(resolve(given)).map(({ name, kind, value }) => [name, kind, value])).toEqual([
    ['destination_name', 'str', 'web02'],
    ['listen_address', 'str', '10.0.0.2'],
    ['bandwidth', 'u64', 100],
    ['parallel.connections', 'i32', 4],
  ]);
});

it('takes no name that libvirt would refuse only on the target', () => {
  for (const destName of ['a/b', 'a\nb']) expect(() => resolve({ destName })).toThrow('no slash and no line break');
  expect(resolve({ destName: 'a b' }).destName).toBe('a b');
});
