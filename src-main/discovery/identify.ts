// Logs in to tell a libvirt host from others: only where the key that was seen there is trusted already.
import { Connection, versionText } from '../libvirt/index.ts';
import { connectSsh, type KnownHosts, openLibvirt, type SecretCache, SshError } from '../ssh/index.ts';
import type { Identify } from './scans.ts';

/** Of each host, so that one that hangs does not hold the scan. */
const timeoutMs = 10_000;

/** Nothing is asked of anybody: a sweep must not end in a hundred questions. */
export function identifyBySsh(logins: { knownHosts: KnownHosts; secrets: SecretCache }): Identify {
  return async ({ address, port }, { user, keyfile }, signal) => {
    const limit = AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)]);
    try {
      const ssh = await connectSsh({
        target: {
          host: address,
          port,
          user: user ?? null,
          label: address,
          ...(keyfile !== undefined && { keyFiles: [keyfile] }),
        },
        ...logins,
        prompts: null,
        signal: limit,
      });
      try {
        const { duplex } = await openLibvirt(ssh, { uri: 'qemu:///system' });
        const connection = await Connection.open(duplex, { uri: 'qemu:///system', signal: limit });
        try {
          const [{ type }, { total }, { xml }] = await Promise.all([
            connection.call('connect_get_type', {}),
            connection.call('connect_list_all_domains', { need: 0, flags: 0 }),
            connection.call('connect_get_capabilities', {}),
          ]);
          const uuid = /<host>\s*<uuid>([0-9a-f-]{36})<\/uuid>/i.exec(xml)?.[1]?.toLowerCase() ?? null;
          const libvirtVersion = versionText(connection.libVersion);
          return { libvirtVersion, hypervisor: type, domains: total, uuid };
        } finally {
          await connection.close();
        }
      } finally {
        ssh.close();
      }
    } catch (error) {
      // Logged in, and there is none: that is an answer. All else leaves it open.
      return error instanceof SshError && error.kind === 'no-libvirt' ? { libvirtVersion: null } : null;
    }
  };
}
