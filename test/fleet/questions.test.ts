// What logins ask, and who answers.
import { beforeEach, expect, it } from 'vitest';
import type { Delta } from '../../contract/events.ts';
import { Questions } from '../../src-main/fleet/questions.ts';

const asked = {
  hostId: 'a',
  kind: 'password' as const,
  title: 'root@kvm1',
  instruction: '',
  prompts: [{ text: 'Password:', echo: false }],
  again: false,
};
let told: Delta[];
let questions: Questions;
beforeEach(() => {
  told = [];
  questions = new Questions((delta) => told.push(delta));
});
const never = new AbortController().signal;
const id = () => questions.list[0]?.id ?? '';

it('is told, answered once, and gone', async () => {
  questions.windows(1);
  const answer = questions.ask(asked, never);
  expect(questions.list).toMatchObject([asked]);
  const question = id();
  questions.answer(question, ['secret']);
  expect(await answer).toEqual(['secret']);
  expect(questions.list).toEqual([]);
  expect(told).toMatchObject([
    { event: 'question', data: { id: question, title: 'root@kvm1' } },
    { event: 'question', data: { removed: true, id: question } },
  ]);
  expect(JSON.stringify(told)).not.toContain('secret');
  expect(() => questions.answer(question, ['other'])).toThrow(/no longer asked/);
});

it('is cancelled at once where nobody is there to ask', async () => {
  expect(questions.open).toBe(false);
  expect(await questions.ask(asked, never)).toBeNull();
  expect(told).toEqual([]);
});

it('is cancelled when the last window goes, not before', async () => {
  questions.windows(2);
  const answer = questions.ask(asked, never);
  questions.windows(1);
  expect(questions.list).toHaveLength(1);
  questions.windows(0);
  expect(await answer).toBeNull();
  expect(questions.list).toEqual([]);
});

it('is cancelled when who asked goes: its host was removed', async () => {
  questions.windows(1);
  const abort = new AbortController();
  const answer = questions.ask(asked, abort.signal);
  abort.abort();
  expect(await answer).toBeNull();
  expect(told.at(-1)).toMatchObject({ data: { removed: true } });
});

it('is cancelled by a person', async () => {
  questions.windows(1);
  const answer = questions.ask(asked, never);
  questions.answer(id(), null);
  expect(await answer).toBeNull();
});

it('takes as many answers as it has prompts', async () => {
  questions.windows(1);
  const answer = questions.ask({ ...asked, prompts: [...asked.prompts, { text: 'Code:', echo: true }] }, never);
  expect(() => questions.answer(id(), ['secret'])).toThrow(/2 prompts, and 1 answers/);
  questions.answer(id(), ['secret', '123456']);
  expect(await answer).toEqual(['secret', '123456']);
});
