// Asking both hosts before VMs move: few at a time, and an answer to an earlier asking is not taken for this one's.
import { describe, expect, it } from 'vitest';
import { Failure } from '../../contract/failure.ts';
import type { Preflight } from '../../contract/model.ts';
import { MigrationTraces } from '../../src-renderer/stores/migration-traces.svelte.ts';
import { Preflights, standing } from '../../src-renderer/views/preflights.svelte.ts';
import { ScriptedLink } from './scripted-link.ts';

const ok: Preflight = { verdict: 'ok', checks: [] };
const warn: Preflight = { verdict: 'warn', checks: [{ id: 'm', level: 'warn', message: 'Little memory.' }] };
const refs = Array.from({ length: 10 }, (_, at) => ({ hostId: 'h1', uuid: `u${at}` }));

describe('preflights', () => {
  it('asks a few at a time, and tells each answer as it comes', async () => {
    const link = new ScriptedLink();
    let most = 0;
    let now = 0;
    link.answer('migrations.preflight', async () => {
      now += 1;
      most = Math.max(most, now);
      await Promise.resolve();
      now -= 1;
      return ok;
    });
    const preflights = new Preflights(link);
    await preflights.ask(refs, 'h3', {});
    expect(most).toBe(4);
    expect([...preflights.answers.values()]).toEqual(refs.map(() => ok));
  });

  it('asks without `force`, so that what it would override is still told', async () => {
    const link = new ScriptedLink();
    link.answer('migrations.preflight', () => ok);
    await new Preflights(link).ask(refs.slice(0, 1), 'h3', { force: true, autoConverge: true });
    expect(link.said('migrations.preflight')).toEqual([
      { uuid: 'u0', from: 'h1', to: 'h3', options: { autoConverge: true } },
    ]);
  });

  it('drops what answers an earlier asking', async () => {
    const link = new ScriptedLink();
    link.answer('migrations.preflight', () => ok);
    const preflights = new Preflights(link);
    const gate = link.hold('migrations.preflight');
    const first = preflights.ask(refs.slice(0, 1), 'h2', {});
    await preflights.ask(refs.slice(0, 1), 'h3', {});
    gate.resolve(warn);
    await first;
    expect(preflights.answers.get('h1/u0')).toEqual(ok);
  });

  it('keeps the sentence of one that failed', async () => {
    const link = new ScriptedLink();
    link.answer('migrations.preflight', () => {
      throw new Failure('unreachable', 'kvm3 does not answer.');
    });
    const preflights = new Preflights(link);
    await preflights.ask(refs.slice(0, 1), 'h3', {});
    expect(standing(preflights.answers.get('h1/u0'))).toEqual({ level: 'blocked', reason: 'kvm3 does not answer.' });
  });

  it('stands by its worst check', () => {
    expect(standing(undefined).level).toBe('checking');
    expect(standing('asking').level).toBe('checking');
    expect(standing(ok)).toEqual({ level: 'ok', reason: null });
    expect(standing(warn)).toEqual({ level: 'warn', reason: 'Little memory.' });
  });
});

describe('the trace of a migration', () => {
  const tell = (link: ScriptedLink, elapsedMs: number) => {
    const progress = { elapsedMs, dataRemainingBytes: 1, memoryBps: 2, dirtyRateBps: 3 };
    const data = { id: 'm1', state: 'running', phase: 'perform', progress } as never;
    link.emit('deltas', { epoch: 'e', deltas: [{ event: 'migration', data, seq: 1 }] });
  };

  it('stays short however long it takes, and keeps its beginning and its end', () => {
    const link = new ScriptedLink();
    const traces = new MigrationTraces(link);
    for (let ms = 0; ms < 500_000; ms += 100) tell(link, ms);
    const { samples } = traces.of('m1');
    expect(samples.length).toBeLessThanOrEqual(240);
    expect(samples.length).toBeGreaterThan(100);
    expect(samples[0]?.elapsedMs).toBe(0);
    expect(samples.at(-1)?.elapsedMs).toBeGreaterThan(490_000);
  });

  it('takes one sample of what is told twice, and lets go of what was removed', () => {
    const link = new ScriptedLink();
    const traces = new MigrationTraces(link);
    tell(link, 5);
    tell(link, 5);
    expect(traces.of('m1').samples).toHaveLength(1);
    link.emit('deltas', { epoch: 'e', deltas: [{ event: 'migration', data: { removed: true, id: 'm1' }, seq: 2 }] });
    expect(traces.of('m1').samples).toHaveLength(0);
    traces.dispose();
    tell(link, 9);
    expect(traces.of('m1').samples).toHaveLength(0);
  });
});
