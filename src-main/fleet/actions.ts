// What an admin does to one domain: lifecycle, autostart, define, undefine. Each answers when libvirt has taken it.
import { Failure } from '../../contract/failure.ts';
import type { DomainRef, DomainView, LifecycleAction } from '../../contract/model.ts';
import {
  affectFlags,
  type Connection,
  type Dom,
  LibvirtError,
  metadataType,
  undefineFlags,
  xmlFlags,
} from '../libvirt/index.ts';
import { type DiskFacts, readDomainXml } from './domain-xml.ts';
import { explain } from './explain.ts';
import type { Fleet } from './fleet.ts';
import type { Host } from './host.ts';
import { tagsKey, tagsUri, tagsXml } from './tags.ts';

/** How long a caller waits; what libvirt took goes on after that. */
const timeoutMs = 60_000;

const carryOut: Record<LifecycleAction, { doing: string; call: (on: Connection, dom: Dom) => Promise<unknown> }> = {
  start: { doing: 'starting', call: (on, dom) => on.call('domain_create_with_flags', { dom }, { timeoutMs }) },
  shutdown: { doing: 'shutting down', call: (on, dom) => on.call('domain_shutdown_flags', { dom }, { timeoutMs }) },
  reboot: { doing: 'rebooting', call: (on, dom) => on.call('domain_reboot', { dom }, { timeoutMs }) },
  reset: { doing: 'resetting', call: (on, dom) => on.call('domain_reset', { dom }, { timeoutMs }) },
  destroy: { doing: 'forcing off', call: (on, dom) => on.call('domain_destroy_flags', { dom }, { timeoutMs }) },
  suspend: { doing: 'pausing', call: (on, dom) => on.call('domain_suspend', { dom }, { timeoutMs }) },
  resume: { doing: 'resuming', call: (on, dom) => on.call('domain_resume', { dom }, { timeoutMs }) },
  // Writes the guest's memory to disk: takes as long as it takes.
  managedsave: { doing: 'saving', call: (on, dom) => on.call('domain_managed_save', { dom }) },
};

/** @throws Failure `conflict` while it migrates */
function mustStay(domain: DomainView, host: Host): void {
  if (!domain.job) return;
  throw new Failure(
    'conflict',
    `${domain.name} on ${host.label} is being migrated. Cancel the migration, or wait until it ends.`,
    { migrationId: domain.job.migrationId },
  );
}

/** What would wait for the migration's lock, or break it: only these are let through while a domain moves. */
const duringMigration: ReadonlySet<LifecycleAction> = new Set(['destroy']);

/** @throws Failure `conflict` where a host that answers runs it already: twice, it would destroy its disks */
export function mustNotRunElsewhere(fleet: Fleet, here: Host, { uuid, name }: DomainView, doing: string): void {
  const there = fleet.homes(uuid).find((host) => {
    const state = host.domains.get(uuid)?.state;
    return host !== here && host.state === 'online' && (state === 'running' || state === 'blocked');
  });
  if (!there) return;
  throw new Failure(
    'conflict',
    `${name} runs on ${there.label} already, so ${doing} it on ${here.label} too would destroy its disks. Shut it off on ${there.label} first, or give one of the two another UUID.`,
    { hostId: there.id, uuid },
  );
}

export class Actions {
  readonly #fleet: Fleet;

  constructor(fleet: Fleet) {
    this.#fleet = fleet;
  }

