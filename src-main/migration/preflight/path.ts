// Whether the source reaches the port that the memory goes to, and what it calls the target: tried from there.
import { lookup } from 'node:dns/promises';
import { isIP } from 'node:net';
import type { Check } from '../../../contract/model.ts';
import type { Host } from '../../fleet/host.ts';
import { quote } from '../virsh.ts';
import { run } from './probe.ts';
import { error, ok, warn } from './say.ts';

/** The first port that libvirt gives to a migration; nothing listens there beforehand. */
const firstPort = 49152;

/** Nothing else is let through: a shell on the source is to try it. */
const tcpUri = /^tcp:(?:\/\/)?(\[[0-9a-fA-F:.]+\]|[\w.-]+)(?::(\d+))?\/?$/;

/** The address or name in a migrateUri; null where it is another kind. */
export const hostIn = (migrateUri: string) => tcpUri.exec(migrateUri)?.[1]?.replace(/^\[|\]$/g, '') ?? null;

/** How the source reaches where the memory goes to, and whether it knows the target by its name. */
export async function checkPath(source: Host, target: Host, migrateUri: string | null): Promise<Check[]> {
  if (migrateUri !== null) {
    const [, host, port] = tcpUri.exec(migrateUri) ?? [];
    if (!/^(tcp|rdma|unix):/.test(migrateUri)) {
      const message = `libvirt sends no memory to ${migrateUri}: it knows tcp, rdma and unix.`;
      return [error('path', message, 'Give it as tcp://ADDRESS, or leave migrateUri out.')];
    }
    if (host === undefined) return [warn('path', `Whether ${source.label} reaches ${migrateUri} is not known.`)];
    return tryPort(source, target, host.replace(/^\[|\]$/g, ''), port === undefined ? firstPort : Number(port));
  }
  const address = await addressOf(target);
  if (address === null) return [warn('path', `How ${source.label} reaches ${target.label} is not known.`)];
  return tryPort(source, target, address, firstPort);
}

/** One connection from the source: a refusal proves the way as well as an answer, as nothing listens yet. */
async function tryPort(source: Host, target: Host, address: string, port: number): Promise<Check[]> {
  const name = target.info?.hostname ?? address;
  const names = `if command -v getent >/dev/null; then getent hosts ${quote(name)} >/dev/null && echo drover:resolved || echo drover:unresolved; fi`;
  const open = `exec 3<>/dev/tcp/${address}/${port}`;
  const ran = await run(source, `LC_ALL=C; export LC_ALL; ${names}; timeout 2 bash -c ${quote(open)} 2>&1`);
  return [reached(source, target, address, port, ran), ...resolved(source, name, address, ran?.stdout ?? '')];
}

type Ran = Awaited<ReturnType<typeof run>>;

function reached(source: Host, target: Host, address: string, port: number, ran: Ran): Check {
  const at = `${address}:${port}`;
  const ports = `the TCP ports 49152–49215 of ${target.label}`;
  const fix = `Let ${source.label} through to ${ports}, or choose the transport “relay”.`;
  const unknown = warn('path', `Whether ${source.label} reaches ${at} could not be tried.`);
  if (!ran) return unknown;
  if (ran.code === 0) return ok('path', `${source.label} reaches ${at}.`);
  if (ran.code === 124) {
    return error('path', `${source.label} gets no answer from ${at}: a firewall drops it, it seems.`, fix);
  }
  if (/Connection refused/.test(ran.stdout)) {
    const message = `${source.label} reaches ${address}: port ${port} refuses, as nothing listens there yet; a firewall that rejects would look the same.`;
    return ok('path', message);
  }
  if (/Name or service not known|name resolution|No address associated/.test(ran.stdout)) {
    const resolve = `Give an address in migrateUri, or put ${address} into /etc/hosts on ${source.label}.`;
    return error('path', `${source.label} cannot resolve the name ${address}.`, resolve);
  }
  if (/No route to host|unreachable|Invalid argument|Permission denied|not permitted/.test(ran.stdout)) {
    return error('path', `${source.label} has no way to ${at}: no route, or a firewall rejects it.`, fix);
  }
  return unknown;
}

/** What the target calls itself is where libvirt would send the memory, if nobody gave an address. */
function resolved(source: Host, name: string, address: string, said: string): Check[] {
  if (name === address) return [];
  if (/^drover:resolved$/m.test(said)) return [ok('name-resolves', `${source.label} resolves the name ${name}.`)];
  if (!/^drover:unresolved$/m.test(said)) return [];
  const message = `${source.label} does not resolve the name ${name}; the memory is sent to ${address} instead.`;
  return [ok('name-resolves', message)];
}

/** Where the source is told to send the memory; null: the target says it itself. */
export async function migrateUriTo(target: Host): Promise<string | null> {
  const found = await addressOf(target);
  return found === null ? null : `tcp://${found.includes(':') ? `[${found}]` : found}`;
}

/** An address rather than a name: the admin's name for a host need not be the other host's. */
async function addressOf(target: Host): Promise<string | null> {
  const { address } = target;
  if (address === null || isIP(address)) return address;
  return lookup(address).then(
    ({ address: at }) => at,
    () => address,
  );
}
