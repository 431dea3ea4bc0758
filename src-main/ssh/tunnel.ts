// From an SSH connection to libvirt's daemon: the ways there, and which one the host has.
import type { Duplex } from 'node:stream';
import type { SshConnection } from './connection.ts';

export interface LibvirtWish {
  /** What the daemon is asked to open: `qemu:///system`, `qemu:///session`, `test:///default`. */
  uri: string;
  /** The URI's parameters, as libvirt means them. */
  socket?: string;
  proxy?: 'auto' | 'native' | 'netcat';
  mode?: 'auto' | 'direct' | 'legacy';
  /** Through the read-only socket. */
  readOnly?: boolean;
  /** What worked last time: `how` of an earlier tunnel. Tried first. */
  remember?: string;
}

export interface LibvirtTunnel {
  duplex: Duplex;
  /** The way taken: `streamlocal /run/libvirt/libvirt-sock`, `helper`, `netcat /run/libvirt/libvirt-sock`. */
  how: string;
  /** What the far end's program said besides; '' for a socket. To be shown when the stream ends early. */
  stderr(): string;
}

/** @throws SshError `no-libvirt`, `no-permission`, or why the connection could not be used. */
export function openLibvirt(_ssh: SshConnection, _wish: LibvirtWish): Promise<LibvirtTunnel> {
  throw new Error('not built yet');
}
