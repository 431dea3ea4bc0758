// What Drover is about to do to a migration, on disk before it does it: so that whoever comes after a crash knows
// which VM to ask the hosts about. Ended migrations leave their receipt here.
import { type FileHandle, open, readFile, rename } from 'node:fs/promises';
import { z } from 'zod';
import type { MigrationOptions, MigrationPhase, MigrationView } from '../../../contract/model.ts';
import { replaceFile } from '../../files/replace-file.ts';

const hostRecord = z.object({ id: z.string(), uri: z.string(), label: z.string() });

/** All that is needed to take a migration up again. */
const recordSchema = z.object({
  id: z.string().min(1),
  /** Who is logged in to the machine that Drover runs on. */
  by: z.string(),
  startedAt: z.string(),
  domain: z.object({ uuid: z.string(), name: z.string() }),
  from: hostRecord,
  to: hostRecord,
  options: z.custom<MigrationOptions>((value) => typeof value === 'object' && value !== null),
  migrateUri: z.string().nullable(),
  /** The target's libvirt as the source's root reaches it; where the daemons do it between themselves. */
  peerUri: z.string().nullable(),
  /** With TLS: the name that the target's certificate is for, where that is not the address. */
  tlsDestination: z.string().nullish(),
  /** Disks that go along. */
  copied: z.array(z.object({ target: z.string(), path: z.string(), format: z.string(), to: z.string().optional() })),
  /** The target held a definition of the same VM before. */
  twin: z.boolean(),
  /** Why its options became what they are. */
  notices: z.array(z.string()),
  /** Those that were asked for together. */
  batch: z.object({ id: z.string(), title: z.string(), size: z.number() }).optional(),
});
export type MigrationRecord = z.infer<typeof recordSchema>;

/** What was made on a host for this migration, and has to go again where it fails. */
const madeSchema = z.object({
  hostId: z.string(),
  pool: z.string(),
  volume: z.string(),
  /** The host answered that it made it. Else it was only about to: what is there by that name may be another's. */
  created: z.boolean().optional(),
});
export type Made = z.infer<typeof madeSchema>;

const lineSchema = z.union([
  z.object({ begun: recordSchema }),
  z.object({ id: z.string(), step: z.string() }),
  z.object({ id: z.string(), made: madeSchema }),
  z.object({ id: z.string(), postCopied: z.literal(true) }),
  z.object({ ended: z.custom<MigrationView>((value) => typeof (value as MigrationView | null)?.id === 'string') }),
]);
type Line = z.infer<typeof lineSchema>;

/** A migration that was begun and never ended. */
export interface Unfinished {
  record: MigrationRecord;
  /** The step that was begun last, carried out or not. */
  phase: MigrationPhase;
  made: Made[];
  /** It was to be switched to post-copy, so it may run on the target with part of its memory on the source. */
  postCopied?: true;
}

/** Receipts that are kept; the oldest go first. */
const kept = 1_000;

export class Journal {
  /** Of the run before this one, oldest first. */
  readonly unfinished: readonly Unfinished[];
  readonly receipts: readonly MigrationView[];
  readonly #file: FileHandle | null;
  #writing: Promise<void> = Promise.resolve();

  private constructor(file: FileHandle | null, unfinished: Unfinished[], receipts: MigrationView[]) {
    this.#file = file;
    this.unfinished = unfinished;
    this.receipts = receipts;
  }

  /** Keeps nothing: for where no crash is to be outlived. */
  static forgetful(): Journal {
    return new Journal(null, [], []);
  }

  /**
   * Reads what an earlier run left, and writes it anew without what is no longer needed.
   * @param warn Told, in a sentence, of lines that could not be read.
   * @throws Error where the file may not be read or written: then no migration would be safe
   */
  static async open(path: string, warn: (sentence: string) => void): Promise<Journal> {
    const text = await readFile(path, 'utf8').catch((error: unknown) => {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return '';
      throw error;
    });
    const { unfinished, receipts, broken } = fold(text);
    if (broken > 0) {
      const aside = `${path}.corrupt-${new Date().toISOString().replaceAll(':', '')}`;
      await rename(path, aside);
      warn(`${broken} lines of the migrations’ journal could not be read; it was kept as ${aside}.`);
    }
    const lines: Line[] = [
      ...receipts.map((ended) => ({ ended })),
      ...unfinished.flatMap(({ record, phase, made, postCopied }) => [
        { begun: record },
        { id: record.id, step: phase },
        ...made.map((each) => ({ id: record.id, made: each })),
        ...(postCopied ? [{ id: record.id, postCopied }] : []),
      ]),
    ];
    await replaceFile(path, lines.map(lineOf).join(''));
    return new Journal(await open(path, 'a', 0o600), unfinished, receipts);
  }

  /** Resolves when it is on disk. @throws Error where it cannot be: then the migration must not begin */
  begin(record: MigrationRecord): Promise<void> {
    return this.#append({ begun: record });
  }

  /** Before the step is taken. @throws Error */
  step(id: string, step: MigrationPhase): Promise<void> {
    return this.#append({ id, step });
  }

  /** Before it is made, and again once the host has answered that it was. @throws Error */
  made(id: string, made: Made): Promise<void> {
    return this.#append({ id, made });
  }

  /** Before the switch to post-copy: there is no way back from it. @throws Error */
  switched(id: string): Promise<void> {
    return this.#append({ id, postCopied: true });
  }

  /** @throws Error */
  end(receipt: MigrationView): Promise<void> {
    return this.#append({ ended: receipt });
  }

  async close(): Promise<void> {
    await this.#writing.catch(() => {});
    await this.#file?.close();
  }

  #append(line: Line): Promise<void> {
    const file = this.#file;
    if (!file) return Promise.resolve();
    const written = this.#writing
      .catch(() => {})
      .then(async () => {
        await file.appendFile(lineOf(line));
        await file.datasync();
      });
    this.#writing = written;
    written.catch(() => {});
    return written;
  }
}

const lineOf = (line: Line) => `${JSON.stringify(line)}\n`;

function fold(text: string): { unfinished: Unfinished[]; receipts: MigrationView[]; broken: number } {
  const open = new Map<string, Unfinished>();
  const ended = new Map<string, MigrationView>();
  let broken = 0;
  const rows = text.split('\n');
  // What follows the last line break was cut short by a crash: that step was never taken.
  rows.pop();
  for (const row of rows) {
    const line = lineSchema.safeParse(parsed(row)).data;
    if (!line) broken += 1;
    else if ('begun' in line) open.set(line.begun.id, { record: line.begun, phase: 'preflight', made: [] });
    else if ('ended' in line) {
      open.delete(line.ended.id);
      ended.set(line.ended.id, line.ended);
    } else if ('postCopied' in line) {
      const entry = open.get(line.id);
      if (entry) entry.postCopied = true;
    } else if ('made' in line) {
      const entry = open.get(line.id);
      if (entry) entry.made = withMade(entry.made, line.made);
    } else {
      const entry = open.get(line.id);
      if (entry) entry.phase = line.step as MigrationPhase;
    }
  }
  return { unfinished: [...open.values()], receipts: [...ended.values()].slice(-kept), broken };
}

/** What is known of a volume last is what counts. */
export function withMade(all: readonly Made[], made: Made): Made[] {
  const same = (one: Made) => one.hostId === made.hostId && one.pool === made.pool && one.volume === made.volume;
  return [...all.filter((one) => !same(one)), made];
}

function parsed(row: string): unknown {
  try {
    return JSON.parse(row);
  } catch {
    return undefined;
  }
}
