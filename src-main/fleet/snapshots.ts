// Snapshots of one VM: which there are, made, gone back to, deleted. libvirt tells of them by no event, so they are
// read whenever they are asked for.
import { Failure } from '../../contract/failure.ts';
import type { DomainRef, DomainView, SnapshotList, SnapshotView } from '../../contract/model.ts';
import {
  type Connection,
  type Dom,
  LibvirtError,
  snapshotCreateFlags,
  snapshotDeleteFlags,
  snapshotRevertFlags,
} from '../libvirt/index.ts';
import { mustNotRunElsewhere } from './actions.ts';
import { explain } from './explain.ts';
import type { Fleet } from './fleet.ts';
import type { Host } from './host.ts';
import { attribute, child, children, parseXml, text } from './xml.ts';

const timeoutMs = 60_000;

export class Snapshots {
  readonly #fleet: Fleet;

  constructor(fleet: Fleet) {
    this.#fleet = fleet;
  }

  /** @throws Failure */
  async list(ref: DomainRef): Promise<SnapshotList> {
    const domain = this.#fleet.domain(ref);
    const host = this.#fleet.host(ref.hostId);
    try {
      const on = host.connection;
      const dom = { name: domain.name, uuid: ref.uuid, id: domain.id ?? -1 };
      const [{ snapshots }, current, { xml }] = await Promise.all([
        on.call('domain_list_all_snapshots', { dom, need: 1, flags: 0 }, { timeoutMs }),
        currentOf(on, dom),
        on.call('domain_get_xml_desc', { dom, flags: 0 }, { timeoutMs }),
      ]);
      const views = await Promise.all(
        snapshots.map(async (snapshot) => {
          const read = await on.call('domain_snapshot_get_xml_desc', { snapshot, flags: 0 }, { timeoutMs });
          return readSnapshot(read.xml, current);
        }),
      );
      views.sort((a, b) => (a.createdAt ?? '').localeCompare(b.createdAt ?? '') || a.name.localeCompare(b.name));
      return { snapshots: views, diskOnly: whyDiskOnly(xml, domain) };
    } catch (error) {
      throw explain(error, host.label, `reading the snapshots of ${domain.name}`);
    }
  }

  /** @throws Failure */
  async create(
    ref: DomainRef,
    { name, description, diskOnly }: { name: string; description: string; diskOnly: boolean },
  ): Promise<SnapshotView> {
    return this.#change(ref, `making the snapshot ${name} of`, async (host, dom) => {
      const on = await host.work();
      const xml = `<domainsnapshot><name>${escaped(name)}</name><description>${escaped(description)}</description></domainsnapshot>`;
      const flags = diskOnly ? snapshotCreateFlags.disk_only | snapshotCreateFlags.atomic : 0;
      const { snapshot } = await on.call('domain_snapshot_create_xml', { dom, xml, flags });
      const read = await on.call('domain_snapshot_get_xml_desc', { snapshot, flags: 0 }, { timeoutMs });
      return readSnapshot(read.xml, snapshot.name);
    });
  }

  /** @throws Failure `conflict` where another host runs the VM */
  async revert(ref: DomainRef, name: string, force: boolean): Promise<DomainView> {
    await this.#change(ref, `going back to the snapshot ${name} of`, async (host, dom, domain) => {
      mustNotRunElsewhere(this.#fleet, host, domain, 'going back to a snapshot of');
      const flags = force ? snapshotRevertFlags.force : 0;
      await (await host.work()).call('domain_revert_to_snapshot', { snapshot: { name, dom }, flags });
    });
    return this.#fleet.domain(ref);
  }

  /** @throws Failure */
  async delete(ref: DomainRef, name: string, withChildren: boolean): Promise<void> {
    await this.#change(ref, `deleting the snapshot ${name} of`, async (host, dom) => {
      const flags = withChildren ? snapshotDeleteFlags.children : 0;
      await (await host.work()).call('domain_snapshot_delete', { snapshot: { name, dom }, flags });
    });
  }

  async #change<R>(
    ref: DomainRef,
    doing: string,
    run: (host: Host, dom: Dom, domain: DomainView) => Promise<R>,
  ): Promise<R> {
    const domain = this.#fleet.domain(ref);
    const host = this.#fleet.host(ref.hostId);
    const { name } = domain;
    if (domain.job) {
      throw new Failure('conflict', `${name} on ${host.label} is being migrated. Wait until that has ended.`, {
        migrationId: domain.job.migrationId,
      });
    }
    try {
      const result = await run(host, { name, uuid: ref.uuid, id: domain.id ?? -1 }, domain);
      await host.domains.refreshed(ref.uuid);
      return result;
    } catch (error) {
      host.domains.refresh(ref.uuid);
      throw explain(error, host.label, `${doing} ${name}`);
    }
  }
}

async function currentOf(on: Connection, dom: Dom): Promise<string | null> {
  try {
    return (await on.call('domain_snapshot_current', { dom, flags: 0 }, { timeoutMs })).snapshot.name;
  } catch (error) {
    if (LibvirtError.is(error, 'no_domain_snapshot')) return null;
    throw error;
  }
}

/** @throws Error where it is no snapshot's XML */
export function readSnapshot(xml: string, current: string | null): SnapshotView {
  const root = parseXml(xml, 'domainsnapshot');
  const name = text(child(root, 'name'));
  const made = Number(text(child(root, 'creationTime')));
  const memory = attribute(child(root, 'memory'), 'snapshot');
  return {
    name,
    description: text(child(root, 'description')),
    createdAt: made > 0 ? new Date(made * 1000).toISOString() : null,
    state: text(child(root, 'state')),
    parent: text(child(child(root, 'parent'), 'name')) || null,
    current: name === current,
    memory: memory === 'internal' || memory === 'external',
    disks: children(child(root, 'disks'), 'disk').flatMap((disk) => {
      const kind = attribute(disk, 'snapshot');
      if (kind !== 'internal' && kind !== 'external') return [];
      return [{ target: attribute(disk, 'name') ?? '', kind }];
    }),
  };
}

/** A snapshot within the disks' own files needs a format that can hold one, and firmware that QEMU can save along. */
export function whyDiskOnly(xml: string, { name, id }: Pick<DomainView, 'name' | 'id'>): string | null {
  const root = parseXml(xml, 'domain');
  const disks = children(child(root, 'devices'), 'disk').filter(
    (disk) =>
      (attribute(disk, 'device') ?? 'disk') === 'disk' && !child(disk, 'readonly') && child(disk, 'source') !== null,
  );
  const other = disks.find((disk) => attribute(child(disk, 'driver'), 'type') !== 'qcow2');
  if (other) {
    const target = attribute(child(other, 'target'), 'dev') ?? '';
    const format = attribute(child(other, 'driver'), 'type') ?? 'raw';
    return `The disk ${target} of ${name} is ${format}, which holds no snapshot itself: only qcow2 does.`;
  }
  const os = child(root, 'os');
  // Newer versions can save variables that are in a qcow2 file; older ones say so themselves.
  const uefi =
    attribute(child(os, 'loader'), 'type') === 'pflash' && attribute(child(os, 'nvram'), 'format') !== 'qcow2';
  if (id !== null && uefi) {
    return `${name} runs with UEFI firmware, whose variables QEMU cannot save along with its memory.`;
  }
  return null;
}

const entities: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;' };
const escaped = (words: string) => words.replace(/[&<>]/g, (sign) => entities[sign] ?? sign);
