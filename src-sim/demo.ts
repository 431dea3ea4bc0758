// The demo: a fleet as many run one, with its usual troubles.
import { fractionOf } from './chance.ts';
import { checkFault } from './fault-check.ts';
import type { Fault } from './faults.ts';
import { SimFleet } from './fleet.ts';
import { usualMachines } from './host.ts';
import type { DomainSpec, HostSpec, Profile } from './specs.ts';

export interface DemoHost {
  /** The host's name. */
  label: string;
  /** The folder that it stands in. */
  group: string;
  /** Carries the demo's own key and known hosts. */
  uri: string;
  /** Of the key that it should have, `SHA256:…`. */
  fingerprint: string;
  /** What is the matter with it; null: nothing. */
  trouble: 'down' | 'key-changed' | null;
}

export interface Demo {
  hosts: DemoHost[];
  /** Domains in all. */
  domains: number;
  /** Those that show something, by name. */
  cases: { neverConverges: string; localDisk: string };
  /** Sets a fault as JSON has it. @throws Error in a sentence */
  setFault(given: unknown): void;
  clearFaults(kind?: Fault['kind']): void;
  faults(): Fault[];
  close(): Promise<void>;
}

const groups: Record<string, string> = { fra: 'Frankfurt', ber: 'Berlin', lab: 'Lab' };

const big = { cpus: 64, memoryGiB: 512, cpuModel: 'EPYC-Milan' };
const old = {
  cpus: 32,
  memoryGiB: 256,
  cpuModel: 'Broadwell-IBRS',
  machines: usualMachines.filter((name) => /-[4567]\./.test(name)),
};
const network = (bridge: string, name: string) => ({ name, bridge, mode: 'bridge' as const });
const lans = [network('br-prod', 'prod'), network('br-mgmt', 'mgmt'), network('br-dmz', 'dmz')];

const hosts: HostSpec[] = [
  { name: 'fra-kvm01', ...big },
  { name: 'fra-kvm02', ...big },
  { name: 'fra-kvm03', ...big },
  { name: 'fra-kvm04', ...old },
  { name: 'fra-kvm05', ...old },
  { name: 'ber-kvm01', cpus: 48, memoryGiB: 384 },
  { name: 'ber-kvm02', cpus: 48, memoryGiB: 384 },
  { name: 'lab-kvm01', cpus: 16, memoryGiB: 96, cpuModel: 'Haswell-noTSX' },
].map((host) => ({ networks: lans, bridges: [], linkMiBps: 1_100, ...host }));

const down = 'ber-kvm02';
const changedKey = 'lab-kvm01';
/** Never nearly as much goes over in the time that it takes to write as much again. */
const neverConverges = 'kafka-1';
const localDisk = 'backup-01';

interface Kind {
  names: string[];
  gib: number;
  vcpus: number;
  lan: string;
  load: number;
  title: string;
  profile?: Partial<Profile>;
}

const many = (name: string, count: number) =>
  Array.from({ length: count }, (_, at) => `${name}-${String(at + 1).padStart(count > 9 ? 2 : 1, '0')}`);
const kind = (
  title: string,
  names: string[],
  vcpus: number,
  gib: number,
  load: number,
  lan = 'prod',
  profile?: Partial<Profile>,
): Kind => ({
  title,
  names,
  vcpus,
  gib,
  load,
  lan,
  ...(profile && { profile }),
});

const kinds: Kind[] = [
  kind('Web front end', many('web', 8), 4, 8, 0.25, 'dmz'),
  kind('Load balancer', ['lb-01', 'lb-02'], 2, 4, 0.12, 'dmz'),
  kind('Shop', many('shop', 4), 4, 8, 0.3),
  kind('API', many('api', 6), 4, 8, 0.28),
  kind('PostgreSQL', ['pg-primary', 'pg-replica-1', 'pg-replica-2'], 8, 32, 0.35, 'prod', {
    dirtyMiBps: 180,
    workingSetMiB: 4_096,
  }),
  kind('MySQL', ['mysql-01', 'mysql-02'], 8, 24, 0.2, 'prod', { dirtyMiBps: 120, workingSetMiB: 3_072 }),
  kind('Redis', many('redis', 3), 2, 16, 0.1, 'prod', { dirtyMiBps: 90, workingSetMiB: 2_048 }),
  kind('Kafka', many('kafka', 3), 8, 16, 0.4),
  kind('Elasticsearch', many('elastic', 5), 8, 32, 0.35, 'prod', { dirtyMiBps: 150, workingSetMiB: 6_144 }),
  kind('Kubernetes control plane', many('k8s-cp', 3), 4, 8, 0.18),
  kind('Kubernetes worker', many('k8s-worker', 16), 8, 32, 0.4),
  kind('Object storage', many('minio', 4), 4, 16, 0.15),
  kind('GitLab', ['gitlab'], 8, 16, 0.3),
  kind('CI runner', many('ci-runner', 12), 4, 8, 0.5),
  kind('Registry', ['harbor'], 4, 8, 0.1),
  kind('Directory', ['ldap-01', 'ldap-02'], 2, 4, 0.04, 'mgmt'),
  kind('Name server', ['dns-01', 'dns-02', 'dns-03'], 1, 2, 0.04, 'mgmt'),
  kind('Mail', ['mail-01', 'mail-02', 'mx-01'], 4, 8, 0.12, 'dmz'),
  kind('VPN', ['vpn-01'], 2, 2, 0.1, 'dmz'),
  kind('Monitoring', ['prometheus', 'grafana', 'loki', 'alertmanager'], 4, 16, 0.22, 'mgmt'),
  kind('Secrets', many('vault', 3), 2, 4, 0.03, 'mgmt'),
  kind('Backup', [localDisk, 'backup-02'], 4, 8, 0.2, 'mgmt'),
  kind('Wiki', ['wiki'], 2, 4, 0.05),
  kind('Chat', ['mattermost'], 4, 8, 0.12),
  kind('Files', ['nextcloud', 'samba-01'], 4, 8, 0.1),
  kind('ERP', ['erp-app-01', 'erp-app-02', 'erp-db'], 8, 32, 0.3, 'prod', { dirtyMiBps: 80, workingSetMiB: 2_048 }),
  kind('Windows domain controller', ['win-dc1', 'win-dc2'], 4, 8, 0.1, 'mgmt'),
  kind('Terminal server', ['win-rds-01', 'win-rds-02'], 8, 32, 0.25, 'mgmt'),
  kind('Staging', many('staging-web', 4), 2, 4, 0.08),
  kind('Staging', ['staging-db'], 4, 8, 0.1),
  kind('Development', ['dev-anna', 'dev-ben', 'dev-chidi', 'dev-devi', 'dev-elif'], 4, 8, 0.2),
  kind('Legacy', ['intranet-old', 'fax-gateway', 'ticket-archive'], 1, 2, 0.02),
  kind('Templates', ['tmpl-debian-12', 'tmpl-rocky-9', 'tmpl-ubuntu-24'], 2, 2, 0),
];

