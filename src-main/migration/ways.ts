// Which way the memory can go from one host to another, proved from the source host itself.
import { lookup } from 'node:dns/promises';
import { isIP } from 'node:net';
import type { Check, Transport } from '../../contract/model.ts';
import { Gate } from '../ssh/index.ts';
import type { Host } from '../fleet/host.ts';
import { isOff } from './options.ts';
import { checkTls } from './tls.ts';
import { quote } from './virsh.ts';
import type { Route } from './preflight.ts';

export interface Way {
  transport: Exclude<Transport, 'auto'>;
  /** The target's libvirt as the source's root reaches it; null where the daemons do not speak to each other. */
  peerUri: string | null;
  /** Why it became this one, where nobody chose; else null. */
  why: string | null;
  checks: Check[];
}

/** The first port that libvirt gives to a migration; nothing listens there beforehand. */
const firstPort = 49152;
/** Commands at once on a host: its SSH server has room for ten sessions. */
const atOnce = 4;
const gates = new WeakMap<Host, Gate>();

/** Finds the way for what `transport` asks. Never rejects. */
export async function findWay(route: Route): Promise<Way> {
  const { source, target, options } = route;
  const [way, tls] = await Promise.all([chosenWay(route), options.tls ? checkTls(source, target) : []]);
  return { ...way, checks: [...way.checks, ...tls] };
}

async function chosenWay({ source, target, options }: Route): Promise<Way> {
  const { transport } = options;
  const direct = (why: string | null, checks: Check[] = []): Way => ({
    transport: 'direct',
    peerUri: null,
    why,
    checks,
  });
  // A definition goes through Drover, and so do the disks of a VM that is shut off.
  if (isOff(options) && (transport === 'auto' || transport === 'relay')) return direct(null);
  if (transport === 'relay') return { transport, peerUri: null, why: null, checks: [] };
  if (transport === 'p2p' || transport === 'tunnelled') {
    const peer = await provePeer(source, target);
    const checks =
      transport === 'p2p' && !isOff(options)
        ? [peer.check, await pathCheck(source, target, options.migrateUri)]
        : [peer.check];
    return { transport, peerUri: peer.uri, why: null, checks };
  }
  if (isOff(options) && transport === 'direct') return direct(null);
  if (transport === 'direct') return direct(null, [await pathCheck(source, target, options.migrateUri)]);
  const [peer, path] = await Promise.all([
    provePeer(source, target),
    options.migrateUri === null ? provePath(source, target) : null,
  ]);
  const through = path === null || path.level === 'ok';
  const noPeer = peer.proved ? null : { ...peer.check, level: 'ok' as const };
  if (peer.proved && through) {
    const why = `By p2p: the root of ${source.label} reaches libvirt on ${target.label}, so it goes on when Drover does not.`;
    return {
      transport: 'p2p',
      peerUri: peer.uri,
      why,
      checks: [said('transport', 'ok', why), ...(path ? [path] : [])],
    };
  }
  if (path?.level === 'error') {
    const why = `By relay, through this machine: ${path.message}`;
    return { transport: 'relay', peerUri: null, why, checks: [said('transport', 'ok', why)] };
  }
  const why = `Directly, driven by Drover: ${noPeer?.message ?? path?.message ?? ''}`.trim();
  return direct(why, [said('transport', 'ok', why), ...(path ? [path] : [])]);
}

const said = (id: string, level: Check['level'], message: string, fix?: string): Check => ({
  id,
  level,
  message,
  ...(fix !== undefined && { fix }),
});

// --- p2p ---------------------------------------------------------------------------------------------

interface Peer {
  proved: boolean;
  uri: string;
  check: Check;
}

