// Reads from a domain's XML what the fleet and a preflight have to know; everything else is left alone.
import { DOMParser, type Document, type Element } from '@xmldom/xmldom';
import type { DomainConsole } from '../../contract/model.ts';

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
  disks: DiskFacts[];
  /** Networks and bridges that its interfaces need on a host. */
  interfaces: { type: string; source: string | null }[];
  /** Devices of the host itself that were handed to it. */
  hostDevices: number;
}

/** @throws Error on anything that is no well-formed domain XML; no entity is ever expanded from a DTD. */
export function readDomainXml(xml: string): DomainFacts {
  const root = parseXml(xml, 'domain');
  const devices = child(root, 'devices');
  const type = child(child(root, 'os'), 'type');
  return {
    name: text(child(root, 'name')),
    virtType: root.getAttribute('type') ?? '',
    arch: type?.getAttribute('arch') ?? null,
    machine: type?.getAttribute('machine') ?? null,
    emulator: text(child(devices, 'emulator')) || null,
    memoryKiB: inKiB(child(root, 'memory')),
    consoles: consolesOf(devices),
    disks: children(devices, 'disk').map(diskOf),
    interfaces: children(devices, 'interface').map((element) => {
      const source = child(element, 'source');
      return {
        type: element.getAttribute('type') ?? '',
        source:
          source?.getAttribute('network') ?? source?.getAttribute('bridge') ?? source?.getAttribute('dev') ?? null,
      };
    }),
    hostDevices: children(devices, 'hostdev').length,
  };
}

/** The root element of well-formed XML without a document type, named `root`. */
export function parseXml(xml: string, root: string): Element {
  if (/<!DOCTYPE/i.test(xml)) throw new Error('XML with a document type is not taken');
  const parser = new DOMParser({
    onError: (_level, message) => {
      throw new Error(`malformed XML: ${message}`);
    },
  });
  const document: Document = parser.parseFromString(xml, 'text/xml');
  const element = document.documentElement;
  if (element?.nodeName !== root) throw new Error(`the XML’s root is <${element?.nodeName ?? ''}>, not <${root}>`);
  return element;
}

export function children(of: Element | null, name: string): Element[] {
  const found: Element[] = [];
  for (let node = of?.firstChild ?? null; node; node = node.nextSibling) {
    if (node.nodeType === 1 && node.nodeName === name) found.push(node as Element);
  }
  return found;
}

export function child(of: Element | null, name: string): Element | null {
  return children(of, name)[0] ?? null;
}

export function text(of: Element | null): string {
  return of?.textContent?.trim() ?? '';
}

function consolesOf(devices: Element | null): DomainConsole[] {
  // Aliases are there only while it runs; then, as libvirt gives them, they follow the order.
  const alias = (element: Element, fallback: string) => child(element, 'alias')?.getAttribute('name') ?? fallback;
  const serial = children(devices, 'serial').map((element, at) => alias(element, `serial${at}`));
  // The first <console> only repeats the first serial port, unless it is of another kind.
  const virtio = children(devices, 'console')
    .map((element, at) => ({ element, at }))
    .filter(({ element }) => child(element, 'target')?.getAttribute('type') !== 'serial')
    .map(({ element, at }) => alias(element, `console${at}`));
  const graphics = children(devices, 'graphics')
    .map((element) => element.getAttribute('type'))
    .filter((type) => type === 'vnc' || type === 'spice');
  return [
    ...[...serial, ...virtio].map((target) => ({ kind: 'serial' as const, target })),
    ...graphics.map((kind, at) => ({ kind, target: `${kind}${at}` })),
  ];
}

function diskOf(element: Element): DiskFacts {
  const source = child(element, 'source');
  const driver = child(element, 'driver');
  const pool = source?.getAttribute('pool');
  const volume = source?.getAttribute('volume');
  return {
    target: child(element, 'target')?.getAttribute('dev') ?? '?',
    device: element.getAttribute('device') ?? 'disk',
    type: element.getAttribute('type') ?? 'file',
    path: source?.getAttribute('file') ?? source?.getAttribute('dev') ?? source?.getAttribute('dir') ?? null,
    volume: pool && volume ? { pool, name: volume } : null,
    format: driver?.getAttribute('type') ?? null,
    cache: driver?.getAttribute('cache') ?? null,
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

function inKiB(element: Element | null): number {
  const unit = element?.getAttribute('unit') ?? 'KiB';
  return Math.round(Number(text(element)) * (units[unit] ?? 1)) || 0;
}
