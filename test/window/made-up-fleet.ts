// Fleets made up from a seed: what the window is tested on where there is no main side.
import type { Snapshot } from '../../contract/events.ts';
import type { DomainState, DomainView, HostView } from '../../contract/model.ts';

export type Random = () => number;

/** The same numbers for the same seed (mulberry32), 0 to 1. */
export function random(seed: number): Random {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

export const pick = <T>(next: Random, list: readonly T[]): T => list[Math.floor(next() * list.length)] as T;

const roles = [
  'web',
  'db',
  'cache',
  'mail',
  'build',
  'git',
  'dns',
  'proxy',
  'wiki',
  'queue',
  'ldap',
  'backup',
  'metrics',
];
const GiB = 1024 * 1024;

export function uuidOf(next: Random): string {
  const hex = Array.from({ length: 32 }, () => Math.floor(next() * 16).toString(16)).join('');
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-4${hex.slice(13, 16)}-a${hex.slice(17, 20)}-${hex.slice(20)}`;
}

export function madeUpHost(next: Random, index: number, label = `kvm${index + 1}`): HostView {
  const cpus = pick(next, [16, 32, 48, 64]);
  const memoryKiB = pick(next, [64, 128, 256]) * GiB;
  return {
    id: `host-${index + 1}`,
    uri: `qemu+ssh://root@${label}.example.org/system`,
    label,
    state: 'online',
    error: null,
    hostKey: { algorithm: 'ssh-ed25519', fingerprint: `SHA256:${'A'.repeat(42)}${index % 10}`, status: 'trusted' },
    connections: 1,
    info: {
      hostname: label,
      uuid: uuidOf(next),
      hypervisor: 'QEMU',
      hypervisorVersion: '7.2.22',
      libvirtVersion: '9.0.0',
      arch: 'x86_64',
      cpuModel: 'Skylake-Server-IBRS',
      cpus,
      cpuPercent: null,
      memoryKiB,
      freeMemoryKiB: Math.round(memoryKiB * (0.2 + 0.5 * next())),
      storage: { pools: 2, capacityBytes: 1.8e12, availableBytes: 0.7e12 },
    },
    domains: { running: 0, total: 0 },
    readOnly: false,
    group: null,
    retryAt: null,
  };
}

export function madeUpDomain(next: Random, hostId: string, name: string, state?: DomainState): DomainView {
  const stands = state ?? pick<DomainState>(next, ['running', 'running', 'running', 'running', 'shutoff', 'paused']);
  const memoryKiB = pick(next, [1, 2, 4, 8, 16]) * GiB;
  return {
    hostId,
    uuid: uuidOf(next),
    name,
    id: stands === 'shutoff' ? null : Math.floor(next() * 1000),
    state: stands,
    reason: 'booted',
    persistent: true,
    autostart: next() < 0.5,
    vcpus: pick(next, [1, 2, 4, 8]),
    memoryKiB,
    maxMemoryKiB: memoryKiB,
    consoles: [
      { kind: 'serial', target: 'serial0' },
      { kind: 'vnc', target: 'vnc0' },
    ],
    tags: [],
    stats: null,
    job: null,
    stale: false,
  };
}

export interface FleetSize {
  hosts: number;
  /** VMs on each host. */
  each: number;
  seed?: number;
}

export function madeUpFleet({ hosts: count, each, seed = 1 }: FleetSize): Snapshot {
  const next = random(seed);
  const hosts: HostView[] = [];
  const domains: DomainView[] = [];
  const numbers: Record<string, number> = {};
  for (let index = 0; index < count; index += 1) {
    const host = madeUpHost(next, index);
    for (let nth = 0; nth < each; nth += 1) {
      const role = pick(next, roles);
      numbers[role] = (numbers[role] ?? 0) + 1;
      domains.push(madeUpDomain(next, host.id, `${role}${String(numbers[role]).padStart(2, '0')}`));
    }
    hosts.push(host);
  }
  for (const host of hosts) {
    const mine = domains.filter(({ hostId }) => hostId === host.id);
    host.domains = { running: mine.filter(({ state }) => state === 'running').length, total: mine.length };
  }
  return { epoch: 'made-up', seq: 0, hosts, domains, migrations: [], scans: [], questions: [] };
}
