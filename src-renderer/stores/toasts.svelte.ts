// Sentences shown for a while; the same one again only counts.
export type Level = 'info' | 'warn' | 'error';

export interface Toast {
  id: number;
  level: Level;
  message: string;
  count: number;
}

const most = 4;
const shownMs = { info: 5_000, warn: 9_000, error: 20_000 };

export class Toasts {
  list: Toast[] = $state.raw([]);
  #next = 1;
  readonly #later: (then: () => void, ms: number) => void;

  constructor(later: (then: () => void, ms: number) => void = (then, ms) => void setTimeout(then, ms)) {
    this.#later = later;
  }

  show(level: Level, message: string): void {
    const same = this.list.find((toast) => toast.message === message);
    if (same) {
      this.list = this.list.map((toast) => (toast === same ? { ...same, count: same.count + 1 } : toast));
      return;
    }
    const id = this.#next;
    this.#next += 1;
    this.list = [...this.list, { id, level, message, count: 1 }].slice(-most);
    this.#later(() => this.close(id), shownMs[level]);
  }

  close(id: number): void {
    this.list = this.list.filter((toast) => toast.id !== id);
  }
}
