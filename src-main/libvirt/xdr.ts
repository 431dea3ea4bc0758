// XDR (RFC 4506) as composable values: each codec writes a value and reads it back, and carries its types.

/** A value that does not fit its layout, ours or the peer's; the message names the field. */
export class XdrError extends Error {
  override readonly name = 'XdrError';
}

/** `In` is what may be written, `Out` what is read: `flags` may be left out, but is always there when read. */
export interface Codec<In, Out = In> {
  write(to: Writer, value: In): void;
  /** @throws XdrError when the bytes do not hold such a value. */
  read(from: Reader): Out;
}

/* eslint-disable @typescript-eslint/no-explicit-any -- any codec at all, only to infer from */
export type AnyCodec = Codec<any, any>;
export type Written<C extends AnyCodec> = C extends Codec<infer In, any> ? In : never;
export type Read<C extends AnyCodec> = C extends Codec<any, infer Out> ? Out : never;
/* eslint-enable @typescript-eslint/no-explicit-any */

/** Longest string libvirt takes, in bytes; one more ends in an error of the daemon's. */
export const STRING_MAX = 4_194_304;

const padding = (length: number) => -length & 3;

/** Node writes a zero for what is no number, and cuts off fractions: a missing argument would pass for 0. */
function whole(value: number): void {
  if (!Number.isInteger(value)) throw new XdrError(`${String(value)} is no whole number`);
}

/** A buffer that grows as it is written. */
export class Writer {
  #bytes: Buffer;
  #at = 0;

  constructor(capacity = 256) {
    this.#bytes = Buffer.allocUnsafe(capacity);
  }

  /** Bytes written so far. */
  get length(): number {
    return this.#at;
  }

  /** All that was written; the same memory, so take it and write no more. */
  bytes(): Buffer {
    return this.#bytes.subarray(0, this.#at);
  }

  /** Forgets what was written after the first `length` bytes. */
  truncate(length: number): void {
    this.#at = length;
  }

  i32(value: number): void {
    whole(value);
    const at = this.#advance(4);
    this.#bytes.writeInt32BE(value, at);
  }

  u32(value: number): void {
    whole(value);
    const at = this.#advance(4);
    this.#bytes.writeUInt32BE(value, at);
  }

  i64(value: bigint): void {
    const at = this.#advance(8);
    this.#bytes.writeBigInt64BE(value, at);
  }

  u64(value: bigint): void {
    const at = this.#advance(8);
    this.#bytes.writeBigUInt64BE(value, at);
  }

  f64(value: number): void {
    const at = this.#advance(8);
    this.#bytes.writeDoubleBE(value, at);
  }

  text(value: string, length: number): void {
    const at = this.#advance(length + padding(length));
    this.#bytes.write(value, at, length, 'utf8');
    this.#bytes.fill(0, at + length, this.#at);
  }

  raw(value: Uint8Array): void {
    const at = this.#advance(value.length + padding(value.length));
    this.#bytes.set(value, at);
    this.#bytes.fill(0, at + value.length, this.#at);
  }

  /** As it is, without padding. */
  append(value: Uint8Array): void {
    const at = this.#advance(value.length);
    this.#bytes.set(value, at);
  }

  /** Overwrites four bytes written before, such as a length that is known only at the end. */
  patchU32(at: number, value: number): void {
    this.#bytes.writeUInt32BE(value, at);
  }

  #advance(count: number): number {
    const at = this.#at;
    if (at + count > this.#bytes.length) {
      const larger = Buffer.allocUnsafe(Math.max(this.#bytes.length * 2, at + count));
      this.#bytes.copy(larger, 0, 0, at);
      this.#bytes = larger;
    }
    this.#at = at + count;
    return at;
  }
}

/** Walks through bytes that someone else wrote: every step is checked against what is left. */
export class Reader {
  readonly #bytes: Buffer;
  #at = 0;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  get left(): number {
    return this.#bytes.length - this.#at;
  }

  /** @throws XdrError when bytes are left over: then the layout is not the peer's. */
  end(): void {
    if (this.left > 0) throw new XdrError(`${this.left} bytes too many`);
  }

