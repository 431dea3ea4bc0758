// What an edit changes, line by line: the least lines taken out and put in, each with where it stands.

export interface DiffLine {
  kind: 'same' | 'out' | 'in';
  text: string;
  /** Its number in the text before; null of what is put in. */
  before: number | null;
  /** Its number in the text after; null of what is taken out. */
  after: number | null;
}

/** Lines that stand together; what lies between two hunks is the same. */
export type Hunk = readonly DiffLine[];

/** How many lines are shown around a change. */
const context = 3;
/** Beyond this many pairs of lines the middle is told as one change: exact, but not the least. */
const mostPairs = 4_000_000;

export function diffLines(before: string, after: string): Hunk[] {
  const old = before.split('\n');
  const now = after.split('\n');
  const least = Math.min(old.length, now.length);
  let head = 0;
  while (head < least && old[head] === now[head]) head += 1;
  let tail = 0;
  while (tail < least - head && old.at(-1 - tail) === now.at(-1 - tail)) tail += 1;

  const lines: DiffLine[] = [];
  const same = (at: number, to: number) =>
    lines.push({ kind: 'same', text: old[at] ?? '', before: at + 1, after: to + 1 });
  const out = (at: number) => lines.push({ kind: 'out', text: old[at] ?? '', before: at + 1, after: null });
  const put = (to: number) => lines.push({ kind: 'in', text: now[to] ?? '', before: null, after: to + 1 });

  for (let at = 0; at < head; at += 1) same(at, at);
  const kept = longest(old.slice(head, old.length - tail), now.slice(head, now.length - tail));
  let [at, to] = [head, head];
  for (const [x, y] of [...kept, [old.length - tail - head, now.length - tail - head] as const]) {
    while (at < head + x) out(at++);
    while (to < head + y) put(to++);
    if (at < old.length - tail && to < now.length - tail) same(at++, to++);
  }
  while (at < old.length) same(at++, to++);
  return hunksOf(lines);
}

/** The pairs of places that a longest common subsequence keeps, in order. */
function longest(old: readonly string[], now: readonly string[]): (readonly [number, number])[] {
  const [rows, columns] = [old.length, now.length];
  if (rows * columns > mostPairs) return [];
  const width = columns + 1;
  // From each pair of places on: how many lines can be kept.
  const best = new Uint16Array((rows + 1) * width);
  const of = (x: number, y: number) => best[x * width + y] ?? 0;
  for (let x = rows - 1; x >= 0; x -= 1) {
    for (let y = columns - 1; y >= 0; y -= 1) {
      best[x * width + y] = old[x] === now[y] ? of(x + 1, y + 1) + 1 : Math.max(of(x + 1, y), of(x, y + 1));
    }
  }
  const kept: (readonly [number, number])[] = [];
  for (let [x, y] = [0, 0]; x < rows && y < columns;) {
    if (old[x] === now[y]) kept.push([x++, y++]);
    else if (of(x + 1, y) >= of(x, y + 1)) x += 1;
    else y += 1;
  }
  return kept;
}

function hunksOf(lines: readonly DiffLine[]): Hunk[] {
  const hunks: Hunk[] = [];
  const changes = lines.flatMap(({ kind }, at) => (kind === 'same' ? [] : [at]));
  for (let i = 0; i < changes.length;) {
    const first = changes[i] ?? 0;
    let last = first;
    while (i < changes.length && (changes[i] ?? 0) <= last + 2 * context + 1) last = changes[i++] ?? last;
    hunks.push(lines.slice(Math.max(0, first - context), last + context + 1));
  }
  return hunks;
}
