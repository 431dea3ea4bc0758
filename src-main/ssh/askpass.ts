// What the system's ssh asks: its SSH_ASKPASS is a script of ours, which hands the prompt to Drover and waits for
// the answer at a FIFO. Nothing of an answer is ever in a file, an argument or the environment.
import { constants } from 'node:fs';
import { open, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { watch, type FSWatcher } from 'node:fs';
import { join } from 'node:path';

/**
 * ssh runs it with the prompt as its argument. The FIFO is opened for both directions before the prompt is shown, so
 * that whoever answers finds a reader. An answer begins with a plus; anything else is a no.
 */
const script = `#!/bin/sh
umask 077
cd "$DROVER_ASK" || exit 1
mkfifo "$$.answer" || exit 1
exec 3<>"$$.answer"
printf '%s\\n%s' "$SSH_ASKPASS_PROMPT" "$1" >"$$.part" && mv "$$.part" "$$.asked" || exit 1
IFS= read -r answer <&3
rm -f "$$.answer" "$$.asked"
case $answer in
  +*) printf '%s\\n' "\${answer#+}" ;;
  *) exit 1 ;;
esac
`;

export interface Asked {
  /** `confirm`: yes or no; `none`: nothing, as when a security key is to be touched. */
  hint: string;
  prompt: string;
}

/** @returns Null: no. */
type Answer = (asked: Asked) => Promise<string | null>;

export class Askpass {
  readonly #folder: string;
  readonly #watcher: FSWatcher;
  readonly #answer: Answer;
  readonly #seen = new Set<string>();

  private constructor(folder: string, answer: Answer) {
    this.#folder = folder;
    this.#answer = answer;
    this.#watcher = watch(folder, () => void this.#look());
    this.#watcher.on('error', () => undefined);
  }

  /** @param folder A private one, of this connection alone. */
  static async open(folder: string, answer: Answer): Promise<Askpass> {
    await writeFile(join(folder, 'askpass'), script, { mode: 0o700 });
    return new Askpass(folder, answer);
  }

  /** What ssh has to find in its environment. */
  get environment(): Record<string, string> {
    return {
      DROVER_ASK: this.#folder,
      SSH_ASKPASS: join(this.#folder, 'askpass'),
      SSH_ASKPASS_REQUIRE: 'force',
      DISPLAY: process.env['DISPLAY'] || 'drover:0', // before 8.4 ssh only asks so where there is one
    };
  }

  close(): void {
    this.#watcher.close();
  }

  async #look(): Promise<void> {
    const names = await readdir(this.#folder).catch(() => []);
    for (const name of names) {
      const [, id] = /^(\d+)\.asked$/.exec(name) ?? [];
      if (id === undefined || this.#seen.has(id)) continue;
      this.#seen.add(id);
      void this.#one(id);
    }
  }

  async #one(id: string): Promise<void> {
    const asked = join(this.#folder, `${id}.asked`);
    const text = await readFile(asked, 'utf8').catch(() => null);
    if (text === null) return;
    const at = text.indexOf('\n');
    const answer = await this.#answer({ hint: text.slice(0, at), prompt: text.slice(at + 1) }).catch(() => null);
    await rm(asked, { force: true });
    const line = answer === null || /[\r\n]/.test(answer) ? '-\n' : `+${answer}\n`;
    // Without waiting for a reader: when ssh was called off meanwhile, there is none.
    const pipe = await open(join(this.#folder, `${id}.answer`), constants.O_WRONLY | constants.O_NONBLOCK).catch(
      () => null,
    );
    await pipe?.write(line).catch(() => undefined);
    await pipe?.close();
    this.#seen.delete(id);
  }
}