  i32(): number {
    return this.#bytes.readInt32BE(this.#take(4));
  }

  u32(): number {
    return this.#bytes.readUInt32BE(this.#take(4));
  }

  i64(): bigint {
    return this.#bytes.readBigInt64BE(this.#take(8));
  }

  u64(): bigint {
    return this.#bytes.readBigUInt64BE(this.#take(8));
  }

  f64(): number {
    return this.#bytes.readDoubleBE(this.#take(8));
  }

  text(length: number): string {
    const at = this.#take(length + padding(length));
    return this.#bytes.toString('utf8', at, at + length);
  }

  /** The same memory, not a copy. */
  raw(length: number): Buffer {
    const at = this.#take(length + padding(length));
    return this.#bytes.subarray(at, at + length);
  }

  #take(count: number): number {
    if (count > this.left) throw new XdrError(`it ends ${count - this.left} bytes too early`);
    const at = this.#at;
    this.#at = at + count;
    return at;
  }
}

// --- Numbers -------------------------------------------------------------------------------------

export const i32: Codec<number> = { write: (to, value) => to.i32(value), read: (from) => from.i32() };
export const u32: Codec<number> = { write: (to, value) => to.u32(value), read: (from) => from.u32() };
export const i64: Codec<bigint | number, bigint> = {
  write: (to, value) => to.i64(BigInt(value)),
  read: (from) => from.i64(),
};
export const u64: Codec<bigint | number, bigint> = {
  write: (to, value) => to.u64(BigInt(value)),
  read: (from) => from.u64(),
};
export const f64: Codec<number> = {
  write(to, value) {
    if (typeof value !== 'number') throw new XdrError(`${String(value)} is no number`);
    to.f64(value);
  },
  read: (from) => from.f64(),
};

/** A u64 that is known to stay below 2^53, such as memory or the bytes of a disk: a plain number. */
export const size: Codec<bigint | number, number> = {
  write: (to, value) => to.u64(BigInt(value)),
  read: (from) => plain(from.u64()),
};

/** Likewise an i64. */
export const count: Codec<bigint | number, number> = {
  write: (to, value) => to.i64(BigInt(value)),
  read: (from) => plain(from.i64()),
};

function plain(value: bigint): number {
  const number = Number(value);
  if (!Number.isSafeInteger(number)) throw new XdrError(`${value} is too large a number`);
  return number;
}

export const bool: Codec<boolean> = {
  write: (to, value) => to.u32(value ? 1 : 0),
  read: (from) => from.u32() !== 0,
};

/** Zero when left out. */
export const flags: Codec<number | undefined, number> = {
  write: (to, value = 0) => to.u32(value),
  read: (from) => from.u32(),
};

// --- Text and bytes ------------------------------------------------------------------------------

/** A string of at most `max` bytes of UTF-8. */
export const text = (max: number): Codec<string> => ({
  write(to, value) {
    const length = Buffer.byteLength(value);
    if (length > max) throw new XdrError(`${length} bytes of text are more than the ${max} that libvirt takes`);
    if (value.includes('\0')) throw new XdrError('a zero byte would cut the text short');
    to.u32(length);
    to.text(value, length);
  },
  read(from) {
    const length = from.u32();
    if (length > max) throw new XdrError(`${length} bytes of text, where ${max} are allowed`);
    return from.text(length);
  },
});

export const str = text(STRING_MAX);

/** Opaque bytes. Read as a copy, so that a small cookie does not keep a large packet in memory. */
export const bytes: Codec<Uint8Array, Buffer> = {
  write(to, value) {
    if (value.length > STRING_MAX) throw new XdrError(`${value.length} bytes, where ${STRING_MAX} are allowed`);
    to.u32(value.length);
    to.raw(value);
  },
  read(from) {
    const length = from.u32();
    if (length > STRING_MAX) throw new XdrError(`${length} bytes, where ${STRING_MAX} are allowed`);
    return Buffer.from(from.raw(length));
  },
};

