// What happened to a VM, in words: libvirt's events and their details.
import type { DomainHappening } from '../../contract/model.ts';
import type { Standing } from './states.ts';

const words: Record<string, string> = {
  defined: 'Defined',
  undefined: 'Definition removed',
  started: 'Started',
  suspended: 'Paused',
  resumed: 'Resumed',
  stopped: 'Stopped',
  shutdown: 'Shut down',
  pmsuspended: 'Suspended by the guest',
  crashed: 'Crashed',
  reboot: 'Rebooted',
  pmwakeup: 'Woken up by the guest',
  device_added: 'Device added',
  device_removed: 'Device removed',
  disk_change: 'Medium changed',
};

/** What says the same twice, or what only a migration's steps are. */
const plainer: Record<string, string> = {
  'started migrated': 'Arriving by migration',
  'suspended migrated': 'Stopped for the switch-over',
  'suspended paused': 'Paused',
  'suspended post-copy': 'Goes on at the target, by post-copy',
  'resumed unpaused': 'Resumed',
  'resumed migrated': 'Runs here after migration',
  'resumed post-copy': 'Runs here, by post-copy',
  'stopped migrated': 'Left by migration',
  'stopped shut down': 'Shut off',
  'stopped destroyed': 'Forced off',
  'stopped saved': 'Saved',
  'crashed panicked': 'Crashed: the guest’s kernel panicked',
};

const bad = new Set(['suspended I/O error', 'suspended watchdog', 'suspended post-copy failed', 'stopped failed']);

export function happeningWord({ event, detail }: Pick<DomainHappening, 'event' | 'detail'>): {
  word: string;
  tone: Standing;
} {
  const both = `${event} ${detail}`;
  const word = words[event] ?? event;
  return {
    word: plainer[both] ?? (detail === '' ? word : `${word} (${detail})`),
    tone: bad.has(both) || event === 'crashed' || both === 'stopped crashed' ? 'bad' : 'off',
  };
}
