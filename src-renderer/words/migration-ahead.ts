// What a migration will do, told before it is started, as sentences in the order in which it happens.
import type { MigrationMode, MigrationOptions } from '../../contract/model.ts';

export interface Route {
  /** One VM's name, or `3 VMs`. */
  what: string;
  several: boolean;
  /** Whether they stand still now; then they do over there as well. */
  paused?: 'none' | 'some' | 'all';
  from: string;
  to: string;
}

/** What the admin chose; what is left out is Drover's to choose. */
export type Chosen = Partial<MigrationOptions>;

/** What will happen, as sentences in the order in which it does. */
export function whatHappens(
  { what, several, paused = 'none', from, to }: Route,
  mode: MigrationMode,
  chosen: Chosen,
): string[] {
  const it = several ? 'they' : 'it';
  const its = several ? 'their' : 'its';
  const s = several ? '' : 's';
  const are = several ? 'are' : 'is';
  const sentences: string[] = [];
  const staysPaused = `${what} stay${s} paused: ${its} memory is copied from ${from} to ${to}, where ${it} ${are} paused still.`;
  switch (mode) {
    case 'live':
      if (paused === 'all') {
        sentences.push(staysPaused);
        break;
      }
      sentences.push(
        `${what} go${several ? '' : 'es'} on running while ${its} memory is copied from ${from} to ${to}.`,
      );
      if (chosen.postCopy)
        sentences.push(
          `With post-copy, ${it} can be switched over early. From then on there is no way back: a broken link between the hosts would cost the running system.`,
        );
      if (chosen.autoConverge)
        sentences.push(
          `Auto-converge slows ${several ? 'a guest' : 'the guest'} down if it writes memory faster than it can be copied.`,
        );
      if (chosen.maxDowntimeMs) sentences.push(`At the end ${it} stop${s} for at most ${chosen.maxDowntimeMs} ms.`);
      else sentences.push(`At the end ${it} stop${s} for a fraction of a second.`);
      if (paused === 'some') sentences.push('Those that are paused stay so.');
      break;
    case 'suspend':
      sentences.push(
        paused === 'all'
          ? staysPaused
          : `${what} ${are} paused, ${its} memory is copied from ${from} to ${to}, and ${it} run${s} on there.`,
      );
      if (paused === 'some') sentences.push('Those that are paused already stay so.');
      break;
    case 'offline':
      sentences.push(
        `The definition of ${what} is copied from ${from} to ${to}; nothing is running, and disks stay where they are.`,
      );
      break;
    case 'cold':
      sentences.push(`${what} stay${s} shut off while ${its} definition and disks are copied from ${from} to ${to}.`);
      break;
    default:
      mode satisfies never;
  }
  if (chosen.storage === 'copy' || chosen.storage === 'copy-incremental')
    sentences.push(`${several ? 'Their' : 'Its'} disks are copied as well.`);
  sentences.push(definition(its, from, to, mode, chosen));
  if (chosen.unsafe) sentences.push('Libvirt’s own safety checks on caches and disks are switched off.');
  if (chosen.force) sentences.push('It starts in spite of what the checks say.');
  return sentences;
}

function definition(
  its: string,
  from: string,
  to: string,
  mode: MigrationMode,
  { persistent, undefineSource }: Chosen,
): string {
  const keeps = persistent !== false || mode === 'offline' || mode === 'cold';
  const are = its === 'their' ? 'definitions are' : 'definition is';
  if (keeps && undefineSource !== false) return `Afterwards ${its} ${are} on ${to}, and no longer on ${from}.`;
  if (keeps)
    return `Afterwards both ${to} and ${from} have ${its} definition: take care that nobody starts it on both.`;
  return `${to} does not keep ${its} definition: it is gone from there once shut off.`;
}
