// What runs inside a domain: how much it uses, and what it says on its console. All of it follows from how long it
// has run, so nothing is computed until somebody asks.
import { bytesOf, type Seed } from './chance.ts';
import type { Clock } from './clock.ts';
import { Shell } from './shell.ts';
import type { Profile } from './specs.ts';

const MIB = 2 ** 20;

export const usualProfile = (seed: Seed, uuid: string): Profile => {
  const [a = 0, b = 0, c = 0, d = 0] = bytesOf(seed, 'profile', uuid);
  return {
    load: 0.03 + (a / 255) ** 3 * 0.6,
    swing: 0.3 + (b / 255) * 0.6,
    swingMs: 20_000 + c * 700,
    netBps: (d / 255) ** 2 * 4 * MIB,
    diskBps: (b / 255) ** 2 * 8 * MIB,
    dirtyMiBps: 4 + (a / 255) * 40,
    workingSetMiB: 64 + d,
    tickMs: 1_000,
    obeys: true,
  };
};

export interface GuestOptions {
  name: string;
  vcpus: number;
  memoryBytes: number;
  profile: Profile;
  clock: Clock;
  /** It powered itself off, or started anew. */
  left: (how: 'poweroff' | 'reboot') => void;
}

/** One QEMU process and the guest in it. The guest may come from another process, by migration. */
export class Guest {
  readonly vcpus: number;
  readonly memoryBytes: number;
  readonly profile: Profile;
  readonly shell: Shell;
  /** How much it is slowed down, so that a migration comes to an end: 0 to 0.99. */
  throttle = 0;
  readonly #clock: Clock;
  /** How long the guest had run when it last began to, and when that was. */
  #ran = 0;
  #since: number | null = null;
  /** How long it had run when this process got it. */
  #taken = 0;
  #say: ((bytes: Buffer) => void) | null = null;
  #nextTick: () => void = () => {};
  /** The number of its last tick: a timer may come a little early, and would find it again. */
  #ticked = 0;

  constructor({ name, vcpus, memoryBytes, profile, clock, left }: GuestOptions) {
    this.vcpus = vcpus;
    this.memoryBytes = memoryBytes;
    this.profile = profile;
    this.#clock = clock;
    this.shell = new Shell({
      hostname: name,
      upMs: () => this.runMs,
      memoryKiB: Math.round(memoryBytes / 1024),
      vcpus,
      load: () => this.cpuShare * vcpus,
      say: (text) => this.#say?.(Buffer.from(text)),
      left,
    });
  }

  get running(): boolean {
    return this.#since !== null;
  }

  /** Milliseconds that the guest has run since it booted, wherever. */
  get runMs(): number {
    return this.#ran + (this.#since === null ? 0 : this.#clock.now() - this.#since);
  }

  go(): void {
    if (this.#since !== null) return;
    this.#since = this.#clock.now();
    this.#planTick();
  }

  stop(): void {
    this.#ran = this.runMs;
    this.#since = null;
    this.#nextTick();
  }

  /** Becomes what the other one was at its last moment. */
  takeOver(other: { runMs: number; line: string }): void {
    this.#ran = other.runMs;
    this.#taken = other.runMs;
    this.shell.line = other.line;
  }

  reboot(): void {
    const was = this.running;
    this.stop();
    this.#ran = 0;
    this.#taken = 0;
    this.#ticked = 0;
    this.shell.line = '';
    if (was) this.go();
  }

  // --- The console -----------------------------------------------------------------------------------

  /** Whoever listens; null: what it says is lost. */
  listen(say: ((bytes: Buffer) => void) | null): void {
    this.#say = say;
    this.#nextTick();
    if (say && this.running) this.#planTick();
  }

  #planTick(): void {
    const { tickMs } = this.profile;
    if (tickMs <= 0 || !this.#say) return;
    const ran = this.runMs;
    const at = Math.max(this.#ticked, Math.floor(ran / tickMs + 1e-6)) + 1;
    this.#nextTick = this.#clock.after(at * tickMs - ran, () => {
      this.#ticked = at;
      this.#say?.(Buffer.from(`tick ${at}\r\n`));
      if (this.running) this.#planTick();
    });
  }

  // --- What it uses, since this process has it ---------------------------------------------------------

  /** Now, 0 to 1 of all its CPUs. */
  get cpuShare(): number {
    if (!this.running) return 0;
    const { load, swing, swingMs } = this.profile;
    const share = load * (1 + swing * Math.sin((this.runMs / swingMs) * 2 * Math.PI));
    return Math.min(1, share) * (1 - this.throttle);
  }

  /** Nanoseconds of CPU. */
  get cpuNs(): number {
    return Math.round(this.#swung() * this.profile.load * this.vcpus * 1e6);
  }

  get netBytes(): { rx: number; tx: number } {
    const bytes = (this.#swung() / 1000) * this.profile.netBps;
    return { rx: Math.round(bytes * 0.6), tx: Math.round(bytes * 0.4) };
  }

  get diskBytes(): { rd: number; wr: number } {
    const bytes = (this.#swung() / 1000) * this.profile.diskBps;
    return { rd: Math.round(bytes * 0.35), wr: Math.round(bytes * 0.65) };
  }

  /** Bytes a second that it writes to now. */
  get dirtyBps(): number {
    return this.running ? this.profile.dirtyMiBps * MIB * (1 - this.throttle) : 0;
  }

  /** How long it ran with this process, longer where it swung up: the integral of 1 + swing · sin. */
  #swung(): number {
    const { swing, swingMs } = this.profile;
    const turn = (2 * Math.PI) / swingMs;
    const upTo = (ms: number) => ms - (swing * (Math.cos(ms * turn) - 1)) / turn;
    return Math.max(0, upTo(this.runMs) - upTo(this.#taken));
  }
}
