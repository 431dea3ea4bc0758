// What a host says of itself when it is connected to.
import type { HostInfo } from '../../contract/model.ts';
import { type Connection, versionText } from '../libvirt/index.ts';
import { type HostCapabilities, readCapabilities } from './capabilities.ts';
import type { Clock } from './clock.ts';

/** How long the capabilities may hold the rest back: they only add to what is shown. */
const capabilitiesWaitMs = 80;

export interface HostInfoRead {
  info: HostInfo;
  capabilities: HostCapabilities | null;
  /** Where the capabilities take longer, as while a daemon asks its emulators what they can do. Never rejects. */
  late: Promise<HostCapabilities | null> | null;
}

/** @throws what the connection throws */
export async function readHostInfo(connection: Connection, clock: Clock): Promise<HostInfoRead> {
  const capabilities = connection
    .call('connect_get_capabilities', {})
    .then(({ xml }) => readCapabilities(xml))
    .catch(() => null);
  const [{ type }, { version }, { hostname }, node, { free }] = await Promise.all([
    connection.call('connect_get_type', {}),
    connection.call('connect_get_version', {}),
    connection.call('connect_get_hostname', {}),
    connection.call('node_get_info', {}),
    connection.call('node_get_free_memory', {}).catch(() => ({ free: 0 })),
  ]);
  const info: HostInfo = {
    hostname,
    uuid: null,
    hypervisor: type,
    hypervisorVersion: versionText(version),
    libvirtVersion: versionText(connection.libVersion),
    arch: node.model,
    cpuModel: null,
    cpus: node.cpus,
    cpuPercent: null,
    memoryKiB: node.memory,
    freeMemoryKiB: Math.round(free / 1024),
    storage: null,
  };
  const early = await Promise.race([capabilities, clock.sleep(capabilitiesWaitMs)]);
  return early
    ? { info: withCapabilities(info, early), capabilities: early, late: null }
    : { info, capabilities: null, late: capabilities };
}

export function withCapabilities(info: HostInfo, { uuid, arch, cpuModel }: HostCapabilities): HostInfo {
  return { ...info, uuid, arch: arch ?? info.arch, cpuModel };
}
