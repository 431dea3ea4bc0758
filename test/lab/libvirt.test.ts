// Every call that the libvirt client has, against a real daemon, and what virsh says of the same thing.
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  domainState,
  jobType,
  LibvirtError,
  lifecycleEvents,
  listDomainsFlags,
  migrateFlags,
  packetType,
  param,
  paramRecord,
  pausedReason,
  procedureName,
  procedures,
  shutoffReason,
  statsFlags,
  statsGroups,
  undefineFlags,
  versionText,
  xmlFlags,
} from '../../src-main/libvirt/index.ts';
import type {
  CallArgs,
  CallName,
  Connection,
  ConnectionOptions,
  Dom,
  EventName,
  ResultOf,
} from '../../src-main/libvirt/index.ts';
import { connectTo } from './daemon.ts';
import { domainXml, guestNamed } from './guests.ts';
import { Lab } from './lab.ts';
import { run, until } from './run.ts';

let lab: Lab;
let kvm1: Connection;
let kvm2: Connection;
/** libvirt's own mock driver, in the same daemon: for what would harm real things. */
let mock: Connection;
const open: Connection[] = [];
const called = new Set<string>();
const warnings: string[] = [];

const temp = { ...guestNamed('web01'), name: 'temp01', uuid: '6a5e0000-1ab0-4000-8000-00000000beef' };

async function connect(host: string, options: Partial<ConnectionOptions> = {}) {
  const connection = await connectTo(lab, host, {
    trace: ({ type, procedure }) =>
      type === packetType.call && called.add(procedureName(procedure) ?? String(procedure)),
    warning: (message) => warnings.push(message),
    ...options,
  });
  open.push(connection);
  return connection;
}

const ask = <N extends CallName>(name: N, ...rest: CallArgs<N>): Promise<ResultOf<N>> => kvm1.call(name, ...rest);
const virsh = (...args: string[]) => lab.virsh('kvm1', ...args);
const domNamed = async (name: string, on = kvm1): Promise<Dom> =>
  (await on.call('domain_lookup_by_name', { name })).dom;

/** What virsh prints as `name: value` lines. */
function table(printed: string): Record<string, string> {
  const rows = printed.split('\n').map((row) => /^\s*(\S[^:]*?)\s*:\s*(.*?)\s*$/.exec(row));
  return Object.fromEntries(rows.flatMap((row) => (row ? [[row[1], row[2]]] : []))) as Record<string, string>;
}

/** The daemon understood the call, and refused it for a reason of its own. */
async function refused(promise: Promise<unknown>): Promise<LibvirtError> {
  const error: unknown = await promise.then(
    () => new Error('it was not refused'),
    (thrown: unknown) => thrown,
  );
  expect(error).toBeInstanceOf(LibvirtError);
  // 39 of 7 is what a daemon answers when it cannot decode the arguments.
  expect(`${(error as LibvirtError).code}/${(error as LibvirtError).domain}`).not.toBe('39/7');
  return error as LibvirtError;
}

beforeAll(async () => {
  lab = await Lab.open();
  await lab.reset();
  [kvm1, kvm2, mock] = await Promise.all([
    connect('kvm1'),
    connect('kvm2'),
    connect('kvm1', { uri: 'test:///default' }),
  ]);
});

afterAll(async () => {
  await Promise.all(open.map((connection) => connection.close()));
  await lab.reset();
});

