// Faults as others write them, in JSON: checked before they are set.
import { z } from 'zod';
import { procedures } from '../src-main/libvirt/index.ts';
import type { ProcedureName } from '../src-main/libvirt/index.ts';
import type { Fault } from './faults.ts';

const call = z.enum(Object.keys(procedures) as [ProcedureName, ...ProcedureName[]]);
const place = {
  host: z.string().exactOptional(),
  connection: z.int().exactOptional(),
  vm: z.string().exactOptional(),
  times: z.int().positive().exactOptional(),
};
const of = <K extends Fault['kind'], S extends z.ZodRawShape>(kind: K, rest: S) =>
  z.strictObject({ kind: z.literal(kind), ...place, ...rest });
const ofCall = { call: call.exactOptional() };

const fault = z.discriminatedUnion('kind', [
  of('never-answers', ofCall),
  of('hangup-mid-packet', ofCall),
  of('garbage', ofCall),
  of('fails', { call, code: z.int(), domain: z.int(), message: z.string().exactOptional() }),
  of('slow-link', { delayMs: z.number().min(0), bytesPerSecond: z.number().positive().exactOptional() }),
  of('event-before-reply', { ...ofCall, delayMs: z.number().min(0).exactOptional() }),
  of('reply-out-of-order', {}),
  of('auth-refused', {}),
  of('key-changed', {}),
  of('silent', {}),
  of('down', {}),
  of('migration-stalls', { at: z.number().min(0).max(100) }),
  of('dies', {
    phase: z.enum(['begin', 'prepare', 'perform', 'finish', 'confirm']),
    when: z.enum(['request', 'midway', 'reply']),
    side: z.enum(['source', 'target', 'both']),
    what: z.enum(['connection', 'ssh', 'daemon', 'host', 'silence']),
  }),
]) satisfies z.ZodType<Fault>;

/** @throws Error in a sentence */
export function checkFault(given: unknown): Fault {
  const { success, data, error } = fault.safeParse(given);
  if (!success) throw new Error(`That is no fault: ${z.prettifyError(error).replaceAll(/\s+/g, ' ')}.`);
  return data;
}
