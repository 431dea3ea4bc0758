// Ports as people write them: `22`, `22, 2222`, `5900-5910`.

const EXAMPLES = 'Give for instance 22, or 22, 2222, or 5900-5910.';
/** So many are called at each address at most. */
export const MOST_PORTS = 64;

/** Each port once, or `problem`: a sentence that says what is wrong and what would be right. */
export function parsePorts(text: string): { ports: number[] } | { problem: string } {
  const ports = new Set<number>();
  for (const word of text
    .replace(/\s*-\s*/g, '-')
    .split(/[\s,]+/)
    .filter(Boolean)) {
    const [, first = '', last = first] = /^(\d{1,9})(?:-(\d{1,9}))?$/.exec(word) ?? [];
    const [from, to] = [Number(first), Number(last)];
    if (first === '') return { problem: `“${word}” is no port. ${EXAMPLES}` };
    if (from < 1 || to > 65_535 || to < 1 || from > 65_535) {
      return { problem: `“${word}”: ports are numbers from 1 to 65535.` };
    }
    if (from > to) {
      return { problem: `“${word}” is upside down: it ends before it begins. Did you mean ${to}-${from}?` };
    }
    if (to - from >= MOST_PORTS) return { problem: tooMany(word) };
    for (let port = from; port <= to; port += 1) ports.add(port);
    if (ports.size > MOST_PORTS) return { problem: tooMany(text.trim()) };
  }
  return ports.size === 0 ? { problem: `No port is named. ${EXAMPLES}` } : { ports: [...ports] };
}

const tooMany = (what: string) => `“${what}” is more than ${MOST_PORTS} ports, which is as many as one sweep calls.`;