describe('connection and host', () => {
  test('versions, names and features', async () => {
    const printed = await virsh('version');
    expect(printed).toContain(`Using library: libvirt ${versionText(kvm1.libVersion)}`);
    expect(printed).toContain(`Running hypervisor: QEMU ${versionText((await ask('connect_get_version')).version)}`);
    expect((await ask('connect_get_lib_version')).version).toBe(kvm1.libVersion);
    expect(await ask('connect_get_hostname')).toEqual({ hostname: await virsh('hostname') });
    expect(await ask('connect_get_uri')).toEqual({ uri: await virsh('uri') });
    expect(await ask('connect_get_type')).toEqual({ type: 'QEMU' });
    expect(await ask('connect_supports_feature', { feature: 13 })).toEqual({ supported: 1 });
    expect([...kvm1.features]).toContain('migration_params');
    expect([...mock.features]).not.toContain('migration_params');
  });

  test('logging in twice and opening twice are refused', async () => {
    expect(await ask('auth_list')).toEqual({ types: [0] });
    expect(await refused(ask('auth_polkit'))).toMatchObject({ code: 1, domain: 7 });
    // A second open is refused, and takes the driver away that the first one opened.
    const other = await connect('kvm1');
    expect(await refused(other.call('connect_open', { name: 'qemu:///system' }))).toMatchObject({ code: 1, domain: 7 });
    expect(await refused(other.call('connect_get_type'))).toMatchObject({ code: 1, domain: 7 });
  });

  test('the node', async () => {
    const info = await ask('node_get_info');
    const printed = table(await virsh('nodeinfo'));
    expect(info.model).toBe(printed['CPU model']);
    expect(`${info.memory} KiB`).toBe(printed['Memory size']);
    expect(String(info.cpus)).toBe(printed['CPU(s)']);
    const { nparams } = await ask('node_get_cpu_stats', { cpu: -1, nparams: 0 });
    const { params: cpu } = await ask('node_get_cpu_stats', { cpu: -1, nparams });
    expect(cpu.map(({ name }) => name)).toEqual(expect.arrayContaining(['kernel', 'user', 'idle', 'iowait']));
    const kinds = await ask('node_get_memory_stats', { nparams: 0, cell: -1 });
    const { params: memory } = await ask('node_get_memory_stats', { nparams: kinds.nparams, cell: -1 });
    expect(memory.map(({ name }) => name)).toEqual(expect.arrayContaining(['total', 'free']));
    for (const { value } of memory) expect(value).toBeGreaterThanOrEqual(0n);
    const { free } = await ask('node_get_free_memory');
    expect(free).toBeGreaterThan(0);
    const { map, online, total } = await ask('node_get_cpu_map', { need_map: 1, need_online: 1 });
    expect(total).toBe(info.cpus);
    expect(online).toBeLessThanOrEqual(total);
    expect(map.length).toBe(Math.ceil(total / 8));
  });

  test('what it can do, and which CPU', async () => {
    expect((await ask('connect_get_capabilities')).xml.trim()).toBe(await virsh('capabilities'));
    const { xml } = await ask('connect_get_domain_capabilities', { virttype: 'qemu', arch: 'x86_64' });
    expect(xml.trim()).toBe(await virsh('domcapabilities', '--virttype', 'qemu', '--arch', 'x86_64'));
    const cpu = '<cpu mode="custom" match="exact"><model>qemu64</model></cpu>';
    const compared = await ask('connect_compare_hypervisor_cpu', { virttype: 'qemu', xml: cpu });
    expect([0, 1, 2]).toContain(compared.result);
    expect([0, 1, 2]).toContain((await ask('connect_compare_cpu', { xml: cpu })).result);
    const base = await ask('connect_baseline_hypervisor_cpu', { virttype: 'qemu', cpus: [cpu] });
    expect(base.cpu).toMatch(/<cpu.*qemu64/s);
    // Some machines have no SMBIOS to read.
    await ask('connect_get_sysinfo').then(
      async ({ xml: sysinfo }) => expect(sysinfo.trim()).toBe(await virsh('sysinfo')),
      (error: unknown) => expect(error).toBeInstanceOf(LibvirtError),
    );
  });

  test('its close callback comes and goes', async () => {
    await ask('connect_register_close_callback');
    await ask('connect_unregister_close_callback');
  });
});

