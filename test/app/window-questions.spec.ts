// What logins ask: several hosts at once are answered together where the answer is the same.
import type { Question } from '../../contract/model.ts';
import { expect, said, test } from './made-up-window.ts';

test('one password is given to the hosts that ask for the same, and only when told to', async ({ open }) => {
  const page = await open({ hosts: 4, each: 2 });
  const ask = (at: number, more: Partial<Question> = {}) =>
    page.evaluate(
      ([index, extra]) => {
        const host = window.main.snapshot.hosts[index];
        if (!host) throw new Error('no such host');
        window.main.push({
          event: 'question',
          data: {
            id: `q${index}`,
            hostId: host.id,
            kind: 'password',
            title: `root@${host.label}`,
            instruction: '',
            prompts: [{ text: `Password of root on ${host.label}`, echo: false }],
            again: false,
            ...extra,
          },
        });
      },
      [at, more] as const,
    );
  await ask(0);
  const dialog = page.getByRole('dialog');
  await expect(dialog).toContainText('Password for root@');
  await expect(dialog.getByRole('checkbox')).toHaveCount(0);
  await ask(1);
  await ask(2, { kind: 'keyboard-interactive', prompts: [{ text: 'Password: ', echo: false }] });
  await ask(3, { title: 'ops@other' });
  const choice = dialog.getByRole('checkbox', { name: /Use for 2 other hosts/ });
  await expect(choice).not.toBeChecked();
  await choice.check();
  await expect(dialog.getByRole('button', { name: 'Cancel 3 logins' })).toBeVisible();
  await dialog.locator('input[type=password]').fill('open sesame');
  await dialog.getByRole('button', { name: 'Log in' }).click();
  await expect
    .poll(async () => (await said(page, 'questions.answer')) as { id: string; answers: string[] }[])
    .toHaveLength(3);
  const answered = (await said(page, 'questions.answer')) as { id: string; answers: string[] }[];
  expect(answered.map(({ id }) => id).toSorted()).toEqual(['q0', 'q1', 'q2']);
  expect(answered.every(({ answers }) => answers[0] === 'open sesame')).toBe(true);
});
