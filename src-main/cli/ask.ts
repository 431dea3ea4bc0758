// Asking the person at the terminal: on stderr, so that a redirected stdout holds results only.
import { createInterface } from 'node:readline/promises';
import { Writable } from 'node:stream';
import type { Question } from '../../contract/model.ts';
import type { Core } from './core.ts';
import { printable } from './output.ts';

/** One line. @param echo whether it is shown while it is typed */
export async function ask(prompt: string, echo = true): Promise<string> {
  let muted = false;
  const output = new Writable({
    write(chunk: Buffer, _, done) {
      if (!muted) process.stderr.write(chunk);
      done();
    },
  });
  const lines = createInterface({ input: process.stdin, output, terminal: true });
  try {
    const answer = lines.question(prompt);
    muted = !echo;
    return (await answer).trim();
  } finally {
    lines.close();
    if (!echo) process.stderr.write('\n');
  }
}

/** Answers what logins ask, one question after the other, until undone. */
export function answerQuestions(core: Core): () => void {
  let turn = Promise.resolve();
  const seen = new Set<string>();
  const take = (question: Question) => {
    if (seen.has(question.id)) return;
    seen.add(question.id);
    turn = turn.then(() => put(core, question)).catch(() => {});
  };
  const off = core.on('deltas', ({ deltas }) => {
    for (const { event, data } of deltas) if (event === 'question' && !('removed' in data)) take(data);
  });
  void core.call('questions.list', {}).then(
    (questions) => questions.forEach(take),
    () => {},
  );
  return off;
}

async function put(core: Core, { id, kind, title, instruction, prompts, again }: Question): Promise<void> {
  if (again) process.stderr.write('That was refused. Once more:\n');
  if (instruction) process.stderr.write(`${printable(instruction)}\n`);
  const answers: string[] = [];
  for (const { text, echo } of prompts) {
    // What a server asks names nobody; what Drover asks does.
    const prompt = printable(kind === 'keyboard-interactive' ? `${title}: ${text}` : text).trim();
    answers.push(await ask(prompt.endsWith(':') ? `${prompt} ` : `${prompt}: `, echo));
  }
  await core.call('questions.answer', { id, answers });
}
