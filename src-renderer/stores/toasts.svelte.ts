// Sentences shown for a while; the same one again only counts.
export type Level = 'info' | 'warn' | 'error';

/** What can be done about it. */
export interface ToastAction {
  label: string;
  run: () => void;
}

export interface Toast {
  id: number;
  level: Level;
  message: string;
  count: number;
  action?: ToastAction | undefined;
}

const most = 4;
const shownMs = { info: 5_000, warn: 9_000, error: 20_000 };
/** There has to be time to want it. */
const withActionMs = 12_000;

export class Toasts {
  list: Toast[] = $state.raw([]);
  #next = 1;
  readonly #later: (then: () => void, ms: number) => void;

  constructor(later: (then: () => void, ms: number) => void = (then, ms) => void setTimeout(then, ms)) {
    this.#later = later;
  }

  show(level: Level, message: string, action?: ToastAction): void {
    const same = action ? undefined : this.list.find((toast) => toast.message === message);
    if (same) {
      this.list = this.list.map((toast) => (toast === same ? { ...same, count: same.count + 1 } : toast));
      return;
    }
    const id = this.#next;
    this.#next += 1;
    this.list = [...this.list, { id, level, message, count: 1, action }].slice(-most);
    this.#later(() => this.close(id), action ? withActionMs : shownMs[level]);
  }

  /** What it says holds no more. */
  withdraw(message: string): void {
    this.list = this.list.filter((toast) => toast.message !== message);
  }

  close(id: number): void {
    this.list = this.list.filter((toast) => toast.id !== id);
  }
}
