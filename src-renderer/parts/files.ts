// Files that the admin chooses: a text saved once, and a log that is written as it comes.
import { logFile as words } from '../words/console.ts';
import { saveText } from './save-text.ts';

interface Handle {
  createWritable(options?: { keepExistingData?: boolean }): Promise<Writable>;
}
interface Writable {
  write(part: Uint8Array | { type: 'write'; position: number; data: Uint8Array }): Promise<void>;
  close(): Promise<void>;
}
type Picker = (options: { suggestedName: string }) => Promise<Handle>;

const picker = () => (window as { showSaveFilePicker?: Picker }).showSaveFilePicker;

/** Chromium's can, in the desktop app and in browsers made of it; others only save as a whole. */
export const canStream = () => picker() !== undefined;

/** Where to; null where the admin chose nothing. @throws where it may not be written */
async function choose(name: string): Promise<Handle | null> {
  try {
    return (await picker()?.({ suggestedName: name })) ?? null;
  } catch (error) {
    if (error instanceof DOMException && error.name === 'AbortError') return null;
    throw error;
  }
}

/** Saves a text: where the admin says, or where the browser puts what is downloaded. */
export async function saveOutput(name: string, text: string): Promise<void> {
  if (!canStream()) return saveText(name, text, 'text/plain');
  const writable = await (await choose(name))?.createWritable();
  await writable?.write(new TextEncoder().encode(text));
  await writable?.close();
}

/** How long what was written may wait until it stands in the file: browsers put it there only at a close. */
const settleMs = 10_000;
/** What may wait for a slow disk. */
const mostWaiting = 8 << 20;

/** A file that takes bytes as they come. */
export class LogFile {
  bytes = 0;
  /** Called once, when it cannot be written any more. */
  onfail: (why: string) => void = () => {};
  readonly #handle: Handle;
  #writable: Writable | null = null;
  #work: Promise<void> = Promise.resolve();
  #waiting = 0;
  #settle: ReturnType<typeof setTimeout> | undefined;
  #ending = false;
  /** Why it cannot be written any more; null while it can. */
  failure: string | null = null;

  /** Null where the admin chose no file. */
  static async choose(name: string): Promise<LogFile | null> {
    const handle = await choose(name);
    return handle && new LogFile(handle);
  }

  constructor(handle: Handle) {
    this.#handle = handle;
  }

  write(bytes: Uint8Array): void {
    if (this.#ending || this.failure !== null) return;
    if ((this.#waiting += bytes.length) > mostWaiting) return this.#fail(words.tooSlow);
    const data = bytes.slice();
    this.#then(async () => {
      this.#writable ??= await this.#handle.createWritable({ keepExistingData: this.bytes > 0 });
      await this.#writable.write({ type: 'write', position: this.bytes, data });
      this.bytes += data.length;
      this.#waiting -= data.length;
    });
    this.#settle ??= setTimeout(() => this.#then(() => this.#close()), settleMs);
  }

  /** Resolves when all of it stands in the file, or `failure` says why it does not. */
  async end(): Promise<void> {
    this.#ending = true;
    this.#then(() => this.#close());
    await this.#work;
  }

  async #close(): Promise<void> {
    clearTimeout(this.#settle);
    this.#settle = undefined;
    const writable = this.#writable;
    this.#writable = null;
    await writable?.close();
  }

  #then(work: () => Promise<void>): void {
    this.#work = this.#work.then(work).catch((error: unknown) => {
      this.#fail(error instanceof Error ? error.message : String(error));
    });
  }

  /** What was written until then is kept. */
  #fail(why: string): void {
    if (this.failure !== null) return;
    this.failure = why;
    this.#work = this.#work.then(() => this.#close()).catch(() => {});
    this.onfail(why);
  }
}
