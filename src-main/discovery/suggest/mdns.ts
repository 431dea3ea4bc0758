// Asks the local network once, by mDNS, who announces libvirt (`mdns_adv` in libvirtd.conf). Sent only when asked for.
import { createSocket } from 'node:dgram';
import { isIPv6 } from 'node:net';
import type { Clock } from '../clock.ts';
import { compareAddresses, normalAddress } from '../address.ts';
import { answers, question, type Answer } from './dns-message.ts';
import { isHostName, type Named } from './suggestion.ts';

const SERVICE = '_libvirt._tcp.local';
/** RFC 6762. A packet to them stays in the local network. */
const GROUP = { v4: '224.0.0.251', v6: 'ff02::fb', port: 5353 };
const WAIT_MS = 1200;
/** Of one question: what a flood brings beyond is not read. */
const MOST_PACKETS = 512;
const MOST_NETWORKS = 16;

export interface MdnsOptions {
  /** By which of this machine's addresses to ask, each for its network; IPv6 ones with their zone. */
  by: Iterable<string>;
  /** Whom to ask, in tests; else the mDNS groups. */
  to?: { address: string; port: number };
  clock: Clock;
}

interface Heard {
  from: string;
  answer: Answer;
}

/** @throws Error where no network can be asked */
export async function askMdns({ by, to, clock }: MdnsOptions): Promise<Named[]> {
  const networks = [...by].slice(0, MOST_NETWORKS);
  const asked = await Promise.allSettled(networks.map((own) => askOne(own, to ?? null, clock)));
  const heard = asked.flatMap((one) => (one.status === 'fulfilled' ? one.value : []));
  const failed = asked.find((one) => one.status === 'rejected');
  if (networks.length === 0) throw new Error('this machine is in no network');
  if (failed && asked.every((one) => one.status === 'rejected')) throw failed.reason;
  return hostsOf(heard);
}

async function askOne(own: string, to: MdnsOptions['to'] | null, clock: Clock): Promise<Heard[]> {
  const v6 = isIPv6(own);
  const { address, port } = to ?? { address: v6 ? GROUP.v6 : GROUP.v4, port: GROUP.port };
  const socket = createSocket(v6 ? 'udp6' : 'udp4');
  const heard: Heard[] = [];
  let packets = 0;
  let callOff = () => {};
  try {
    await new Promise<void>((resolve, reject) => {
      socket.on('error', reject);
      socket.on('message', (message, { address }) => {
        packets += 1;
        if (packets > MOST_PACKETS) return resolve();
        for (const answer of answers(message)) heard.push({ from: address, answer });
      });
      socket.bind(0, own, () => {
        if (!to) socket.setMulticastInterface(v6 ? own.replace(/^[^%]*/, '::') : own);
        socket.send(question(SERVICE), port, address, (error) => {
          if (error) reject(error);
          else callOff = clock.after(WAIT_MS, resolve);
        });
      });
    });
  } finally {
    callOff();
    socket.removeAllListeners();
    socket.close();
  }
  return heard;
}

/** Service → its host and port → addresses; where these are not told, the address that the answer came from. */
function hostsOf(heard: readonly Heard[]): Named[] {
  const named = new Map<string, Named>();
  for (const { from, answer } of heard) {
    if (answer.data.type !== 'PTR' || answer.name.toLowerCase() !== SERVICE) continue;
    const service = answer.data.to;
    const srv = heard.find((one) => one.answer.name === service && one.answer.data.type === 'SRV')?.answer.data;
    const host = srv?.type === 'SRV' ? srv.to : null;
    const told = heard.flatMap(({ from: by, answer: { name, data } }) =>
      data.type === 'address' && name === host ? [onLink(data.address, by)] : [],
    );
    const addresses = [...new Set((told.length > 0 ? told : [from]).map(normalAddress))]
      .filter((one) => one !== null)
      .sort(compareAddresses); // those of one link only come last
    const name = host !== null && isHostName(host) ? host : (addresses[0] ?? null);
    // What is announced is libvirt's own port; Drover goes by SSH, whose port nobody announces.
    if (name !== null) named.set(name, { name, host: addresses[0], port: 22, addresses, from: 'mDNS' });
  }
  return [...named.values()];
}

/** An address that holds on one link only is told without it: it is the link that the answer came by. */
function onLink(address: string, by: string): string {
  return /^fe[89ab]/i.test(address) ? `${address}${by.replace(/^[^%]*/, '')}` : address;
}
