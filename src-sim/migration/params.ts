// What the steps of a migration are given, and give each other: parameters, flags, cookies, addresses.
import { migrateFlags as flag, paramRecord, param } from '../../src-main/libvirt/index.ts';
import type { Param, ParamKind } from '../../src-main/libvirt/index.ts';
import type { Daemon } from '../daemon.ts';
import type { Definition } from '../definition.ts';
import { refuse } from '../refusal.ts';
import { escaped } from '../xml.ts';
import type { Transfer } from './transfer.ts';

export interface Step {
  params: Param[];
  cookie: Buffer;
  flags: number;
}

const kinds: Record<string, ParamKind> = {
  migrate_uri: 'str',
  destination_name: 'str',
  destination_xml: 'str',
  persistent_xml: 'str',
  bandwidth: 'u64',
  'bandwidth.postcopy': 'u64',
  graphics_uri: 'str',
  listen_address: 'str',
  migrate_disks: 'str',
  disks_port: 'i32',
  disks_uri: 'str',
  compression: 'str',
  'compression.mt.level': 'i32',
  'compression.mt.threads': 'i32',
  'compression.mt.dthreads': 'i32',
  'compression.xbzrle.cache': 'u64',
  'auto_converge.initial': 'i32',
  'auto_converge.increment': 'i32',
  'parallel.connections': 'i32',
  'tls.destination': 'str',
};
const ALL_FLAGS = 0x1fffff;

/** @throws Refusal on what the daemon does not know */
export function check({ params, flags }: Pick<Step, 'params' | 'flags'>, step: string): Record<string, unknown> {
  const unknown = flags & ~ALL_FLAGS;
  if (unknown) {
    const message = `unsupported flags (0x${unknown.toString(16)}) in function qemuDomainMigrate${step}3Params`;
    throw refuse.qemu('invalid_arg', message);
  }
  for (const { name, kind } of params) {
    const wanted = kinds[name];
    if (!wanted) throw refuse.none('argument_unsupported', `parameter '${name}' not supported`);
    if (wanted !== kind) {
      throw refuse.none('invalid_arg', `invalid type '${kind}' for parameter '${name}', expected '${wanted}'`);
    }
  }
  return paramRecord(params);
}

export const text = (value: unknown) => (typeof value === 'string' ? value : null);
export const notMigrating = ({ name }: { name: string }) =>
  refuse.qemu('operation_invalid', `Requested operation is not valid: domain '${name}' is not being migrated`);
export const aborted = () =>
  refuse.qemu('operation_aborted', 'operation aborted: migration out job: canceled by client');
export const broken = () => refuse.qemu('operation_failed', 'operation failed: migration out job: unexpectedly failed');

export function cookieOf({ host }: Daemon, { name, uuid }: { name: string; uuid: string }, inside = ''): Buffer {
  const own = `  <name>${escaped(name)}</name>\n  <uuid>${uuid}</uuid>\n  <hostname>${host.name}</hostname>\n`;
  return Buffer.from(`<qemu-migration>\n${own}  <hostuuid>${host.uuid}</hostuuid>\n${inside}</qemu-migration>\n\0`);
}

/** The socket's path where it is a Unix socket's address. */
export const pathIn = (uri: string | null) => (uri === null ? null : (/^unix:(?:\/\/)?(\/.*)$/.exec(uri)?.[1] ?? null));

/** Targets of the disks that go along, as the guest names them; empty unless it was asked for. */
export function copiedDisks({ params, flags }: Pick<Step, 'params' | 'flags'>, { disks }: Definition): string[] {
  if (!(flags & (flag.non_shared_disk | flag.non_shared_inc))) return [];
  const named = params.filter(({ name }) => name === 'migrate_disks').map(({ value }) => String(value));
  if (named.length > 0) return named;
  return disks.flatMap(({ target, readonly, shareable, path }) =>
    readonly || shareable || path === null ? [] : [target],
  );
}

/** `tcp:host:port`, `tcp://host:port`, with or without the port. @throws Refusal on anything else */
export function addressIn(uri: string): { host: string; port: number | null } {
  const [, host = '', port] = /^tcp:(?:\/\/)?(\[[^\]]*\]|[^:/]+)(?::(\d+))?\/?$/.exec(uri) ?? [];
  if (!host) throw refuse.qemu('argument_unsupported', `unsupported scheme in migration URI ${uri}`);
  return { host: host.replace(/^\[|\]$/g, ''), port: port === undefined ? null : Number(port) };
}

/** What is told of it once it is over; `operation` is 5 on the source, 4 on the target. */
export const completedStats = (transfer: Transfer, operation: number) =>
  transfer.stats(true).map((one) => (one.name === 'operation' ? param.i32('operation', operation) : one));
