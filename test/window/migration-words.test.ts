// A migration in words: what will happen, its steps, how it ended.
import { describe, expect, it } from 'vitest';
import type { MigrationOptions, MigrationView } from '../../contract/model.ts';
import {
  failsToConverge,
  optionFacts,
  phasesOf,
  verdictWords,
  whatHappens,
} from '../../src-renderer/parts/migration-words.ts';

const web01 = { what: 'web01', several: false, from: 'kvm1', to: 'kvm3' };
const options: MigrationOptions = {
  mode: 'live',
  transport: 'direct',
  storage: 'shared',
  persistent: true,
  undefineSource: true,
  autoConverge: false,
  postCopy: false,
  compressed: false,
  parallel: null,
  unsafe: false,
  tls: false,
  migrateUri: null,
  listenAddress: null,
  bandwidthMiBps: null,
  maxDowntimeMs: null,
  destName: null,
  destXml: null,
  force: false,
};

describe('what will happen', () => {
  it('names both hosts, and what becomes of the definition', () => {
    expect(whatHappens(web01, 'live', {})).toEqual([
      'web01 goes on running while its memory is copied from kvm1 to kvm3.',
      'At the end it stops for a fraction of a second.',
      'Afterwards kvm3 has its definition and kvm1 has not.',
    ]);
  });

  it('speaks of several VMs in the plural', () => {
    const [first] = whatHappens({ ...web01, what: '3 VMs', several: true }, 'live', {});
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
      'Afterwards kvm3 has its definition and kvm1 has not.',
    );
  });
});

describe('the phases', () => {
  it.each([
    [{ mode: 'live', transport: 'direct' }, 'preflight begin prepare perform finish confirm'],
    [{ mode: 'live', transport: 'p2p' }, 'preflight perform'],
    [{ mode: 'offline', transport: 'direct' }, 'preflight begin prepare finish confirm'],
    [{ mode: 'cold', transport: 'direct' }, 'preflight begin prepare copy finish confirm'],
  ] as const)('of %j are %s', (chosen, phases) => expect(phasesOf(chosen).join(' ')).toBe(phases));
});

describe('how it stands and ended', () => {
  const progress = {
    percent: 50,
    dataTotalBytes: 2,
    dataProcessedBytes: 1,
    dataRemainingBytes: 1,
    memoryBps: 100,
    dirtyRateBps: 150,
    iteration: 2,
    elapsedMs: 1,
    etaMs: null,
  };
  const at = (change: object) => ({ state: 'running', phase: 'perform', progress, ...change }) as MigrationView;

  it('says that it will not converge only when there is something to go by', () => {
    expect(failsToConverge(at({}))).toBe(true);
    expect(failsToConverge(at({ progress: { ...progress, iteration: 1 } }))).toBe(false);
    expect(failsToConverge(at({ progress: { ...progress, dirtyRateBps: 50 } }))).toBe(false);
    expect(failsToConverge(at({ progress: { ...progress, memoryBps: 0 } }))).toBe(false);
    expect(failsToConverge(at({ state: 'completed' }))).toBe(false);
  });

  it('tells where the VM is, loudly where it is twice', () => {
    const told = (runningOn: string[], definedOn: string[]) =>
      verdictWords({ name: 'web01', verdict: { runningOn, definedOn } }, (id) => id.replace('h', 'kvm'));
    expect(told(['h3'], ['h3'])).toBe('web01 runs on kvm3; its definition is on kvm3.');
    expect(told([], ['h1', 'h3'])).toBe('web01 runs nowhere; its definition is on kvm1 and kvm3.');
    expect(told(['h1', 'h3'], [])).toBe('web01 RUNS TWICE: on kvm1 and kvm3; no host keeps its definition.');
    expect(verdictWords({ name: 'web01', verdict: null }, String)).toBeNull();
  });

  it('lists the options that were set, and no others', () => {
    const names = optionFacts({ ...options, autoConverge: true, bandwidthMiBps: 200 }).map(({ name }) => name);
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
