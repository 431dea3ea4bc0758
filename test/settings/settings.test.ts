import { mkdir, mkdtemp, readFile, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { Document, Settings, defaultDataDir } from '../../src-main/settings/index.ts';

let dir: string;
let warnings: string[];
const opened: Settings[] = [];

beforeEach(async () => {
  dir = join(await mkdtemp(join(tmpdir(), 'drover-settings-')), 'data');
  warnings = [];
});
afterEach(async () => {
  for (const settings of opened.splice(0)) await settings.close();
  await rm(join(dir, '..'), { recursive: true, force: true });
});

async function open(): Promise<Settings> {
  const settings = await Settings.open({ dataDir: dir, warn: (sentence) => warnings.push(sentence) });
  opened.push(settings);
  return settings;
}

/** Closes the one that is open, as at the end of a run. */
const close = () => opened.pop()!.close();
const host = { id: 'h1', uri: 'qemu+ssh://root@kvm1/system', label: 'kvm1' };
const modeOf = async (path: string) => (await stat(path)).mode & 0o777;

describe('the folder', () => {
  it.each([
    ['linux', { XDG_DATA_HOME: '/data' }, '/data/drover'],
    ['linux', { XDG_DATA_HOME: 'relative' }, '/home/ada/.local/share/drover'],
    ['linux', {}, '/home/ada/.local/share/drover'],
    ['darwin', {}, '/home/ada/Library/Application Support/Drover'],
    ['win32', { APPDATA: 'C:\\Users\\ada\\AppData\\Roaming' }, 'C:\\Users\\ada\\AppData\\Roaming\\Drover'],
  ] as const)('is where %s keeps such things', (platform, env, expected) => {
    expect(defaultDataDir(platform, env, '/home/ada')).toBe(expected);
  });

  it.skipIf(process.platform === 'win32')('and what is in it are for their owner alone', async () => {
    const settings = await open();
    settings.hosts.set([host]);
    await settings.flush();
    expect(await modeOf(dir)).toBe(0o700);
    expect(await modeOf(settings.path('hosts.json'))).toBe(0o600);
  });

  it('that cannot be made is refused with a sentence', async () => {
    await writeFile(dir, 'a file');
    await expect(open()).rejects.toThrow(/can keep no data in .*data: a file is in its place\. Give another folder/);
  });

  it('is not shared with another running Drover', async () => {
    await open();
    await expect(open()).rejects.toMatchObject({
      code: 'conflict',
      message: `Another Drover (process ${process.pid}) is using ${dir}. Close that one, or give this one a folder of its own with --data.`,
    });
    await close();
    // One that is a process of its own, and is killed: its lock is left behind.
    const other = spawn(process.execPath, ['--import', 'tsx', join(import.meta.dirname, 'hold-folder.ts'), dir]);
    try {
      await once(other.stdout, 'data');
      await expect(open()).rejects.toThrow(`process ${other.pid}`);
    } finally {
      other.kill('SIGKILL');
      await once(other, 'exit');
    }
    await open();
  });

  it.skipIf(process.platform !== 'linux')(
    'is taken over from a dead Drover whose number another process has',
    async () => {
      await mkdir(dir);
      await writeFile(join(dir, 'drover.lock'), JSON.stringify({ pid: process.ppid, started: '1' }));
      await open();
      expect(JSON.parse(await readFile(join(dir, 'drover.lock'), 'utf8'))).toMatchObject({ pid: process.pid });
    },
  );

  it.skipIf(process.platform === 'win32')('is taken over when its lock is empty or rubbish', async () => {
    await mkdir(dir);
    for (const text of ['', '{"pid":', '{"pid":"x"}']) {
      await writeFile(join(dir, 'drover.lock'), text);
      await open();
      await close();
    }
    expect(await readdir(dir)).not.toContain('drover.lock');
  });

  it('goes to one of several that want it at once', async () => {
    await mkdir(dir);
    await writeFile(join(dir, 'drover.lock'), JSON.stringify({ pid: 2 ** 22 + 1, started: null }));
    const tries = await Promise.allSettled([open(), open(), open()]);
    expect(tries.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected', 'rejected']);
  });
});

describe('what is kept', () => {
  it('is there in the next run', async () => {
    const settings = await open();
    expect([settings.hosts.value, settings.preferences.value]).toEqual([[], { theme: 'system', window: {} }]);
    settings.hosts.set([host]);
    settings.preferences.set({ theme: 'dark', window: { tree: 240 } });
    await settings.store('neighbours').save({ closed: ['10.0.0.1'] });
    await close();
    const again = await open();
    expect(again.hosts.value).toEqual([host]);
    expect(again.preferences.value).toEqual({ theme: 'dark', window: { tree: 240 } });
    expect(await again.store('neighbours').load()).toEqual({ closed: ['10.0.0.1'] });
    expect(warnings).toEqual([]);
  });

  it('is written together where many changes come at once, the last of them', async () => {
    const settings = await open();
    const path = settings.path('hosts.json');
    for (let n = 0; n < 100; n += 1) settings.hosts.set([{ ...host, label: `kvm${n}` }]);
    await expect.poll(() => readFile(path, 'utf8').catch(() => '')).toContain('kvm99');
    const leftovers = (await readdir(dir)).filter((name) => name.startsWith('hosts.json.'));
    expect(leftovers).toEqual([]);
  });

  it('is one document, whoever opens it first', async () => {
    const settings = await open();
    const [one, two] = await Promise.all([
      settings.document('journal', z.array(z.string()), []),
      settings.document('journal', z.array(z.string()), []),
    ]);
    expect(one).toBe(two);
  });

  it.each([
    ['rubbish', '{"version": 1, "data": [{"id"'],
    ['nothing', ''],
    ['another form', '{"version": 1, "data": [{"id": 7, "uri": "qemu:///system", "label": "x"}]}'],
    ['no version', '[]'],
  ])('and broken (%s) is set aside and told, never lost', async (_what, text) => {
    await mkdir(dir);
    await writeFile(join(dir, 'hosts.json'), text);
    const settings = await open();
    expect(settings.hosts.value).toEqual([]);
    const [aside] = (await readdir(dir)).filter((name) => name.startsWith('hosts.json.corrupt-'));
    expect(await readFile(join(dir, aside!), 'utf8')).toBe(text);
    expect(warnings).toHaveLength(1);
    expect(warnings[0]).toMatch(/^hosts\.json is not what Drover wrote .* it was kept as .*corrupt-.*begins anew\.$/);
    settings.hosts.set([host]);
    await settings.flush();
    expect(await readFile(join(dir, aside!), 'utf8')).toBe(text);
  });

  it('by a later Drover is refused and left alone', async () => {
    await mkdir(dir);
    const text = '{"version": 2, "data": {}}';
    await writeFile(join(dir, 'preferences.json'), text);
    await expect(open()).rejects.toMatchObject({
      code: 'unsupported',
      message: expect.stringContaining('was written by a later Drover (form 2, this one knows 1)') as string,
    });
    expect(await readFile(join(dir, 'preferences.json'), 'utf8')).toBe(text);
    expect(await readdir(dir)).not.toContain('drover.lock');
  });

  it('in a place that cannot be read is refused with a sentence', async () => {
    await mkdir(join(dir, 'hosts.json'), { recursive: true });
    await expect(open()).rejects.toThrow(/cannot read .*hosts\.json: a folder is in its place/);
  });

  it('is warned of where it cannot be written, and written by the next try that can', async () => {
    const path = join(dir, 'gone', 'x.json');
    const document = await Document.open({
      path,
      version: 1,
      schema: z.number(),
      fallback: 0,
      warn: (sentence) => warnings.push(sentence),
    });
    document.set(1);
    await document.flush();
    expect(document.value).toBe(1);
    expect(warnings).toEqual([
      `x.json could not be written in ${join(dir, 'gone')}: ENOENT. Changes are kept in memory only.`,
    ]);
    await mkdir(join(dir, 'gone'), { recursive: true });
    await document.flush();
    expect(JSON.parse(await readFile(path, 'utf8'))).toEqual({ version: 1, data: 1 });
  });

  it('keeps what was set while it was being written', async () => {
    await mkdir(dir);
    const path = join(dir, 'x.json');
    const document = await Document.open({ path, version: 1, schema: z.number(), fallback: 0, warn: () => {} });
    document.set(1);
    const first = document.flush();
    document.set(2);
    await Promise.all([first, document.flush()]);
    expect(JSON.parse(await readFile(path, 'utf8'))).toEqual({ version: 1, data: 2 });
  });
});
