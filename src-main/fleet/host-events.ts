// libvirt's events of one host: each says which domain to read again, and how much of it.
import type { Uuid } from '../../contract/model.ts';
import { type Connection, type LifecycleEvent, lifecycleDetails, lifecycleEvents } from '../libvirt/index.ts';
import type { Clock } from './clock.ts';
import type { HostDomains } from './domains.ts';

/** libvirt's lifecycle event, by its words: `started`/`migrated`, `stopped`/`shut down`… */
export interface LifecycleSeen {
  event: LifecycleEvent;
  detail: string;
}

export interface FollowOptions {
  domains: HostDomains;
  clock: Clock;
  /** Hears of each lifecycle event before the domain is read again. */
  seen: (uuid: Uuid, event: LifecycleSeen) => void;
  /** What an admin may want to know of later. */
  happened: (uuid: Uuid, event: string, detail: string) => void;
}

/** Change something of a domain that is shown. */
const changes = [
  'reboot',
  'balloon_change',
  'device_removed',
  'device_added',
  'disk_change',
  'metadata_change',
  'pmwakeup',
  'pmsuspend',
  'pmsuspend_disk',
  'job_completed',
  'tunable',
] as const;
/** Of those, what is remembered as having happened; the rest are figures, or tell nothing that is not told elsewhere. */
const remembered: ReadonlySet<string> = new Set([
  'reboot',
  'device_removed',
  'device_added',
  'disk_change',
  'pmwakeup',
]);
/** Lifecycle events that change nothing of a domain but its state. */
const stateAlone: ReadonlySet<string> = new Set([
  'suspended paused',
  'suspended I/O error',
  'suspended watchdog',
  'resumed unpaused',
]);
/** A source forgets a migrated domain without an event, some time after it told that it stopped. */
const lookAgainMs = [400, 2_000, 5_000];

/** Until the connection ends. */
export function followEvents(connection: Connection, { domains, clock, seen, happened }: FollowOptions): void {
  connection.on('lifecycle', ({ dom: { uuid }, event, detail }) => {
    const name = lifecycleEvents[event];
    if (!name) return domains.refresh(uuid);
    const words: LifecycleSeen = { event: name, detail: lifecycleDetails[name][detail] ?? 'unknown' };
    domains.refresh(uuid, stateAlone.has(`${name} ${words.detail}`) ? 'state' : 'all');
    seen(uuid, words);
    happened(uuid, name, words.detail);
    if (name === 'stopped' && words.detail === 'migrated') {
      for (const ms of lookAgainMs) clock.later(ms, () => domains.refresh(uuid));
    }
  });
  for (const name of changes) {
    connection.on(name, ({ dom, alias }: { dom: { uuid: Uuid }; alias?: string }) => {
      domains.refresh(dom.uuid);
      if (remembered.has(name)) happened(dom.uuid, name, alias ?? '');
    });
  }
}
