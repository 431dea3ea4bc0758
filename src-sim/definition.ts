// A domain's definition: the XML that a daemon keeps, and what it has to know of it.
import { macOf } from './chance.ts';
import { refuse } from './refusal.ts';
import { childOf, childrenOf, node, parseXml, readOwn, textOf, writeXml, type Node } from './xml.ts';

export interface Disk {
  target: string;
  device: string;
  type: string;
  path: string | null;
  cache: string;
  readonly: boolean;
  shareable: boolean;
}

export interface Nic {
  type: string;
  source: string;
}

export interface Definition {
  name: string;
  uuid: string;
  type: string;
  arch: string;
  machine: string;
  memoryKiB: number;
  currentKiB: number;
  vcpus: number;
  disks: Disk[];
  nics: Nic[];
  /** Aliases of the serial ports. */
  serials: string[];
  /** As libvirt writes it, without what only a running domain has. */
  readonly xml: string;
}

/** What a host fills in. */
export interface HostDefaults {
  emulator: string;
  /** The newest first; `pc` and `q35` stand for the newest of theirs. */
  machines: string[];
  types: string[];
}

const bad = (message: string) => refuse.domain('xml_error', `XML error: ${message}`);

/** @throws Refusal */
export function readDefinition(xml: string, defaults: HostDefaults): Definition {
  let root: Node;
  try {
    root = parseXml(xml);
  } catch (error) {
    throw refuse.malformed(`(domain_definition):1: ${error instanceof Error ? error.message : ''}`);
  }
  if (root.name !== 'domain')
    throw refuse.xml('xml_error', `unexpected root element <${root.name}>, expecting <domain>`);
  return definitionFrom(filledIn(root, defaults));
}

/** The same under another name. */
export function renamed(definition: Definition, name: string): Definition {
  const root = readOwn(definition.xml);
  const at = childOf(root, 'name');
  if (at) at.text = name;
  return definitionFrom(root);
}

/** With devices, memory or CPUs changed. */
export function changed(definition: Definition, change: (root: Node) => void): Definition {
  const root = readOwn(definition.xml);
  change(root);
  return definitionFrom(root);
}

function definitionFrom(root: Node): Definition {
  const devices = childOf(root, 'devices');
  const os = childOf(childOf(root, 'os'), 'type');
  return {
    name: textOf(root, 'name'),
    uuid: textOf(root, 'uuid'),
    type: root.attributes['type'] ?? '',
    arch: os?.attributes['arch'] ?? 'x86_64',
    machine: os?.attributes['machine'] ?? '',
    memoryKiB: Number(textOf(root, 'memory')),
    currentKiB: Number(textOf(root, 'currentMemory')),
    vcpus: Number(textOf(root, 'vcpu')),
    disks: childrenOf(devices, 'disk').map((disk) => {
      const source = childOf(disk, 'source')?.attributes ?? {};
      return {
        target: childOf(disk, 'target')?.attributes['dev'] ?? '',
        device: disk.attributes['device'] ?? 'disk',
        type: disk.attributes['type'] ?? 'file',
        path: source['file'] ?? source['dev'] ?? source['dir'] ?? null,
        cache: childOf(disk, 'driver')?.attributes['cache'] ?? '',
        readonly: childOf(disk, 'readonly') !== undefined,
        shareable: childOf(disk, 'shareable') !== undefined,
      };
    }),
    nics: childrenOf(devices, 'interface').map((nic) => {
      const source = childOf(nic, 'source')?.attributes ?? {};
      return {
        type: nic.attributes['type'] ?? '',
        source: source['network'] ?? source['bridge'] ?? source['dev'] ?? '',
      };
    }),
    serials: childrenOf(devices, 'serial').map((_, at) => `serial${at}`),
    xml: writeXml(root),
  };
}

