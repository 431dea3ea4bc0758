// This machine's own places in its networks.
import { BlockList, isIPv6 } from 'node:net';
import { networkInterfaces } from 'node:os';

const interfaces = () => Object.values(networkInterfaces()).flatMap((addresses) => addresses ?? []);

/** The IPv4 addresses that it has now. IPv6 ones come and go by themselves, and would tell of nothing. */
export function ownAddresses(): ReadonlySet<string> {
  return new Set(
    interfaces()
      .filter(({ internal, family }) => !internal && family === 'IPv4')
      .map(({ address }) => address),
  );
}

/** Tells which addresses are in its own networks, where each is looked up by its neighbours and not sent to a router. */
export function ownNetworks(): (address: string) => boolean {
  const networks = new BlockList();
  for (const { internal, family, cidr } of interfaces()) {
    const [network, bits] = cidr?.split('/') ?? [];
    if (!internal && family === 'IPv4' && network && bits) networks.addSubnet(network, Number(bits));
  }
  return (address) => isIPv6(address) || networks.check(address);
}

/** By which of its addresses each of its networks is asked: all IPv4 ones, and of each link one IPv6 address with its zone. */
export function ownLinks(): string[] {
  const links = new Map<string, string>();
  for (const [name, addresses] of Object.entries(networkInterfaces())) {
    for (const { internal, family, address, ...rest } of addresses ?? []) {
      if (internal || family !== 'IPv6' || !/^fe[89ab]/i.test(address)) continue;
      // Windows numbers its links, the others name them.
      const zone = process.platform === 'win32' ? String(rest.scopeid) : name;
      if (!links.has(name)) links.set(name, `${address}%${zone}`);
    }
  }
  return [...ownAddresses(), ...links.values()];
}
