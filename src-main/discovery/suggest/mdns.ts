// Asks the local network once, by mDNS, who announces libvirt (`mdns_adv` in libvirtd.conf). Sent only when asked for.
import { createSocket } from 'node:dgram';
import type { Clock } from '../clock.ts';
import { normalAddress } from '../address.ts';
import { answers, question, type Answer } from './dns-message.ts';
import { isHostName, type Named } from './suggestion.ts';

const SERVICE = '_libvirt._tcp.local';
const WAIT_MS = 1200;
/** Of one question: what a flood brings beyond is not read. */
const MOST_PACKETS = 512;

export interface MdnsOptions {
  /** Whom to ask: the mDNS group, and in tests a socket of their own. */
  to?: { address: string; port: number };
  clock: Clock;
}

/** @throws Error where nothing can be sent */
export async function askMdns({ to = { address: '224.0.0.251', port: 5353 }, clock }: MdnsOptions): Promise<Named[]> {
  const socket = createSocket('udp4');
  const heard: { from: string; answer: Answer }[] = [];
  let packets = 0;
  try {
    await new Promise<void>((resolve, reject) => {
      socket.on('error', reject);
      socket.on('message', (message, { address }) => {
        packets += 1;
        if (packets > MOST_PACKETS) return resolve();
        for (const answer of answers(message)) heard.push({ from: address, answer });
      });
      socket.send(question(SERVICE), to.port, to.address, (error) => {
        if (error) reject(error);
        else clock.after(WAIT_MS, resolve);
      });
    });
  } finally {
    socket.removeAllListeners();
    socket.close();
  }
  return hostsOf(heard);
}

/** Service → its host and port → addresses; where these are not told, the address that the answer came from. */
function hostsOf(heard: readonly { from: string; answer: Answer }[]): Named[] {
  const named = new Map<string, Named>();
  for (const { from, answer } of heard) {
    if (answer.data.type !== 'PTR' || answer.name.toLowerCase() !== SERVICE) continue;
    const service = answer.data.to;
    const srv = heard.find((one) => one.answer.name === service && one.answer.data.type === 'SRV')?.answer.data;
    const host = srv?.type === 'SRV' ? srv.to : null;
    const told = heard.flatMap(({ answer: { name, data } }) =>
      data.type === 'address' && name === host ? [data.address] : [],
    );
    const addresses = [...new Set((told.length > 0 ? told : [from]).map(normalAddress))].filter((one) => one !== null);
    const name = host !== null && isHostName(host) ? host : (addresses[0] ?? null);
    // What is announced is libvirt's own port; Drover goes by SSH, whose port nobody announces.
    if (name !== null) named.set(name, { name, host: addresses[0], port: 22, addresses, from: 'mDNS' });
  }
  return [...named.values()];
}