/** `pc` and `q35` stand for the newest of theirs. */
export function canonical(machine: string, known: string[]): string {
  if (machine === 'pc') return known.find((one) => one.startsWith('pc-i440fx-')) ?? machine;
  if (machine === 'q35') return known.find((one) => one.startsWith('pc-q35-')) ?? machine;
  return machine;
}

const units: Record<string, number> = { B: 1, BYTES: 1, K: 1024, KIB: 1024, KB: 1000, M: 2 ** 20, MIB: 2 ** 20 };
Object.assign(units, { MB: 1e6, G: 2 ** 30, GIB: 2 ** 30, GB: 1e9, T: 2 ** 40, TIB: 2 ** 40, TB: 1e12 });

function inKiB(of: Node): Node {
  const unit = (of.attributes['unit'] ?? 'KiB').toUpperCase();
  const bytes = Number(of.text) * (units[unit] ?? NaN);
  if (!(bytes >= 0))
    throw refuse.xml('xml_error', `Invalid value '${of.text ?? ''}' for element or attribute './memory[1]'`);
  return node(of.name, { unit: 'KiB' }, String(Math.round(bytes / 1024)));
}

/** Where libvirt writes what; what is not named here goes before the devices. */
const order = [
  ...['name', 'uuid', 'genid', 'title', 'description', 'metadata', 'maxMemory', 'memory', 'currentMemory', 'vcpu'],
  ...['iothreads', 'cputune', 'numatune', 'resource', 'sysinfo', 'os', 'features', 'cpu', 'clock'],
  ...['on_poweroff', 'on_reboot', 'on_crash', 'pm', 'perf', '', 'devices', 'seclabel'],
];

/** Of all drivers, whether they are here or not. */
const knownTypes = new Set([
  'qemu',
  'kvm',
  'xen',
  'lxc',
  'test',
  'vmware',
  'vbox',
  'hyperv',
  'bhyve',
  'parallels',
  'vz',
]);

/** What libvirt adds when it takes a definition. */
function filledIn(root: Node, { emulator, machines, types }: HostDefaults): Node {
  const name = textOf(root, 'name');
  if (!name) throw refuse.noName();
  if (name.includes('/')) throw bad(`name ${name} cannot contain '/'`);
  const type = root.attributes['type'] ?? '';
  if (!type) throw refuse.domain('internal_error', 'internal error: missing domain type attribute');
  const os = childOf(root, 'os');
  const osType = childOf(os, 'type');
  if (!os || !osType?.text) throw refuse.domain('xml_error', 'an os <type> must be specified');
  const memory = childOf(root, 'memory');
  if (!memory) throw bad('missing memory element');
  const arch = osType.attributes['arch'] ?? 'x86_64';
  const machine = canonical(osType.attributes['machine'] ?? 'pc', machines);
  if (!knownTypes.has(type)) {
    throw refuse.domain('config_unsupported', `unsupported configuration: invalid domain type ${type}`);
  }
  if (!types.includes(type)) {
    const what = `Emulator '${emulator}' does not support virt type '${type}'`;
    throw refuse.qemu('config_unsupported', `unsupported configuration: ${what}`);
  }

  const inOs = os.children.filter((child) => child.name !== 'type');
  const devices = childOf(root, 'devices') ?? node('devices');
  const bootsByDevice = devices.children.some((device) => childOf(device, 'boot'));
  if (!childOf(os, 'boot') && !bootsByDevice) inOs.push(node('boot', { dev: 'hd' }));
  const kib = inKiB(memory);
  const uuid = textOf(root, 'uuid') || crypto.randomUUID();
  if (!/^[0-9a-f-]{32,36}$/i.test(uuid))
    throw refuse.domain('internal_error', 'internal error: malformed uuid element');
  const given = (which: string, otherwise: () => Node) => childOf(root, which) ?? otherwise();
  const known: Node[] = [
    node('name', {}, name),
    node('uuid', {}, uuid.toLowerCase()),
    kib,
    childOf(root, 'currentMemory') ? inKiB(childOf(root, 'currentMemory') as Node) : { ...kib, name: 'currentMemory' },
    node('vcpu', { placement: 'static', ...childOf(root, 'vcpu')?.attributes }, textOf(root, 'vcpu') || '1'),
    node('os', os.attributes, [node('type', { arch, machine }, osType.text), ...inOs]),
    given('cpu', () =>
      node('cpu', { mode: 'custom', match: 'exact', check: 'none' }, [node('model', { fallback: 'forbid' }, 'qemu64')]),
    ),
    given('clock', () => node('clock', { offset: 'utc' })),
    given('on_poweroff', () => node('on_poweroff', {}, 'destroy')),
    given('on_reboot', () => node('on_reboot', {}, 'restart')),
    given('on_crash', () => node('on_crash', {}, 'destroy')),
    node('devices', {}, devicesOf(devices, uuid, emulator)),
  ];
  const replaced = new Set(known.map((each) => each.name));
  const rest = root.children.filter((each) => !replaced.has(each.name));
  const place = ({ name: which }: Node) => (order.includes(which) ? order.indexOf(which) : order.indexOf(''));
  const { id: _id, ...attributes } = root.attributes;
  return { ...root, attributes, children: [...known, ...rest].sort((a, b) => place(a) - place(b)) };
}

