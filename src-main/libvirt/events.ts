// The second table: every event, how it is asked for, and what it carries.
import { flags, i32, i64, list, opt, size, str, struct, u64 } from './xdr.ts';
import type { AnyCodec, Read, Struct, Written } from './xdr.ts';
import { dom, net, nodeDevice, params, pool } from './types.ts';

type Source = 'domain' | 'network' | 'storage_pool' | 'node_device' | 'connection';

export interface EventRow<C extends AnyCodec = AnyCodec> {
  /** The procedure number that it arrives under. */
  readonly number: number;
  /** What it is registered by: event ids are counted for each source apart. */
  readonly source: Source;
  readonly id: number;
  readonly payload: C;
}

type Fields = Record<string, AnyCodec>;

const row =
  <Base extends Fields>(source: Source, base: Base) =>
  <F extends Fields = Record<never, never>>(id: number, number: number, fields?: F): EventRow<Struct<Base & F>> => ({
    source,
    id,
    number,
    payload: struct({ ...base, ...(fields as F) }),
  });

/** The daemon's id of the registration comes first in all of them. */
const callback = { callback: i32 };
const ofDomain = row('domain', { ...callback, dom });
/** The power management events are older than their order: the reason comes before the domain. */
const ofPower = row('domain', { ...callback, reason: i32, dom });
const ofNetwork = row('network', { ...callback, net });
const ofPool = row('storage_pool', { ...callback, pool });
const ofNodeDevice = row('node_device', { ...callback, device: nodeDevice });
const ofConnection = row('connection', {});

const address = struct({ family: i32, node: str, service: str });
const lifecycle = { event: i32, detail: i32 };

export const events = {
  /** By number: see `lifecycleEvents` and `lifecycleDetails`. */
  lifecycle: ofDomain(0, 318, lifecycle),
  reboot: ofDomain(1, 319),
  rtc_change: ofDomain(2, 320, { offset: i64 }),
  watchdog: ofDomain(3, 321, { action: i32 }),
  graphics: ofDomain(5, 323, {
    phase: i32,
    local: address,
    remote: address,
    auth: str,
    subject: list(struct({ type: str, name: str }), 20),
  }),
  io_error: ofDomain(6, 324, { source: str, alias: str, action: i32, reason: str }),
  control_error: ofDomain(7, 325),
  block_job: ofDomain(8, 326, { disk: str, type: i32, status: i32 }),
  disk_change: ofDomain(9, 327, { old: opt(str), new: opt(str), alias: str, reason: i32 }),
  tray_change: ofDomain(10, 328, { alias: str, reason: i32 }),
  pmwakeup: ofPower(11, 329),
  pmsuspend: ofPower(12, 330),
  /** In KiB. */
  balloon_change: ofDomain(13, 331, { actual: size }),
  pmsuspend_disk: ofPower(14, 332),
  device_removed: ofDomain(15, 333, { alias: str }),
  block_job_2: ofDomain(16, 339, { disk: str, type: i32, status: i32 }),
  tunable: ofDomain(17, 346, { params: params(2_048) }),
  agent_lifecycle: ofDomain(18, 348, { state: i32, reason: i32 }),
  device_added: ofDomain(19, 354, { alias: str }),
  migration_iteration: ofDomain(20, 359, { iteration: i32 }),
  job_completed: ofDomain(21, 363, { params: params(64) }),
  device_removal_failed: ofDomain(22, 367, { alias: str }),
  metadata_change: ofDomain(23, 379, { type: i32, uri: opt(str) }),
  block_threshold: ofDomain(24, 385, { device: str, path: opt(str), threshold: u64, excess: u64 }),
  memory_failure: ofDomain(25, 423, { recipient: i32, action: i32, flags }),
  memory_device_size_change: ofDomain(26, 438, { alias: str, size }),
  nic_mac_change: ofDomain(27, 453, { alias: str, old: str, new: str }),
  network_lifecycle: ofNetwork(0, 315, lifecycle),
  storage_pool_lifecycle: ofPool(0, 370, lifecycle),
  storage_pool_refresh: ofPool(1, 373),
  node_device_lifecycle: ofNodeDevice(0, 376, lifecycle),
  node_device_update: ofNodeDevice(1, 377),
  /** A daemon in between lost the real one. */
  connection_closed: ofConnection(0, 362, { reason: i32 }),
} satisfies Record<string, EventRow>;

export type EventName = keyof typeof events;
export type EventOf<N extends EventName> = Read<(typeof events)[N]['payload']>;
/** What the other side of the wire writes. */
export type EventWrittenOf<N extends EventName> = Written<(typeof events)[N]['payload']>;

const byNumber = new Map(Object.entries(events).map(([name, { number }]) => [number, name as EventName]));

/** The event that arrives under a procedure number. */
export const eventName = (number: number): EventName | undefined => byNumber.get(number);

/** The calls that ask for the events of a source, and end that. */
export const registrations = {
  domain: {
    register: 'connect_domain_event_callback_register_any',
    deregister: 'connect_domain_event_callback_deregister_any',
  },
  network: { register: 'connect_network_event_register_any', deregister: 'connect_network_event_deregister_any' },
  storage_pool: {
    register: 'connect_storage_pool_event_register_any',
    deregister: 'connect_storage_pool_event_deregister_any',
  },
  node_device: {
    register: 'connect_node_device_event_register_any',
    deregister: 'connect_node_device_event_deregister_any',
  },
} as const;
