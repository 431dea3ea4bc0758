// IPv6 addresses that this machine has spoken to: what `ip -6 neigh` (Linux) or `ndp -an` (macOS) prints.
import { normalAddress } from '../address.ts';
import type { Named } from './suggestion.ts';

/** The command to ask by, and how to read it; null where there is none that we know. */
export function neighbourCommand(platform: NodeJS.Platform): { file: string; args: string[] } | null {
  if (platform === 'linux') return { file: 'ip', args: ['-6', 'neigh', 'show'] };
  if (platform === 'darwin') return { file: 'ndp', args: ['-an'] };
  return null;
}

/** Those with a hardware address: the others never answered. Routers are not hosts to manage, and are left out. */
export function addressesOfTable(text: string): Named[] {
  const named = new Map<string, Named>();
  for (const line of text.split('\n')) {
    const [first = '', ...rest] = line.trim().split(/\s+/);
    const hardware = rest.some((word) => /^([0-9a-f]{1,2}:){5}[0-9a-f]{1,2}$/i.test(word));
    if (!hardware || rest.includes('FAILED') || rest.includes('router')) continue;
    const device = rest[rest.indexOf('dev') + 1];
    const linkLocal = /^fe[89ab]/i.test(first);
    const zoned = linkLocal && !first.includes('%') && rest.includes('dev') ? `${first}%${device}` : first;
    const address = zoned.includes(':') ? normalAddress(zoned) : null;
    if (address !== null)
      named.set(address, { name: address, port: 22, addresses: [address], from: 'neighbour table' });
  }
  return [...named.values()];
}
