// One call, from its bytes to its result: looked up in the table, its arguments read, carried out.
import { procedures, programs, Reader } from '../src-main/libvirt/index.ts';
import type { AnyCodec, Packet, ProcedureName } from '../src-main/libvirt/index.ts';
import type { At } from './calls/handlers.ts';
import { handlerOf, mayOnRead } from './calls/index.ts';
import { legacy } from './legacy.ts';
import { refuse } from './refusal.ts';

export interface Answer {
  result: unknown;
  codec: AnyCodec;
}

/** Calls that are taken before the driver is open. */
const early = new Set<ProcedureName>(['auth_list', 'auth_polkit', 'connect_open', 'connect_close']);
const KEEPALIVE = 10;
/** Of libvirt 9.0, which the hosts say they are. */
const LAST_PROCEDURE = 443;

const notSupported = (what: string) =>
  refuse.none('no_support', `this function is not supported by the connection driver: ${what}`);

/** @throws Refusal, Dropped */
export async function answer(
  { procedure, program, payload }: Packet,
  name: ProcedureName | undefined,
  at: At,
): Promise<Answer> {
  const old = legacy.get(procedure);
  const row = name ? procedures[name] : old;
  if (program !== programs.remote || !row) {
    // What a daemon of this version has, and these hosts have not: libvirt's clients then try an older way, or say so.
    if (procedure > 0 && procedure <= LAST_PROCEDURE) throw notSupported(`procedure ${procedure}`);
    throw refuse.rpc('rpc', `unknown procedure: ${procedure}`);
  }
  const args = read(row.args, payload);
  const { opened } = at.client;
  if (!opened && !(name && (early.has(name) || isFeature(args, KEEPALIVE)))) {
    throw refuse.rpc('internal_error', 'internal error: hypervisor connection not open');
  }
  if (opened?.readOnly && !(name && mayOnRead(name))) {
    throw refuse.domain('operation_denied', `operation ${name ?? procedure} forbidden for read only access`);
  }
  if (!name && old) return { result: await old.run(args, at), codec: old.result };
  const handle = name && handlerOf(name);
  if (!handle) throw notSupported(name ?? `procedure ${procedure}`);
  return { result: await handle(args, at), codec: row.result };
}

function read(codec: AnyCodec, payload: Buffer): never {
  try {
    const from = new Reader(payload);
    const args = codec.read(from) as never;
    from.end();
    return args;
  } catch {
    throw refuse.rpc('rpc', 'Unable to decode message payload');
  }
}

const isFeature = (args: object, feature: number) => 'feature' in args && args.feature === feature;
