// Opens a libvirt connection, lists its domains, and prints every packet on a line; with --follow the events too.
import { parseArgs } from 'node:util';
import type { Duplex } from 'node:stream';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseHostUri, type HostUri } from '../contract/uri.ts';
import { Connection, formatPacket, openLocal } from '../src-main/libvirt/index.ts';
import { connectSsh, KnownHosts, openLibvirt } from '../src-main/ssh/index.ts';

const usage = `npm run trace -- URI [--follow] [--socket PATH]

  URI       qemu:///system or test:///default for the daemon on this machine, or a host's
            qemu+ssh://root@kvm1/system, as Drover takes it; its key has to be known to ssh
  --follow  stay, and show its events until Ctrl+C
  --socket  the daemon's socket, where it is not in its usual place`;

// As `npm run trace -- URI | head` ends.
process.stdout.on('error', () => process.exit(0));

const { uri, follow, socket } = options();
try {
  const parsed = parseHostUri(uri);
  await trace(await reach(parsed), parsed.daemonUri);
} catch (error) {
  fail((error as Error).message);
}

function options() {
  try {
    const { values, positionals } = parseArgs({
      allowPositionals: true,
      options: {
        follow: { type: 'boolean', default: false },
        socket: { type: 'string' },
        help: { type: 'boolean' },
      },
    });
    const [first, ...more] = positionals;
    if (values.help || first === undefined || more.length > 0) fail(usage, values.help ? 0 : 2);
    return { uri: first, follow: values.follow, socket: values.socket };
  } catch (error) {
    return fail(`${(error as Error).message}\n\n${usage}`, 2);
  }
}

/** Whatever carries the bytes to the daemon of that URI. */
async function reach({ transport, daemonUri, host, port, user, parameters }: HostUri): Promise<Duplex> {
  if (transport === 'local' || host === null) {
    const path = socket ?? parameters.socket;
    return openLocal(daemonUri, path === undefined ? {} : { socket: path });
  }
  const ssh = await connectSsh({
    target: {
      host,
      port: port ?? 22,
      user,
      label: host,
      noVerify: parameters.no_verify === '1',
      ...(parameters.keyfile !== undefined && { keyFiles: [parameters.keyfile] }),
      ...(parameters.known_hosts !== undefined && { knownHostsFile: parameters.known_hosts }),
    },
    // Reads what ssh knows; nothing is ever written here, so the own file need not be there.
    knownHosts: KnownHosts.beside(join(tmpdir(), 'drover-trace-known-hosts')),
    prompts: null,
  });
  const { duplex, how } = await openLibvirt(ssh, {
    uri: daemonUri,
    ...(parameters.socket !== undefined && { socket: parameters.socket }),
  });
  duplex.on('close', () => ssh.close());
  console.log(`by ${how}`);
  return duplex;
}

async function trace(duplex: Duplex, uri: string): Promise<void> {
  const started = performance.now();
  const connection = await Connection.open(duplex, {
    uri,
    trace(packet, direction) {
      const at = (performance.now() - started).toFixed(1).padStart(9);
      console.log(`${at} ms ${formatPacket(packet, direction)}`);
    },
    warning: (message) => console.error(message),
  });
  if (follow) {
    for (const name of ['lifecycle', 'reboot', 'job_completed', 'migration_iteration', 'device_added'] as const) {
      connection.on(name, () => {});
    }
    await connection.eventsReady();
  }
  const { domains } = await connection.call('connect_list_all_domains', { need: 1 });
  await Promise.all(domains.map((dom) => connection.call('domain_get_state', { dom })));
  if (follow) {
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => void connection.close());
  } else {
    await connection.close();
  }
  const why = await connection.ended;
  if (why) throw why;
}

function fail(message: string, code = 1): never {
  console.error(message);
  process.exit(code);
}
