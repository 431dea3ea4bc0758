// What a VM, or the migration itself, has to listen on over there: the address has to be the target's, the port free.
// Screens and serial ports with a port of their own are meant; where libvirt chooses one, it finds one.
import { isIP, SocketAddress } from 'node:net';
import type { Check } from '../../../contract/model.ts';
import { attribute, child, children, type XmlElement } from '../../fleet/xml.ts';
import type { Route } from '../route.ts';
import { run } from './probe.ts';
import { error } from './say.ts';

interface Listens {
  id: string;
  what: string;
  address: string | null;
  /** Null: libvirt chooses. */
  port: number | null;
  fix: string;
}

export async function checkListens(route: Route, root: XmlElement): Promise<Check[]> {
  const { domain, target } = route;
  const wanted = [...screens(root, domain.name), ...serials(root, domain.name), ...incoming(route)].filter(
    ({ address, port }) => port !== null || (address !== null && !everywhere(address) && !loopback(address)),
  );
  if (wanted.length === 0) return [];
  const there = await listeningOn(route);
  if (!there) return [];
  return wanted.flatMap(({ id, what, address, port, fix }) => {
    if (
      address !== null &&
      isIP(bare(address)) &&
      !everywhere(address) &&
      !loopback(address) &&
      !there.addresses.has(canonical(address))
    ) {
      return [error(id, `${what} listens on ${address}, which is no address of ${target.label}.`, fix)];
    }
    const taken = there.ports.some(
      (one) =>
        one.port === port &&
        (one.address === null || address === null || everywhere(address) || one.address === canonical(address)),
    );
    return taken
      ? [error(id, `${what} listens on the port ${port}, which something on ${target.label} listens on already.`, fix)]
      : [];
  });
}

const byXml = 'Give it another one in the XML for the target (destXml).';

function screens(root: XmlElement, name: string): Listens[] {
  return children(child(root, 'devices'), 'graphics').map((screen) => {
    const kind = attribute(screen, 'type') ?? 'screen';
    const chosen = attribute(screen, 'autoport') === 'yes';
    const elements = children(screen, 'listen');
    const address = attribute(elements.find((one) => attribute(one, 'type') === 'address') ?? null, 'address');
    const port = chosen ? null : portOf(attribute(screen, 'port'));
    return {
      id: `listens-${kind}`,
      what: `The screen of ${name} (${kind})`,
      // Of a network, libvirt takes the target's own address there.
      address: elements.length > 0 ? address : attribute(screen, 'listen'),
      port,
      fix: byXml,
    };
  });
}

function serials(root: XmlElement, name: string): Listens[] {
  const devices = child(root, 'devices');
  return ['serial', 'parallel', 'channel', 'console'].flatMap((kind) =>
    children(devices, kind).flatMap((element, at) => {
      const source = child(element, 'source');
      if (attribute(element, 'type') !== 'tcp' || attribute(source, 'mode') !== 'bind') return [];
      // The first console only repeats the first serial port.
      if (kind === 'console' && attribute(child(element, 'target'), 'type') === 'serial') return [];
      const what = `The ${kind} port of ${name}`;
      return [
        {
          id: `listens-${kind}${at}`,
          what,
          address: attribute(source, 'host'),
          port: portOf(attribute(source, 'service')),
          fix: byXml,
        },
      ];
    }),
  );
}

/** Of the migration: where the target's QEMU waits for the memory. */
function incoming({ options }: Route): Listens[] {
  const port = portOf(/^tcp:.*:(\d+)\/?$/.exec(options.migrateUri ?? '')?.[1] ?? null);
  if (options.listenAddress === null && port === null) return [];
  return [
    {
      id: 'listen-address',
      what: 'The target’s QEMU',
      address: options.listenAddress,
      port,
      fix: 'Choose another listenAddress or migrateUri.',
    },
  ];
}

const portOf = (text: string | null) => (Number(text) > 0 ? Number(text) : null);
const everywhere = (address: string) => /^(0\.0\.0\.0|\[?::\]?)$/.test(address);
const loopback = (address: string) => /^(127\.|\[?::1\]?$|localhost$)/.test(address);

/** A port with the address that it is taken on; null: on all of them. */
interface Listening {
  addresses: Set<string>;
  ports: { address: string | null; port: number }[];
}

async function listeningOn({ target }: Route): Promise<Listening | null> {
  const ran = await run(
    target,
    `{ hostname -I || ip -o addr; } 2>/dev/null; cat /proc/net/tcp /proc/net/tcp6 2>/dev/null`,
  );
  if (ran?.code !== 0 && !ran?.stdout.includes('local_address')) return null;
  const lines = ran.stdout.split('\n');
  const table = lines.findIndex((line) => line.includes('local_address'));
  if (table < 1) return null;
  const words = lines
    .slice(0, table)
    .join(' ')
    .split(/[\s/]+/);
  const listens = '0A';
  return {
    addresses: new Set(words.filter((word) => isIP(word)).map(canonical)),
    ports: [...ran.stdout.matchAll(/^\s*\d+: ([0-9A-F]+):([0-9A-F]{4}) [0-9A-F]+:0000 (\w\w) /gm)]
      .filter(([, , , state]) => state === listens)
      .map(([, address = '', port = '']) => ({ address: plain(address), port: parseInt(port, 16) })),
  };
}

const bare = (address: string) => address.replace(/^\[(.*)\]$/, '$1');

/** One address can be written in many ways; this is the one in which they are compared. */
function canonical(text: string): string {
  const address = bare(text);
  if (isIP(address) !== 6) return address;
  // An IPv4 address in IPv6's clothes is that IPv4 address.
  return new SocketAddress({ address, family: 'ipv6' }).address.replace(/^::ffff:(?=\d+\.)/, '');
}

/** An address as the kernel writes it, the bytes of each four turned round; null for all of the host's. */
function plain(hex: string): string | null {
  if (/^0+$/.test(hex)) return null;
  const words = (hex.match(/.{8}/g) ?? []).map((word) => (word.match(/../g) ?? []).reverse());
  const [first = []] = words;
  if (words.length === 1) return first.map((byte) => parseInt(byte, 16)).join('.');
  return canonical(words.map((bytes) => bytes.join('').replace(/.{4}/, '$&:')).join(':'));
}
