// Tells by the system's notifications how a long task ended, when nobody looks at the window.
import { Notification } from 'electron';
import type { NumberedDelta } from '../../contract/events.ts';
import type { MigrationView, ScanView } from '../../contract/model.ts';
import { jobWord } from '../../src-renderer/words/states.ts';

export interface NotifyOptions {
  /** Whether the window is looked at now. */
  seen: () => boolean;
  /** When a notification is clicked. */
  open: () => void;
  now?: () => number;
}

/** A scan that took less is no long task. */
const longScanMs = 10_000;

export class Notifier {
  readonly #options: NotifyOptions;
  /** Under way when last told: only what was seen to go on is told to have ended. */
  readonly #going = new Set<string>();

  constructor(options: NotifyOptions) {
    this.#options = options;
  }

  take(deltas: readonly NumberedDelta[]): void {
    for (const { event, data } of deltas) {
      if (event === 'migration' && !('removed' in data)) this.#migration(data);
      if (event === 'scan' && !('removed' in data)) this.#scan(data);
    }
  }

  #migration({ id, name, state, error }: MigrationView): void {
    if (state === 'queued' || state === 'running') return void this.#going.add(id);
    if (!this.#going.delete(id)) return;
    this.#tell(`${name}: ${jobWord(state).word}`, error?.message ?? 'Its migration has ended.');
  }

  #scan({ id, cidr, state, startedAt, found }: ScanView): void {
    if (state === 'running') return void this.#going.add(id);
    if (!this.#going.delete(id)) return;
    if ((this.#options.now ?? Date.now)() - Date.parse(startedAt) < longScanMs) return;
    const answered = found.filter(({ kind }) => kind !== 'silent').length;
    this.#tell(`Scan of ${cidr}: ${state}`, answered === 0 ? 'It has ended.' : `${answered} new answers at its end.`);
  }

  #tell(title: string, body: string): void {
    if (this.#options.seen() || !Notification.isSupported()) return;
    const notification = new Notification({ title, body });
    notification.on('click', this.#options.open);
    notification.show();
  }
}
