// One domain on one host: its definitions, its state, and what is going on with it.
import { domainState } from '../src-main/libvirt/index.ts';
import type { Dom, Param } from '../src-main/libvirt/index.ts';
import type { Client } from './client.ts';
import type { Console } from './console.ts';
import type { Definition } from './definition.ts';
import type { Guest } from './guest.ts';
import type { JobLock } from './job-lock.ts';
import { Snapshots } from './snapshots.ts';
import type { Incoming, Outgoing } from './migration/jobs.ts';

/** A domain's memory, as a file. */
export interface Saved {
  runMs: number;
  line: string;
}

export class Domain {
  readonly uuid: string;
  readonly lock: JobLock;
  /** What it starts from; null of a transient one. */
  persistent: Definition | null;
  /** What it runs with; null while it is off. */
  live: Definition | null = null;
  id = -1;
  state: number = domainState.shutoff;
  reason = 0;
  /** When it came into its state. */
  sinceMs = 0;
  autostart = false;
  guest: Guest | null = null;
  saved: Saved | null = null;
  readonly snapshots = new Snapshots();
  outgoing: Outgoing | null = null;
  incoming: Incoming | null = null;
  /** Of the last job, until it is read. */
  completed: Param[] | null = null;
  console: Console | null = null;
  /** Ends with that connection. */
  endsWith: Client | null = null;
  maxDowntimeMs = 300;
  /** MiB a second. */
  maxSpeed = 8_796_093_022_207;
  /** Called when it is no longer active, whatever the reason. */
  readonly whenOff = new Set<() => void>();

  constructor(definition: Definition, lock: JobLock) {
    this.uuid = definition.uuid;
    this.persistent = definition;
    this.lock = lock;
  }

  get definition(): Definition {
    const found = this.live ?? this.persistent;
    if (!found) throw new Error(`the domain ${this.uuid} is neither defined nor running`);
    return found;
  }

  get name(): string {
    return this.definition.name;
  }

  get active(): boolean {
    return this.id >= 0;
  }

  get ref(): Dom {
    return { name: this.name, uuid: this.uuid, id: this.id };
  }
}
