// Inputs for a parser: samples of what is right, changed at random places.
import type { Random } from '../libvirt/random.ts';

/** Numbers that lie at the edges of what lengths and counts may be. */
const edges = [0, 1, 3, 4, 27, 28, 127, 128, 255, 256, 65_535, 65_536, 0x7fff_ffff, 0x8000_0000, 0xffff_ffff];
const signs = [
  '\0',
  '\n',
  '\r\n',
  '"',
  "'",
  '<',
  '>',
  '&',
  '%',
  '$',
  '{',
  '}',
  '[',
  ']',
  '*',
  '?',
  '!',
  '=',
  '\\',
  '\u202e',
  '\ufeff',
];

/** @param chance 0 to below `n`. */
const below = (chance: Random, n: number) => Math.floor(chance() * n);

export function mutate(samples: readonly Buffer[], chance: Random): Buffer {
  const pick = () => samples[below(chance, samples.length)] ?? Buffer.alloc(0);
  if (chance() < 0.05) return Buffer.from(Array.from({ length: below(chance, 200) }, () => below(chance, 256)));
  let bytes: Buffer = Buffer.from(pick());
  for (let times = 1 + below(chance, 4); times > 0; times -= 1) {
    const at = below(chance, bytes.length + 1);
    const length = below(chance, Math.min(64, bytes.length - at + 1));
    const head = bytes.subarray(0, at);
    const tail = bytes.subarray(at + length);
    switch (below(chance, 7)) {
      case 0:
        if (at < bytes.length) bytes.writeUInt8(below(chance, 256), at);
        break;
      case 1:
        if (at + 4 <= bytes.length) bytes.writeUInt32BE(edges[below(chance, edges.length)] ?? 0, at);
        break;
      case 2:
        bytes = Buffer.concat([head, tail]);
        break;
      case 3:
        bytes = Buffer.concat([head, bytes.subarray(at, at + length), bytes.subarray(at)]);
        break;
      case 4:
        bytes = Buffer.concat([head, Buffer.from(signs[below(chance, signs.length)] ?? ''), bytes.subarray(at)]);
        break;
      case 5: {
        const other = pick();
        const from = below(chance, other.length + 1);
        bytes = Buffer.concat([head, other.subarray(from, from + below(chance, 200)), tail]);
        break;
      }
      default:
        bytes = Buffer.concat([head, Buffer.alloc(below(chance, 300), bytes[at] ?? 65), bytes.subarray(at)]);
    }
  }
  return bytes.subarray(0, 1 << 16);
}
