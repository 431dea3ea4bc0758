// What ties a VM to its host: snapshots, folders and memory that it shares with the host, a TPM.
import type { Check } from '../../../contract/model.ts';
import { attribute, child, children, parseXml, text, type XmlElement } from '../../fleet/xml.ts';
import type { Host } from '../../fleet/host.ts';
import { isOff } from '../options.ts';
import type { Route } from '../route.ts';
import { error, ok, warn } from './say.ts';

export async function checkDevices(route: Route, root: XmlElement): Promise<Check[]> {
  const [snapshots, tpm] = await Promise.all([checkSnapshots(route), checkTpm(route, root)]);
  return [...snapshots, ...tpm, ...checkSharedWithHost(route, root)];
}

/** libvirt moves no domain that has any: they are kept on the host alone. */
async function checkSnapshots({ domain, source }: Route): Promise<Check[]> {
  const dom = { name: domain.name, uuid: domain.uuid };
  const asked = source.connection.call('domain_list_all_snapshots', { dom, need: 0, flags: 0 });
  const total = await asked.then((answer) => answer.total).catch(() => 0);
  if (total === 0) return [];
  const message = `${domain.name} has ${total === 1 ? 'a snapshot' : `${total} snapshots`} on ${source.label}; libvirt migrates no VM with snapshots.`;
  return [error('snapshots', message, 'Delete them, or take their metadata away (virsh snapshot-delete --metadata).')];
}

async function checkTpm({ domain, source, target, options }: Route, root: XmlElement): Promise<Check[]> {
  const checks = children(child(root, 'devices'), 'tpm').map(async (tpm): Promise<Check> => {
    const kind = attribute(child(tpm, 'backend'), 'type') ?? '';
    if (kind === 'passthrough') {
      return error(
        'tpm',
        `${domain.name} uses the TPM of ${source.label} itself, which cannot move.`,
        'Detach it first.',
      );
    }
    if (kind === 'emulator' && isOff(options)) return leftBehind(domain.name, domain.uuid, source.label);
    const kinds = await tpmsOf(target, root);
    if (kinds === null) return warn('tpm', `Whether ${target.label} has a TPM of the kind “${kind}” is not known.`);
    if (kinds.has(kind)) return ok('tpm', `${target.label} has TPMs of the kind “${kind}”.`);
    const message = `${domain.name} has a TPM of the kind “${kind}”, which ${target.label} cannot give it.`;
    return error('tpm', message, kind === 'emulator' ? 'Install swtpm there.' : undefined);
  });
  return Promise.all(checks);
}

/** libvirt takes its state along only with a VM that runs; the guest would find an empty one, and its keys gone. */
function leftBehind(name: string, uuid: string, source: string): Check {
  const message = `${name} has a TPM whose state is in /var/lib/libvirt/swtpm/${uuid} on ${source}; libvirt moves that only while the VM runs, so its keys would be left behind.`;
  const fix = 'Start it and migrate it live; or copy that folder by hand, and then use “force”.';
  return error('tpm', message, fix);
}

async function tpmsOf(target: Host, root: XmlElement): Promise<Set<string> | null> {
  const type = child(child(root, 'os'), 'type');
  const of = { arch: attribute(type, 'arch'), machine: attribute(type, 'machine'), virttype: attribute(root, 'type') };
  try {
    const { xml } = await target.connection.call('connect_get_domain_capabilities', { emulator: null, ...of });
    const tpm = child(child(parseXml(xml, 'domainCapabilities'), 'devices'), 'tpm');
    const backends = children(tpm, 'enum').find((one) => attribute(one, 'name') === 'backendModel');
    return tpm && new Set(children(backends ?? null, 'value').map(text));
  } catch {
    return null;
  }
}

function checkSharedWithHost({ domain, source, options }: Route, root: XmlElement): Check[] {
  if (isOff(options)) return [];
  const devices = child(root, 'devices');
  const folders = children(devices, 'filesystem').length;
  const memory = children(devices, 'shmem').length;
  const cards = children(devices, 'interface').filter((one) => attribute(one, 'type') === 'hostdev').length;
  const checks: Check[] = [];
  if (folders > 0) {
    const message = `${domain.name} has ${folders === 1 ? 'a folder' : `${folders} folders`} of ${source.label} mounted, which most versions of libvirt and QEMU refuse to migrate.`;
    checks.push(warn('filesystems', message, 'Unmount and detach it first.'));
  }
  if (memory > 0) {
    const message = `${domain.name} shares memory with other programs on ${source.label} (shmem); libvirt does not migrate that.`;
    checks.push(error('shmem', message, 'Detach it first.'));
  }
  if (cards > 0) {
    const message = `${domain.name} has a network card of ${source.label} itself, which cannot move.`;
    checks.push(error('host-cards', message, 'Detach it first.'));
  }
  return checks;
}
