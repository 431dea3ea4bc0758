// Repeatable chance: a failing test prints its seed, and `SEED=…` repeats it.

export const seed = Number(process.env['SEED'] ?? Date.now() % 1_000_000);

export type Random = () => number;

/** Numbers from 0 up to 1, the same for the same seed (mulberry32). */
export function random(from: number): Random {
  let state = from >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** The same bytes, cut in ways that a network may cut them: whole, byte by byte, and anywhere. */
export function* cuts(bytes: Buffer, chance: Random, times = 8): Generator<Buffer[]> {
  yield [bytes];
  yield Array.from(bytes, (_, at) => bytes.subarray(at, at + 1));
  for (let i = 0; i < times; i++) {
    const parts: Buffer[] = [];
    const longest = 1 + Math.floor(chance() * Math.min(bytes.length, 4_000));
    for (let at = 0; at < bytes.length;) {
      const next = at + 1 + Math.floor(chance() * longest);
      parts.push(bytes.subarray(at, next));
      at = next;
    }
    yield parts;
  }
}
