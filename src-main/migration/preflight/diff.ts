// What changes in a text, as a unified diff without its head: the lines between the first and the last that differ.
const context = 2;

export function diff(before: string, after: string): string {
  const [old, now] = [before.split('\n'), after.split('\n')];
  const least = Math.min(old.length, now.length);
  let head = 0;
  while (head < least && old[head] === now[head]) head += 1;
  let tail = 0;
  while (tail < least - head && old.at(-1 - tail) === now.at(-1 - tail)) tail += 1;
  const marked = (sign: string, lines: string[]) => lines.map((line) => `${sign}${line}`);
  const end = old.length - tail;
  return [
    ...marked(' ', old.slice(Math.max(0, head - context), head)),
    ...marked('-', old.slice(head, end)),
    ...marked('+', now.slice(head, now.length - tail)),
    ...marked(' ', old.slice(end, end + context)),
  ].join('\n');
}
