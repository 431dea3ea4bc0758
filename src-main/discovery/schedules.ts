// The passes that go by themselves, each when its time has come; one at a time, and slower than those asked for.
import { z } from 'zod';
import type { Args } from '../../contract/calls.ts';
import { Failure, toErr } from '../../contract/failure.ts';
import {
  scanPasses,
  type Notice,
  type ScanId,
  type ScanPass,
  type ScanView,
  type Schedules,
} from '../../contract/model.ts';
import type { Clock } from './clock.ts';
import type { Neighbours, Store } from './neighbours.ts';
import { parseRange } from './range.ts';
import type { ScanArgs, Scans } from './scans.ts';

/** Connections a second: nobody waits for it. */
const RATE = 200;
/** After the start, and after a pass was switched on. */
const SETTLE_MS = 60_000;
/** The longest that is slept: a machine that was suspended notices within this. */
const LOOK_MS = 60_000;
const MINUTE = 60_000;

const entry = z.object({ on: z.boolean(), everyMinutes: z.number().int().positive(), lastAt: z.string().nullable() });
const kept = z.object({
  cidr: z.string().nullable(),
  confirm: z.boolean(),
  passes: z.object({ full: entry, silent: entry, 'non-libvirt': entry, known: entry }),
});
type Kept = z.infer<typeof kept>;

/** Only what calls nobody but known libvirt hosts goes unasked. */
const usual: Kept = {
  cidr: null,
  confirm: false,
  passes: {
    full: { on: false, everyMinutes: 7 * 1440, lastAt: null },
    silent: { on: false, everyMinutes: 1440, lastAt: null },
    'non-libvirt': { on: false, everyMinutes: 1440, lastAt: null },
    known: { on: true, everyMinutes: 60, lastAt: null },
  },
};

export interface SchedulesOptions {
  scans: Scans;
  neighbours: Neighbours;
  store: Store;
  clock: Clock;
  notice: (notice: Notice) => void;
}

export class PassSchedules {
  readonly #options: SchedulesOptions;
  #kept: Kept;
  /** From when on each pass may go: not in the moment of starting. */
  readonly #since: Record<ScanPass, number>;
  #running: ScanId | null = null;
  #callOff: () => void = () => {};
  readonly #undo: () => void;
  #closed = false;

  private constructor(options: SchedulesOptions, data: Kept) {
    this.#options = options;
    this.#kept = data;
    const since = options.clock.date().getTime() + SETTLE_MS;
    this.#since = { full: since, silent: since, 'non-libvirt': since, known: since };
    this.#undo = options.scans.onChange((change) => {
      if (change.id !== this.#running || (!('removed' in change) && change.state === 'running')) return;
      this.#running = null;
      this.#plan();
    });
    this.#plan();
  }

  static async open(options: SchedulesOptions): Promise<PassSchedules> {
    const { success, data } = kept.safeParse(await options.store.load());
    return new PassSchedules(options, success ? data : usual);
  }

  view(): Schedules {
    const passes = Object.fromEntries(
      scanPasses.map((pass) => {
        const { on, everyMinutes, lastAt } = this.#kept.passes[pass];
        const nextAt = on ? new Date(this.#due(pass)).toISOString() : null;
        return [pass, { on, everyMinutes, lastAt, nextAt }];
      }),
    ) as Schedules['passes'];
    return { cidr: this.#kept.cidr, passes };
  }

  /** @throws Failure `bad-request`: no range, one to be confirmed, or a pass that needs one switched on without */
  set({ cidr, passes, confirm = false }: Args<'schedules.set'>): Schedules {
    const after: Kept = structuredClone(this.#kept);
    if (cidr !== undefined) {
      after.cidr = cidr === null || cidr.trim() === '' ? null : parseRange(cidr, confirm).text;
      after.confirm = confirm;
    }
    for (const pass of scanPasses) {
      const change = passes?.[pass];
      if (change?.on === true && !after.passes[pass].on) {
        this.#since[pass] = this.#options.clock.date().getTime() + SETTLE_MS;
      }
      if (change?.on !== undefined) after.passes[pass].on = change.on;
      if (change?.everyMinutes !== undefined) after.passes[pass].everyMinutes = change.everyMinutes;
    }
    const lost = scanPasses.find((pass) => pass !== 'known' && after.passes[pass].on);
    if (after.cidr === null && lost) {
      throw new Failure('bad-request', `The pass “${lost}” needs a range to go over. Give one, or switch it off.`);
    }
    this.#keep(after);
    this.#plan();
    return this.view();
  }

  /** Runs a pass now. @throws Failure `bad-request` where it has no range, `conflict` while another runs */
  run(pass: ScanPass): ScanView {
    if (this.#running !== null) {
      throw new Failure('conflict', 'A scheduled pass is running already. Wait for its end, or cancel it.', {
        id: this.#running,
      });
    }
    const args = this.#argsOf(pass);
    if (!args) {
      throw new Failure(
        'bad-request',
        pass === 'known'
          ? 'No libvirt host is known yet. Add one, or sweep a range.'
          : `The pass “${pass}” needs a range to go over. Give one first.`,
      );
    }
    return this.#start(pass, args);
  }

  close(): void {
    this.#closed = true;
    this.#callOff();
    this.#undo();
  }

  #start(pass: ScanPass, args: ScanArgs): ScanView {
    this.#mark(pass);
    const scan = this.#options.scans.start(args, true);
    if (this.#options.scans.get(scan.id).state === 'running') this.#running = scan.id;
    return scan;
  }

  /** Null where there is nothing to go over. */
  #argsOf(pass: ScanPass): ScanArgs | null {
    const { cidr, confirm } = this.#kept;
    if (pass !== 'known') return cidr === null ? null : { cidr, pass, rate: RATE, confirm };
    // Hosts that were taken in are called wherever they are.
    const known = this.#options.neighbours.libvirt();
    return known.length === 0 ? null : { cidr: known, pass, rate: RATE, confirm: true };
  }

  #plan(): void {
    this.#callOff();
    if (this.#closed || this.#running !== null) return;
    const now = this.#options.clock.date().getTime();
    const on = scanPasses.filter((pass) => this.#kept.passes[pass].on).sort((a, b) => this.#due(a) - this.#due(b));
    const [next] = on;
    if (next === undefined) return;
    const wait = this.#due(next) - now;
    if (wait > 0) {
      this.#callOff = this.#options.clock.after(Math.min(wait, LOOK_MS), () => this.#plan());
      return;
    }
    const args = this.#argsOf(next);
    try {
      if (args) this.#start(next, args);
      else this.#mark(next);
    } catch (error) {
      const message = `The scheduled pass “${next}” could not begin: ${toErr(error).message}`;
      this.#options.notice({ level: 'warn', message, at: this.#options.clock.date().toISOString() });
    }
    this.#plan();
  }

  #mark(pass: ScanPass): void {
    const after = structuredClone(this.#kept);
    after.passes[pass].lastAt = this.#options.clock.date().toISOString();
    this.#keep(after);
  }

  #due(pass: ScanPass): number {
    const { lastAt, everyMinutes } = this.#kept.passes[pass];
    const last = lastAt === null ? NaN : Date.parse(lastAt);
    // A clock that was set back must not hold a pass up for long.
    const next = Math.min(last, this.#options.clock.date().getTime()) + everyMinutes * MINUTE;
    return Math.max(this.#since[pass], Number.isNaN(next) ? 0 : next);
  }

  #keep(after: Kept): void {
    this.#kept = after;
    this.#options.store.save(after).catch(() => {}); // the store says so itself
  }
}