/** Whether the source's root reaches the target's libvirt, and whether what it reaches is the target. */
async function provePeer(source: Host, target: Host): Promise<Peer> {
  const uri = peerUriOf(target);
  const asRoot = source.uri.user === 'root' ? '' : 'sudo -n ';
  const ask = `timeout 8 ${asRoot}env -u SSH_AUTH_SOCK -u SSH_ASKPASS HOME=/root LC_ALL=C virsh -q -c ${quote(uri)} capabilities 2>&1`;
  const ran = await run(source, ask);
  const fix = `As root on ${source.label}: log in once by “ssh ${peerLogin(target)}” without a password, so that its key and ${target.label}’s host key are known.`;
  const no = (message: string): Peer => ({ proved: false, uri, check: said('p2p', 'error', message, fix) });
  if (!ran) return no(`Whether the root of ${source.label} reaches libvirt on ${target.label} could not be tried.`);
  if (ran.code !== 0) {
    const told = ran.stdout
      .split('\n')
      .map((line) => line.replace(/^error: /, '').trim())
      .findLast((line) => /[a-z]/i.test(line));
    const why = ran.code === 127 || !told ? '' : ` (“${told.slice(0, 200)}”)`;
    return no(`The root of ${source.label} does not reach libvirt on ${target.label}${why}.`);
  }
  const found = /<host>\s*<uuid>([0-9a-f-]{36})<\/uuid>/i.exec(ran.stdout)?.[1];
  if (found === undefined || found !== target.info?.uuid) {
    return no(`The root of ${source.label} reaches another libvirt than that of ${target.label} at ${uri}.`);
  }
  return {
    proved: true,
    uri,
    check: said('p2p', 'ok', `The root of ${source.label} reaches libvirt on ${target.label}.`),
  };
}

function peerLogin({ uri, address }: Host): string {
  return `${uri.user ?? 'root'}@${address ?? uri.host ?? 'localhost'}`;
}

function peerUriOf(target: Host): string {
  const { uri, address } = target;
  const at = address ?? uri.host ?? 'localhost';
  const host = at.includes(':') ? `[${at}]` : at;
  return `qemu+ssh://${uri.user ?? 'root'}@${host}${uri.port === null ? '' : `:${uri.port}`}/system?no_tty=1`;
}

// --- The memory's own way --------------------------------------------------------------------------------

async function pathCheck(source: Host, target: Host, migrateUri: string | null): Promise<Check> {
  if (migrateUri === null) return provePath(source, target);
  const [, host, port] = /^tcp:(?:\/\/)?(\[[^\]]*\]|[^:/]+)(?::(\d+))?\/?$/.exec(migrateUri) ?? [];
  if (host === undefined) return said('path', 'warn', `Whether ${source.label} reaches ${migrateUri} is not known.`);
  return provePort(source, target, host.replace(/^\[|\]$/g, ''), port === undefined ? firstPort : Number(port));
}

async function provePath(source: Host, target: Host): Promise<Check> {
  const address = await addressOf(target);
  if (address === null) return said('path', 'warn', `How ${source.label} reaches ${target.label} is not known.`);
  return provePort(source, target, address, firstPort);
}

/** One connection from the source: a refusal proves the way as well as an answer, as nothing listens yet. */
async function provePort(source: Host, target: Host, address: string, port: number): Promise<Check> {
  const at = `${address}:${port}`;
  const open = `exec 3<>/dev/tcp/${address}/${port}`;
  const ran = await run(source, `LC_ALL=C timeout 2 bash -c ${quote(open)} 2>&1`);
  const fix = `Let ${source.label} through to the TCP ports 49152–49215 of ${target.label}, or choose the transport “relay”.`;
  const unknown = said('path', 'warn', `Whether ${source.label} reaches ${at} could not be tried.`);
  if (!ran) return unknown;
  if (ran.code === 0) return said('path', 'ok', `${source.label} reaches ${at}.`);
  if (ran.code === 124) {
    return said('path', 'error', `${source.label} gets no answer from ${at}: a firewall drops it, it seems.`, fix);
  }
  if (/Connection refused/.test(ran.stdout)) {
    return said('path', 'ok', `${source.label} reaches ${address}: ${port} refused, as nothing listens there yet.`);
  }
  if (/Name or service not known|name resolution|No address associated/.test(ran.stdout)) {
    const resolve = `Give an address in migrateUri, or put ${address} into /etc/hosts on ${source.label}.`;
    return said('path', 'error', `${source.label} cannot resolve the name ${address}.`, resolve);
  }
  if (/No route to host|unreachable/.test(ran.stdout)) {
    return said('path', 'error', `${source.label} has no way to ${at}: no route, or a firewall rejects it.`, fix);
  }
  return unknown;
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

async function run(host: Host, command: string): Promise<{ stdout: string; code: number | null } | null> {
  let gate = gates.get(host);
  if (!gate) gates.set(host, (gate = new Gate(atOnce)));
  const leave = await gate.enter(AbortSignal.timeout(15_000)).catch(() => null);
  if (!leave) return null;
  try {
    return await host.shell(command);
  } finally {
    leave();
  }
}