describe('domains', () => {
  test('listed as virsh does', async () => {
    const names = async (flags: number) =>
      (await ask('connect_list_all_domains', { need: 1, flags })).domains.map(({ name }) => name).sort();
    const printed = async (...args: string[]) =>
      (await virsh('list', '--name', ...args)).split('\n').filter(Boolean).sort();
    expect(await names(0)).toEqual(await printed('--all'));
    expect(await names(listDomainsFlags.active)).toEqual(await printed());
    expect(await names(listDomainsFlags.shutoff)).toEqual(await printed('--state-shutoff'));
    expect(await ask('connect_list_all_domains', { need: 0 })).toMatchObject({ domains: [] });
    const { domains, total } = await ask('connect_list_all_domains', { need: 1 });
    expect(total).toBe(domains.length);
    for (const { name, uuid } of domains) expect(await virsh('domuuid', name)).toBe(uuid);
  });

  test('found by name, UUID and id', async () => {
    const dom = await domNamed('web01');
    expect(dom).toEqual({ name: 'web01', uuid: guestNamed('web01').uuid, id: Number(await virsh('domid', 'web01')) });
    expect(await ask('domain_lookup_by_uuid', { uuid: dom.uuid })).toEqual({ dom });
    expect(await ask('domain_lookup_by_id', { id: dom.id })).toEqual({ dom });
    expect(LibvirtError.is(await refused(ask('domain_lookup_by_name', { name: 'nobody' })), 'no_domain')).toBe(true);
  });

  test('their state, size and description', async () => {
    const dom = await domNamed('web01');
    const printed = table(await virsh('dominfo', 'web01'));
    const info = await ask('domain_get_info', { dom });
    expect(info.state).toBe(domainState.running);
    expect(`${info.max_memory} KiB`).toBe(printed['Max memory']);
    expect(`${info.memory} KiB`).toBe(printed['Used memory']);
    expect(String(info.vcpus)).toBe(printed['CPU(s)']);
    expect(info.cpu_time).toBeGreaterThan(10n ** 8n);
    expect((await ask('domain_get_state', { dom })).state).toBe(domainState.running);
    expect(await ask('domain_get_state', { dom: await domNamed('files01') })).toMatchObject({
      state: domainState.shutoff,
    });
    expect((await ask('domain_get_xml_desc', { dom })).xml.trim()).toBe(await virsh('dumpxml', 'web01'));
    expect((await ask('domain_get_xml_desc', { dom, flags: xmlFlags.inactive })).xml.trim()).toBe(
      await virsh('dumpxml', 'web01', '--inactive'),
    );
    expect(await ask('domain_is_active', { dom })).toEqual({ active: 1 });
    expect(await ask('domain_is_persistent', { dom })).toEqual({ persistent: 1 });
    expect(await ask('domain_is_updated', { dom })).toEqual({ updated: 0 });
    expect(await ask('domain_get_control_info', { dom })).toMatchObject({ state: 0 });
    expect((await ask('domain_get_messages', { dom })).messages.join('\n')).toMatch(/tainted|^$/);
  });

  test('their statistics, all in one call', async () => {
    const stats = statsGroups.state | statsGroups.vcpu | statsGroups.balloon | statsGroups.block;
    const { records } = await ask('connect_get_all_domain_stats', { domains: [], stats, flags: statsFlags.nowait });
    expect(records).toHaveLength((await ask('connect_list_all_domains', { need: 1 })).domains.length);
    const web01 = records.find(({ dom }) => dom.name === 'web01');
    const values = paramRecord(web01?.params ?? []);
    const printed = await virsh('domstats', 'web01', '--state', '--vcpu', '--balloon', '--block', '--nowait');
    for (const name of ['state.state', 'state.reason', 'balloon.maximum', 'vcpu.current', 'block.count']) {
      expect(printed).toContain(`${name}=${String(values[name])}`);
    }
    const one = await ask('connect_get_all_domain_stats', { domains: [await domNamed('db01')], stats: 0 });
    expect(one.records.map(({ dom }) => dom.name)).toEqual(['db01']);
  });

  test('memory, network and disk figures', async () => {
    const [web01, db01] = [await domNamed('web01'), await domNamed('db01')];
    const { stats } = await ask('domain_memory_stats', { dom: web01, max: 32 });
    expect(stats.map(({ tag }) => tag)).toContain(6);
    const device = /vnet\d+/.exec(await virsh('domiflist', 'web01'))?.[0] ?? '';
    const net = await ask('domain_interface_stats', { dom: web01, device });
    expect(await virsh('domifstat', 'web01', device)).toContain(`${device} rx_errs ${net.rx_errs}`);
    const block = await ask('domain_get_block_info', { dom: db01, path: 'vda' });
    expect(table(await virsh('domblkinfo', 'db01', 'vda'))['Capacity']).toBe(String(block.capacity));
    expect(await ask('domain_get_block_job_info', { dom: db01, path: 'vda' })).toMatchObject({ found: 0 });
    expect(await refused(ask('domain_block_job_abort', { dom: db01, path: 'vda' }))).toMatchObject({ code: 8 });
    const mocked = await domNamed('test', mock);
    const { interfaces } = await mock.call('domain_interface_addresses', { dom: mocked, source: 0 });
    expect(interfaces).toEqual([
      { name: 'testnet0', mac: 'aa:bb:cc:dd:ee:ff', addresses: [{ type: 0, address: '192.168.122.3', prefix: 24 }] },
    ]);
  });

  test('what needs an agent in the guest says that there is none', async () => {
    const dom = await domNamed('web01');
    const asked = [
      ask('domain_get_guest_info', { dom, types: 1 }),
      ask('domain_get_hostname', { dom, flags: 2 }),
      ask('domain_get_time', { dom }),
      ask('domain_set_user_password', { dom, user: 'root', password: 'x' }),
    ];
    for (const { domain } of await Promise.all(asked.map(refused))) expect(domain).toBe(10);
  });
});

