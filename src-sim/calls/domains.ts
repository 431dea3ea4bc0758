// Which domains there are, what they are, and in what state.
import { domainState, listDomainsFlags as list, xmlFlags } from '../../src-main/libvirt/index.ts';
import { Console } from '../console.ts';
import { liveXml, vnet } from '../live-xml.ts';
import type { Domain } from '../domain.ts';
import { mustRun } from '../lifecycle.ts';
import { refuse } from '../refusal.ts';
import type { Handlers } from './handlers.ts';

/** Filters come in groups: of each that is asked for, one has to fit. */
export function fits(domain: Domain, flags: number): boolean {
  const { active, persistent, state, saved, snapshots, autostart } = domain;
  const others = ![domainState.running, domainState.paused, domainState.shutoff].includes(state as 1);
  const groups: [number, boolean][][] = [
    [
      [list.active, active],
      [list.inactive, !active],
    ],
    [
      [list.persistent, persistent !== null],
      [list.transient, persistent === null],
    ],
    [
      [list.running, state === domainState.running],
      [list.paused, state === domainState.paused],
      [list.shutoff, state === domainState.shutoff],
      [list.other, others],
    ],
    [
      [list.managed_save, saved !== null],
      [list.no_managed_save, saved === null],
    ],
    [
      [list.autostart, autostart],
      [list.no_autostart, !autostart],
    ],
    [
      [list.has_snapshot, snapshots.count > 0],
      [list.no_snapshot, snapshots.count === 0],
    ],
  ];
  return groups.every((group) => {
    const asked = group.filter(([flag]) => flags & flag);
    return asked.length === 0 || asked.some(([, is]) => is);
  });
}

const FORCE = 1;

export const domains: Handlers = {
  connect_list_all_domains: ({ need, flags }, { daemon }) => {
    const found = [...daemon.domains.values()].filter((domain) => fits(domain, flags)).map(({ ref }) => ref);
    return { domains: need ? found : [], total: found.length };
  },
  domain_lookup_by_id: ({ id }, { daemon }) => {
    const domain = [...daemon.domains.values()].find((each) => each.active && each.id === id);
    if (!domain) throw refuse.noDomain(`no domain with matching id ${id}`);
    return { dom: domain.ref };
  },
  domain_lookup_by_name: ({ name }, { daemon }) => {
    const domain = daemon.byName(name);
    if (!domain) throw refuse.noDomain(`no domain with matching name '${name}'`);
    return { dom: domain.ref };
  },
  domain_lookup_by_uuid: ({ uuid }, { daemon }) => ({ dom: daemon.find(uuid).ref }),
  domain_get_state: ({ dom }, { daemon }) => {
    const { state, reason } = daemon.named(dom);
    return { state, reason };
  },
  domain_get_info: ({ dom }, { daemon }) => {
    const { state, definition, guest } = daemon.named(dom);
    const { memoryKiB, currentKiB, vcpus } = definition;
    return { state, max_memory: memoryKiB, memory: currentKiB, vcpus, cpu_time: BigInt(guest?.cpuNs ?? 0) };
  },
  domain_get_xml_desc: ({ dom, flags }, { daemon }) => {
    const domain = daemon.named(dom);
    const inactive = (flags & (xmlFlags.inactive | xmlFlags.migratable)) !== 0;
    const xml =
      domain.active && !inactive
        ? liveXml(domain.definition, domain.id)
        : (flags & xmlFlags.inactive && domain.persistent ? domain.persistent : domain.definition).xml;
    return { xml: flags & xmlFlags.secure ? xml : xml.replace(/(<graphics [^>]*?) passwd='[^']*'/g, '$1') };
  },
  domain_is_active: ({ dom }, { daemon }) => ({ active: daemon.named(dom).active ? 1 : 0 }),
  domain_is_persistent: ({ dom }, { daemon }) => ({ persistent: daemon.named(dom).persistent ? 1 : 0 }),
  domain_is_updated: ({ dom }, { daemon }) => {
    daemon.named(dom);
    return { updated: 0 };
  },
  domain_get_control_info: ({ dom }, { daemon }) => {
    mustRun(daemon.named(dom));
    return { state: 0, details: 0, since: 0 };
  },
  domain_get_messages: ({ dom }, { daemon }) => {
    daemon.named(dom);
    return { messages: [] };
  },
  domain_get_autostart: ({ dom }, { daemon }) => ({ autostart: daemon.named(dom).autostart ? 1 : 0 }),
  domain_set_autostart: ({ dom, autostart }, { daemon }) => {
    const domain = daemon.named(dom);
    if (!domain.persistent) {
      const what = 'cannot set autostart for transient domain';
      throw refuse.qemu('operation_invalid', `Requested operation is not valid: ${what}`);
    }
    domain.autostart = autostart !== 0;
    return {};
  },
  domain_get_vcpus_flags: ({ dom }, { daemon }) => ({ vcpus: daemon.named(dom).definition.vcpus }),
  domain_memory_stats: ({ dom }, { daemon }) => {
    const domain = daemon.named(dom);
    mustRun(domain);
    const { currentKiB } = domain.definition;
    return {
      stats: [
        { tag: 6, value: BigInt(currentKiB) },
        { tag: 5, value: BigInt(currentKiB) },
      ],
    };
  },
  domain_get_block_info: ({ dom, path }, { daemon }) => {
    const { disks } = daemon.named(dom).definition;
    const disk = disks.find((each) => each.target === path || each.path === path);
    if (!disk) throw refuse.qemu('invalid_arg', `invalid argument: invalid path ${path} not assigned to domain`);
    const file = disk.path === null ? null : daemon.fleet.storage.file(daemon.host.name, disk.path);
    return { allocation: file?.allocation ?? 0, capacity: file?.capacity ?? 0, physical: file?.allocation ?? 0 };
  },
  domain_interface_stats: ({ dom, device }, { daemon }) => {
    const domain = daemon.named(dom);
    mustRun(domain);
    const known = domain.definition.nics.some((_, at) => device === vnet(domain.id, at));
    if (!known) throw refuse.qemu('invalid_arg', `invalid argument: '${device}' is not a known interface`);
    const { rx, tx } = domain.guest?.netBytes ?? { rx: 0, tx: 0 };
    const none = { rx_errs: 0, rx_drop: 0, tx_errs: 0, tx_drop: 0 };
    return { ...none, rx_bytes: rx, rx_packets: Math.round(rx / 900), tx_bytes: tx, tx_packets: Math.round(tx / 900) };
  },
  domain_get_hostname: ({ dom }, { daemon }) => {
    mustRun(daemon.named(dom));
    throw refuse.qemu('argument_unsupported', 'QEMU guest agent is not configured');
  },
  domain_open_console: ({ dom, device, flags }, { daemon, client, serial }) => {
    const domain = daemon.named(dom);
    mustRun(domain);
    const { serials } = domain.definition;
    if (device === null ? serials.length === 0 : !serials.includes(device)) {
      throw refuse.qemu('internal_error', `internal error: cannot find character device ${device ?? ''}`);
    }
    if (domain.console && !(flags & FORCE)) {
      throw refuse.qemu('operation_failed', 'operation failed: Active console session exists for this domain');
    }
    domain.console?.takenOver();
    const { guest } = domain;
    if (!guest) throw refuse.notRunning();
    const console: Console = new Console(client, serial, guest, () => {
      if (domain.console === console) domain.console = null;
    });
    domain.console = console;
    return {};
  },
};