const deviceOrder = [
  ...['emulator', 'disk', 'controller', 'lease', 'filesystem', 'interface', 'smartcard', 'serial', 'parallel'],
  ...['console', 'channel', 'input', 'tpm', 'graphics', 'sound', 'audio', 'video', '', 'hostdev', 'redirdev', 'hub'],
  ...['watchdog', 'memballoon', 'rng'],
];
/** Of a running domain only. */
const transient = new Set(['alias']);

function devicesOf({ children }: Node, uuid: string, emulator: string): Node[] {
  const devices = children.map((device) => ({
    ...device,
    children: device.children.filter((each) => !transient.has(each.name)),
  }));
  const has = (name: string) => devices.some((device) => device.name === name);
  const add = (...more: Node[]) => devices.push(...more);
  if (!has('emulator')) add(node('emulator', {}, emulator));
  for (const [at, nic] of devices.filter(({ name }) => name === 'interface').entries()) {
    if (!childOf(nic, 'mac')) nic.children.unshift(node('mac', { address: macOf(uuid, at) }));
  }
  for (const [at, serial] of devices.filter(({ name }) => name === 'serial').entries()) {
    const port = childOf(serial, 'target')?.attributes['port'] ?? String(at);
    const target = node('target', { type: 'isa-serial', port }, [node('model', { name: 'isa-serial' })]);
    serial.children = [...serial.children.filter(({ name }) => name !== 'target'), target];
  }
  const serial = devices.find(({ name }) => name === 'serial');
  if (serial && !has('console')) {
    const type = serial.attributes['type'] ?? 'pty';
    add(node('console', { type }, [node('target', { type: 'serial', port: '0' })]));
  }
  const usb = devices.some(({ name, attributes }) => name === 'controller' && attributes['type'] === 'usb');
  if (!usb) add(node('controller', { type: 'usb', index: '0', model: 'piix3-uhci' }));
  const pci = devices.some(({ name, attributes }) => name === 'controller' && attributes['type'] === 'pci');
  if (!pci) add(node('controller', { type: 'pci', index: '0', model: 'pci-root' }));
  if (!has('input')) add(node('input', { type: 'mouse', bus: 'ps2' }), node('input', { type: 'keyboard', bus: 'ps2' }));
  if (!has('memballoon')) add(node('memballoon', { model: 'virtio' }));
  for (const controller of devices.filter(({ name }) => name === 'controller')) {
    const { type = '', index = '0', ...rest } = controller.attributes;
    controller.attributes = { type, index, ...rest };
  }
  const place = ({ name }: Node) => (deviceOrder.includes(name) ? deviceOrder.indexOf(name) : deviceOrder.indexOf(''));
  return devices.sort((a, b) => place(a) - place(b));
}
