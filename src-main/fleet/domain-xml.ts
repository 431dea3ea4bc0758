// Reads from a domain's XML what the fleet and a preflight have to know; everything else is left alone.
import type { DomainConsole } from '../../contract/model.ts';
import { readTags } from './tags.ts';
import { attribute, child, children, parseXml, text, type XmlElement } from './xml.ts';

export interface DiskFacts {
  /** As the guest sees it: `vda`. */
  target: string;
  /** `disk`, `cdrom`, `floppy`, `lun`. */
  device: string;
  /** `file`, `block`, `network`, `volume`, `dir`… */
  type: string;
  /** Path on the host, or null for an empty drive and for what is no path. */
  path: string | null;
  /** Pool and volume, of a disk of type `volume`. */
  volume: { pool: string; name: string } | null;
  format: string | null;
  cache: string | null;
  readonly: boolean;
  shareable: boolean;
}

export interface DomainFacts {
  name: string;
  /** `kvm`, `qemu`, `test`… */
  virtType: string;
  arch: string | null;
  machine: string | null;
  emulator: string | null;
  memoryKiB: number;
  consoles: DomainConsole[];
  tags: string[];
  disks: DiskFacts[];
  /** Networks and bridges that its interfaces need on a host. */
  interfaces: { type: string; source: string | null }[];
  /** Devices of the host itself that were handed to it. */
  hostDevices: number;
  /** The file that its firmware keeps its variables in. */
  nvram: string | null;
}

/** @throws Error on anything that is no well-formed domain XML; no entity is ever expanded from a DTD. */
export function readDomainXml(xml: string): DomainFacts {
  const root = parseXml(xml, 'domain');
  const devices = child(root, 'devices');
  const type = child(child(root, 'os'), 'type');
  return {
    name: text(child(root, 'name')),
    virtType: attribute(root, 'type') ?? '',
    arch: attribute(type, 'arch') ?? null,
    machine: attribute(type, 'machine') ?? null,
    emulator: text(child(devices, 'emulator')) || null,
    memoryKiB: inKiB(child(root, 'memory')),
    consoles: consolesOf(devices),
    tags: readTags(root),
    disks: children(devices, 'disk').map(diskOf),
    interfaces: children(devices, 'interface').map((element) => {
      const source = child(element, 'source');
      return {
        type: attribute(element, 'type') ?? '',
        source: attribute(source, 'network') ?? attribute(source, 'bridge') ?? attribute(source, 'dev') ?? null,
      };
    }),
    hostDevices: children(devices, 'hostdev').length,
    nvram: nvramOf(child(child(root, 'os'), 'nvram')),
  };
}

/** Written in two forms, the newer with an element of its own for the file. */
function nvramOf(element: XmlElement | null): string | null {
  const path = attribute(child(element, 'source'), 'file') ?? text(element);
  return path.startsWith('/') ? path : null;
}

function consolesOf(devices: XmlElement | null): DomainConsole[] {
  // Aliases are there only while it runs; then, as libvirt gives them, they follow the order.
  const alias = (element: XmlElement, fallback: string) => attribute(child(element, 'alias'), 'name') ?? fallback;
  const serial = children(devices, 'serial').map((element, at) => alias(element, `serial${at}`));
  // The first <console> only repeats the first serial port, unless it is of another kind.
  const virtio = children(devices, 'console')
    .map((element, at) => ({ element, at }))
    .filter(({ element }) => attribute(child(element, 'target'), 'type') !== 'serial')
    .map(({ element, at }) => alias(element, `console${at}`));
  return [
    ...[...serial, ...virtio].map((target) => ({ kind: 'serial' as const, target })),
    ...graphicsIn(devices).map(({ kind, target }) => ({ kind, target })),
  ];
}

/** A graphics device, and where its server listens while the VM runs. */
export interface GraphicsFacts {
  kind: 'vnc' | 'spice';
  /** `vnc0`, as in `DomainConsole`. */
  target: string;
  /** A Unix socket on the host. */
  socket: string | null;
  /** Null: on none, or libvirt's own choice. */
  address: string | null;
  /** Null while it does not run, and where it listens on no port. */
  port: number | null;
}

/** @throws Error as `readDomainXml` */
export const graphicsOf = (xml: string): GraphicsFacts[] => graphicsIn(child(parseXml(xml, 'domain'), 'devices'));

function graphicsIn(devices: XmlElement | null): GraphicsFacts[] {
  const known = children(devices, 'graphics').flatMap((element) => {
    const kind = attribute(element, 'type');
    return kind === 'vnc' || kind === 'spice' ? [{ element, kind } as const] : [];
  });
  return known.map(({ element, kind }, at) => {
    // The element of its own says the same as the attributes, which older libvirts alone write.
    const listens = children(element, 'listen');
    const of = (type: string, name: string) =>
      attribute(listens.find((one) => attribute(one, 'type') === type) ?? null, name);
    const port = Number(attribute(element, 'port'));
    return {
      kind,
      target: `${kind}${at}`,
      socket: of('socket', 'socket') ?? attribute(element, 'socket'),
      address: of('address', 'address') ?? of('network', 'address') ?? attribute(element, 'listen'),
      port: Number.isInteger(port) && port > 0 && port < 65_536 ? port : null,
    };
  });
}

function diskOf(element: XmlElement): DiskFacts {
  const source = child(element, 'source');
  const driver = child(element, 'driver');
  const pool = attribute(source, 'pool');
  const volume = attribute(source, 'volume');
  return {
    target: attribute(child(element, 'target'), 'dev') ?? '?',
    device: attribute(element, 'device') ?? 'disk',
    type: attribute(element, 'type') ?? 'file',
    path: attribute(source, 'file') ?? attribute(source, 'dev') ?? attribute(source, 'dir') ?? null,
    volume: pool && volume ? { pool, name: volume } : null,
    format: attribute(driver, 'type') ?? null,
    cache: attribute(driver, 'cache') ?? null,
    readonly: child(element, 'readonly') !== null,
    shareable: child(element, 'shareable') !== null,
  };
}

const units: Record<string, number> = {
  b: 1 / 1024,
  bytes: 1 / 1024,
  KB: 1000 / 1024,
  k: 1,
  KiB: 1,
  MB: 1e6 / 1024,
  M: 1024,
  MiB: 1024,
  GB: 1e9 / 1024,
  G: 1024 ** 2,
  GiB: 1024 ** 2,
  T: 1024 ** 3,
  TiB: 1024 ** 3,
};

function inKiB(element: XmlElement | null): number {
  const unit = attribute(element, 'unit') ?? 'KiB';
  return Math.round(Number(text(element)) * (units[unit] ?? 1)) || 0;
}
