// The hosts that known_hosts files name: those whose names are not hashed, and no patterns.
import { normalAddress } from '../address.ts';
import { isHostName, type Named } from './suggestion.ts';

/** Each line once, its first name with the addresses that stand beside it. */
export function namesOfKnownHosts(text: string): Named[] {
  return text.split('\n').flatMap((line) => namesOfLine(line.trim()));
}

function namesOfLine(line: string): Named[] {
  const [names = '', type = ''] = line.split(/[ \t]+/);
  // `@` begins a marker: of a revoked key, or of a whole authority. `|` begins a hashed name.
  if (names === '' || type === '' || /^[#@|]/.test(names)) return [];
  const byPort = new Map<number, { names: string[]; addresses: string[] }>();
  for (const name of names.split(',')) {
    const [, inner = name, portText = '22'] = /^\[([^\]]+)\]:(\d{1,5})$/.exec(name) ?? [];
    const port = Number(portText);
    const address = normalAddress(inner);
    if (port < 1 || port > 65535 || (address === null && !isHostName(inner))) continue;
    const at = byPort.get(port) ?? { names: [], addresses: [] };
    byPort.set(port, at);
    if (address === null) at.names.push(inner);
    else at.addresses.push(address);
  }
  return [...byPort].map(([port, at]) => ({
    name: at.names[0] ?? at.addresses[0]!,
    port,
    addresses: at.addresses,
    from: 'known_hosts',
  }));
}
