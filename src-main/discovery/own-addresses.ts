// The IPv4 addresses that this machine has now. IPv6 ones come and go by themselves, and would tell of nothing.
import { networkInterfaces } from 'node:os';

export function ownAddresses(): ReadonlySet<string> {
  const all = Object.values(networkInterfaces()).flatMap((addresses) => addresses ?? []);
  return new Set(all.filter(({ internal, family }) => !internal && family === 'IPv4').map(({ address }) => address));
}
