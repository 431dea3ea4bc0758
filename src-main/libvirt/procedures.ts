// The table: every call that this client makes, one row each. Numbers and layouts are libvirt's and never change.
import { bytes, count, flags, i32, i64, list, opt, size, str, struct, u32, u64, uuid, words } from './xdr.ts';
import type { AnyCodec, Read, Struct, Written } from './xdr.ts';
import { dom, LIST_MAX, net, networkInterface, nodeDevice, params, pool, snapshot, vol } from './types.ts';

/** Which way a stream that a call opens carries data. */
export type StreamKind = 'read' | 'write' | 'both';

export interface Procedure<A extends AnyCodec = AnyCodec, R extends AnyCodec = AnyCodec> {
  readonly number: number;
  readonly args: A;
  readonly result: R;
  /** H may run on the daemon's priority workers; L waits when its 20 ordinary ones are taken. */
  readonly priority: 'H' | 'L';
  /**
   * May wait on the far end for a lock or a job, so only four of these are under way on a connection.
   * A number: only since that version of libvirt.
   */
  readonly waits: boolean | number;
  /** Takes as long as it takes: there is no time limit unless the caller sets one. */
  readonly long: boolean;
  readonly stream: StreamKind | null;
  /** Arguments that a trace never shows. */
  readonly hides: readonly string[];
}

type Fields = Record<string, AnyCodec>;
type Traits = Partial<Pick<Procedure, 'waits' | 'long' | 'hides'>>;
interface Row<A extends Fields, R extends Fields> extends Procedure {
  readonly args: Struct<A>;
  readonly result: Struct<R>;
}

const row =
  (priority: 'H' | 'L') =>
  <A extends Fields, R extends Fields>(number: number, args: A, result: R, traits: Traits = {}): Row<A, R> => ({
    number,
    args: struct(args),
    result: struct(result),
    priority,
    waits: traits.waits ?? priority === 'L',
    long: traits.long ?? false,
    stream: null,
    hides: traits.hides ?? [],
  });

/** Runs on priority workers; does not wait unless said. */
const high = row('H');
/** Runs on ordinary workers; may wait unless said. */
const low = row('L');

const streaming = <A extends Fields, R extends Fields, S extends StreamKind>(
  stream: S,
  number: number,
  args: A,
  result: R,
): Row<A, R> & { readonly stream: S } => ({ ...low(number, args, result), stream });

const none = {};
const quick = { waits: false } as const;
const waits = { waits: true } as const;
const long = { long: true } as const;

const xml = { xml: str };
const onDom = { dom, flags };
const onPool = { pool, flags };
const onVol = { vol, flags };
const onNet = { net };
/** `need` is 1 for the list, 0 for only its length. */
const listing = { need: i32, flags };
const cpuOf = { emulator: opt(str), arch: opt(str), machine: opt(str), virttype: opt(str) };
const nodeStats = list(struct({ name: str, value: u64 }), 16);

