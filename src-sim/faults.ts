// Named faults: what may go wrong, where, and how often. Set and cleared while the fleet runs.
import type { ProcedureName } from '../src-main/libvirt/index.ts';

export type Phase = 'begin' | 'prepare' | 'perform' | 'finish' | 'confirm';
export type Side = 'source' | 'target' | 'both';
/** `request`: the call comes, and is not carried out; `midway`: while memory goes over; `reply`: carried out, not answered. */
export type Moment = 'request' | 'midway' | 'reply';
/**
 * `connection`: the libvirt connection of the migration; `ssh`: every SSH connection to the host; `daemon`: libvirtd,
 * started anew; `host`: its power, guests included; `silence`: its network, until the fault is cleared.
 */
export type Death = 'connection' | 'ssh' | 'daemon' | 'host' | 'silence';

interface OfCalls {
  /** Only of this call. */
  call?: ProcedureName;
}

export type FaultKind =
  /** Calls are read, not carried out, and not answered. */
  | ({ kind: 'never-answers' } & OfCalls)
  /** The daemon hangs up in the middle of an answer. */
  | ({ kind: 'hangup-mid-packet' } & OfCalls)
  /** Bytes without a meaning stand where an answer should. */
  | ({ kind: 'garbage' } & OfCalls)
  /** The call is answered by this error, and not carried out. */
  | { kind: 'fails'; call: ProcedureName; code: number; domain: number; message?: string }
  /** Every piece takes so long each way, and no more than so much goes over. */
  | { kind: 'slow-link'; delayMs: number; bytesPerSecond?: number }
  /** Answers wait so long (20 ms), events do not. */
  | ({ kind: 'event-before-reply'; delayMs?: number } & OfCalls)
  /** Answers that are due together go out the last first. */
  | { kind: 'reply-out-of-order' }
  | { kind: 'auth-refused' }
  | { kind: 'key-changed' }
  /** No byte either way, while the connections stay. */
  | { kind: 'silent' }
  /** Its power is off: nothing listens there. */
  | { kind: 'down' }
  /** No more than so many percent go over. */
  | { kind: 'migration-stalls'; at: number }
  /** Something ends at a moment of a migration. */
  | { kind: 'dies'; phase: Phase; when: Moment; side: Side; what: Death };

export type Fault = FaultKind & {
  /** Only on this host, by its name. */
  host?: string;
  /** Only on this libvirt connection, by its number. */
  connection?: number;
  /** Only in migrations of this domain, by its name or UUID. */
  vm?: string;
  /** So many times; `dies` once, the others until they are cleared. */
  times?: number;
};

/** Where something happens, as faults are looked up. */
export interface Place {
  host?: string;
  connection?: number;
  vm?: { name: string; uuid: string };
  call?: ProcedureName;
}

type Of<K extends Fault['kind']> = Extract<Fault, { kind: K }>;

export class Faults {
  readonly #set = new Map<number, { fault: Fault; left: number }>();
  readonly #listeners = new Set<() => void>();
  #number = 0;

  /** Returns the undo. */
  set(fault: Fault): () => void {
    const id = ++this.#number;
    this.#set.set(id, { fault, left: fault.times ?? (fault.kind === 'dies' ? 1 : Infinity) });
    this.#changed();
    return () => {
      if (this.#set.delete(id)) this.#changed();
    };
  }

  /** All, or all of one kind. */
  clear(kind?: Fault['kind']): void {
    for (const [id, { fault }] of this.#set) if (!kind || fault.kind === kind) this.#set.delete(id);
    this.#changed();
  }

  get list(): Fault[] {
    return [...this.#set.values()].map(({ fault }) => fault);
  }

  /** The fault that is set there, without using it up. */
  at<K extends Fault['kind']>(kind: K, place: Place, fits: (fault: Of<K>) => boolean = () => true): Of<K> | null {
    return this.#find(kind, place, fits)?.[1] ?? null;
  }

  /** The fault that strikes there now: once less to come. */
  take<K extends Fault['kind']>(kind: K, place: Place, fits: (fault: Of<K>) => boolean = () => true): Of<K> | null {
    const found = this.#find(kind, place, fits);
    if (!found) return null;
    const [id, fault] = found;
    const entry = this.#set.get(id);
    if (entry && --entry.left <= 0) this.#set.delete(id);
    return fault;
  }

  /** Told whenever one was set or cleared. Returns the undo. */
  onChange(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  #find<K extends Fault['kind']>(kind: K, place: Place, fits: (fault: Of<K>) => boolean): [number, Of<K>] | null {
    if (this.#set.size === 0) return null;
    for (const [id, { fault }] of this.#set) {
      if (fault.kind === kind && isAt(fault, place) && fits(fault as Of<K>)) return [id, fault as Of<K>];
    }
    return null;
  }

  #changed(): void {
    for (const listener of [...this.#listeners]) listener();
  }
}

function isAt(fault: Fault, { host, connection, vm, call }: Place): boolean {
  if (fault.host !== undefined && fault.host !== host) return false;
  if (fault.connection !== undefined && fault.connection !== connection) return false;
  if (fault.vm !== undefined && fault.vm !== vm?.name && fault.vm !== vm?.uuid) return false;
  return !('call' in fault) || fault.call === undefined || fault.call === call;
}
