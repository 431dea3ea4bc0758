// Packets as lines for people, with what is secret left out: to debug with, and to send to someone else.
import { programs } from './constants.ts';
import { eventName, events } from './events.ts';
import { packetStatus, packetType } from './frame.ts';
import type { Packet } from './frame.ts';
import { keepaliveProcedure } from './keepalive.ts';
import { procedureName, procedures } from './procedures.ts';
import { errorInfo } from './types.ts';
import { Reader } from './xdr.ts';
import type { AnyCodec } from './xdr.ts';

/** Longest text that is shown whole. */
const TEXT_MAX = 240;
/** Longest list that is shown whole. */
const LIST_MAX = 12;

/**
 * One packet on one line, such as `→ #7 domain_get_state { dom: web01, flags: 0 }`.
 * Of streams, cookies and calls that this client does not know only the size is shown.
 */
export function formatPacket(packet: Packet, direction: 'in' | 'out'): string {
  return `${direction === 'out' ? '→' : '←'} ${describe(packet)}`;
}

function describe({ program, procedure, type, serial, status, payload }: Packet): string {
  if (program === programs.keepalive) return procedure === keepaliveProcedure.ping ? 'PING' : 'PONG';
  const name = program === programs.remote ? procedureName(procedure) : undefined;
  const row = name && procedures[name];
  const title = `#${serial} ${name ?? `program 0x${program.toString(16)} procedure ${procedure}`}`;
  const unknown = payload.length > 0 ? ` (${payload.length} bytes)` : '';
  switch (type) {
    case packetType.call:
      return title + (row ? decoded(row.args, payload, row.hides) : unknown);
    case packetType.reply:
      if (status === packetStatus.error)
        return `${title} ERROR${decoded(errorInfo, payload, ['str1', 'str2', 'str3'])}`;
      return `${title} ok${row ? decoded(row.result, payload, []) : unknown}`;
    case packetType.message: {
      const event = eventName(procedure);
      return event ? `event ${event}${decoded(events[event].payload, payload, [])}` : `${title}${unknown}`;
    }
    case packetType.stream:
      if (status === packetStatus.ok) return `${title} stream finished`;
      if (status === packetStatus.continue) return `${title} stream ${payload.length || 'ends after 0'} bytes`;
      return payload.length === 0
        ? `${title} stream aborted`
        : `${title} stream ERROR${decoded(errorInfo, payload, [])}`;
    case packetType.streamHole:
      return `${title} stream hole`;
    default:
      return `${title} type ${type}${unknown}`;
  }
}

function decoded(codec: AnyCodec, payload: Buffer, hides: readonly string[]): string {
  try {
    const value: unknown = codec.read(new Reader(payload));
    const shown = inWords(value, hides);
    return shown === '{}' ? '' : ` ${shown}`;
  } catch (error) {
    return ` (${payload.length} bytes that cannot be read: ${(error as Error).message})`;
  }
}

function inWords(value: unknown, hides: readonly string[]): string {
  if (value === null || value === undefined) return 'null';
  if (typeof value === 'string') return text(value);
  if (Buffer.isBuffer(value)) return `<${value.length} bytes>`;
  if (Array.isArray(value)) {
    const shown = value.slice(0, LIST_MAX).map((one) => inWords(one, hides));
    if (value.length > LIST_MAX) shown.push(`… ${value.length} in all`);
    return `[${shown.join(', ')}]`;
  }
  if (typeof value === 'number' || typeof value === 'bigint' || typeof value === 'boolean') return String(value);
  const object = value as Record<string, unknown>;
  if ('name' in object && 'uuid' in object) return inWords(object['name'], hides);
  if ('kind' in object && 'value' in object)
    return `${inWords(object['name'], hides)}=${inWords(object['value'], hides)}`;
  const fields = Object.entries(object).map(
    ([name, one]) => `${name}: ${hides.includes(name) ? '***' : inWords(one, hides)}`,
  );
  return fields.length > 0 ? `{ ${fields.join(', ')} }` : '{}';
}

/** On one line, cut, control characters made visible, passwords in XML struck out. */
function text(value: string): string {
  const safe = withoutSecrets(value);
  const short = safe.length > TEXT_MAX ? `${safe.slice(0, TEXT_MAX)}… ${safe.length} characters` : safe;
  return /^[\w.:/@+-]+$/.test(short) ? short : JSON.stringify(short);
}

/** XML, or any text, with the passwords in it struck out: those of graphics, and of anything called so. */
export function withoutSecrets(value: string): string {
  return value
    .replace(/\b(\w*passw(?:or)?d\w*)(\s*=\s*)(?:'[^']*'|"[^"]*")/gi, "$1$2'***'")
    .replace(/<(\w*passw(?:or)?d\w*)([^>]*)>[^<]*</gi, '<$1$2>***<');
}
