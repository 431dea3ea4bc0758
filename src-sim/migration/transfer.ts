// A guest's memory on its way: goes over page by page while the guest writes to it, again and again, until what is
// left is small enough to stop the guest for. Computed when asked; a timer marks only the turns.
import { param } from '../../src-main/libvirt/index.ts';
import type { Param } from '../../src-main/libvirt/index.ts';
import type { Clock } from '../clock.ts';
import type { Guest } from '../guest.ts';

const MIB = 2 ** 20;
const PAGE = 4096;
/** Slowing the guest down: from the third round on that does not get on, by how much first, and by how much more. */
const THROTTLE = { after: 2, first: 0.2, more: 0.1, most: 0.99 };

export interface TransferOptions {
  clock: Clock;
  guest: Guest;
  /** Of disks that go along. */
  diskBytes: number;
  /** Bytes a second that the network takes. */
  link: number;
  /** MiB a second that the admin allows. */
  maxSpeed: () => number;
  maxDowntimeMs: () => number;
  autoConverge: boolean;
  /** No more than this percentage goes over, for now. */
  stallsAt: () => number | null;
  /** A round over the memory begins, the first is 1. */
  round: (number: number) => void;
  /** The guest is to stand still from here on. */
  switching: () => void;
}

export class Transfer {
  /** Resolves when all is across; rejects with what it was ended by. */
  readonly done: Promise<void>;
  readonly #options: TransferOptions;
  readonly #total: number;
  readonly #beganMs: number;
  #phase: 'copying' | 'switching' | 'over' = 'copying';
  #postcopy = false;
  #round = 1;
  #roundBegan: number;
  #slowRounds = 0;
  #left: number;
  #rate = 1;
  /** So much stays behind for now. */
  #stopAt = 0;
  #dirty = 0;
  #sent = 0;
  #dirtyRate = 0;
  #lastMs: number;
  #stoppedMs = 0;
  #downtimeMs = 0;
  #callOff: () => void = () => {};
  #resolve!: () => void;
  #reject!: (error: Error) => void;

  constructor(options: TransferOptions) {
    this.#options = options;
    const { clock, guest } = options;
    this.#total = guest.memoryBytes + 16 * MIB + options.diskBytes;
    this.#left = this.#total;
    this.#roundBegan = this.#left;
    this.#beganMs = this.#lastMs = clock.now();
    this.done = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
    this.done.catch(() => {});
    options.round(1);
    this.#plan();
  }

  get over(): boolean {
    return this.#phase === 'over';
  }

  /** Bandwidth, downtime or a fault has changed. */
  retune(): void {
    if (this.over) return;
    this.#advance();
    this.#plan();
  }

  end(error: Error): void {
    if (this.over) return;
    this.#finish();
    this.#reject(error);
  }

