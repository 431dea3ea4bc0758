// What a port says first: is it SSH? Reads a little, whatever comes, and shows it safely.

/** Bytes read in all. RFC 4253 allows lines before the version; nobody sends more than a few. */
const MOST_BYTES = 8192;
/** RFC 4253: the version line, with its end. */
const MOST_LINE = 255;

export class BannerReader {
  #read: Buffer = Buffer.alloc(0);
  #ssh: string | null = null;

  /** @returns `more` while it may yet turn out to be SSH */
  take(chunk: Buffer): 'more' | 'ssh' | 'other' {
    this.#read = Buffer.concat([this.#read, chunk]);
    const text = this.#read.toString('latin1', 0, MOST_BYTES);
    const [, line] = /(?:^|\n)(SSH-[^\n]{0,251})(?:\n|[^\n]{251})/.exec(text) ?? [];
    if (line !== undefined) {
      this.#ssh = printable(line);
      return 'ssh';
    }
    return text.length < MOST_BYTES ? 'more' : 'other';
  }

  /** All bytes that came, for who takes the connection over. */
  get read(): Buffer {
    return this.#read;
  }

  /** The version line of SSH, else the first line that holds anything; null for nothing. */
  get line(): string | null {
    if (this.#ssh !== null) return this.#ssh;
    const start = this.#read.subarray(0, MOST_BYTES).toString('utf8');
    return (
      start
        .split('\n')
        .map(printable)
        .find((line) => line !== '') ?? null
    );
  }
}

/** One line without anything that could move a cursor or hide text. */
function printable(line: string): string {
  return line
    .slice(0, MOST_LINE)
    .replace(/[\s\p{C}\uFFFD]+/gu, ' ')
    .trim();
}
