// Reaches a simulated host as a client would: SSH, then libvirt's protocol through it.
import { duplexPair } from 'node:stream';
import ssh2, { type Client } from 'ssh2';
import { Connection, type ConnectionOptions } from '../../src-main/libvirt/index.ts';
import type { SimHost } from '../../src-sim/index.ts';

export const SOCKET = '/run/libvirt/libvirt-sock';

/** Logs in with the fleet's key. */
export function login(host: SimHost, username = 'root'): Promise<Client> {
  const client = new ssh2.Client();
  return new Promise((resolve, reject) => {
    client.on('connect', () => client.setNoDelay(true));
    client.on('ready', () => resolve(client));
    client.on('error', reject);
    client.connect({
      host: host.address,
      port: host.port,
      username,
      privateKey: host.fleet.clientKey.privateKey,
    });
  });
}

/** A libvirt connection over SSH. */
export async function overSsh(client: Client, options: Partial<ConnectionOptions> = {}): Promise<Connection> {
  const channel = await new Promise<NodeJS.ReadWriteStream>((resolve, reject) =>
    client.openssh_forwardOutStreamLocal(SOCKET, (error, opened) => (error ? reject(error) : resolve(opened))),
  );
  return Connection.open(channel as never, { uri: 'qemu:///system', ...options });
}

/** A libvirt connection without SSH around it. */
export function direct(host: SimHost, options: Partial<ConnectionOptions> = {}): Promise<Connection> {
  const [near, far] = duplexPair();
  // One half of a pair does not notice the other's end by itself.
  far.on('close', () => near.destroy());
  near.on('close', () => far.destroy());
  host.daemon.accept(far);
  return Connection.open(near, { uri: 'qemu:///system', ...options });
}
