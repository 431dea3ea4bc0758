// What looks like chance, and depends on nothing but the seed and the words: in whatever order it is asked.
import { createHash } from 'node:crypto';

export type Seed = string | number;

export const bytesOf = (...words: Seed[]): Buffer => createHash('sha256').update(words.join('\0')).digest();

/** From 0 up to, not including, 1. */
export const fractionOf = (...words: Seed[]): number => bytesOf(...words).readUInt32BE(0) / 2 ** 32;

/** A UUID of version 4. */
export function uuidOf(...words: Seed[]): string {
  const bytes = bytesOf(...words).subarray(0, 16);
  bytes[6] = ((bytes[6] ?? 0) & 0x0f) | 0x40;
  bytes[8] = ((bytes[8] ?? 0) & 0x3f) | 0x80;
  const hex = bytes.toString('hex');
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`;
}

/** A MAC of those that QEMU's guests have. */
export function macOf(...words: Seed[]): string {
  const [a = 0, b = 0, c = 0] = bytesOf(...words);
  return ['52', '54', '00', ...[a, b, c].map((byte) => byte.toString(16).padStart(2, '0'))].join(':');
}
