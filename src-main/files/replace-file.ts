// Files that are replaced whole, and are whole on disk whatever happens: the one before, or the new one.
import { open } from 'node:fs/promises';
import { dirname } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import writeFileAtomic from 'write-file-atomic';

/** What Windows says while another program, e.g. one that looks for viruses, has the file open; it soon lets go. */
const held = new Set(['EPERM', 'EACCES', 'EBUSY']);

/** How long it is waited for, in milliseconds: 2.5 s in all. */
const pauses = [20, 50, 100, 200, 400, 700, 1_000];

/**
 * Only its owner may read it. Resolves when it is on disk.
 * @throws Error with a `code`, e.g. `EACCES`, `ENOSPC`; the file is then as it was
 */
export async function replaceFile(path: string, text: string): Promise<void> {
  await patiently(() => writeFileAtomic(path, text, { mode: 0o600 }));
  await syncFolder(dirname(path));
}

/** Takes a step that replaces a file; on Windows again, where the file was held. @throws as `step` does */
export async function patiently<T>(step: () => Promise<T>, platform = process.platform): Promise<T> {
  for (const pause of platform === 'win32' ? pauses : []) {
    try {
      return await step();
    } catch (error) {
      if (!held.has((error as NodeJS.ErrnoException).code ?? '')) throw error;
      await setTimeout(pause);
    }
  }
  return step();
}

/** So that the file's new name outlives a power cut; not every system can. */
async function syncFolder(path: string): Promise<void> {
  try {
    const folder = await open(path, 'r');
    await folder.sync().finally(() => folder.close());
  } catch {
    // Windows opens no folders.
  }
}
