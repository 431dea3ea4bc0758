// A migration in words: what will happen, its steps, how it ended.
import { describe, expect, it } from 'vitest';
import { migrationOptions } from '../../src-renderer/gallery/examples.ts';
import { optionFacts } from '../../src-renderer/words/migrate-options.ts';
import { whatHappens } from '../../src-renderer/words/migration-ahead.ts';
import { phasesOf, stepWord, verdictWords } from '../../src-renderer/words/migration.ts';

const web01 = { what: 'web01', several: false, from: 'kvm1', to: 'kvm3' };
describe('what will happen', () => {
  it('names both hosts, and what becomes of the definition', () => {
    expect(whatHappens(web01, 'live', {})).toEqual([
      'web01 goes on running while its memory is copied from kvm1 to kvm3.',
      'At the end it stops for a fraction of a second.',
      'Afterwards its definition is on kvm3, and no longer on kvm1.',
    ]);
  });

  it('speaks of several VMs in the plural', () => {
    const told = whatHappens({ ...web01, what: '3 VMs', several: true }, 'live', {});
    const [first] = told;
    expect(told.at(-1)).toBe('Afterwards their definitions are on kvm3, and no longer on kvm1.');
    expect(first).toBe('3 VMs go on running while their memory is copied from kvm1 to kvm3.');
  });

  it('warns of what cannot be taken back', () => {
    expect(whatHappens(web01, 'live', { postCopy: true }).join(' ')).toMatch(/no way back/);
    expect(whatHappens(web01, 'live', { undefineSource: false }).join(' ')).toMatch(/nobody starts it on both/);
    expect(whatHappens(web01, 'live', { persistent: false }).join(' ')).toMatch(/gone from there once shut off/);
    expect(whatHappens(web01, 'live', { unsafe: true, force: true }).join(' ')).toMatch(/switched off.*in spite of/);
  });

  it('an offline move keeps the definition whatever was said', () => {
    expect(whatHappens(web01, 'offline', { persistent: false }).at(-1)).toBe(
      'Afterwards its definition is on kvm3, and no longer on kvm1.',
    );
  });
});

describe('what is paused', () => {
  it('is not told that it goes on running', () => {
    const [first, ...rest] = whatHappens({ ...web01, paused: 'all' }, 'live', {});
    expect(first).toBe('web01 stays paused: its memory is copied from kvm1 to kvm3, where it is paused still.');
    expect(rest.join(' ')).not.toMatch(/stops for/);
    expect(whatHappens({ ...web01, paused: 'all' }, 'suspend', {}).join(' ')).not.toMatch(/runs on there/);
  });

  it('of several is told apart', () => {
    const told = whatHappens({ ...web01, what: '3 VMs', several: true, paused: 'some' }, 'live', {});
    expect(told).toContain('Those that are paused stay so.');
  });
});

describe('the phases', () => {
  it.each([
    [{ mode: 'live', transport: 'direct' }, 'preflight begin prepare perform finish confirm'],
    [{ mode: 'live', transport: 'p2p' }, 'preflight perform'],
    [{ mode: 'offline', transport: 'direct' }, 'preflight begin prepare finish confirm'],
    [{ mode: 'cold', transport: 'direct' }, 'preflight copy begin prepare finish confirm'],
  ] as const)('of %j are %s', (chosen, phases) => expect(phasesOf(chosen).join(' ')).toBe(phases));

  it('say that disks go along with the memory', () => {
    expect(stepWord('perform', migrationOptions)).toBe('Copy memory');
    expect(stepWord('perform', { ...migrationOptions, storage: 'copy' })).toBe('Copy disks, memory');
    expect(stepWord('copy', { ...migrationOptions, mode: 'cold', storage: 'copy' })).toBe('Copy disks');
  });
});

describe('how it stands and ended', () => {
  it('tells where the VM is, loudly where it is twice', () => {
    const told = (runningOn: string[], definedOn: string[]) =>
      verdictWords({ name: 'web01', verdict: { runningOn, definedOn } }, (id) => id.replace('h', 'kvm'));
    expect(told(['h3'], ['h3'])).toBe('web01 runs on kvm3; its definition is on kvm3.');
    expect(told([], ['h1', 'h3'])).toBe('web01 runs nowhere; its definition is on kvm1 and kvm3.');
    expect(told(['h1', 'h3'], [])).toBe('web01 RUNS TWICE: on kvm1 and kvm3; no host keeps its definition.');
    expect(verdictWords({ name: 'web01', verdict: null }, String)).toBeNull();
  });

  it('lists the options that were set, and no others', () => {
    const names = optionFacts({ ...migrationOptions, autoConverge: true, bandwidthMiBps: 200 }).map(({ name }) => name);
    expect(names).toEqual([
      'Mode',
      'Transport',
      'Storage',
      'Kept on the target',
      'Removed from the source',
      'Auto-converge',
      'Bandwidth',
    ]);
  });
});
