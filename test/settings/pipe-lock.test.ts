// What holds the data folder on Windows, where the one that has it does not answer.
import { mkdtemp, rm } from 'node:fs/promises';
import { Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it, onTestFinished, vi } from 'vitest';
import { holdByPipe, Taken } from '../../src-main/settings/pipe-lock.ts';

// One that nobody lets in, and nobody turns away.
vi.mock('node:net', async (original) => ({ ...(await original<object>()), connect: () => new Socket() }));

it('a folder whose holder lets nobody in any more is taken', async () => {
  const dir = await mkdtemp(join(tmpdir(), 'drover-pipe-'));
  onTestFinished(() => rm(dir, { recursive: true }));
  await expect(holdByPipe(dir)).rejects.toBeInstanceOf(Taken);
});
