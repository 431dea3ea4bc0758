// The structs that libvirt's calls are made of: the objects they name, typed parameters, and its error.
import { bool, f64, i32, i64, list, opt, orElse, str, struct, text, u32, u64, uuid, XdrError } from './xdr.ts';
import type { Codec, Read, Written } from './xdr.ts';

/** Most domains, networks, pools or volumes in one list. */
export const LIST_MAX = 16_384;

// --- What calls are about --------------------------------------------------------------------------

/** A domain. The daemon finds it by its UUID; the id is -1 while it does not run, and may be left out. */
export const dom = struct({ name: str, uuid, id: orElse(i32, -1) });
export type Dom = Read<typeof dom>;
export type DomIn = Written<typeof dom>;

export const net = struct({ name: str, uuid });
export type Net = Read<typeof net>;
export const pool = struct({ name: str, uuid });
export type Pool = Read<typeof pool>;
/** `key` is what tells volumes apart; mostly their path. */
export const vol = struct({ pool: str, name: str, key: str });
export type Vol = Read<typeof vol>;
export const snapshot = struct({ name: str, dom });
export type Snapshot = Read<typeof snapshot>;
export const nodeDevice = struct({ name: str });
export const networkInterface = struct({ name: str, mac: str });

// --- Typed parameters ------------------------------------------------------------------------------

/** The kind has to be just the one that the daemon expects of that name. */
export type Param =
  | { name: string; kind: 'i32' | 'u32' | 'f64'; value: number }
  /** Read as a number while it is exact, as a bigint beyond 2^53. */
  | { name: string; kind: 'i64' | 'u64'; value: number | bigint }
  | { name: string; kind: 'bool'; value: boolean }
  | { name: string; kind: 'str'; value: string };
export type ParamKind = Param['kind'];
export type ParamValue = Param['value'];

const paramName = text(79);

const long = (codec: Codec<bigint | number, bigint>): Codec<bigint | number> => ({
  write: (to, value) => codec.write(to, value),
  read(from) {
    const value = codec.read(from);
    return value >= Number.MIN_SAFE_INTEGER && value <= Number.MAX_SAFE_INTEGER ? Number(value) : value;
  },
});

// In the order of libvirt's numbers, which begin at 1.
const kinds: [ParamKind, Codec<ParamValue>][] = [
  ['i32', i32],
  ['u32', u32],
  ['i64', long(i64)],
  ['u64', long(u64)],
  ['f64', f64],
  ['bool', bool],
  ['str', str],
];

const typedParam: Codec<Param> = {
  write(to, { name, kind, value }) {
    const at = kinds.findIndex(([known]) => known === kind);
    paramName.write(to, name);
    to.i32(at + 1);
    (kinds[at] as (typeof kinds)[number])[1].write(to, value);
  },
  read(from) {
    const name = paramName.read(from);
    const number = from.i32();
    const kind = kinds[number - 1];
    if (!kind) throw new XdrError(`the parameter ${name} is of the unknown kind ${number}`);
    return { name, kind: kind[0], value: kind[1].read(from) } as Param;
  },
};

export const params = (max: number) => list(typedParam, max);

/** Parameters by kind: `param.u64('bandwidth', 5)`. */
export const param = {
  i32: (name: string, value: number): Param => ({ name, kind: 'i32', value }),
  u32: (name: string, value: number): Param => ({ name, kind: 'u32', value }),
  i64: (name: string, value: number | bigint): Param => ({ name, kind: 'i64', value }),
  u64: (name: string, value: number | bigint): Param => ({ name, kind: 'u64', value }),
  f64: (name: string, value: number): Param => ({ name, kind: 'f64', value }),
  bool: (name: string, value: boolean): Param => ({ name, kind: 'bool', value }),
  str: (name: string, value: string): Param => ({ name, kind: 'str', value }),
};

/** Values by name; of a name that is there several times, the first (`paramValues` has all). */
export function paramRecord(given: readonly Param[]): Record<string, ParamValue> {
  // Without a prototype: names come from the peer.
  const values = Object.create(null) as Record<string, ParamValue>;
  for (const { name, value } of given) if (!(name in values)) values[name] = value;
  return values;
}

/** All values of one name, in their order. */
export function paramValues(given: readonly Param[], name: string): ParamValue[] {
  return given.filter((one) => one.name === name).map((one) => one.value);
}

// --- Errors ----------------------------------------------------------------------------------------

/** `message` is for display, in the daemon's language; decide on `code` and `domain`. */
export const errorInfo = struct({
  code: i32,
  domain: i32,
  message: opt(str),
  level: i32,
  dom: opt(dom),
  str1: opt(str),
  str2: opt(str),
  str3: opt(str),
  int1: orElse(i32, 0),
  int2: orElse(i32, 0),
  net: opt(net),
});
export type ErrorInfo = Read<typeof errorInfo>;