  /** The guest goes on over there at once; what is left follows. */
  toPostcopy(): void {
    if (this.#phase !== 'copying' || this.#postcopy) return;
    this.#advance();
    this.#postcopy = true;
    this.#left += this.#dirty;
    this.#dirty = 0;
    this.#plan();
  }

  /** As libvirt tells of it. `completed` is what the receipt says. */
  stats(completed = false): Param[] {
    if (!this.over) this.#advance();
    const now = this.over ? this.#lastMs : this.#options.clock.now();
    const elapsed = Math.max(1, Math.round(now - this.#beganMs));
    const left = Math.round(this.over ? 0 : this.#left);
    const sent = Math.round(this.#sent);
    const { u64, i32 } = param;
    return [
      i32('operation', 5),
      u64('time_elapsed', elapsed),
      ...(completed ? [u64('time_elapsed_net', elapsed)] : [u64('time_remaining', 0)]),
      u64('downtime', completed ? Math.round(this.#downtimeMs) : this.#options.maxDowntimeMs()),
      ...(completed ? [u64('downtime_net', Math.round(this.#downtimeMs))] : []),
      u64('setup_time', 1),
      u64('data_total', this.#total),
      u64('data_processed', sent),
      u64('data_remaining', left),
      u64('memory_total', this.#total),
      u64('memory_processed', sent),
      u64('memory_remaining', left),
      u64('memory_bps', Math.round(this.#rate)),
      u64('memory_constant', 0),
      u64('memory_normal', Math.round(sent / PAGE)),
      u64('memory_normal_bytes', sent),
      u64('memory_dirty_rate', Math.round(this.#dirtyRate / PAGE)),
      u64('memory_page_size', PAGE),
      u64('memory_iteration', this.#round),
      u64('memory_postcopy_requests', 0),
      u64('disk_total', 0),
      u64('disk_processed', 0),
      u64('disk_remaining', 0),
      u64('disk_bps', 0),
      i32('auto_converge_throttle', Math.round(this.#options.guest.throttle * 100)),
    ];
  }

  /** Bytes: all, across in the end, still to go. */
  get figures(): { elapsedMs: number; total: number; sent: number; left: number } {
    if (!this.over) this.#advance();
    return {
      elapsedMs: Math.round(this.#lastMs - this.#beganMs),
      total: this.#total,
      sent: Math.round(this.#sent),
      left: Math.round(this.#left),
    };
  }

  /** As it was last planned: what changes, changes from then on. */
  #advance(): void {
    const { clock, guest } = this.#options;
    const now = clock.now();
    const seconds = Math.max(0, now - this.#lastMs) / 1000;
    this.#lastMs = now;
    const sent = Math.min(Math.max(0, this.#left - this.#stopAt), this.#rate * seconds);
    this.#left -= sent;
    this.#sent += sent;
    this.#dirtyRate = guest.dirtyBps;
    if (this.#phase !== 'copying' || this.#postcopy) return;
    const most = Math.min(guest.profile.workingSetMiB * MIB, guest.memoryBytes);
    this.#dirty = Math.min(most, this.#dirty + this.#dirtyRate * seconds);
  }

  /** Plans the next turn: this round's end, unless it stalls before. */
  #plan(): void {
    this.#callOff();
    if (this.over) return;
    const { clock, link, maxSpeed, stallsAt } = this.#options;
    const at = this.#phase === 'copying' ? stallsAt() : null;
    this.#stopAt = at === null ? 0 : this.#total * (1 - Math.min(100, at) / 100);
    const stalled = this.#stopAt > 0 && this.#left <= this.#stopAt;
    this.#rate = stalled ? 0 : Math.max(1, Math.min(link, maxSpeed() * MIB));
    if (stalled) return;
    const ms = (Math.max(0, this.#left - this.#stopAt) / this.#rate) * 1000;
    const next = this.#stopAt > 0 ? () => this.retune() : () => this.#turn();
    this.#callOff = clock.after(Math.max(0.01, ms), next);
  }

  #turn(): void {
    this.#advance();
    // Rounding may leave a byte or two.
    if (this.#left > 1) return this.#plan();
    const { clock, maxDowntimeMs, round, switching } = this.#options;
    if (this.#phase === 'switching' || this.#postcopy) {
      this.#downtimeMs = this.#postcopy ? 5 : clock.now() - this.#stoppedMs;
      this.#finish();
      return this.#resolve();
    }
    const before = this.#roundBegan;
    this.#left = this.#dirty;
    this.#dirty = 0;
    if ((this.#left / this.#rate) * 1000 <= maxDowntimeMs()) {
      this.#phase = 'switching';
      this.#stoppedMs = clock.now();
      round(++this.#round);
      switching();
      return this.#plan();
    }
    round(++this.#round);
    this.#roundBegan = this.#left;
    if (this.#left > before / 2) this.#slowDown();
    this.#plan();
  }

  #slowDown(): void {
    const { autoConverge, guest } = this.#options;
    this.#slowRounds += 1;
    if (!autoConverge || this.#slowRounds < THROTTLE.after) return;
    guest.throttle = guest.throttle === 0 ? THROTTLE.first : Math.min(THROTTLE.most, guest.throttle + THROTTLE.more);
  }

  #finish(): void {
    this.#phase = 'over';
    this.#callOff();
    this.#options.guest.throttle = 0;
  }
}
