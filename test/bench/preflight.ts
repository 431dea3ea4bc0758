// What is known at once when a drag begins: one VM judged for 1,000 hosts with 20 VMs each, nobody asked.
import type { DomainView } from '../../contract/model.ts';
import { type HostCapabilities, readCapabilities } from '../../src-main/fleet/capabilities.ts';
import type { DomainFacts } from '../../src-main/fleet/domain-xml.ts';
import type { Fleet } from '../../src-main/fleet/fleet.ts';
import type { Host } from '../../src-main/fleet/host.ts';
import { resolveOptions } from '../../src-main/migration/options.ts';
import { checkKnown, verdictOf } from '../../src-main/migration/preflight.ts';
import { asked, bench, median, quantile } from './measure.ts';

const GiB = 1024 ** 2;
const domainsEach = 20;
const machines = Array.from({ length: 60 }, (_, at) => `<machine>pc-q35-${at}</machine>`).join('');
const xml = `<capabilities><host><uuid>u</uuid><cpu><arch>x86_64</arch><model>EPYC</model></cpu></host><guest><arch name='x86_64'>${machines}<domain type='kvm'/></arch></guest></capabilities>`;

function hostOf(at: number): Host {
  const id = `h${at}`;
  const all = Array.from({ length: domainsEach }, (_, number): DomainView => {
    const uuid = `${at}-${number}`;
    const sizes = { vcpus: 2, memoryKiB: GiB, maxMemoryKiB: GiB, consoles: [], stats: null, job: null, stale: false };
    const view = { hostId: id, uuid, name: `vm-${uuid}`, id: number, state: 'running', reason: 'booted' } as const;
    return { ...view, persistent: true, autostart: false, tags: [], ...sizes };
  });
  const byUuid = new Map(all.map((view) => [view.uuid, view]));
  const facts = { arch: 'x86_64', machine: 'pc-q35-7', virtType: 'kvm', hostDevices: 0 } as DomainFacts;
  const capabilities: HostCapabilities = readCapabilities(xml);
  const versions = { hypervisor: 'QEMU', hypervisorVersion: '7.2.22', libvirtVersion: '9.0.0' };
  return {
    id,
    label: id,
    state: 'online',
    capabilities,
    info: { memoryKiB: 128 * GiB, freeMemoryKiB: 64 * GiB, ...versions },
    domains: { all, get: (uuid: string) => byUuid.get(uuid), facts: () => facts },
  } as unknown as Host;
}

await bench('preflight', async (report) => {
  const hosts = Array.from({ length: asked('hosts', 1_000) }, (_, at) => hostOf(at));
  // As the fleet has it: by UUID, each VM on one host.
  const homes = new Map(hosts.flatMap((host) => host.domains.all.map(({ uuid }) => [uuid, [host]])));
  const fleet = { homes: (uuid: string) => homes.get(uuid) ?? [] } as unknown as Fleet;
  const [source] = hosts;
  const domain = source?.domains.all[0];
  if (!source || !domain) throw new Error('no host');
  const options = resolveOptions({}, domain);
  const times: number[] = [];
  for (let round = 0; round < asked('rounds', 30); round += 1) {
    const began = process.cpuUsage();
    for (const target of hosts) verdictOf(checkKnown(fleet, { domain, source, target, options }));
    const { user, system } = process.cpuUsage(began);
    times.push((user + system) / 1000);
  }
  report.figure(`${hosts.length} hosts judged from what is known, first time`, times[0] ?? NaN, 'ms CPU', { most: 50 });
  report.figure('the same, median', median(times), 'ms CPU', { most: 50 });
  report.figure('the same, 95 of 100', quantile(times, 0.95), 'ms CPU');
});
