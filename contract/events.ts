// What the main side tells without being asked: numbered deltas, and the bytes of open consoles.
import type { Err } from './failure.ts';
import type {
  DomainRef,
  DomainView,
  HostId,
  HostView,
  MigrationId,
  MigrationView,
  Notice,
  Question,
  ScanChange,
  ScanId,
  ScanView,
  StatsRow,
} from './model.ts';

/** One change, whole: `data` is the thing as it is now, or the ids of what is gone. */
export type Delta =
  | { event: 'host'; data: HostView | { removed: true; id: HostId } }
  | { event: 'domain'; data: DomainView | ({ removed: true } & DomainRef) }
  | { event: 'stats'; data: StatsRow[] }
  | { event: 'migration'; data: MigrationView | { removed: true; id: MigrationId } }
  | { event: 'scan'; data: ScanChange | { removed: true; id: ScanId } }
  | { event: 'question'; data: Question | { removed: true; id: string } }
  | { event: 'notice'; data: Notice };

export type NumberedDelta = Delta & { seq: number };

/** Everything, as of `seq`. The epoch is the process's: another epoch starts counting anew. */
export interface Snapshot {
  epoch: string;
  seq: number;
  hosts: HostView[];
  domains: DomainView[];
  migrations: MigrationView[];
  scans: ScanView[];
  questions: Question[];
}

/** What happens to a console besides its bytes. */
export type ConsoleNote =
  | { type: 'open' }
  | { type: 'moved'; from: HostId; to: HostId }
  | { type: 'gap' }
  | { type: 'closed'; err: Err | null };

/** The events of a link, by name. */
export interface LinkEvents {
  /** In order, batched. A `seq` that does not follow means: ask for a snapshot. */
  deltas: { epoch: string; deltas: NumberedDelta[] };
  'console.data': { consoleId: string; bytes: Uint8Array };
  'console.note': { consoleId: string; note: ConsoleNote };
}
