// What a host says it is and can run, from its capabilities XML.
import type { Uuid } from '../../contract/model.ts';
import { attribute, child, children, parseXml, text, type XmlElement } from './xml.ts';

export interface HostCapabilities {
  uuid: Uuid | null;
  arch: string | null;
  cpuModel: string | null;
  /** Model, vendor and features in one, to compare hosts by; null where it names none. */
  hostCpu: string | null;
  /** By guest architecture: the machine types it can emulate, aliases included, and the virtualisation kinds. */
  guests: Map<string, { machines: Set<string>; virtTypes: Set<string> }>;
}

/** @throws Error on anything that is no capabilities XML */
export function readCapabilities(xml: string): HostCapabilities {
  const root = parseXml(xml, 'capabilities');
  const host = child(root, 'host');
  const cpu = child(host, 'cpu');
  const guests: HostCapabilities['guests'] = new Map();
  for (const guest of children(root, 'guest')) {
    const arch = child(guest, 'arch');
    const name = attribute(arch, 'name');
    if (!arch || !name) continue;
    const known = guests.get(name) ?? { machines: new Set<string>(), virtTypes: new Set<string>() };
    guests.set(name, known);
    const domains = children(arch, 'domain');
    for (const domain of domains) known.virtTypes.add(attribute(domain, 'type') ?? '');
    for (const machine of [arch, ...domains].flatMap((element) => children(element, 'machine'))) {
      known.machines.add(text(machine));
      const canonical = attribute(machine, 'canonical');
      if (canonical) known.machines.add(canonical);
    }
  }
  return {
    uuid: text(child(host, 'uuid')) || null,
    arch: text(child(cpu, 'arch')) || null,
    cpuModel: text(child(cpu, 'model')) || null,
    hostCpu: cpu && processorOf(cpu),
    guests,
  };
}

function processorOf(cpu: XmlElement): string {
  const features = children(cpu, 'feature').map((feature) => attribute(feature, 'name') ?? '');
  return [text(child(cpu, 'model')), text(child(cpu, 'vendor')), ...features.sort()].join(' ');
}
