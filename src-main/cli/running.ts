// Where the Drover that runs on a data folder can be reached: a file in that folder, for its owner's eyes only.
import { randomUUID } from 'node:crypto';
import { readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { z } from 'zod';
import { defaultDataDir } from '../settings/index.ts';

const check = z.object({ pid: z.number().int().positive(), url: z.url(), token: z.string().min(1) });
/** `url` ends with a slash. */
export type Running = z.infer<typeof check>;

const fileOf = (dataDir: string | null) => join(resolve(dataDir ?? defaultDataDir()), 'running.json');

/** @returns takes it away again, unless another Drover has put its own there */
export function announce(dataDir: string | null, url: string, token: string): () => void {
  const path = fileOf(dataDir);
  const mine: Running = { pid: process.pid, url, token };
  // Written aside and renamed: it is never there half, nor for a moment with other rights.
  const aside = `${path}.${randomUUID()}`;
  writeFileSync(aside, JSON.stringify(mine), { mode: 0o600, flag: 'wx' });
  renameSync(aside, path);
  const withdraw = () => {
    const there = announced(dataDir);
    if (there?.pid === mine.pid && there.url === url) rmSync(path, { force: true });
  };
  process.once('exit', withdraw);
  return () => {
    process.off('exit', withdraw);
    withdraw();
  };
}

/** What was announced by a process that still lives; null for nothing. */
export function announced(dataDir: string | null): Running | null {
  try {
    const { data } = check.safeParse(JSON.parse(readFileSync(fileOf(dataDir), 'utf8')));
    if (!data) return null;
    process.kill(data.pid, 0);
    return data;
  } catch (error) {
    // Another user's process cannot be asked, but lives.
    if ((error as NodeJS.ErrnoException).code !== 'EPERM') return null;
    return check.parse(JSON.parse(readFileSync(fileOf(dataDir), 'utf8')));
  }
}