describe('a domain’s life', () => {
  let dom: Dom;
  const state = async () => (await ask('domain_get_state', { dom })).state;

  test('is defined, described and renamed', async () => {
    dom = (await ask('domain_define_xml_flags', { xml: domainXml({ ...temp, name: 'temp00' }), flags: 1 })).dom;
    expect(dom).toMatchObject({ name: 'temp00', uuid: temp.uuid, id: -1 });
    expect(await ask('domain_rename', { dom, name: 'temp01' })).toEqual({ result: 0 });
    expect(await virsh('domname', temp.uuid)).toBe('temp01');
    dom = await domNamed('temp01');
    await ask('domain_set_autostart', { dom, autostart: 1 });
    expect(await ask('domain_get_autostart', { dom })).toEqual({ autostart: 1 });
    expect(table(await virsh('dominfo', 'temp01'))['Autostart']).toBe('enable');
    await ask('domain_set_metadata', { dom, type: 1, metadata: 'Ein Gast für Tests' });
    expect(await ask('domain_get_metadata', { dom, type: 1 })).toEqual({ metadata: 'Ein Gast für Tests' });
    expect(await virsh('desc', 'temp01', '--title')).toBe('Ein Gast für Tests');
  });

  test('has its memory and processors set', async () => {
    await ask('domain_set_memory_flags', { dom, memory: 96 * 1024, flags: 2 });
    expect(table(await virsh('dominfo', 'temp01'))['Used memory']).toBe(`${96 * 1024} KiB`);
    await ask('domain_set_memory_flags', { dom, memory: 128 * 1024, flags: 2 });
    await ask('domain_set_vcpus_flags', { dom, vcpus: 2, flags: 6 });
    await ask('domain_set_vcpus_flags', { dom, vcpus: 2, flags: 2 });
    expect(await ask('domain_get_vcpus_flags', { dom, flags: 2 })).toEqual({ vcpus: 2 });
    expect(await virsh('vcpucount', 'temp01', '--config', '--current')).toBe('2');
    await ask('domain_set_memory_stats_period', { dom, period: 5, flags: 2 });
  });

  test('starts, pauses, resets, saves and stops', async () => {
    dom = (await ask('domain_create_with_flags', { dom, flags: 1 })).dom;
    expect(dom.id).toBeGreaterThan(0);
    expect(await state()).toBe(domainState.paused);
    await ask('domain_resume', { dom });
    expect(await state()).toBe(domainState.running);
    await ask('domain_suspend', { dom });
    expect(await ask('domain_get_state', { dom })).toEqual({ state: domainState.paused, reason: pausedReason.user });
    await ask('domain_resume', { dom });
    await ask('domain_reset', { dom });
    await ask('domain_reboot', { dom, flags: 1 });
    await ask('domain_send_key', { dom, codeset: 0, holdtime: 10, keycodes: [28] });
    await ask('domain_inject_nmi', { dom });
    await ask('domain_managed_save', { dom });
    expect(await ask('domain_has_managed_save_image', { dom })).toEqual({ there: 1 });
    expect(await ask('domain_get_state', { dom })).toEqual({ state: domainState.shutoff, reason: shutoffReason.saved });
    await ask('domain_managed_save_remove', { dom });
    expect(await ask('domain_has_managed_save_image', { dom })).toEqual({ there: 0 });
    dom = (await ask('domain_create_with_flags', { dom })).dom;
    await ask('domain_shutdown_flags', { dom, flags: 1 });
    await ask('domain_destroy_flags', { dom });
    expect(await virsh('domstate', 'temp01', '--reason')).toBe('shut off (destroyed)');
  });

  test('has devices attached, changed and taken off', async () => {
    const network = (model: string) =>
      `<interface type="bridge"><mac address="52:54:00:00:00:77"/><source bridge="br0"/><model type="${model}"/></interface>`;
    await ask('domain_attach_device_flags', { dom, xml: network('e1000'), flags: 2 });
    expect(await virsh('domiflist', 'temp01', '--inactive')).toMatch(/e1000\s+52:54:00:00:00:77/);
    await ask('domain_update_device_flags', { dom, xml: network('virtio'), flags: 2 });
    expect(await virsh('domiflist', 'temp01', '--inactive')).toMatch(/virtio\s+52:54:00:00:00:77/);
    await ask('domain_detach_device_flags', { dom, xml: network('virtio'), flags: 2 });
    expect(await virsh('domiflist', 'temp01', '--inactive')).not.toContain('52:54:00:00:00:77');
  });

  test('is forgotten; another lives only while it runs', async () => {
    await ask('domain_undefine_flags', { dom, flags: undefineFlags.managed_save | undefineFlags.nvram });
    expect(await virsh('list', '--all', '--name')).not.toContain('temp01');
    dom = (await ask('domain_create_xml', { xml: domainXml(temp) })).dom;
    expect(await ask('domain_is_persistent', { dom })).toEqual({ persistent: 0 });
    expect(await ask('domain_get_job_info', { dom })).toMatchObject({ type: jobType.none });
    const file = '/var/lib/libvirt/temp01.save';
    await ask('domain_save_flags', { dom, file });
    await ask('domain_restore_flags', { file });
    await lab.exec('kvm1', ['rm', file]);
    expect(await state()).toBe(domainState.running);
    expect((await refused(ask('domain_pm_wakeup', { dom }))).domain).toBe(10);
    expect((await refused(ask('domain_pm_suspend_for_duration', { dom, target: 0, duration: 0 }))).domain).toBe(10);
    await ask('domain_destroy_flags', { dom, flags: 1 });
    expect(LibvirtError.is(await refused(ask('domain_get_state', { dom })), 'no_domain')).toBe(true);
  });
});

