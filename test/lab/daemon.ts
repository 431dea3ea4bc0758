// The libvirt client on a lab host's own socket, without ssh between.
import { Connection, openLocal } from '../../src-main/libvirt/index.ts';
import type { ConnectionOptions } from '../../src-main/libvirt/index.ts';
import type { Lab } from './lab.ts';

export async function connectTo(lab: Lab, host: string, options: Partial<ConnectionOptions> = {}): Promise<Connection> {
  const { uri = 'qemu:///system', readOnly = false } = options;
  const socket = `/proc/${lab.host(host).init.pid}/root/run/libvirt/libvirt-sock${readOnly ? '-ro' : ''}`;
  return Connection.open(await openLocal(uri, { socket }), { uri, keepalive: false, ...options });
}
