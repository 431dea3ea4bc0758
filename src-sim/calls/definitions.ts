// Defining, undefining, renaming, and changing what is defined.
import { undefineFlags } from '../../src-main/libvirt/index.ts';
import type { Daemon } from '../daemon.ts';
import { changed, readDefinition, renamed, type Definition } from '../definition.ts';
import type { Domain } from '../domain.ts';
import { lifecycle, mustRun, told } from '../lifecycle.ts';
import { checkFree } from '../migration/target.ts';
import { refuse } from '../refusal.ts';
import { childOf, parseXml, type Node } from '../xml.ts';
import type { Handlers } from './handlers.ts';

export function define(daemon: Daemon, definition: Definition): Domain {
  checkFree(daemon, definition, false);
  const known = daemon.domains.get(definition.uuid);
  const domain = known ?? daemon.create(definition);
  domain.persistent = definition;
  daemon.tellLifecycle(domain, known ? told.updated : told.added);
  return domain;
}

export function undefine(daemon: Daemon, domain: Domain, flags: number): void {
  const invalid = (what: string) => refuse.qemu('operation_invalid', `Requested operation is not valid: ${what}`);
  if (!domain.persistent) throw invalid('cannot undefine transient domain');
  if (domain.saved && !(flags & undefineFlags.managed_save)) {
    throw invalid('Refusing to undefine while domain managed save image exists');
  }
  if (domain.snapshots.count > 0 && !domain.active && !(flags & undefineFlags.snapshots_metadata)) {
    throw invalid(`cannot delete inactive domain with ${domain.snapshots.count} snapshots`);
  }
  const dom = domain.ref;
  domain.saved = null;
  domain.autostart = false;
  if (domain.active) domain.persistent = null;
  else daemon.domains.delete(domain.uuid);
  daemon.tellLifecycle(domain, told.removed, dom);
}

/** In what is defined, and in what runs, as the flags of a change to devices say: 0 now, 1 live, 2 definition. */
function alter(domain: Domain, flags: number, change: (devices: Node) => void): void {
  const live = (flags & 1) !== 0 || (!(flags & 2) && domain.active);
  const config = (flags & 2) !== 0 || (!(flags & 1) && !domain.active);
  if (live) mustRun(domain);
  const within = (definition: Definition) => changed(definition, (root) => change(childOf(root, 'devices') as Node));
  if (live && domain.live) domain.live = within(domain.live);
  if (config && domain.persistent) domain.persistent = within(domain.persistent);
}

const keyOf = (device: Node) =>
  [
    device.name,
    childOf(device, 'target')?.attributes['dev'] ?? childOf(device, 'mac')?.attributes['address'] ?? '',
  ].join();

export const definitions: Handlers = {
  domain_define_xml_flags: async ({ xml }, { daemon }) => {
    const definition = readDefinition(xml, daemon.defaults);
    const known = daemon.domains.get(definition.uuid);
    const domain = known
      ? await known.lock.change(() => define(daemon, definition), { despite: true })
      : define(daemon, definition);
    return { dom: domain.ref };
  },
  domain_undefine_flags: async ({ dom, flags }, { daemon }) => {
    undefine(daemon, daemon.named(dom), flags);
    return {};
  },
  domain_create_xml: async ({ xml, flags }, { daemon, client }) => {
    const definition = readDefinition(xml, daemon.defaults);
    checkFree(daemon, definition);
    const domain = daemon.domains.get(definition.uuid) ?? daemon.create(definition);
    const before = domain.persistent === definition ? null : domain.persistent;
    domain.persistent = before;
    domain.live = definition;
    try {
      await lifecycle.start(daemon, domain, flags, client);
    } catch (error) {
      if (!domain.active) {
        domain.live = null;
        if (!before) daemon.domains.delete(domain.uuid);
      }
      throw error;
    }
    return { dom: domain.ref };
  },
  domain_rename: async ({ dom, name }, { daemon }) => {
    const domain = daemon.named(dom);
    const { persistent } = domain;
    if (domain.active || !persistent || !name) {
      throw refuse.qemu('operation_invalid', 'Requested operation is not valid: cannot rename active domain');
    }
    if (daemon.byName(name)) throw refuse.qemu('operation_invalid', `domain with name '${name}' already exists`);
    const old = domain.ref;
    domain.persistent = renamed(persistent, name);
    daemon.tellLifecycle(domain, told.renamedFrom, old);
    daemon.tellLifecycle(domain, told.renamedTo);
    return { result: 0 };
  },
  domain_attach_device_flags: async ({ dom, xml, flags }, { daemon }) => {
    const domain = daemon.named(dom);
    await domain.lock.change(() => alter(domain, flags, (devices) => devices.children.push(parseXml(xml))));
    return {};
  },
  domain_detach_device_flags: async ({ dom, xml, flags }, { daemon }) => {
    const domain = daemon.named(dom);
    await domain.lock.change(() => {
      const device = parseXml(xml);
      alter(domain, flags, (devices) => {
        const at = devices.children.findIndex((each) => keyOf(each) === keyOf(device));
        if (at < 0) throw refuse.qemu('operation_failed', `operation failed: no matching ${device.name} was found`);
        devices.children.splice(at, 1);
      });
    });
    return {};
  },
  domain_update_device_flags: async ({ dom, xml, flags }, { daemon }) => {
    const domain = daemon.named(dom);
    await domain.lock.change(() => {
      const device = parseXml(xml);
      alter(domain, flags, (devices) => {
        const at = devices.children.findIndex((each) => keyOf(each) === keyOf(device));
        if (at < 0) throw refuse.qemu('operation_failed', `operation failed: no matching ${device.name} was found`);
        devices.children[at] = device;
      });
    });
    return {};
  },
};