test('snapshots', async () => {
  const dom = await domNamed('files01');
  const { snapshot } = await ask('domain_snapshot_create_xml', {
    dom,
    xml: '<domainsnapshot><name>before</name></domainsnapshot>',
  });
  expect(snapshot).toMatchObject({ name: 'before', dom: { name: 'files01' } });
  await ask('domain_snapshot_create_xml', { dom, xml: '<domainsnapshot><name>after</name></domainsnapshot>' });
  const { snapshots, total } = await ask('domain_list_all_snapshots', { dom, need: 1 });
  expect(snapshots.map(({ name }) => name).sort()).toEqual(['after', 'before']);
  expect(total).toBe(2);
  expect((await ask('domain_snapshot_current', { dom })).snapshot.name).toBe('after');
  await ask('domain_revert_to_snapshot', { snapshot });
  expect(await virsh('snapshot-current', 'files01', '--name')).toBe('before');
  expect((await ask('domain_snapshot_get_xml_desc', { snapshot })).xml.trim()).toBe(
    await virsh('snapshot-dumpxml', 'files01', 'before'),
  );
  for (const name of ['after', 'before']) {
    const found = await ask('domain_snapshot_lookup_by_name', { dom, name });
    await ask('domain_snapshot_delete', found);
  }
  expect(
    LibvirtError.is(
      await refused(ask('domain_snapshot_lookup_by_name', { dom, name: 'before' })),
      'no_domain_snapshot',
    ),
  ).toBe(true);
  expect(await virsh('snapshot-list', 'files01', '--name')).toBe('');
});

describe('storage', () => {
  test('pools, listed and described', async () => {
    const { pools } = await ask('connect_list_all_storage_pools', { need: 1 });
    expect(pools.map(({ name }) => name).sort()).toEqual(
      (await virsh('pool-list', '--name'))
        .split('\n')
        .map((row) => row.trim())
        .sort(),
    );
    const { pool } = await ask('storage_pool_lookup_by_name', { name: 'default' });
    expect(await ask('storage_pool_lookup_by_uuid', { uuid: pool.uuid })).toEqual({ pool });
    expect(await ask('storage_pool_lookup_by_target_path', { path: '/var/lib/libvirt/images' })).toEqual({ pool });
    const printed = table(await virsh('pool-info', '--bytes', 'default'));
    const info = await ask('storage_pool_get_info', { pool });
    expect(info.state).toBe(2);
    expect(String(info.capacity)).toBe(printed['Capacity']);
    expect(await ask('storage_pool_get_autostart', { pool })).toEqual({
      autostart: printed['Autostart'] === 'yes' ? 1 : 0,
    });
    expect((await ask('storage_pool_get_xml_desc', { pool })).xml.trim()).toBe(await virsh('pool-dumpxml', 'default'));
    expect(await ask('storage_pool_is_active', { pool })).toEqual({ active: 1 });
  });

  test('a pool’s life', async () => {
    const xml = '<pool type="dir"><name>temp</name><target><path>/var/lib/libvirt/temp</path></target></pool>';
    const { pool } = await ask('storage_pool_define_xml', { xml });
    await ask('storage_pool_build', { pool });
    await ask('storage_pool_create', { pool });
    await ask('storage_pool_set_autostart', { pool, autostart: 1 });
    expect(table(await virsh('pool-info', 'temp'))).toMatchObject({ State: 'running', Autostart: 'yes' });
    await ask('storage_pool_refresh', { pool });
    await ask('storage_pool_destroy', { pool });
    expect(await ask('storage_pool_is_active', { pool })).toEqual({ active: 0 });
    await ask('storage_pool_undefine', { pool });
    const transient = await ask('storage_pool_create_xml', { xml });
    await ask('storage_pool_destroy', transient);
    expect(await virsh('pool-list', '--all', '--name')).not.toContain('temp');
  });

  test('a volume’s life', async () => {
    const { pool } = await ask('storage_pool_lookup_by_name', { name: 'default' });
    const xml = (name: string) =>
      `<volume><name>${name}</name><capacity unit="MiB">4</capacity><target><format type="qcow2"/></target></volume>`;
    const { vol } = await ask('storage_vol_create_xml', { pool, xml: xml('one.qcow2') });
    expect(vol).toEqual({ pool: 'default', name: 'one.qcow2', key: '/var/lib/libvirt/images/one.qcow2' });
    const { vol: clone } = await ask('storage_vol_create_xml_from', { pool, xml: xml('two.qcow2'), clonevol: vol });
    await ask('storage_vol_resize', { vol: clone, capacity: 8 * 2 ** 20 });
    expect(await ask('storage_vol_get_info', { vol: clone })).toMatchObject({ type: 0, capacity: 8 * 2 ** 20 });
    const { vols } = await ask('storage_pool_list_all_volumes', { pool, need: 1 });
    expect(vols.map(({ name }) => name)).toEqual(expect.arrayContaining(['one.qcow2', 'two.qcow2']));
    expect(await ask('storage_vol_lookup_by_name', { pool, name: 'one.qcow2' })).toEqual({ vol });
    expect(await ask('storage_vol_lookup_by_path', { path: vol.key })).toEqual({ vol });
    expect(await ask('storage_vol_get_path', { vol })).toEqual({ path: vol.key });
    expect((await ask('storage_vol_get_xml_desc', { vol })).xml.trim()).toBe(await virsh('vol-dumpxml', vol.key));
    for (const each of [vol, clone]) await ask('storage_vol_delete', { vol: each });
    expect(LibvirtError.is(await refused(ask('storage_vol_get_info', { vol })), 'no_storage_vol')).toBe(true);
  });
});

