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

test('an answer goes into the keychain only where there is one, and only when told to', async ({ open }) => {
  const page = await open({ hosts: 2, each: 1 });
  const ask = (at: number, mayKeep: boolean) =>
    page.evaluate(
      ([index, keepable]) => {
        const host = window.main.snapshot.hosts[index];
        if (!host) throw new Error('no such host');
        window.main.push({
          event: 'question',
          data: {
            id: `q${index}`,
            hostId: host.id,
            kind: 'passphrase',
            title: '/home/admin/.ssh/id_ed25519',
            instruction: '',
            prompts: [{ text: 'Passphrase', echo: false }],
            again: false,
            ...(keepable && { mayKeep: true }),
          },
        });
      },
      [at, mayKeep] as const,
    );
  await ask(0, false);
  const dialog = page.getByRole('dialog');
  await expect(dialog).toContainText('kept in memory until Drover ends');
  await expect(dialog.getByRole('checkbox')).toHaveCount(0);
  await dialog.locator('input[type=password]').fill('one');
  await dialog.getByRole('button', { name: 'Log in' }).click();
  await expect.poll(() => said(page, 'questions.answer')).toEqual([{ id: 'q0', answers: ['one'] }]);
  await page.evaluate(() => window.main.push({ event: 'question', data: { removed: true, id: 'q0' } }));
  await ask(1, true);
  await dialog.getByRole('checkbox', { name: 'Remember in the keychain' }).check();
  await expect(dialog).toContainText('kept in this machine’s keychain');
  await dialog.locator('input[type=password]').fill('two');
  await dialog.getByRole('button', { name: 'Log in' }).click();
  await expect
    .poll(() => said(page, 'questions.answer'))
    .toEqual([
      { id: 'q0', answers: ['one'] },
      { id: 'q1', answers: ['two'], keep: true },
    ]);
});
