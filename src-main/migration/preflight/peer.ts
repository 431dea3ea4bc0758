// Whether the source's root reaches the target's libvirt, as peer to peer needs it.
import type { Check } from '../../../contract/model.ts';
import type { Host } from '../../fleet/host.ts';
import { type Clock, systemClock } from '../../fleet/clock.ts';
import type { Connection } from '../../libvirt/index.ts';
import { quote } from '../virsh.ts';
import { error, ok } from './say.ts';
import { run } from './probe.ts';

export interface Peer {
  proved: boolean;
  uri: string;
  check: Check;
  /** It was waited for in vain; asking again takes as long. */
  silent: boolean;
}

/** What timeout(1) exits with. */
const timedOut = 124;

/** How long an answer is good for. */
const goodMs = 60_000;

/** Asking takes up to 8 s, and a drag asks for every host: what was proved holds for a while, and so does silence. */
export class PeerProofs {
  readonly #clock: Pick<Clock, 'now'>;
  readonly #prove: (source: Host, target: Host) => Promise<Peer>;
  /** By the connections, so that one that was made anew is asked anew. */
  readonly #proofs = new WeakMap<Connection, WeakMap<Connection, { at: number; peer: Promise<Peer> }>>();

  constructor(clock: Pick<Clock, 'now'> = systemClock, prove = provePeer) {
    this.#clock = clock;
    this.#prove = prove;
  }

  /**
   * As it was found lately, or else as it is.
   * @param chosen Somebody chose this very way, and may just have mended what kept silent.
   */
  async known(source: Host, target: Host, chosen: boolean): Promise<Peer> {
    const proof = this.#proofs.get(source.connection)?.get(target.connection);
    if (proof && this.#clock.now() - proof.at < goodMs) {
      const peer = await proof.peer;
      // A refusal comes at once, and what causes it may just have been mended.
      if (peer.proved || (peer.silent && !chosen)) return peer;
    }
    const peer = this.#prove(source, target);
    let from = this.#proofs.get(source.connection);
    if (!from) this.#proofs.set(source.connection, (from = new WeakMap()));
    from.set(target.connection, { at: this.#clock.now(), peer });
    return peer;
  }
}

/** Whether the source's root reaches the target's libvirt, and whether what it reaches is the target. */
async function provePeer(source: Host, target: Host): Promise<Peer> {
  const uri = peerUriOf(target);
  const asRoot = source.uri.user === 'root' ? '' : 'sudo -n ';
  const ask = `timeout 8 ${asRoot}env -u SSH_AUTH_SOCK -u SSH_ASKPASS HOME=/root LC_ALL=C virsh -q -c ${quote(uri)} capabilities 2>&1`;
  const ran = await run(source, ask);
  const fix = `As root on ${source.label}: log in once by “ssh ${peerLogin(target)}” without a password, so that its key and ${target.label}’s host key are known.`;
  const no = (message: string): Peer => ({
    proved: false,
    silent: ran?.code === timedOut,
    uri,
    check: error('p2p', message, fix),
  });
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
    silent: false,
    uri,
    check: ok('p2p', `The root of ${source.label} reaches libvirt on ${target.label}.`),
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