test('networks', async () => {
  const xml = '<network><name>temp</name><bridge name="virbr77"/></network>';
  const { net } = await ask('network_define_xml', { xml });
  const { nets } = await ask('connect_list_all_networks', { need: 1 });
  expect(nets.map(({ name }) => name).sort()).toEqual(
    (await virsh('net-list', '--all', '--name'))
      .split('\n')
      .filter(Boolean)
      .map((row) => row.trim())
      .sort(),
  );
  expect(await ask('network_lookup_by_name', { name: 'temp' })).toEqual({ net });
  expect((await ask('network_get_xml_desc', { net })).xml.trim()).toBe(await virsh('net-dumpxml', 'temp'));
  expect(await ask('network_get_bridge_name', { net })).toEqual({ bridge: 'virbr77' });
  await ask('network_set_autostart', { net, autostart: 1 });
  expect(await ask('network_get_autostart', { net })).toEqual({ autostart: 1 });
  expect(await ask('network_is_persistent', { net })).toEqual({ persistent: 1 });
  expect(await ask('network_is_active', { net })).toEqual({ active: 0 });
  await ask('network_set_autostart', { net, autostart: 0 });
  await ask('network_undefine', { net });
  // A real one needs a firewall, which a lab may not have: the mock's starts anywhere.
  const { net: mocked } = await mock.call('network_lookup_by_name', { name: 'default' });
  await mock.call('network_destroy', { net: mocked });
  await mock.call('network_create', { net: mocked });
  expect(await mock.call('network_is_active', { net: mocked })).toEqual({ active: 1 });
  const leases = await mock.call('network_get_dhcp_leases', { net: mocked, need: 1 }).catch((error: unknown) => error);
  expect(LibvirtError.isUnsupported(leases) || (leases as { total: number }).total >= 0).toBe(true);
});

test('interfaces and devices', async () => {
  const { interfaces } = await mock.call('connect_list_all_interfaces', { need: 1 });
  expect(interfaces[0]).toMatchObject({ name: 'eth1', mac: 'aa:bb:cc:dd:ee:ff' });
  const { devices } = await mock.call('connect_list_all_node_devices', { need: 1 });
  expect(devices.map(({ name }) => name)).toContain('computer');
  const { xml } = await mock.call('node_device_get_xml_desc', { name: 'computer' });
  expect(xml).toContain('<name>computer</name>');
});

