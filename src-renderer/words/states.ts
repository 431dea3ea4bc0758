// The words for states, and how each one stands.
import type { DomainState, DomainView, HostState, MigrationState } from '../../contract/model.ts';

export type Standing = 'ok' | 'warn' | 'bad' | 'off' | 'busy';
export type Shape = 'run' | 'pause' | 'stop' | 'dot' | 'tick' | 'bang' | 'cross' | 'turn';
interface Word {
  word: string;
  tone: Standing;
  shape: Shape;
}

const domains: Record<DomainState, Word> = {
  running: { word: 'Running', tone: 'ok', shape: 'run' },
  blocked: { word: 'Blocked', tone: 'ok', shape: 'run' },
  paused: { word: 'Paused', tone: 'warn', shape: 'pause' },
  pmsuspended: { word: 'Suspended by guest', tone: 'warn', shape: 'pause' },
  shutdown: { word: 'Shutting down', tone: 'warn', shape: 'turn' },
  shutoff: { word: 'Shut off', tone: 'off', shape: 'stop' },
  crashed: { word: 'Crashed', tone: 'bad', shape: 'cross' },
  nostate: { word: 'Unknown', tone: 'off', shape: 'stop' },
};

const hosts: Record<HostState, Word> = {
  online: { word: 'Online', tone: 'ok', shape: 'dot' },
  connecting: { word: 'Connecting', tone: 'busy', shape: 'turn' },
  unreachable: { word: 'Unreachable', tone: 'bad', shape: 'cross' },
  untrusted: { word: 'Key not trusted', tone: 'warn', shape: 'bang' },
  'auth-failed': { word: 'Login failed', tone: 'bad', shape: 'cross' },
  'not-libvirt': { word: 'No libvirt', tone: 'bad', shape: 'cross' },
  disconnected: { word: 'Disconnected', tone: 'off', shape: 'stop' },
};

const jobs: Record<MigrationState | 'queued', Word> = {
  queued: { word: 'Queued', tone: 'off', shape: 'stop' },
  running: { word: 'Running', tone: 'busy', shape: 'turn' },
  completed: { word: 'Completed', tone: 'ok', shape: 'tick' },
  failed: { word: 'Failed', tone: 'bad', shape: 'cross' },
  cancelled: { word: 'Cancelled', tone: 'off', shape: 'stop' },
  'needs-attention': { word: 'Needs attention', tone: 'warn', shape: 'bang' },
};

export const hostWord = (state: HostState): Word => hosts[state];
export const jobWord = (state: MigrationState): Word => jobs[state];

/** What was last known of a VM whose host does not answer is said as such. */
export function domainWord({ state, stale }: Pick<DomainView, 'state' | 'stale'>): Word {
  const known = domains[state];
  return stale ? { ...known, word: `Last seen ${known.word.toLowerCase()}`, tone: 'off' } : known;
}
