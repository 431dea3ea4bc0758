// What the desktop app keeps in the system's keychain, and where there is none.
import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Cipher } from '../../src-main/api/drover.ts';
import { Questions } from '../../src-main/fleet/questions.ts';
import { Keychain, keptForm, Settings } from '../../src-main/settings/index.ts';
import { freshDesktop } from './desktop.ts';

let dir: string;
beforeEach(async () => (dir = await mkdtemp(join(tmpdir(), 'drover-keychain-'))));
afterEach(() => rm(dir, { recursive: true, force: true }));

/** What the shell hands to Drover, on a system with that keyring. */
async function cipherOf(keyring: string | null): Promise<Cipher | null> {
  const desktop = await freshDesktop();
  desktop.world.keyring = keyring;
  await desktop.open();
  return desktop.started[0]?.cipher ?? null;
}

it.each([['gnome_libsecret'], ['kwallet6']])('%s is a keychain', async (keyring) => {
  const cipher = await cipherOf(keyring);
  expect(cipher?.decrypt(cipher.encrypt('pa ss'))).toBe('pa ss');
});

it.runIf(process.platform === 'linux').each([[null], ['basic_text'], ['unknown']])('%s is none', async (keyring) => {
  expect(await cipherOf(keyring)).toBeNull();
});

/** One run of Drover, with what it keeps. */
async function run(cipher: Cipher | null) {
  const settings = await Settings.open({ dataDir: dir, warn: (line) => expect.fail(line) });
  const keychain = new Keychain(cipher, cipher && (await settings.document('keychain', keptForm, {})));
  const questions = new Questions(() => undefined, keychain);
  questions.windows(1);
  const never = new AbortController().signal;
  const ask = (more: { again?: boolean; keepAs?: string } = {}) =>
    questions.ask(
      {
        hostId: 'a',
        kind: 'password',
        title: 'root@kvm1',
        instruction: '',
        prompts: [{ text: 'Password', echo: false }],
        again: false,
        keepAs: 'password root@kvm1:22',
        ...more,
      },
      never,
    );
  return { settings, keychain, questions, ask };
}

const file = () => join(dir, 'keychain.json');

describe('an answer that is to be kept', () => {
  it('is on disk encrypted, for its owner alone, and is given at the next run without a question', async () => {
    const cipher = await cipherOf('gnome_libsecret');
    const first = await run(cipher);
    const answer = first.ask();
    expect(first.questions.list).toMatchObject([{ mayKeep: true }]);
    expect(first.questions.list[0]).not.toHaveProperty('keepAs');
    first.questions.answer(first.questions.list[0]!.id, ['hunter2'], true);
    expect(await answer).toEqual(['hunter2']);
    await first.settings.close();
    const text = await readFile(file(), 'utf8');
    expect(text).not.toContain('hunter2');
    expect(text).not.toContain(Buffer.from('hunter2').toString('base64'));
    if (process.platform !== 'win32') expect((await stat(file())).mode & 0o777).toBe(0o600);

    const second = await run(cipher);
    expect(await second.ask()).toEqual(['hunter2']);
    expect(second.questions.list).toEqual([]);
    await second.settings.close();
  });

  it('is forgotten once it was refused, and not given a second time unproven', async () => {
    const cipher = await cipherOf('gnome_libsecret');
    const { settings, keychain, questions, ask } = await run(cipher);
    keychain.keep('password root@kvm1:22', 'old');
    expect(await ask()).toEqual(['old']);
    const unproven = ask();
    expect(questions.list).toHaveLength(1);
    questions.answer(questions.list[0]!.id, null);
    expect(await unproven).toBeNull();
    expect(keychain.recall('password root@kvm1:22')).toBe('old');
    const again = ask({ again: true });
    expect(keychain.recall('password root@kvm1:22')).toBeNull();
    questions.answer(questions.list[0]!.id, ['new'], true);
    expect(await again).toEqual(['new']);
    expect(keychain.recall('password root@kvm1:22')).toBe('new');
    expect(await keychain.forgetAll()).toBe(1);
    expect(keychain.recall('password root@kvm1:22')).toBeNull();
    await settings.close();
    expect(JSON.parse(await readFile(file(), 'utf8'))).toEqual({ version: 1, data: {} });
  });

  it('that cannot be decrypted now is asked for, and stays: the keychain may only be locked', async () => {
    const data = { 'password root@kvm1:22': Buffer.from('of another machine').toString('base64') };
    await writeFile(file(), JSON.stringify({ version: 1, data }));
    const { settings, keychain, questions, ask } = await run(await cipherOf('gnome_libsecret'));
    const answer = ask();
    questions.answer(questions.list[0]!.id, ['typed']);
    expect(await answer).toEqual(['typed']);
    expect(await keychain.forgetAll()).toBe(1);
    await settings.close();
  });
});

it('a one-time code cannot be kept', async () => {
  const { settings, questions, ask } = await run(await cipherOf('gnome_libsecret'));
  const answer = ask({ keepAs: undefined as unknown as string });
  expect(questions.list[0]).not.toHaveProperty('mayKeep');
  questions.answer(questions.list[0]!.id, ['123456'], true);
  expect(await answer).toEqual(['123456']);
  await settings.close();
  await expect(stat(file())).rejects.toThrow(/ENOENT/);
});

it('without a keychain nothing is kept, nor offered, whatever is answered', async () => {
  const { settings, questions, ask } = await run(null);
  const answer = ask();
  expect(questions.list[0]).not.toHaveProperty('mayKeep');
  questions.answer(questions.list[0]!.id, ['hunter2'], true);
  expect(await answer).toEqual(['hunter2']);
  await settings.close();
  await expect(stat(file())).rejects.toThrow(/ENOENT/);
});
