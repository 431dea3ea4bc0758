// What a seed stands for: one migration on simulated hosts, and what goes wrong in it.
import { fractionOf } from '../../src-sim/chance.ts';
import type { Fault } from '../../src-sim/index.ts';

export type Step = 'making' | 'made' | 'begin' | 'prepare' | 'perform' | 'finish' | 'confirm';

export interface Scenario {
  seed: number;
  number: number;
  transport: 'direct' | 'p2p' | 'relay';
  storage: 'shared' | 'copy';
  /** Started with it; switched as soon as memory goes over. */
  postCopy: boolean;
  faults: Fault[];
  /** Drover ends in these ways, when the intent of that step is on disk, or so long after the start. */
  ends: { how: 'kill' | 'restart'; at: Step | number }[];
  /** Drover may not log in to that host from that step on, and what it had there is cut. */
  away: { host: 'kvm1' | 'kvm2'; at: Step } | null;
  /** An admin cancels when that step is told. */
  cancel: Step | null;
  /** How long it takes until somebody mends what stays broken. */
  mendMs: number;
}

const phases = ['begin', 'prepare', 'perform', 'finish', 'confirm'] as const;

export function scenarioOf(seed: number, number: number): Scenario {
  let drawn = 0;
  const random = () => fractionOf('chaos', seed, number, ++drawn);
  const chance = (share: number) => random() < share;
  const of = <T>(all: readonly T[]): T => all[Math.floor(random() * all.length)] as T;

  const transport = of(['direct', 'direct', 'direct', 'relay', 'relay', 'p2p'] as const);
  const storage = transport !== 'p2p' && chance(0.4) ? 'copy' : 'shared';
  const postCopy = storage === 'shared' && transport !== 'relay' && chance(0.15);
  const steps: Step[] = transport === 'p2p' ? ['perform'] : [...phases];
  const all: Step[] = storage === 'copy' ? ['making', 'made', ...steps] : steps;

  const dies = (): Fault => {
    const phase = of(phases);
    const when = of(
      phase === 'perform' ? (['request', 'midway', 'midway', 'reply'] as const) : (['request', 'reply'] as const),
    );
    const what = of(['connection', 'connection', 'ssh', 'daemon', 'daemon', 'silence', 'host'] as const);
    return { kind: 'dies', phase, when, side: of(['source', 'target', 'both'] as const), what };
  };
  const fails = (): Fault => {
    const call = of([
      'domain_migrate_begin3_params',
      'domain_migrate_prepare3_params',
      'domain_migrate_perform3_params',
      'domain_migrate_finish3_params',
      'domain_migrate_confirm3_params',
      'domain_get_job_stats',
      'domain_get_state',
      'domain_resume',
      'domain_destroy_flags',
      ...(storage === 'copy' ? (['storage_vol_create_xml', 'storage_vol_delete'] as const) : []),
    ] as const);
    return { kind: 'fails', call, code: 9, domain: 10, message: 'made to fail', times: 1 };
  };
  const breaks = (): Fault => {
    const call = of([
      ...phases.map((phase) => `domain_migrate_${phase}3_params` as const),
      ...(storage === 'copy' ? (['storage_vol_create_xml', 'storage_vol_delete'] as const) : []),
    ]);
    return { kind: of(['hangup-mid-packet', 'garbage'] as const), call, times: 1 };
  };
  const fault = () => {
    const kind = random();
    return kind < 0.6 ? dies() : kind < 0.8 ? fails() : breaks();
  };

  const count = of([0, 1, 1, 1, 2, 2, 3]);
  const faults = Array.from({ length: count }, fault);
  const ends: Scenario['ends'] = [];
  if (count === 0 || chance(0.35)) {
    ends.push({ how: chance(0.75) ? 'kill' : 'restart', at: chance(0.7) ? of(all) : Math.round(random() * 250) });
    if (chance(0.2)) ends.push({ how: 'kill', at: Math.round(100 + random() * 400) });
  }
  return {
    seed,
    number,
    transport,
    storage,
    postCopy,
    faults,
    ends,
    away: chance(0.2) ? { host: of(['kvm1', 'kvm2'] as const), at: of(all) } : null,
    cancel: chance(0.15) ? of(all) : null,
    mendMs: Math.round(20 + random() * 400),
  };
}

export function inWords(scenario: Scenario): string {
  const { transport, storage, postCopy, faults, ends, away, cancel, mendMs } = scenario;
  const told = faults.map((fault) =>
    fault.kind === 'dies'
      ? `${fault.what} of ${fault.side} dies at ${fault.phase}’s ${fault.when}`
      : `${fault.kind} ${'call' in fault ? fault.call : ''}`,
  );
  return [
    `${transport}${storage === 'copy' ? ' with its disk' : ''}${postCopy ? ', post-copy' : ''}`,
    ...told,
    ...ends.map(({ how, at }) => `Drover ${how} at ${at}${typeof at === 'number' ? ' ms' : ''}`),
    ...(away ? [`${away.host} away from ${away.at}`] : []),
    ...(cancel ? [`cancelled at ${cancel}`] : []),
    `mended after ${mendMs} ms`,
  ].join('; ');
}
