// Which way the memory can go from one host to another, proved from the source host itself.
import type { Check, Transport } from '../../../contract/model.ts';
import { isOff } from '../options.ts';
import { checkTls, type Tls } from './tls.ts';
import type { Route } from '../route.ts';
import { checkPath, hostIn, migrateUriTo } from '../preflight/path.ts';
import { PeerProofs } from '../preflight/peer.ts';
import { ok } from '../preflight/say.ts';

export interface Way {
  transport: Exclude<Transport, 'auto'>;
  /** The target's libvirt as the source's root reaches it; null where the daemons do not speak to each other. */
  peerUri: string | null;
  /** Why it became this one, where nobody chose; else null. */
  why: string | null;
  checks: Check[];
  /** With TLS: the name that the target's certificate has to be for, where that is not the address. */
  tlsDestination: string | null;
}

const peers = new PeerProofs();

/** Finds the way for what `transport` asks. Never rejects. */
export async function findWay(route: Route): Promise<Way> {
  const [way, tls] = await Promise.all([chosenWay(route), ofTls(route)]);
  return { ...way, checks: [...way.checks, ...(tls?.checks ?? [])], tlsDestination: tls?.destination ?? null };
}

async function ofTls({ source, target, options }: Route): Promise<Tls | null> {
  if (!options.tls || isOff(options)) return null;
  const given = options.migrateUri ?? (await migrateUriTo(target).catch(() => null));
  return checkTls(source, target, given === null ? null : hostIn(given));
}

async function chosenWay({ source, target, options }: Route): Promise<Omit<Way, 'tlsDestination'>> {
  const { transport } = options;
  const direct = (why: string | null, checks: Check[] = []): Omit<Way, 'tlsDestination'> => ({
    transport: 'direct',
    peerUri: null,
    why,
    checks,
  });
  // A definition goes through Drover, and so do the disks of a VM that is shut off.
  if (isOff(options) && (transport === 'auto' || transport === 'relay')) return direct(null);
  if (transport === 'relay') return { transport, peerUri: null, why: null, checks: [] };
  const path = () => checkPath(source, target, options.migrateUri);
  if (transport === 'p2p' || transport === 'tunnelled') {
    const [peer, ofPath] = await Promise.all([
      peers.known(source, target, true),
      transport === 'p2p' && !isOff(options) ? path() : [],
    ]);
    return { transport, peerUri: peer.uri, why: null, checks: [peer.check, ...ofPath] };
  }
  if (isOff(options)) return direct(null);
  if (transport === 'direct') return direct(null, await path());
  const [peer, ofPath] = await Promise.all([peers.known(source, target, false), path()]);
  const through = ofPath.every(({ level }) => level === 'ok');
  const closed = ofPath.find(({ level }) => level === 'error');
  if (peer.proved && through) {
    const why = `By p2p: the root of ${source.label} reaches libvirt on ${target.label}, so it goes on when Drover does not.`;
    return { transport: 'p2p', peerUri: peer.uri, why, checks: [ok('transport', why), ...ofPath] };
  }
  // To an address of the admin's own there is no other way.
  if (closed && options.migrateUri === null) {
    const why = `By relay, through this machine: ${closed.message}`;
    return { transport: 'relay', peerUri: null, why, checks: [ok('transport', why)] };
  }
  const why = peer.proved ? '' : peer.check.message;
  const said = `Directly, driven by Drover: ${why || (ofPath[0]?.message ?? '')}`.trim();
  return direct(said, [ok('transport', said), ...ofPath]);
}
