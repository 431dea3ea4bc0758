// The addresses of a name, as ssh would find them, without waiting behind names that no server answers for.
import { lookup, Resolver } from 'node:dns/promises';
import { readFile } from 'node:fs/promises';
import { isIP } from 'node:net';
import { join } from 'node:path';

/** The system's own lookups are made so many at a time in all (libuv), and one that no name server answers takes its time. */
const atOnce = 2;

/** A name that waits its turn behind others for so long is looked for in the hosts file and asked for beside them. */
const patienceMs = 500;

/** By name and family: a lookup cannot be called off, so nobody begins a second one of the same. */
const underWay = new Map<string, Promise<string[]>>();

/** The likelier first. @throws node's own error, as of `dns.lookup` */
export async function addressesOf(name: string, family: 4 | 6 | undefined): Promise<string[]> {
  if (isIP(name)) return [name];
  const key = `${family ?? 'any'} ${name}`;
  const system = underWay.get(key) ?? bySystem(name, family);
  underWay.set(key, system);
  const forget = () => underWay.get(key) === system && underWay.delete(key);
  system.then(forget, forget);
  let timer: NodeJS.Timeout | undefined;
  const aside = new Promise<string[]>((resolve) => {
    timer = setTimeout(() => {
      if (underWay.size <= atOnce) return; // it is being looked up, and the system knows more places than we do
      beside(name, family).then(
        (found) => found.length > 0 && resolve(found),
        () => undefined,
      );
    }, patienceMs);
  });
  try {
    return await Promise.race([system, aside]);
  } finally {
    clearTimeout(timer);
  }
}

async function bySystem(name: string, family: 4 | 6 | undefined): Promise<string[]> {
  const found = await lookup(name, { all: true, verbatim: true, family: family ?? 0 });
  return [...new Set(found.map(({ address }) => address))];
}

/** What the hosts file has, else what the name servers say. */
async function beside(name: string, family: 4 | 6 | undefined): Promise<string[]> {
  const fits = (address: string) => (family === undefined ? isIP(address) > 0 : isIP(address) === family);
  const text = await readFile(hostsFile(), 'utf8').catch(() => '');
  const written = inHostsFile(text, name).filter(fits);
  if (written.length > 0) return written;
  const resolver = new Resolver();
  const asked = [resolver.resolve6(name), resolver.resolve4(name)];
  const said = await Promise.allSettled(asked);
  return said.flatMap((one) => (one.status === 'fulfilled' ? one.value : [])).filter(fits);
}

const hostsFile = () =>
  process.platform === 'win32'
    ? join(process.env['SystemRoot'] || 'C:\\Windows', 'System32\\drivers\\etc\\hosts')
    : '/etc/hosts';

/** `address name name…` in each line. */
export function inHostsFile(text: string, name: string): string[] {
  const wanted = name.toLowerCase();
  return text.split('\n').flatMap((line) => {
    const [address = '', ...names] = line.replace(/#.*/, '').toLowerCase().trim().split(/\s+/);
    return names.includes(wanted) && isIP(address) ? [address] : [];
  });
}
