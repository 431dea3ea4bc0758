// What a VM is made of, read from its XML: for being looked at, so whatever is not known here is left out.
import { hardware as words } from '../words/hardware.ts';

export interface DiskShown {
  /** As the guest sees it: `vda`. */
  target: string;
  /** `disk`, `cdrom`, `floppy`, `lun`. */
  device: string;
  bus: string | null;
  /** Path, volume or address; null of an empty drive. */
  source: string | null;
  format: string | null;
  cache: string | null;
  readonly: boolean;
  shareable: boolean;
}

export interface CardShown {
  mac: string;
  model: string | null;
  /** `network`, `bridge`, `direct`… */
  kind: string;
  source: string | null;
  /** Its end on the host while it runs: `vnet3`. */
  end: string | null;
  /** Its cable is pulled. */
  unplugged: boolean;
}

export interface Hardware {
  machine: string | null;
  arch: string | null;
  firmware: string;
  cpu: string | null;
  disks: DiskShown[];
  cards: CardShown[];
  /** Devices of the host, screens, channels and so on: what they are, and of which kind. */
  others: { what: string; about: string }[];
}

/** Null where the XML cannot be read. */
export function hardwareOf(xml: string): Hardware | null {
  const root = new DOMParser().parseFromString(xml, 'text/xml').documentElement;
  if (root.nodeName !== 'domain') return null;
  const one = (of: Element | null | undefined, path: string) => of?.querySelector(`:scope > ${path}`) ?? null;
  const at = (of: Element | null, name: string) => of?.getAttribute(name) ?? null;
  const os = one(root, 'os');
  const type = one(os, 'type');
  const loader = one(os, 'loader');
  const uefi = at(os, 'firmware') === 'efi' || at(loader, 'type') === 'pflash';
  const cpu = one(root, 'cpu');
  const model = one(cpu, 'model')?.textContent?.trim();
  const devices = [...(one(root, 'devices')?.children ?? [])];
  const named = (name: string) => devices.filter(({ nodeName }) => nodeName === name);
  return {
    machine: at(type, 'machine'),
    arch: at(type, 'arch'),
    firmware: uefi ? (at(loader, 'secure') === 'yes' ? words.secureBoot : words.uefi) : words.bios,
    cpu: [model, at(cpu, 'mode')].filter(Boolean).join(', ') || null,
    disks: named('disk').map((disk) => {
      const [source, driver, target] = [one(disk, 'source'), one(disk, 'driver'), one(disk, 'target')];
      const volume = at(source, 'volume');
      return {
        target: at(target, 'dev') ?? '?',
        device: at(disk, 'device') ?? 'disk',
        bus: at(target, 'bus'),
        source:
          at(source, 'file') ??
          at(source, 'dev') ??
          at(source, 'name') ??
          at(source, 'dir') ??
          (volume && words.volume(volume, at(source, 'pool') ?? '')),
        format: at(driver, 'type'),
        cache: at(driver, 'cache'),
        readonly: one(disk, 'readonly') !== null,
        shareable: one(disk, 'shareable') !== null,
      };
    }),
    cards: named('interface').map((card) => {
      const source = one(card, 'source');
      return {
        mac: at(one(card, 'mac'), 'address') ?? '?',
        model: at(one(card, 'model'), 'type'),
        kind: at(card, 'type') ?? '?',
        source: at(source, 'network') ?? at(source, 'bridge') ?? at(source, 'dev'),
        end: at(one(card, 'target'), 'dev'),
        unplugged: at(one(card, 'link'), 'state') === 'down',
      };
    }),
    others: devices.flatMap((device) => {
      const what = words.others[device.nodeName];
      if (what === undefined) return [];
      const about = at(one(device, 'model'), 'type') ?? at(device, 'type') ?? at(device, 'model') ?? at(device, 'bus');
      const name = at(one(device, 'target'), 'name') ?? at(one(device, 'target'), 'dir');
      return [{ what, about: [about, name].filter(Boolean).join(' ') }];
    }),
  };
}