/** Sixteen bytes without a length, as text: `xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx`. */
export const uuid: Codec<string> = {
  write(to, value) {
    const hex = value.replaceAll('-', '');
    if (!/^[0-9a-f]{32}$/i.test(hex)) throw new XdrError(`“${value}” is no UUID`);
    to.raw(Buffer.from(hex, 'hex'));
  },
  read(from) {
    const hex = from.raw(16).toString('hex');
    return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`;
  },
};

/** A C `char[n]`: every character takes a whole word on the wire. Text up to the first zero. */
export const words = (n: number): Codec<string> => ({
  write(to, value) {
    const raw = Buffer.from(value);
    if (raw.length >= n) throw new XdrError(`${raw.length} bytes, where ${n - 1} are allowed`);
    for (let i = 0; i < n; i++) to.i32(raw[i] ?? 0);
  },
  read(from) {
    const raw = Buffer.alloc(n);
    for (let i = 0; i < n; i++) raw[i] = from.i32() & 0xff;
    const end = raw.indexOf(0);
    return raw.toString('utf8', 0, end < 0 ? n : end);
  },
});

// --- Composed ------------------------------------------------------------------------------------

/** Null when absent; may be left out of a struct that is written. */
export const opt = <In, Out>(inner: Codec<In, Out>): Codec<In | null | undefined, Out | null> => ({
  write(to, value) {
    if (value === null || value === undefined) return to.u32(0);
    to.u32(1);
    inner.write(to, value);
  },
  read(from) {
    const there = from.u32();
    if (there > 1) throw new XdrError(`${there} where only 0 or 1 can stand`);
    return there ? inner.read(from) : null;
  },
});

/** Something that stands for `value` when it is left out. */
export const orElse = <In, Out>(inner: Codec<In, Out>, value: In): Codec<In | undefined, Out> => ({
  write: (to, given = value) => inner.write(to, given),
  read: (from) => inner.read(from),
});

/** At most `max` elements. The count is checked against the bytes that are there before anything is made of it. */
export const list = <In, Out>(element: Codec<In, Out>, max: number): Codec<readonly In[], Out[]> => ({
  write(to, values) {
    if (values.length > max) throw new XdrError(`${values.length} elements, where ${max} are allowed`);
    to.u32(values.length);
    for (const value of values) element.write(to, value);
  },
  read(from) {
    const n = from.u32();
    if (n > max) throw new XdrError(`${n} elements, where ${max} are allowed`);
    if (n * 4 > from.left) throw new XdrError(`${n} elements in ${from.left} bytes`);
    const values: Out[] = [];
    for (let i = 0; i < n; i++) values.push(element.read(from));
    return values;
  },
});

type Fields = Record<string, AnyCodec>;
type MayBeLeftOut<F extends Fields> = { [K in keyof F]: undefined extends Written<F[K]> ? K : never }[keyof F];
type Flat<T> = { [K in keyof T]: T[K] };

export type StructIn<F extends Fields> = Flat<
  { [K in Exclude<keyof F, MayBeLeftOut<F>>]: Written<F[K]> } & { [K in MayBeLeftOut<F>]?: Written<F[K]> }
>;
export type StructOut<F extends Fields> = { [K in keyof F]: Read<F[K]> };
export type Struct<F extends Fields> = Codec<StructIn<F>, StructOut<F>>;

/** Fields in the order they are written down. */
export function struct<F extends Fields>(fields: F): Struct<F> {
  const entries = Object.entries(fields);
  return {
    write(to, value) {
      let at = '';
      try {
        for (const [name, codec] of entries) {
          at = name;
          codec.write(to, (value as Record<string, unknown>)[name]);
        }
      } catch (error) {
        throw within(at, error);
      }
    },
    read(from) {
      const value: Record<string, unknown> = {};
      let at = '';
      try {
        for (const [name, codec] of entries) {
          at = name;
          value[name] = codec.read(from) as unknown;
        }
      } catch (error) {
        throw within(at, error);
      }
      return value as StructOut<F>;
    },
  };
}

function within(field: string, error: unknown): XdrError {
  const said = error instanceof Error ? error.message : String(error);
  return new XdrError(`${field}${error instanceof XdrError && /^[\w.]+: /.test(said) ? '.' : ': '}${said}`);
}
