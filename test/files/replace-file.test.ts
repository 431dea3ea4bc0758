// Replacing a file whole: what is there before and after, and a file that another program holds on Windows.
import { mkdtemp, open, readFile, readdir, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { patiently, replaceFile } from '../../src-main/files/replace-file.ts';

let folder: string;
beforeEach(async () => (folder = await mkdtemp(join(tmpdir(), 'drover-files-'))));
afterEach(() => rm(folder, { recursive: true }));

const failing = (code: string, times: number) => {
  let tries = 0;
  const step = async () => {
    tries += 1;
    if (tries <= times) throw Object.assign(new Error(code), { code });
    return tries;
  };
  return { step, tries: () => tries };
};

describe('a file', () => {
  it('is replaced whole, and nothing is left beside it', async () => {
    const path = join(folder, 'a.json');
    await writeFile(path, 'what was there before, and longer');
    await replaceFile(path, 'new');
    expect(await readFile(path, 'utf8')).toBe('new');
    expect(await readdir(folder)).toEqual(['a.json']);
  });

  it('is as it was where it cannot be replaced', async () => {
    const path = join(folder, 'away', 'a.json');
    await expect(replaceFile(path, 'new')).rejects.toMatchObject({ code: 'ENOENT' });
  });

  it('is replaced when whoever had it open lets go', async () => {
    const path = join(folder, 'a.json');
    await writeFile(path, 'old');
    await writeFile(join(folder, 'new'), 'new');
    const reader = await open(path, 'r');
    let tries = 0;
    await patiently(async () => {
      if ((tries += 1) > 1) await reader.close();
      await rename(join(folder, 'new'), path);
    });
    if (tries === 1) await reader.close(); // only Windows minds
    expect(await readFile(path, 'utf8')).toBe('new');
  });
});

describe('on Windows, a step', () => {
  it('is taken again where the file was held for a moment', async () => {
    for (const code of ['EPERM', 'EACCES', 'EBUSY']) {
      expect(await patiently(failing(code, 2).step, 'win32')).toBe(3);
    }
  });

  it('is taken once where it went wrong otherwise, and on other systems', async () => {
    const full = failing('ENOSPC', 1);
    await expect(patiently(full.step, 'win32')).rejects.toMatchObject({ code: 'ENOSPC' });
    const refused = failing('EACCES', 1);
    await expect(patiently(refused.step, 'linux')).rejects.toMatchObject({ code: 'EACCES' });
    expect([full.tries(), refused.tries()]).toEqual([1, 1]);
  });
});
