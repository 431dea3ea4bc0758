// One JSON document on disk: checked when read, replaced whole when written, never lost when broken.
import { readFile, rename } from 'node:fs/promises';
import { basename, dirname } from 'node:path';
import { z } from 'zod';
import { Failure } from '../../contract/failure.ts';
import { replaceFile } from '../files/replace-file.ts';
import { reason } from './data-dir.ts';

export interface DocumentOptions<T> {
  path: string;
  /** Of the data's form. A file of a later version belongs to a later Drover, and is left alone. */
  version: number;
  schema: z.ZodType<T>;
  fallback: T;
  /** Told what could not be read or written, in a sentence. */
  warn: (sentence: string) => void;
  /** How long changes gather before they are written, in milliseconds. */
  gatherMs?: number;
  now?: () => Date;
}

const envelope = z.object({ version: z.number().int().positive(), data: z.unknown() });

export class Document<T> {
  readonly #options: DocumentOptions<T>;
  #value: T;
  #changed = false;
  #timer: NodeJS.Timeout | undefined;
  #writing: Promise<void> | null = null;

  private constructor(options: DocumentOptions<T>, value: T) {
    this.#options = options;
    this.#value = value;
  }

  /** @throws Failure where the file is there but may not be read, or is of a later version */
  static async open<T>(options: DocumentOptions<T>): Promise<Document<T>> {
    const { path, version, schema, fallback } = options;
    let text: string;
    try {
      text = await readFile(path, 'utf8');
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return new Document(options, fallback);
      throw new Failure('forbidden', `Drover cannot read ${path}: ${reason(error)}. Make it readable and start again.`);
    }
    const outer = envelope.safeParse(json(text));
    if (outer.success && outer.data.version > version) {
      throw new Failure(
        'unsupported',
        `${path} was written by a later Drover (form ${outer.data.version}, this one knows ${version}). ` +
          'Start the later one, or give this one a folder of its own with --data.',
      );
    }
    const inner = outer.success ? schema.safeParse(outer.data.data) : outer;
    if (inner.success) return new Document(options, inner.data);
    await setAside(options, inner.error);
    return new Document(options, fallback);
  }

  get value(): T {
    return this.#value;
  }

  /** Takes effect at once; reaches the disk a little later, or by `flush`. */
  set(value: T): void {
    this.#value = value;
    this.#changed = true;
    this.#timer ??= setTimeout(() => void this.flush(), this.#options.gatherMs ?? 100);
  }

  /** Resolves when all that was set is on disk, or could not be written and was warned of. */
  async flush(): Promise<void> {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    while (this.#changed || this.#writing) {
      this.#writing ??= this.#write().finally(() => (this.#writing = null));
      if (
        !(await this.#writing.then(
          () => true,
          () => false,
        ))
      )
        return;
    }
  }

  async #write(): Promise<void> {
    const { path, version, warn } = this.#options;
    this.#changed = false;
    try {
      await replaceFile(path, `${JSON.stringify({ version, data: this.#value }, null, 1)}\n`);
    } catch (error) {
      this.#changed = true; // the next change, or the end, tries again
      warn(
        `${basename(path)} could not be written in ${dirname(path)}: ${reason(error)}. Changes are kept in memory only.`,
      );
      throw error;
    }
  }
}

function json(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

async function setAside<T>({ path, warn, now = () => new Date() }: DocumentOptions<T>, error: z.ZodError) {
  const aside = `${path}.corrupt-${now().toISOString().replaceAll(':', '')}`;
  try {
    await rename(path, aside);
  } catch (failed) {
    // Going on would overwrite it.
    throw new Failure(
      'forbidden',
      `${path} is broken and cannot be set aside: ${reason(failed)}. Move it away yourself.`,
    );
  }
  const { path: at = [], message = '' } = error.issues[0] ?? {};
  const where = at.length > 0 ? ` at ${at.join('.')}` : '';
  warn(
    `${basename(path)} is not what Drover wrote (${message}${where}); it was kept as ${aside}, and Drover begins anew.`,
  );
}