/** Not running: what is kept, tried or left over. */
const off = /^(tmpl-|ticket-archive|fax-gateway|dev-elif|staging-web-4|ci-runner-1[12])/;

/** What an admin tags: what it is for, how much it matters, and who is asked about it. */
const purposes: [RegExp, string][] = [
  [/^(web|lb|shop|api)-/, 'web'],
  [/^(pg|mysql|redis|elastic|erp-db|staging-db)/, 'database'],
  [/^k8s-/, 'kubernetes'],
  [/^(kafka|minio)-/, 'platform'],
  [/^(gitlab|harbor|ci-)/, 'ci'],
  [/^win-/, 'windows'],
  [/^(prometheus|grafana|loki|alertmanager)/, 'monitoring'],
  [/^(intranet-old|fax-|ticket-)/, 'legacy'],
];
function tagsOf(name: string, lan: string): string[] {
  const purpose = purposes.filter(([is]) => is.test(name)).map(([, tag]) => tag);
  const stage = /^(staging|dev)-/.exec(name)?.[1] ?? (/^(tmpl|ci)-/.test(name) ? null : 'prod');
  const critical = /^(pg-primary|lb-|dns-|ldap-|vault-|erp-db)/.test(name) ? ['critical'] : [];
  return [...purpose, ...(stage ? [stage] : []), ...critical, ...(lan === 'dmz' ? ['dmz'] : [])];
}

function domains(): DomainSpec[] {
  // The one that is down was emptied before.
  const up = hosts.filter(({ name }) => name !== down);
  const free = new Map(up.map(({ name, memoryGiB = 0 }) => [name, memoryGiB * 0.85]));
  return kinds.flatMap(({ names, title, vcpus, gib, lan, load, profile }) =>
    names.map((name): DomainSpec => {
      // To the host with the largest share of its memory left, so the fleet is filled evenly.
      const [host] = [...free].sort(([a, x], [b, y]) => y / of(b) - x / of(a))[0] ?? ['', 0];
      const running = !off.test(name);
      if (running) free.set(host, (free.get(host) ?? 0) - gib);
      const folder = name === localDisk ? '/var/lib/libvirt/images' : '/srv/shared';
      const spread = 0.6 + fractionOf('demo', name) * 0.8;
      const heavy = name === neverConverges && { dirtyMiBps: 2_600, workingSetMiB: 12_288 };
      return {
        name,
        title,
        tags: tagsOf(name, lan),
        host,
        running,
        vcpus,
        memoryMiB: gib * 1024,
        autostart: !/^(dev|staging|tmpl|ci)-/.test(name),
        disks: [{ path: `${folder}/${name}.qcow2`, gib: gib * 5 }],
        nics: [lan],
        vnc: true,
        profile: {
          load: Math.min(0.9, load * spread),
          dirtyMiBps: 5 + load * 120 * spread,
          workingSetMiB: Math.round(gib * 1024 * 0.08),
          tickMs: 1_000,
          ...profile,
          ...heavy,
        },
      };
    }),
  );
}

const of = (name: string) => hosts.find((host) => host.name === name)?.memoryGiB ?? 1;

/**
 * Starts the demo in this process.
 * @param folder Where its key and known hosts are written.
 */
export async function startDemo(folder: string): Promise<Demo> {
  const specs = domains();
  const sim = await SimFleet.start({ seed: 'demo', hosts, domains: specs });
  sim.faults.set({ kind: 'down', host: down });
  sim.faults.set({ kind: 'key-changed', host: changedKey });
  await sim.writeFiles(folder);
  const trouble = (name: string) => (name === down ? 'down' : name === changedKey ? 'key-changed' : null);
  return {
    hosts: sim.hosts.map((host) => ({
      label: host.name,
      group: groups[host.name.slice(0, 3)] ?? 'Others',
      uri: host.uri(),
      fingerprint: host.fingerprint,
      trouble: trouble(host.name),
    })),
    domains: specs.length,
    cases: { neverConverges, localDisk },
    setFault: (given) => void sim.faults.set(checkFault(given)),
    clearFaults: (kind) => sim.faults.clear(kind),
    faults: () => sim.faults.list,
    close: () => sim.close(),
  };
}
