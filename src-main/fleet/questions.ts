// What logins ask of the admin, waiting for a window to answer. No answer is ever kept here.
import { randomUUID } from 'node:crypto';
import type { Delta } from '../../contract/events.ts';
import { Failure } from '../../contract/failure.ts';
import type { Question } from '../../contract/model.ts';

interface Waiting {
  question: Question;
  answer: (answers: string[] | null) => void;
}

export class Questions {
  #waiting = new Map<string, Waiting>();
  #windows = 0;
  readonly #tell: (delta: Delta) => void;

  constructor(tell: (delta: Delta) => void) {
    this.#tell = tell;
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
    this.#windows = count;
    if (count > 0) return;
    for (const { answer } of [...this.#waiting.values()]) answer(null);
  }

  /** Resolves with one answer per prompt; null when it was cancelled, or nobody is there to ask. */
  async ask(asked: Omit<Question, 'id'>, signal: AbortSignal): Promise<string[] | null> {
    if (!this.open || signal.aborted) return null;
    const question: Question = { ...asked, id: randomUUID() };
    return new Promise((resolve) => {
      const end = (answers: string[] | null) => {
        signal.removeEventListener('abort', cancel);
        if (this.#waiting.delete(question.id))
          this.#tell({ event: 'question', data: { removed: true, id: question.id } });
        resolve(answers);
      };
      const cancel = () => end(null);
      signal.addEventListener('abort', cancel);
      this.#waiting.set(question.id, { question, answer: end });
      this.#tell({ event: 'question', data: question });
    });
  }

  /** @throws Failure when nothing of that id waits, or the answers do not fit its prompts. */
  answer(id: string, answers: string[] | null): void {
    const waiting = this.#waiting.get(id);
    if (!waiting)
      throw new Failure('not-found', 'That question is no longer asked; another window may have answered it.');
    const wanted = waiting.question.prompts.length;
    if (answers && answers.length !== wanted) {
      throw new Failure('bad-request', `That question has ${wanted} prompts, and ${answers.length} answers came.`);
    }
    waiting.answer(answers);
  }
}
