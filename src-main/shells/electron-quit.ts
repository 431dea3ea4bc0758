// Leaving while VMs move: says what becomes of each, by the way it goes, and offers to stay until they have arrived.
import type { MigrationView, Transport } from '../../contract/model.ts';

export const isMoving = ({ state }: MigrationView) => state === 'running' || state === 'queued';

/** Those that end, or are cancelled, with Drover. */
export function needsDrover({ options: { transport }, state }: MigrationView): boolean {
  const alone: Record<Transport, boolean> = { auto: false, direct: false, relay: false, p2p: true, tunnelled: true };
  return state === 'queued' || !alone[transport];
}

export interface QuitWords {
  message: string;
  detail: string;
}

/** What is asked before leaving; null where nothing moves. */
export function quitWords(migrations: readonly MigrationView[]): QuitWords | null {
  const moving = migrations.filter(isMoving);
  if (moving.length === 0) return null;
  const names = (some: readonly MigrationView[]) => {
    const shown = some.slice(0, 5).map(({ name }) => name);
    return [...shown, ...(some.length > shown.length ? [`${some.length - shown.length} more`] : [])].join(', ');
  };
  const queued = moving.filter(({ state }) => state === 'queued');
  const running = moving.filter(({ state }) => state === 'running');
  const driven = running.filter(needsDrover);
  const alone = running.filter((one) => !needsDrover(one));
  return {
    message: moving.length === 1 ? `${names(moving)} is being migrated.` : `${moving.length} VMs are being migrated.`,
    detail: [
      ...(alone.length > 0
        ? [
            `${names(alone)}: the hosts do it between themselves. It goes on without Drover, which looks for it when it starts again.`,
          ]
        : []),
      ...(driven.length > 0
        ? [
            `${names(driven)}: Drover drives it. If you quit now it is cancelled, and the VM runs on where it was; where its memory is over already, Drover finishes first.`,
          ]
        : []),
      ...(queued.length > 0 ? [`${names(queued)}: waits for its turn, and will not begin.`] : []),
    ].join('\n\n'),
  };
}