export const procedures = {
  // --- Connection --------------------------------------------------------------------------------
  /** Types: 0 none, 1 SASL, 2 polkit. */
  auth_list: high(66, none, { types: list(i32, 20) }),
  auth_polkit: high(70, none, { complete: i32 }),
  /** Flags: 1 read-only. */
  connect_open: high(1, { name: opt(str), flags }, none),
  connect_close: high(2, none, none),
  connect_get_type: high(3, none, { type: str }),
  /** The hypervisor's version; major × 1,000,000 + minor × 1,000 + release, as libvirt's own. */
  connect_get_version: high(4, none, { version: size }),
  connect_get_lib_version: high(157, none, { version: size }),
  connect_get_hostname: high(59, none, { hostname: str }),
  connect_get_uri: high(110, none, { uri: str }),
  connect_get_sysinfo: high(203, { flags }, { xml: str }),
  connect_supports_feature: high(60, { feature: i32 }, { supported: i32 }),
  connect_get_capabilities: low(7, none, { xml: str }, quick),
  connect_get_domain_capabilities: low(342, { ...cpuOf, flags }, { xml: str }, quick),
  /** Result: -1 error, 0 incompatible, 1 identical, 2 superset. */
  connect_compare_cpu: high(158, { xml: str, flags }, { result: i32 }),
  connect_compare_hypervisor_cpu: low(393, { ...cpuOf, xml: str, flags }, { result: i32 }, quick),
  connect_baseline_hypervisor_cpu: low(394, { ...cpuOf, cpus: list(str, 256), flags }, { cpu: str }, quick),
  connect_register_close_callback: high(360, none, none),
  connect_unregister_close_callback: high(361, none, none),

  // --- Host --------------------------------------------------------------------------------------
  /** Memory in KiB. */
  node_get_info: high(6, none, {
    model: words(32),
    memory: size,
    cpus: i32,
    mhz: i32,
    nodes: i32,
    sockets: i32,
    cores: i32,
    threads: i32,
  }),
  /** `cpu` -1 for all. First with `nparams` 0, which answers their number; then with just that. In nanoseconds. */
  node_get_cpu_stats: high(227, { cpu: i32, nparams: i32, flags }, { params: nodeStats, nparams: i32 }),
  /** `cell` -1 for all; `nparams` likewise. In KiB. */
  node_get_memory_stats: high(228, { nparams: i32, cell: i32, flags }, { params: nodeStats, nparams: i32 }),
  /** In bytes. */
  node_get_free_memory: high(102, none, { free: size }),
  node_get_cpu_map: low(
    293,
    { need_map: i32, need_online: i32, flags },
    { map: bytes, online: u32, total: i32 },
    quick,
  ),

  // --- Domains: which, and in what state -----------------------------------------------------------
  connect_list_all_domains: high(273, listing, { domains: list(dom, LIST_MAX), total: u32 }),
  /** No domains given: all. `stats` is a mask of groups. */
  connect_get_all_domain_stats: low(
    344,
    { domains: list(dom, LIST_MAX), stats: u32, flags },
    { records: list(struct({ dom, params: params(262_144) }), LIST_MAX) },
  ),
  domain_lookup_by_id: high(22, { id: i32 }, { dom }),
  domain_lookup_by_name: high(23, { name: str }, { dom }),
  domain_lookup_by_uuid: high(24, { uuid }, { dom }),
  domain_get_state: high(212, onDom, { state: i32, reason: i32 }),
  /** Memory in KiB, time in nanoseconds. */
  domain_get_info: low(16, { dom }, { state: u32, max_memory: size, memory: size, vcpus: u32, cpu_time: u64 }, quick),
  /** Flags: 1 secure, 2 inactive, 4 update CPU, 8 migratable. Takes the domain's lock since 11.0. */
  domain_get_xml_desc: low(14, onDom, xml, { waits: 11_000_000 }),
  domain_is_active: high(150, { dom }, { active: i32 }),
  domain_is_persistent: high(151, { dom }, { persistent: i32 }),
  domain_is_updated: high(202, { dom }, { updated: i32 }),
  /** Milliseconds since the state was entered. */
  domain_get_control_info: high(229, onDom, { state: u32, details: u32, since: size }),
  domain_get_messages: low(426, onDom, { messages: list(str, 2_048) }),

  // --- Domains: life cycle -----------------------------------------------------------------------
  /** Flags: 1 validate. */
  domain_define_xml_flags: high(350, { xml: str, flags }, { dom }, waits),
  /** Flags: 1 managed save, 2 snapshots' metadata, 4 nvram, 8 keep nvram, 16 checkpoints' metadata, 32 tpm, 64 keep tpm. */
  domain_undefine_flags: high(231, onDom, none, waits),
  domain_create_xml: low(10, { xml: str, flags }, { dom }, long),
  /** Flags: 1 paused, 2 autodestroy, 8 force boot, 32 reset nvram. */
  domain_create_with_flags: low(196, onDom, { dom }, long),
  /** Flags: 1 ACPI, 2 agent. */
  domain_shutdown_flags: low(258, onDom, none),
  domain_reboot: low(27, onDom, none),
  domain_reset: low(245, onDom, none),
  /** Never queued here: it has to get through when everything else is stuck. Flags: 1 graceful. */
  domain_destroy_flags: high(234, onDom, none),
  domain_suspend: low(34, { dom }, none),
  domain_resume: low(28, { dom }, none),
  domain_pm_suspend_for_duration: low(261, { dom, target: u32, duration: u64, flags }, none),
  domain_pm_wakeup: low(267, onDom, none),
  domain_managed_save: low(182, onDom, none, long),
  domain_has_managed_save_image: low(183, onDom, { there: i32 }),
  domain_managed_save_remove: low(184, onDom, none),
  domain_save_flags: low(232, { dom, file: str, xml: opt(str), flags }, none, long),
  domain_restore_flags: low(233, { file: str, xml: opt(str), flags }, none, long),
  domain_get_autostart: high(15, { dom }, { autostart: i32 }),
  domain_set_autostart: high(29, { dom, autostart: i32 }, none, waits),
  domain_rename: low(358, { dom, name: opt(str), flags }, { result: i32 }),
  domain_set_metadata: low(264, { dom, type: i32, metadata: opt(str), key: opt(str), uri: opt(str), flags }, none),
  domain_get_metadata: low(265, { dom, type: i32, uri: opt(str), flags }, { metadata: str }),

  // --- Domains: devices and resources --------------------------------------------------------------
  /** Flags of these three: 1 live, 2 config. */
  domain_attach_device_flags: low(160, { dom, xml: str, flags }, none),
  domain_detach_device_flags: low(161, { dom, xml: str, flags }, none),
  domain_update_device_flags: low(174, { dom, xml: str, flags }, none),
  domain_set_vcpus_flags: low(199, { dom, vcpus: u32, flags }, none),
  domain_get_vcpus_flags: low(200, onDom, { vcpus: i32 }),
  /** In KiB. */
  domain_set_memory_flags: low(204, { dom, memory: size, flags }, none),
  /** How often the guest's balloon driver reports, in seconds. */
  domain_set_memory_stats_period: low(308, { dom, period: i32, flags }, none),
  domain_memory_stats: low(159, { dom, max: u32, flags }, { stats: list(struct({ tag: i32, value: u64 }), 1_024) }),
  domain_interface_stats: high(
    65,
    { dom, device: str },
    {
      rx_bytes: count,
      rx_packets: count,
      rx_errs: count,
      rx_drop: count,
      tx_bytes: count,
      tx_packets: count,
      tx_errs: count,
      tx_drop: count,
    },
  ),
  /** In bytes. */
  domain_get_block_info: low(194, { dom, path: str, flags }, { allocation: size, capacity: size, physical: size }),
  domain_get_block_job_info: low(
    238,
    { dom, path: str, flags },
    { found: i32, type: i32, bandwidth: u64, cur: size, end: size },
  ),
  domain_block_job_abort: low(237, { dom, path: str, flags }, none),
  /** Source: 0 DHCP leases, 1 guest agent, 2 ARP. */
  domain_interface_addresses: low(
    353,
    { dom, source: u32, flags },
    {
      interfaces: list(
        struct({
          name: str,
          mac: opt(str),
          addresses: list(struct({ type: i32, address: str, prefix: u32 }), 2_048),
        }),
        2_048,
      ),
    },
  ),
  domain_get_guest_info: low(418, { dom, types: u32, flags }, { params: params(2_048) }),
  domain_get_hostname: low(277, onDom, { hostname: str }),
  domain_get_time: low(337, onDom, { seconds: i64, nanoseconds: u32 }),
  domain_set_user_password: low(357, { dom, user: opt(str), password: opt(str), flags }, none, {
    hides: ['password'],
  }),
  domain_send_key: low(226, { dom, codeset: u32, holdtime: u32, keycodes: list(u32, 16), flags }, none, {
    hides: ['keycodes'],
  }),
  domain_inject_nmi: low(210, onDom, none),

  // --- Domains: streams --------------------------------------------------------------------------
  domain_screenshot: streaming('read', 211, { dom, screen: u32, flags }, { mime: opt(str) }),
  /** No device: the first console. Flags: 1 force (takes it from whoever has it), 2 safe. */
  domain_open_console: streaming('both', 201, { dom, device: opt(str), flags }, none),
  domain_open_channel: streaming('both', 296, { dom, channel: opt(str), flags }, none),

  // --- Jobs and migration --------------------------------------------------------------------------
  /** Times in milliseconds, the rest in bytes. */
  domain_get_job_info: low(
    163,
    { dom },
    {
      type: i32,
      time_elapsed: size,
      time_remaining: size,
      data_total: size,
      data_processed: size,
      data_remaining: size,
      mem_total: size,
      mem_processed: size,
      mem_remaining: size,
      file_total: size,
      file_processed: size,
      file_remaining: size,
    },
    quick,
  ),
  /** Flags: 1 of the completed job, 2 which is kept for another reader. */
  domain_get_job_stats: low(298, onDom, { type: i32, params: params(64) }, quick),
  /** Never queued here: it is what ends the others. */
  domain_abort_job: low(164, { dom }, none, quick),
  /** Flags: 1 post-copy. Since 8.5. */
  domain_abort_job_flags: low(442, onDom, none, quick),
  domain_migrate_begin3_params: low(302, { dom, params: params(64), flags }, { cookie: bytes, xml: str }, long),
  domain_migrate_prepare3_params: low(
    303,
    { params: params(64), cookie: bytes, flags },
    { cookie: bytes, uri: opt(str) },
    long,
  ),
  /** With a `dconnuri` the source's daemon drives the whole migration (peer to peer). */
  domain_migrate_perform3_params: low(
    305,
    { dom, dconnuri: opt(str), params: params(64), cookie: bytes, flags },
    { cookie: bytes },
    long,
  ),
  domain_migrate_finish3_params: low(
    306,
    { params: params(64), cookie: bytes, flags, cancelled: i32 },
    { dom, cookie: bytes },
    long,
  ),
  domain_migrate_confirm3_params: low(
    307,
    { dom, params: params(64), cookie: bytes, flags, cancelled: i32 },
    none,
    long,
  ),
  /** In milliseconds. */
  domain_migrate_set_max_downtime: low(166, { dom, downtime: size, flags }, none, quick),
  domain_migrate_get_max_downtime: low(387, onDom, { downtime: size }, quick),
  /** In MiB/s. Flags: 1 post-copy. */
  domain_migrate_set_max_speed: low(207, { dom, bandwidth: u64, flags }, none, quick),
  domain_migrate_get_max_speed: low(242, onDom, { bandwidth: u64 }, quick),
  domain_migrate_start_post_copy: low(364, onDom, none, quick),

  // --- Snapshots -----------------------------------------------------------------------------------
  domain_list_all_snapshots: high(274, { dom, need: i32, flags }, { snapshots: list(snapshot, LIST_MAX), total: i32 }),
  domain_snapshot_create_xml: low(185, { dom, xml: str, flags }, { snapshot }, long),
  domain_snapshot_get_xml_desc: high(186, { snapshot, flags }, xml),
  domain_snapshot_lookup_by_name: high(189, { dom, name: str, flags }, { snapshot }),
  domain_snapshot_current: low(191, onDom, { snapshot }),
  domain_revert_to_snapshot: low(192, { snapshot, flags }, none, long),
  domain_snapshot_delete: low(193, { snapshot, flags }, none, long),

  // --- Storage -------------------------------------------------------------------------------------
  connect_list_all_storage_pools: high(281, listing, { pools: list(pool, LIST_MAX), total: u32 }),
  storage_pool_lookup_by_name: high(84, { name: str }, { pool }),
  storage_pool_lookup_by_uuid: high(85, { uuid }, { pool }),
  storage_pool_lookup_by_target_path: high(391, { path: str }, { pool }),
  storage_pool_define_xml: high(77, { xml: str, flags }, { pool }),
  storage_pool_create_xml: low(76, { xml: str, flags }, { pool }, long),
  storage_pool_create: low(78, onPool, none, long),
  storage_pool_build: low(79, onPool, none, long),
  storage_pool_refresh: low(83, onPool, none, long),
  storage_pool_destroy: high(80, { pool }, none),
  storage_pool_undefine: high(82, { pool }, none),
  /** In bytes. State: 0 inactive, 1 building, 2 running, 3 degraded, 4 inaccessible. */
  storage_pool_get_info: high(87, { pool }, { state: u32, capacity: size, allocation: size, available: size }),
  storage_pool_get_xml_desc: high(88, onPool, xml),
  storage_pool_get_autostart: high(89, { pool }, { autostart: i32 }),
  storage_pool_set_autostart: high(90, { pool, autostart: i32 }, none),
  storage_pool_is_active: high(154, { pool }, { active: i32 }),
  storage_pool_list_all_volumes: high(282, { pool, need: i32, flags }, { vols: list(vol, LIST_MAX), total: u32 }),
  storage_vol_lookup_by_name: high(95, { pool, name: str }, { vol }),
  storage_vol_lookup_by_path: high(97, { path: str }, { vol }),
  storage_vol_create_xml: low(93, { pool, xml: str, flags }, { vol }, long),
  storage_vol_create_xml_from: low(125, { pool, xml: str, clonevol: vol, flags }, { vol }, long),
  storage_vol_delete: low(94, onVol, none, long),
  storage_vol_resize: low(260, { vol, capacity: size, flags }, none, long),
  /** In bytes. Type: 0 file, 1 block, 2 dir, 3 network, 4 netdir, 5 ploop. */
  storage_vol_get_info: high(98, { vol }, { type: i32, capacity: size, allocation: size }),
  storage_vol_get_xml_desc: high(99, onVol, xml),
  storage_vol_get_path: high(100, { vol }, { path: str }),
  /** Length 0: to the end. Flags of both: 1 sparse, holes told apart from data. */
  storage_vol_upload: streaming('write', 208, { vol, offset: size, length: size, flags }, none),
  storage_vol_download: streaming('read', 209, { vol, offset: size, length: size, flags }, none),

  // --- Networks and devices ------------------------------------------------------------------------
  connect_list_all_networks: high(283, listing, { nets: list(net, LIST_MAX), total: u32 }),
  network_lookup_by_name: high(46, { name: str }, { net }),
  network_define_xml: high(41, { xml: str }, { net }),
  network_create: low(39, onNet, none, long),
  network_destroy: high(42, onNet, none),
  network_undefine: high(49, onNet, none),
  network_get_xml_desc: high(43, { net, flags }, xml),
  network_get_bridge_name: high(45, onNet, { bridge: str }),
  network_get_autostart: high(44, onNet, { autostart: i32 }),
  network_set_autostart: high(48, { net, autostart: i32 }, none),
  network_is_active: high(152, onNet, { active: i32 }),
  network_is_persistent: high(153, onNet, { persistent: i32 }),
  network_get_dhcp_leases: low(
    341,
    { net, mac: opt(str), need: i32, flags },
    {
      leases: list(
        struct({
          interface: str,
          expiry: i64,
          type: i32,
          mac: opt(str),
          iaid: opt(str),
          address: str,
          prefix: u32,
          hostname: opt(str),
          clientid: opt(str),
        }),
        65_536,
      ),
      total: u32,
    },
    quick,
  ),
  connect_list_all_interfaces: high(284, listing, { interfaces: list(networkInterface, LIST_MAX), total: u32 }),
  connect_list_all_node_devices: high(285, listing, { devices: list(nodeDevice, 65_536), total: u32 }),
  node_device_get_xml_desc: low(114, { name: str, flags }, xml, quick),

  // --- Events --------------------------------------------------------------------------------------
  /** No object: of all. Callback ids are the daemon's own, counted over all its clients. */
  connect_domain_event_callback_register_any: high(316, { event: i32, dom: opt(dom) }, { callback: i32 }),
  connect_domain_event_callback_deregister_any: high(317, { callback: i32 }, none),
  connect_network_event_register_any: high(313, { event: i32, net: opt(net) }, { callback: i32 }),
  connect_network_event_deregister_any: high(314, { callback: i32 }, none),
  connect_storage_pool_event_register_any: high(368, { event: i32, pool: opt(pool) }, { callback: i32 }),
  connect_storage_pool_event_deregister_any: high(369, { callback: i32 }, none),
  connect_node_device_event_register_any: high(374, { event: i32, device: opt(nodeDevice) }, { callback: i32 }),
  connect_node_device_event_deregister_any: high(375, { callback: i32 }, none),
};

type Table = typeof procedures;
export type ProcedureName = keyof Table;
export type StreamProcedureName = {
  [N in ProcedureName]: Table[N] extends { stream: StreamKind } ? N : never;
}[ProcedureName];
export type CallName = Exclude<ProcedureName, StreamProcedureName>;
/** What a caller gives. */
export type ArgsOf<N extends ProcedureName> = Written<Table[N]['args']>;
/** What a caller gets. */
export type ResultOf<N extends ProcedureName> = Read<Table[N]['result']>;
/** What the other side of the wire reads, and writes. */
export type ArgsReadOf<N extends ProcedureName> = Read<Table[N]['args']>;
export type ResultWrittenOf<N extends ProcedureName> = Written<Table[N]['result']>;

const names = new Map(Object.entries(procedures).map(([name, { number }]) => [number, name as ProcedureName]));

/** The row's name of a procedure number; undefined for what this client does not call. */
export const procedureName = (number: number): ProcedureName | undefined => names.get(number);
