// Which logins one answer is for.
import { expect, it } from 'vitest';
import type { Question } from '../../contract/model.ts';
import { alike } from '../../src-renderer/words/questions.ts';

const asked = (id: string, more: Partial<Question> = {}): Question => ({
  id,
  hostId: id,
  kind: 'password',
  title: `root@${id}`,
  instruction: '',
  prompts: [{ text: `Password of root on ${id}`, echo: false }],
  again: false,
  ...more,
});
const ids = (question: Question, ...all: Question[]) => alike(question, [question, ...all]).map(({ id }) => id);

it('a password of the same user, however a host asks for it', () => {
  const byKeyboard = asked('c', { kind: 'keyboard-interactive', prompts: [{ text: 'Password: ', echo: false }] });
  expect(ids(asked('a'), asked('b'), byKeyboard)).toEqual(['b', 'c']);
});

it('not of another user, and not where it was refused before', () => {
  expect(ids(asked('a'), asked('b', { title: 'ops@b' }), asked('c', { again: true }))).toEqual([]);
});

it('no one-time code, and nothing beside which a host says something else', () => {
  const code = { kind: 'keyboard-interactive' as const, prompts: [{ text: 'Code: ', echo: false }] };
  expect(ids(asked('a', code), asked('b', code))).toEqual([]);
  expect(ids(asked('a'), asked('b', { instruction: 'For the vault' }))).toEqual([]);
});