describe('events', () => {
  test('every one is asked for and given back; only what is newer than this daemon is not there', async () => {
    const { events } = await import('../../src-main/libvirt/index.ts');
    const connection = await connect('kvm1');
    const offs = (Object.keys(events) as EventName[]).map((name) => connection.on(name, () => {}));
    expect(await connection.eventsReady()).toEqual(['nic_mac_change']);
    for (const off of offs) off();
    expect(await connection.eventsReady()).toEqual(['nic_mac_change']);
    await connection.close();
  });

  test('what virsh does is heard, in libvirt’s order', async () => {
    const heard: string[] = [];
    const watch = await connect('kvm1');
    watch.on('lifecycle', ({ dom, event, detail }) => {
      // That QEMU says when it is shut down, or is gone before it can.
      if (dom.name === 'temp01' && lifecycleEvents[event] !== 'shutdown') heard.push(`${event}/${detail}`);
    });
    watch.on('metadata_change', ({ dom, type }) => void (dom.name === 'temp01' && heard.push(`metadata ${type}`)));
    await watch.eventsReady();
    await lab.define('kvm1', domainXml(temp));
    await virsh('start', 'temp01');
    await virsh('desc', 'temp01', '--live', '--title', 'x');
    await virsh('suspend', 'temp01');
    await virsh('destroy', 'temp01');
    await virsh('undefine', 'temp01');
    const expected = ['0/0', '4/0', '2/0', 'metadata 1', '3/0', '5/1', '1/0'];
    await until('seven events', async () => heard.length >= expected.length, 10_000);
    expect(heard).toEqual(expected);
    await watch.close();
  });
});

describe('migration', () => {
  const flags = migrateFlags.live | migrateFlags.persist_dest | migrateFlags.undefine_source;
  const source = flags | migrateFlags.change_protection;
  const none = Buffer.alloc(0);

  test('step by step over two connections, watched from a third', async () => {
    const dom = await domNamed('web01');
    const watch = await connect('kvm1');
    const iterations: number[] = [];
    watch.on('migration_iteration', ({ iteration }) => void iterations.push(iteration));
    await watch.eventsReady();
    const limits = { bandwidth: 2n };
    await ask('domain_migrate_set_max_speed', { dom, ...limits });
    expect(await ask('domain_migrate_get_max_speed', { dom })).toEqual(limits);
    await lab.waitForTick('web01');

    const begin = await ask('domain_migrate_begin3_params', { dom, params: [], flags: source });
    expect(begin.xml).toContain('<name>web01</name>');
    const xml = param.str('destination_xml', begin.xml);
    const address = param.str('migrate_uri', `tcp://${lab.host('kvm2').address}`);
    const prepare = await kvm2.call('domain_migrate_prepare3_params', {
      params: [xml, address],
      cookie: begin.cookie,
      flags,
    });
    const uri = param.str('migrate_uri', prepare.uri ?? '');
    const incoming = await domNamed('web01', kvm2);
    expect(await kvm2.call('domain_get_state', { dom: incoming })).toEqual({
      state: domainState.paused,
      reason: pausedReason.migration,
    });
    expect(
      LibvirtError.is(await refused(kvm2.call('domain_get_job_stats', { dom: incoming })), 'operation_unsupported'),
    ).toBe(true);

    const performing = ask('domain_migrate_perform3_params', {
      dom,
      params: [xml, uri],
      cookie: prepare.cookie,
      flags: source,
    });
    await until(
      'memory under way',
      async () =>
        Number(paramRecord((await watch.call('domain_get_job_stats', { dom })).params)['memory_processed'] ?? 0) > 0,
      10_000,
    );
    expect(await watch.call('domain_get_job_info', { dom })).toMatchObject({ type: jobType.unbounded });
    await watch.call('domain_migrate_set_max_downtime', { dom, downtime: 500 });
    expect(await watch.call('domain_migrate_get_max_downtime', { dom })).toEqual({ downtime: 500 });
    expect(await refused(watch.call('domain_migrate_start_post_copy', { dom }))).toMatchObject({ domain: 10 });
    await watch.call('domain_migrate_set_max_speed', { dom, bandwidth: 1_000n });
    const perform = await performing;
    const finish = await kvm2.call('domain_migrate_finish3_params', {
      params: [xml, uri, param.str('destination_name', 'web01')],
      cookie: perform.cookie,
      flags,
      cancelled: 0,
    });
    expect(finish.dom.uuid).toBe(dom.uuid);
    await ask('domain_migrate_confirm3_params', {
      dom,
      params: [xml, uri],
      cookie: finish.cookie,
      flags: source,
      cancelled: 0,
    });

    expect(await lab.whereabouts('web01')).toEqual([{ host: 'kvm2', state: 'running' }]);
    expect(iterations[0]).toBe(1);
    await lab.waitForTick('web01');
    const { type, params } = await kvm2.call('domain_get_job_stats', { dom: finish.dom, flags: 1 });
    expect(type).toBe(jobType.completed);
    expect(Number(paramRecord(params)['downtime'])).toBeGreaterThan(0);
    await watch.close();
    await lab.ensureRunning('web01', 'kvm1');
  });

  test('a cancelled one ends with the number for that, and the guest where it was', async () => {
    const dom = await domNamed('web01');
    const before = await ask('domain_migrate_get_max_speed', { dom });
    await ask('domain_migrate_set_max_speed', { dom, bandwidth: 1n });
    const begin = await ask('domain_migrate_begin3_params', { dom, params: [], flags: source });
    const xml = param.str('destination_xml', begin.xml);
    const address = param.str('migrate_uri', `tcp://${lab.host('kvm2').address}`);
    const prepare = await kvm2.call('domain_migrate_prepare3_params', {
      params: [xml, address],
      cookie: begin.cookie,
      flags,
    });
    const uri = param.str('migrate_uri', prepare.uri ?? '');
    const performing = refused(
      ask('domain_migrate_perform3_params', { dom, params: [xml, uri], cookie: prepare.cookie, flags: source }),
    );
    await until('memory under way', async () => (await ask('domain_get_job_info', { dom })).mem_processed > 0, 10_000);
    expect((await refused(ask('domain_abort_job_flags', { dom, flags: 1 }))).domain).toBe(10);
    await ask('domain_abort_job', { dom });
    expect(LibvirtError.is(await performing, 'operation_aborted')).toBe(true);
    const finish = { params: [xml, uri, param.str('destination_name', 'web01')], cookie: none, flags, cancelled: 1 };
    // An error always: 93 when the target is clean, or what its QEMU had to say.
    await refused(kvm2.call('domain_migrate_finish3_params', finish));
    await ask('domain_migrate_set_max_speed', { dom, ...before });
    expect(await lab.whereabouts('web01')).toEqual([{ host: 'kvm1', state: 'running' }]);
    await lab.waitForTick('web01');
  });
});

