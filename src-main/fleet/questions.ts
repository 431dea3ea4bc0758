// What logins ask of the admin, waiting for a window to answer. No answer is kept here; the keychain has those that are.
import { randomUUID } from 'node:crypto';
import type { Delta } from '../../contract/events.ts';
import { Failure } from '../../contract/failure.ts';
import type { Question } from '../../contract/model.ts';

interface Waiting {
  question: Question;
  answer: (answers: string[] | null) => void;
  keep: (secret: string) => void;
}

/** Where answers go that are to outlive the session. */
export interface Kept {
  readonly available: boolean;
  recall(name: string): string | null;
  keep(name: string, secret: string): void;
  forget(name: string): void;
}

const nothingKept: Kept = { available: false, recall: () => null, keep: () => {}, forget: () => {} };

/** `keepAs`: what the answer can be kept under; left out where it is of no use a second time. */
export type Asked = Omit<Question, 'id' | 'mayKeep'> & { keepAs?: string };

export class Questions {
  #waiting = new Map<string, Waiting>();
  #windows = 0;
  /** Given out in this session: if it was right, the login knows it from then on, and does not ask again. */
  readonly #recalled = new Set<string>();
  readonly #opened = new Set<() => void>();
  readonly #tell: (delta: Delta) => void;
  readonly #kept: Kept;

  constructor(tell: (delta: Delta) => void, kept: Kept = nothingKept) {
    this.#tell = tell;
    this.#kept = kept;
  }

  get list(): Question[] {
    return [...this.#waiting.values()].map(({ question }) => question);
  }

  /** Whether anyone is there to answer. */
  get open(): boolean {
    return this.#windows > 0;
  }

  /** With the last window gone, whatever still waits counts as cancelled. */
  windows(count: number): void {
    const before = this.#windows;
    this.#windows = count;
    if (before === 0 && count > 0) for (const listener of [...this.#opened]) listener();
    if (count > 0) return;
    for (const { answer } of [...this.#waiting.values()]) answer(null);
  }

  /** Called when somebody is there to answer, after nobody was. */
  onOpen(listener: () => void): void {
    this.#opened.add(listener);
  }

  /** Resolves with one answer per prompt; null when it was cancelled, or nobody is there to ask. */
  async ask({ keepAs, ...asked }: Asked, signal: AbortSignal): Promise<string[] | null> {
    if (!this.open || signal.aborted) return null;
    if (keepAs !== undefined) {
      if (asked.again) this.#kept.forget(keepAs);
      const recalled = this.#recalled.has(keepAs) ? null : this.#kept.recall(keepAs);
      this.#recalled.add(keepAs);
      if (recalled !== null) return [recalled];
    }
    const mayKeep = keepAs !== undefined && this.#kept.available;
    const question: Question = { ...asked, id: randomUUID(), ...(mayKeep && { mayKeep }) };
    return new Promise((resolve) => {
      const end = (answers: string[] | null) => {
        signal.removeEventListener('abort', cancel);
        if (this.#waiting.delete(question.id))
          this.#tell({ event: 'question', data: { removed: true, id: question.id } });
        resolve(answers);
      };
      const cancel = () => end(null);
      signal.addEventListener('abort', cancel);
      const keep = (secret: string) => {
        if (mayKeep) this.#kept.keep(keepAs, secret);
      };
      this.#waiting.set(question.id, { question, answer: end, keep });
      this.#tell({ event: 'question', data: question });
    });
  }

  /** @throws Failure when nothing of that id waits, or the answers do not fit its prompts. */
  answer(id: string, answers: string[] | null, keep = false): void {
    const waiting = this.#waiting.get(id);
    if (!waiting)
      throw new Failure('not-found', 'That question is no longer asked; another window may have answered it.');
    const wanted = waiting.question.prompts.length;
    if (answers && answers.length !== wanted) {
      throw new Failure('bad-request', `That question has ${wanted} prompts, and ${answers.length} answers came.`);
    }
    const [secret] = answers ?? [];
    if (keep && secret) waiting.keep(secret);
    waiting.answer(answers);
  }
}
