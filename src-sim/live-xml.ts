// What the XML of a running domain has more: an id, and of each device its name and its end on the host.
import { vncPort } from './screens.ts';
import type { Definition } from './definition.ts';
import { childOf, node, readOwn, writeXml, type Node } from './xml.ts';

/** Ends on the host are numbered for each domain apart. */
const PER_DOMAIN = 4;

const aliases: Record<string, string> = {
  interface: 'net',
  serial: 'serial',
  input: 'input',
  video: 'video',
  memballoon: 'balloon',
  channel: 'channel',
  sound: 'sound',
  hostdev: 'hostdev',
  rng: 'rng',
  watchdog: 'watchdog',
};
/** Behind the name of a device. */
const afterAlias = new Set(['rom', 'address']);

export function liveXml(definition: Definition, id: number): string {
  const root = readOwn(definition.xml);
  root.attributes = { ...root.attributes, id: String(id) };
  const counts: Record<string, number> = {};
  for (const device of childOf(root, 'devices')?.children ?? []) {
    const at = (counts[device.name] = (counts[device.name] ?? -1) + 1);
    enliven(device, at, id);
    const alias = aliasOf(device, at);
    if (alias === null) continue;
    const behind = device.children.findIndex(({ name }) => afterAlias.has(name));
    device.children.splice(behind < 0 ? device.children.length : behind, 0, node('alias', { name: alias }));
  }
  return writeXml(root);
}

export const vnet = (id: number, at: number) => `vnet${id * PER_DOMAIN + at}`;

function enliven(device: Node, at: number, id: number): void {
  const { name, attributes, children } = device;
  if ((name === 'serial' || name === 'console') && attributes['type'] === 'pty') {
    const path = `/dev/pts/${id * PER_DOMAIN + at}`;
    if (name === 'console') attributes['tty'] = path;
    children.unshift(node('source', { path }));
  }
  if (name === 'interface') {
    const behind = children.findIndex((child) => child.name === 'source');
    children.splice(behind + 1, 0, node('target', { dev: vnet(id, at) }));
  }
  if (name === 'graphics' && attributes['port'] === '-1') {
    attributes['port'] = String(vncPort(id));
    attributes['listen'] = '127.0.0.1';
    for (const listen of children) if (listen.name === 'listen') listen.attributes['address'] = '127.0.0.1';
  }
}

function aliasOf(device: Node, at: number): string | null {
  const { name, attributes } = device;
  const { type = '', index = '0', model = '' } = attributes;
  switch (name) {
    case 'disk': {
      const { bus = 'virtio' } = childOf(device, 'target')?.attributes ?? {};
      return bus === 'virtio' ? `virtio-disk${at}` : `${bus}0-0-${at}`;
    }
    case 'console':
      return childOf(device, 'target')?.attributes['type'] === 'virtio' ? `console${at}` : `serial${at}`;
    case 'controller':
      if (type === 'usb') return 'usb';
      return type === 'pci' ? `${model === 'pcie-root' ? 'pcie' : 'pci'}.${index}` : `${type}${index}`;
    default: {
      const prefix = aliases[name];
      return prefix === undefined ? null : `${prefix}${at}`;
    }
  }
}