  /** @throws Failure `conflict` while it migrates, `libvirt` with libvirt's own words */
  async act(ref: DomainRef, action: LifecycleAction): Promise<DomainView> {
    const { doing, call } = carryOut[action];
    return this.#change(ref, doing, async (host, dom, domain) => {
      if (!duringMigration.has(action)) mustStay(domain, host);
      if (action === 'start' || action === 'resume') mustNotRunElsewhere(this.#fleet, host, domain, doing);
      host.mustBeWritable();
      // What is to end a domain has to get through when all else is stuck.
      await call(action === 'destroy' ? host.connection : await host.work(), dom);
    });
  }

  async setAutostart(ref: DomainRef, autostart: boolean): Promise<DomainView> {
    return this.#change(ref, autostart ? 'setting autostart' : 'clearing autostart', async (host, dom) => {
      await (await host.work()).call('domain_set_autostart', { dom, autostart: autostart ? 1 : 0 }, { timeoutMs });
    });
  }

  /** In what runs and in what is defined, as far as there is either. @throws Failure `conflict` while it migrates */
  async setTags(ref: DomainRef, tags: readonly string[]): Promise<DomainView> {
    return this.#change(ref, 'changing the tags of', async (host, dom, domain) => {
      mustStay(domain, host);
      const flags = (domain.id === null ? 0 : affectFlags.live) | (domain.persistent ? affectFlags.config : 0);
      const what = { type: metadataType.element, metadata: tagsXml(tags), key: tagsKey, uri: tagsUri };
      await (await host.work()).call('domain_set_metadata', { dom, ...what, flags }, { timeoutMs });
    });
  }

  async xml(ref: DomainRef, inactive: boolean, secure: boolean): Promise<string> {
    const domain = this.#fleet.domain(ref);
    const host = this.#fleet.host(ref.hostId);
    try {
      const dom = { name: domain.name, uuid: ref.uuid };
      const flags = (inactive ? xmlFlags.inactive : 0) | (secure ? xmlFlags.secure : 0);
      return (await host.connection.call('domain_get_xml_desc', { dom, flags }, { timeoutMs })).xml;
    } catch (error) {
      throw explain(error, host.label, `reading the XML of ${domain.name}`);
    }
  }

  async define(hostId: string, xml: string): Promise<DomainView> {
    const host = this.#fleet.host(hostId);
    let name: string;
    try {
      ({ name } = readDomainXml(xml));
    } catch (error) {
      throw new Failure(
        'bad-request',
        `That is no domain's XML: ${error instanceof Error ? error.message : String(error)}.`,
      );
    }
    try {
      const { dom } = await (await host.work()).call('domain_define_xml_flags', { xml }, { timeoutMs });
      await host.domains.refreshed(dom.uuid);
      return this.#fleet.domain({ hostId, uuid: dom.uuid });
    } catch (error) {
      throw explain(error, host.label, `defining ${name}`);
    }
  }

  /** @throws Failure before anything is deleted, where a part of it could not be */
  async undefine(ref: DomainRef, options: { storage: boolean; nvram: boolean }): Promise<void> {
    const domain = this.#fleet.domain(ref);
    const host = this.#fleet.host(ref.hostId);
    if (domain.state !== 'shutoff' && domain.state !== 'crashed') {
      throw new Failure(
        'conflict',
        `${domain.name} on ${host.label} is ${domain.state}. Shut it down or force it off first.`,
      );
    }
    if (domain.job) throw new Failure('conflict', `${domain.name} on ${host.label} is being migrated.`);
    try {
      const on = await host.work();
      const dom = { name: domain.name, uuid: ref.uuid };
      const volumes = options.storage ? await this.#volumes(on, host, domain) : [];
      const { managed_save, snapshots_metadata, checkpoints_metadata, nvram, keep_nvram } = undefineFlags;
      const flags = managed_save | snapshots_metadata | checkpoints_metadata | (options.nvram ? nvram : keep_nvram);
      await on.call('domain_undefine_flags', { dom, flags }, { timeoutMs });
      host.domains.refresh(ref.uuid);
      for (const vol of volumes) await on.call('storage_vol_delete', { vol }, { timeoutMs });
      await host.domains.refreshed(ref.uuid);
    } catch (error) {
      throw explain(error, host.label, `deleting ${domain.name}`);
    }
  }

  async #volumes(on: Connection, host: Host, domain: DomainView) {
    const dom = { name: domain.name, uuid: domain.uuid };
    const { xml } = await on.call('domain_get_xml_desc', { dom, flags: xmlFlags.inactive }, { timeoutMs });
    const own = readDomainXml(xml).disks.filter((disk) => disk.device === 'disk' && !disk.readonly && !disk.shareable);
    const find = async (disk: DiskFacts) => {
      try {
        if (disk.volume) {
          const { pool } = await on.call('storage_pool_lookup_by_name', { name: disk.volume.pool });
          return (await on.call('storage_vol_lookup_by_name', { pool, name: disk.volume.name })).vol;
        }
        if (disk.path) return (await on.call('storage_vol_lookup_by_path', { path: disk.path })).vol;
      } catch (error) {
        if (!LibvirtError.is(error, 'no_storage_vol', 'no_storage_pool')) throw error;
      }
      throw new Failure(
        'conflict',
        `The disk ${disk.target} of ${domain.name} (${disk.path ?? disk.type}) is in no storage pool that ${host.label} knows, so it cannot be deleted from here. Nothing was deleted; add its folder as a pool, or delete the VM without its storage.`,
      );
    };
    return Promise.all(own.map(find));
  }

  async #change(
    ref: DomainRef,
    doing: string,
    run: (host: Host, dom: Dom, domain: DomainView) => Promise<void>,
  ): Promise<DomainView> {
    const domain = this.#fleet.domain(ref);
    const host = this.#fleet.host(ref.hostId);
    try {
      await run(host, { name: domain.name, uuid: ref.uuid, id: domain.id ?? -1 }, domain);
      await host.domains.refreshed(ref.uuid);
    } catch (error) {
      host.domains.refresh(ref.uuid);
      throw explain(error, host.label, `${doing} ${domain.name}`);
    }
    // A transient domain is gone once it stopped.
    return host.domains.get(ref.uuid) ?? { ...domain, state: 'shutoff', reason: 'destroyed', id: null, stats: null };
  }
}
