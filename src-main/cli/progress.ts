// A migration while it goes: a bar on a terminal, a line for each step in a pipe.
import type { MigrationView } from '../../contract/model.ts';
import { duration, percent, rate } from '../../src-renderer/words/format.ts';
import { phaseWord, verdictWords } from '../../src-renderer/words/migration.ts';
import { jobWord } from '../../src-renderer/words/states.ts';
import type { Core } from './core.ts';
import { printable, type Output } from './output.ts';

const barWidth = 24;

/** `web01 → kvm2  [██████······]  42%  Copy memory  112 MiB/s  4.1 s left` */
export function bar(migration: MigrationView, label: (id: string) => string): string {
  const { name, to, state, phase, progress } = migration;
  const full = Math.round((Math.min(100, Math.max(0, progress.percent)) / 100) * barWidth);
  return [
    `${name} → ${label(to)}`,
    `[${'█'.repeat(full)}${'·'.repeat(barWidth - full)}]`,
    percent(progress.percent).padStart(4),
    state === 'queued' ? jobWord(state).word : phaseWord(phase),
    ...(progress.memoryBps > 0 ? [rate(progress.memoryBps)] : []),
    ...(progress.etaMs === null || progress.memoryBps === 0 ? [] : [`${duration(progress.etaMs)} left`]),
  ].join('  ');
}

/** What a pipe gets: where something new is to be told, a line of it. */
export class Lines {
  #told = '';

  /** Each phase, and within one each tenth. @returns null where there is nothing new */
  next({ name, state, phase, progress }: MigrationView): string | null {
    const word = state === 'queued' ? jobWord(state).word : phaseWord(phase);
    const moving = progress.percent > 0 && progress.percent < 100;
    const key = `${word} ${moving ? Math.floor(progress.percent / 10) : ''}`;
    if (key === this.#told) return null;
    this.#told = key;
    const speed = moving && progress.memoryBps > 0 ? `, ${rate(progress.memoryBps)}` : '';
    return printable(`${name}: ${word}${moving ? ` ${percent(progress.percent)}${speed}` : ''}`);
  }
}

export const isOver = ({ endedAt, state }: MigrationView) => endedAt !== null || state === 'needs-attention';

/** How it ended, in sentences. */
export function ending(migration: MigrationView, label: (id: string) => string): string[] {
  const { name, state, error, startedAt, endedAt, downtimeMs, actions } = migration;
  const took = endedAt === null ? '' : ` after ${duration(Date.parse(endedAt) - Date.parse(startedAt))}`;
  const stood = downtimeMs === null ? '' : `, having stood still for ${duration(downtimeMs)}`;
  return [
    `${name}: ${jobWord(state).word}${took}${state === 'completed' ? stood : ''}.`,
    ...(error ? [error.message] : []),
    ...[verdictWords(migration, label)].filter((words) => words !== null),
    ...actions.map(({ id, message }) => `  drover resolve ${migration.id} ${id}    ${message}`),
  ].map(printable);
}

/** Tells how it goes until it is over. @returns how it ended */
export async function follow(
  core: Core,
  id: string,
  out: Output,
  label: (id: string) => string,
): Promise<MigrationView> {
  const lines = new Lines();
  return new Promise((resolve, reject) => {
    const offs: (() => void)[] = [];
    let over = false;
    const end = (act: () => void) => {
      if (over) return;
      over = true;
      for (const off of offs) off();
      act();
    };
    const take = (migration: MigrationView) => {
      if (over || migration.id !== id) return;
      if (isOver(migration)) return end(() => resolve(migration));
      out.step(migration, out.watched ? null : lines.next(migration));
      out.live(bar(migration, label));
    };
    const look = () =>
      core.call('migrations.get', { id }).then(take, (error: Error) => {
        if (wasUp) end(() => reject(error));
      });
    let wasUp = true;
    offs.push(
      core.on('deltas', ({ deltas }) => {
        for (const { event, data } of deltas) if (event === 'migration' && !('removed' in data)) take(data);
      }),
      core.on('up', (up) => {
        // What happened while Drover was out of reach is read anew.
        if (up) void look();
        else out.note('drover: the connection to Drover was lost; trying again. The migration goes on without it.');
        wasUp = up;
      }),
    );
  });
}
