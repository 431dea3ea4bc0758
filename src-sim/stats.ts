// Numbers that move: of a domain in libvirt's groups, and of the host that carries them.
import { param, statsGroups as group } from '../src-main/libvirt/index.ts';
import type { Param } from '../src-main/libvirt/index.ts';
import type { Daemon } from './daemon.ts';
import type { Domain } from './domain.ts';
import { vnet } from './live-xml.ts';

const { i32, u32, u64, i64, str } = param;
const GIB = 2 ** 30;

/** The bulk record of a domain; `stats` 0 is all groups. */
export function recordOf(daemon: Daemon, domain: Domain, stats: number): Param[] {
  const has = (wanted: number) => stats === 0 || (stats & wanted) !== 0;
  return [
    ...(has(group.state) ? [i32('state.state', domain.state), i32('state.reason', domain.reason)] : []),
    ...(has(group.cpu) ? cpu(domain) : []),
    ...(has(group.balloon) ? balloon(domain) : []),
    ...(has(group.vcpu) ? vcpus(domain) : []),
    ...(has(group.interface) ? nics(domain) : []),
    ...(has(group.block) ? blocks(daemon, domain) : []),
    ...(has(group.dirtyrate) && domain.guest ? dirtyRate() : []),
  ];
}

function cpu({ guest }: Domain): Param[] {
  if (!guest) return [];
  const { cpuNs } = guest;
  return [
    u64('cpu.time', cpuNs),
    u64('cpu.user', Math.round(cpuNs * 0.8)),
    u64('cpu.system', cpuNs - Math.round(cpuNs * 0.8)),
    u32('cpu.cache.monitor.count', 0),
    u64('cpu.haltpoll.success.time', 0),
    u64('cpu.haltpoll.fail.time', 0),
  ];
}

function balloon({ guest, definition }: Domain): Param[] {
  const { currentKiB, memoryKiB } = definition;
  const sizes = [u64('balloon.current', currentKiB), u64('balloon.maximum', memoryKiB)];
  if (!guest) return sizes;
  const used = usedKiB(guest.cpuShare, guest.profile.load, currentKiB);
  const available = Math.round(currentKiB * 0.97);
  const usable = available - used;
  return [
    ...sizes,
    ...(['swap_in', 'swap_out', 'major_fault', 'minor_fault'] as const).map((name) => u64(`balloon.${name}`, 0)),
    u64('balloon.unused', Math.round(usable * 0.8)),
    u64('balloon.available', available),
    u64('balloon.usable', usable),
    u64('balloon.last-update', Math.floor(Date.now() / 1000)),
    u64('balloon.disk_caches', Math.round(usable * 0.2)),
    u64('balloon.hugetlb_pgalloc', 0),
    u64('balloon.hugetlb_pgfail', 0),
    u64('balloon.rss', Math.min(currentKiB, used + 65_536)),
  ];
}

/** Most of it stays, a little breathes with the load. */
const usedKiB = (share: number, load: number, kib: number) =>
  Math.round(kib * Math.min(0.92, 0.25 + load * 0.5 + share * 0.15));

function vcpus({ guest, definition }: Domain): Param[] {
  const sizes = [u32('vcpu.current', definition.vcpus), u32('vcpu.maximum', definition.vcpus)];
  if (!guest) return sizes;
  const each = Math.round(guest.cpuNs / definition.vcpus);
  return [
    ...sizes,
    ...Array.from({ length: definition.vcpus }, (_, at) => [
      i32(`vcpu.${at}.state`, 1),
      u64(`vcpu.${at}.time`, each),
      u64(`vcpu.${at}.wait`, 0),
      u64(`vcpu.${at}.delay`, 0),
    ]).flat(),
  ];
}

function nics({ guest, definition, id }: Domain): Param[] {
  if (!guest) return [];
  const { nics: cards } = definition;
  const { rx, tx } = guest.netBytes;
  const share = (bytes: number) => Math.round(bytes / cards.length);
  return [
    u32('net.count', cards.length),
    ...cards.flatMap((_, at) => [
      str(`net.${at}.name`, vnet(id, at)),
      ...traffic(`net.${at}.rx`, share(rx)),
      ...traffic(`net.${at}.tx`, share(tx)),
    ]),
  ];
}

const traffic = (prefix: string, bytes: number) => [
  u64(`${prefix}.bytes`, bytes),
  u64(`${prefix}.pkts`, Math.round(bytes / 900)),
  u64(`${prefix}.errs`, 0),
  u64(`${prefix}.drop`, 0),
];

function blocks({ fleet, host }: Daemon, { guest, definition }: Domain): Param[] {
  const { disks } = definition;
  const bytes = guest?.diskBytes ?? { rd: 0, wr: 0 };
  return [
    u32('block.count', disks.length),
    ...disks.flatMap(({ target, path }, at) => {
      const file = path === null ? null : fleet.storage.file(host.name, path);
      const share = (all: number) => Math.round(all / disks.length);
      const moved = (which: 'rd' | 'wr') => [
        u64(`block.${at}.${which}.reqs`, Math.round(share(bytes[which]) / 16_384)),
        u64(`block.${at}.${which}.bytes`, share(bytes[which])),
        u64(`block.${at}.${which}.times`, share(bytes[which]) * 10),
      ];
      return [
        str(`block.${at}.name`, target),
        ...(path === null ? [] : [str(`block.${at}.path`, path)]),
        ...(guest ? [u32(`block.${at}.backingIndex`, at + 1), ...moved('rd'), ...moved('wr')] : []),
        ...(guest ? [u64(`block.${at}.fl.reqs`, 0), u64(`block.${at}.fl.times`, 0)] : []),
        u64(`block.${at}.allocation`, file?.allocation ?? 0),
        u64(`block.${at}.capacity`, file?.capacity ?? 0),
        u64(`block.${at}.physical`, file?.allocation ?? 0),
      ];
    }),
  ];
}

const dirtyRate = () => [
  i32('dirtyrate.calc_status', 0),
  i64('dirtyrate.calc_start_time', 0),
  i32('dirtyrate.calc_period', 0),
  str('dirtyrate.calc_mode', 'page-sampling'),
];

/** Bytes that no guest and not the host itself has. */
export function freeBytes({ domains, host }: Daemon): number {
  let taken = 2 * GIB;
  for (const { active, definition } of domains.values()) if (active) taken += definition.currentKiB * 1024;
  return Math.max(256 * 2 ** 20, host.spec.memoryGiB * GIB - taken);
}

/** How many CPUs' worth the guests use now, and a little for the host itself. */
function busyCpus({ domains, host }: Daemon): number {
  let busy = 0.02 * host.spec.cpus;
  for (const { guest } of domains.values()) if (guest) busy += guest.cpuShare * guest.vcpus;
  return Math.min(host.spec.cpus, busy);
}

const counted = new WeakMap<Daemon, { at: number; busy: number; idle: number }>();

/** Nanoseconds since the host was first asked; they never go back. */
export function hostCpu(daemon: Daemon): { kernel: number; user: number; idle: number; iowait: number } {
  const now = daemon.fleet.clock.now();
  const last = counted.get(daemon) ?? { at: 0, busy: 0, idle: 0 };
  const passed = (now - last.at) * 1e6;
  const busy = busyCpus(daemon);
  const next = { at: now, busy: last.busy + passed * busy, idle: last.idle + passed * (daemon.host.spec.cpus - busy) };
  counted.set(daemon, next);
  const whole = Math.round;
  return { kernel: whole(next.busy * 0.25), user: whole(next.busy * 0.75), idle: whole(next.idle), iowait: 0 };
}
