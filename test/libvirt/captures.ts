// What virsh and a real daemon said to each other, recorded byte by byte; each file carries libvirt's version.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

export interface Capture {
  /** Which recording, and who spoke in it. */
  what: string;
  from: 'client' | 'server';
  bytes: Buffer;
}

interface Recording {
  name: string;
  connections: { what: string; chunks: { from: Capture['from']; data: string }[] }[];
}

const folder = join(import.meta.dirname, '../fixtures');

/** Every recorded connection, each direction as one run of bytes. */
export function captures(): Capture[] {
  const files = readdirSync(folder).filter((file) => /-libvirt-[\d.]+\.json$/.test(file));
  return files.flatMap((file) => {
    const { name, connections } = JSON.parse(readFileSync(join(folder, file), 'utf8')) as Recording;
    return connections.flatMap(({ what, chunks }) =>
      (['client', 'server'] as const).map((from) => ({
        what: `${name}, ${what}, ${from}`,
        from,
        bytes: Buffer.concat(chunks.filter((one) => one.from === from).map(({ data }) => Buffer.from(data, 'base64'))),
      })),
    );
  });
}
