// A migration's steps, and how it ended, in words: the same in the window and on the command line.
import type { MigrationOptions, MigrationPhase, MigrationView } from '../../contract/model.ts';

const steps: Record<MigrationPhase, string> = {
  preflight: 'Check',
  begin: 'Begin',
  prepare: 'Prepare target',
  perform: 'Copy memory',
  copy: 'Copy disks',
  finish: 'Start on target',
  confirm: 'Clean up source',
};

export const phaseWord = (phase: MigrationPhase) => steps[phase];

/** The phases that a migration of these options goes through. */
export function phasesOf({ mode, transport }: Pick<MigrationOptions, 'mode' | 'transport'>): MigrationPhase[] {
  if (transport === 'p2p' || transport === 'tunnelled') return ['preflight', 'perform'];
  if (mode === 'offline') return ['preflight', 'begin', 'prepare', 'finish', 'confirm'];
  if (mode === 'cold') return ['preflight', 'copy', 'begin', 'prepare', 'finish', 'confirm'];
  return ['preflight', 'begin', 'prepare', 'perform', 'finish', 'confirm'];
}

/** A step's name in this migration: with storage, disks and memory go over in one. */
export const stepWord = (phase: MigrationPhase, { mode, storage }: Pick<MigrationOptions, 'mode' | 'storage'>) =>
  phase === 'perform' && storage !== 'shared' && mode !== 'cold' ? 'Copy disks, memory' : phaseWord(phase);

/** Whether there is something left to cancel. */
export const isUnderWay = ({ state }: Pick<MigrationView, 'state'>) => state === 'queued' || state === 'running';

/** Where the VM is now, as the hosts said once it ended; null before. */
export function verdictWords(
  { name, verdict }: Pick<MigrationView, 'name' | 'verdict'>,
  label: (hostId: string) => string,
): string | null {
  if (!verdict) return null;
  const { runningOn, definedOn } = verdict;
  const list = (ids: string[]) => ids.map(label).join(' and ');
  const runs =
    runningOn.length === 0
      ? `${name} runs nowhere`
      : runningOn.length === 1
        ? `${name} runs on ${list(runningOn)}`
        : `${name} RUNS TWICE: on ${list(runningOn)}`;
  return `${runs}; ${definedOn.length === 0 ? 'no host keeps its definition' : `its definition is on ${list(definedOn)}`}.`;
}
