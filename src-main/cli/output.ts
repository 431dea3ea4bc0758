// What a command says: data to stdout, everything else to stderr; JSON for programs, words for people.
import type { Err } from '../../contract/failure.ts';

/** Names come from hosts: nothing in them may move the cursor or turn the text around. */
export const printable = (text: string): string => text.replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, '');

type Stream = Pick<NodeJS.WriteStream, 'write'> & { isTTY?: boolean; columns?: number };

export interface OutputOptions {
  json: boolean;
  stdout?: Stream;
  stderr?: Stream;
}

export class Output {
  readonly json: boolean;
  readonly #stdout: Stream;
  readonly #stderr: Stream;
  /** A line that the next one replaces stands on the terminal. */
  #live = false;

  constructor({ json, stdout = process.stdout, stderr = process.stderr }: OutputOptions) {
    this.json = json;
    this.#stdout = stdout;
    this.#stderr = stderr;
  }

  /** A person watches: lines may be drawn anew. */
  get watched(): boolean {
    return this.#stderr.isTTY === true && !this.json;
  }

  /** A result: as JSON, or as the lines that `words` gives. */
  result(data: unknown, words: () => string | readonly string[]): void {
    this.#endLive();
    if (this.json) return this.#write(JSON.stringify(data, null, 2));
    const lines = words();
    for (const line of typeof lines === 'string' ? [lines] : lines) this.#write(line);
  }

  /** One of many results that come over time: a line of JSON, or of words; null for nothing. */
  step(data: unknown, words: string | null): void {
    if (this.json) return this.#write(JSON.stringify(data));
    if (words === null) return;
    this.#endLive();
    this.#write(words);
  }

  /** Aside: to people only. */
  note(words: string): void {
    this.#endLive();
    this.#stderr.write(`${printable(words)}\n`);
  }

  /** What stands until the next line, where a person watches. */
  live(words: string): void {
    if (!this.watched) return;
    const columns = this.#stderr.columns ?? 80;
    this.#stderr.write(`\r\x1b[K${printable(words).slice(0, columns - 1)}`);
    this.#live = true;
  }

  failure({ code, message, detail }: Err): void {
    this.#endLive();
    const said = this.json
      ? JSON.stringify(detail === undefined ? { code, message } : { code, message, detail })
      : `drover: ${printable(message)}`;
    this.#stderr.write(`${said}\n`);
  }

  /** Bytes as they are, e.g. of a console. Resolves when they were taken. */
  raw(bytes: Uint8Array): Promise<void> {
    return new Promise((resolve) => this.#stdout.write(bytes, () => resolve()));
  }

  /** Resolves when all was written, also into a pipe. */
  async flush(): Promise<void> {
    this.#endLive();
    await Promise.all(
      [this.#stdout, this.#stderr].map((stream) => new Promise<void>((resolve) => stream.write('', () => resolve()))),
    );
  }

  #write(line: string): void {
    this.#stdout.write(`${line}\n`);
  }

  #endLive(): void {
    if (this.#live) this.#stderr.write('\r\x1b[K');
    this.#live = false;
  }
}

/** Columns as wide as they need to be, two spaces between. */
export function table(head: readonly string[], rows: readonly (readonly string[])[]): string[] {
  const all = [head, ...rows.map((row) => row.map(printable))];
  const widths = head.map((_, at) => Math.max(...all.map((row) => (row[at] ?? '').length)));
  return all.map((row) =>
    row
      .map((cell, at) => cell.padEnd(widths[at] ?? 0))
      .join('  ')
      .trimEnd(),
  );
}