test('libvirt’s mock driver answers on the same socket', async () => {
  expect(await mock.call('connect_get_type')).toEqual({ type: 'TEST' });
  const { domains } = await mock.call('connect_list_all_domains', { need: 1 });
  expect(domains.map(({ name }) => name)).toEqual(['test']);
});

test('the daemon says goodbye', async () => {
  const connection = await connect('kvm1');
  await connection.close();
  expect(await connection.ended).toBeNull();
});

/** A program of this checkout, run here: the hosts may not see the folder that it stands in. */
const runHere = (file: string, ...args: string[]) => run([process.execPath, '--import', 'tsx', file, ...args]);
const hostSocket = () => `/proc/${lab.host('kvm1').init.pid}/root/run/libvirt/libvirt-sock`;

test('the example of the documentation runs as it is written there', async () => {
  const top = join(import.meta.dirname, '../..');
  const page = await readFile(join(top, 'docs/libvirt-client.md'), 'utf8');
  const example = /```ts\n([^]*?)```/.exec(page)?.[1] ?? '';
  const file = join(lab.state.directory, 'example.mts');
  // Only where things are is put in.
  const placed = example
    .replace('./src-main', join(top, 'src-main'))
    .replace('openLocal(uri)', `openLocal(uri, { socket: '${hostSocket()}' })`);
  await writeFile(file, placed);
  const printed = await runHere(file);
  expect(printed).toContain("web01 { state: 'running', reason: 'booted' }");
  expect(printed).toContain('web01 1 processors');
});

test('a trace shows what is asked and answered', async () => {
  const trace = join(import.meta.dirname, '../../build/trace.ts');
  const printed = await runHere(trace, 'test:///default', '--socket', hostSocket());
  expect(printed).toMatch(/→ #3 connect_open \{ name: test:\/\/\/default, flags: 0 \}/);
  expect(printed).toMatch(/← #\d+ connect_list_all_domains ok \{ domains: \[test\], total: 1 \}/);
  expect(printed.trimEnd()).toMatch(/← #\d+ connect_close ok$/);
});

test('a read-only connection may look, not touch', async () => {
  const connection = await connect('kvm1', { readOnly: true });
  const dom = await domNamed('web01', connection);
  expect(LibvirtError.is(await refused(connection.call('domain_suspend', { dom })), 'operation_denied')).toBe(true);
});

test('nothing of this was left out, or came with a warning', async () => {
  const calls = Object.entries(procedures).filter(([, { stream }]) => stream === null);
  expect(calls.map(([name]) => name).filter((name) => !called.has(name))).toEqual([]);
  expect(warnings).toEqual([]);
});
