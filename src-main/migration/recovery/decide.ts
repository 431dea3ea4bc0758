// What an interrupted migration calls for, decided from what both hosts were seen to hold, never from a guess.
// A reply is knowledge; a lost connection is not. Whoever is unsure waits: a paused VM can be woken, a VM that
// ran twice has destroyed its disk.

/** What one host answered about the domain, asked by UUID on a connection that works. */
export type Seen =
  | { at: 'unreachable' }
  | { at: 'absent' }
  | { at: 'shutoff' }
  | { at: 'running' }
  /** Paused, but not by a migration: by an admin, by an I/O error… */
  | { at: 'paused' }
  /** Paused by a migration: `incoming` waits for its finish, `held` waits for a confirm on the connection of
   * its begin, `left` is held by nobody. */
  | { at: 'migrating'; job: 'incoming' | 'held' | 'left' };

export interface Known {
  source: Seen;
  target: Seen;
  /** The reply of perform said that all of it is across. */
  performed: boolean;
  /** finish(cancelled=0) left us, so the target may run or may have run. */
  finishSent: boolean;
  /** The connection of begin is still ours, so confirm is heard. */
  sourceOurs: boolean;
  /** The connection of prepare is still ours, so finish is heard. */
  targetOurs: boolean;
}

export type Decision =
  /** Nothing is left to do. */
  | { do: 'done'; outcome: 'moved' | 'stayed' }
  /** End the source by confirm(cancelled=0): libvirt's own way, which leaves shared images alone. */
  | { do: 'confirm-moved' }
  /** Wake the source by confirm(cancelled=1). */
  | { do: 'confirm-stayed' }
  /** Drop the target's half by finish(cancelled=1). */
  | { do: 'finish-cancelled' }
  /** End the stale source; its connection is gone. */
  | { do: 'destroy-source' }
  /** Wake the source; nobody holds its job and the target was seen to be gone. */
  | { do: 'resume-source' }
  /** Ask again later. */
  | { do: 'wait'; why: string }
  /** Runs twice, or what no rule covers: a person decides. */
  | { do: 'alarm'; why: string };

export function decide(known: Known): Decision {
  const { source, target } = known;
  if (source.at === 'running' && target.at === 'running') {
    return { do: 'alarm', why: 'It runs on both hosts.' };
  }
  if (target.at === 'unreachable') {
    // Without a finish from us the target cannot run, whatever became of it.
    if (source.at === 'running' && !known.finishSent) return { do: 'done', outcome: 'stayed' };
    return { do: 'wait', why: 'The target does not answer, so nobody knows whether the VM runs there.' };
  }
  if (source.at === 'unreachable') {
    if (target.at === 'migrating' && known.targetOurs && !known.performed) return { do: 'finish-cancelled' };
    return { do: 'wait', why: 'The source does not answer, so nobody knows what it still holds.' };
  }
  if (target.at === 'running' || (target.at === 'paused' && known.finishSent)) return endSource(known);
  if (target.at === 'absent' || target.at === 'shutoff') return wakeSource(known);
  if (target.at === 'migrating') {
    if (known.targetOurs) return { do: 'finish-cancelled' };
    return {
      do: 'wait',
      why: 'The target still holds its half, and drops it when it notices that its caller is gone.',
    };
  }
  return { do: 'alarm', why: 'The VM is paused on the target though nobody told it to start there.' };
}

function endSource({ source, sourceOurs }: Known): Decision {
  switch (source.at) {
    case 'absent':
    case 'shutoff':
      return { do: 'done', outcome: 'moved' };
    case 'migrating':
      if (source.job === 'held') {
        return sourceOurs
          ? { do: 'confirm-moved' }
          : { do: 'wait', why: 'Another connection still holds the migration on the source.' };
      }
      if (source.job === 'left') return { do: 'destroy-source' };
      return { do: 'alarm', why: 'The source waits for a migration to come in.' };
    case 'paused':
    case 'running':
    case 'unreachable':
      return { do: 'alarm', why: 'It lives on both hosts.' };
  }
}

function wakeSource({ source, sourceOurs, target, finishSent }: Known): Decision {
  switch (source.at) {
    case 'running':
    case 'paused':
      return { do: 'done', outcome: 'stayed' };
    case 'migrating':
      // What never ran there is gone, or as it was before. This one may have run, written to its disk, and ended.
      if (finishSent && target.at === 'shutoff') {
        return {
          do: 'alarm',
          why: 'It is paused on the source, and on the target it may have run and ended meanwhile.',
        };
      }
      if (source.job === 'held') {
        return sourceOurs
          ? { do: 'confirm-stayed' }
          : { do: 'wait', why: 'Another connection still holds the migration on the source.' };
      }
      if (source.job === 'left') return { do: 'resume-source' };
      return { do: 'alarm', why: 'The source waits for a migration to come in.' };
    case 'absent':
    case 'shutoff':
      // It started over there, and was shut down again before we could ask.
      if (finishSent && target.at === 'shutoff') return { do: 'done', outcome: 'moved' };
      return source.at === 'shutoff'
        ? { do: 'done', outcome: 'stayed' }
        : { do: 'alarm', why: 'It is on neither host.' };
    case 'unreachable':
      return { do: 'wait', why: 'The source does not answer.' };
  }
}
