// The words for states, and how each one stands.
import type { DomainState, DomainView, HostState, MigrationState } from '../../contract/model.ts';

export type Standing = 'ok' | 'warn' | 'bad' | 'off' | 'busy';
interface Word {
  word: string;
  tone: Standing;
}

const domains: Record<DomainState, Word> = {
  running: { word: 'Running', tone: 'ok' },
  blocked: { word: 'Blocked', tone: 'ok' },
  paused: { word: 'Paused', tone: 'warn' },
  pmsuspended: { word: 'Suspended by guest', tone: 'warn' },
  shutdown: { word: 'Shutting down', tone: 'warn' },
  shutoff: { word: 'Shut off', tone: 'off' },
  crashed: { word: 'Crashed', tone: 'bad' },
  nostate: { word: 'Unknown', tone: 'off' },
};

const hosts: Record<HostState, Word> = {
  online: { word: 'Online', tone: 'ok' },
  connecting: { word: 'Connecting', tone: 'busy' },
  unreachable: { word: 'Unreachable', tone: 'bad' },
  untrusted: { word: 'Key not trusted', tone: 'warn' },
  'auth-failed': { word: 'Login failed', tone: 'bad' },
  'not-libvirt': { word: 'No libvirt', tone: 'bad' },
  disconnected: { word: 'Disconnected', tone: 'off' },
};

const jobs: Record<MigrationState | 'queued', Word> = {
  queued: { word: 'Queued', tone: 'off' },
  running: { word: 'Running', tone: 'busy' },
  completed: { word: 'Completed', tone: 'ok' },
  failed: { word: 'Failed', tone: 'bad' },
  cancelled: { word: 'Cancelled', tone: 'off' },
  'needs-attention': { word: 'Needs attention', tone: 'warn' },
};

export const hostWord = (state: HostState): Word => hosts[state];
export const jobWord = (state: MigrationState): Word => jobs[state];

/** What was last known of a VM whose host does not answer is said as such. */
export function domainWord({ state, stale }: Pick<DomainView, 'state' | 'stale'>): Word {
  const known = domains[state];
  return stale ? { word: `Last seen ${known.word.toLowerCase()}`, tone: 'off' } : known;
}
