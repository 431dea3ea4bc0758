// Where `serve` may listen: on loopback as it likes, elsewhere only with TLS and when told so.
import { readFileSync } from 'node:fs';
import { BlockList, isIP } from 'node:net';
import { Failure } from '../../contract/failure.ts';

/** As said on the command line. */
export interface ListenFlags {
  listen?: string;
  allowRemote?: boolean;
  tlsCert?: string;
  tlsKey?: string;
  publicUrl?: string;
}

export interface Listen {
  address: string;
  port: number;
  tls: { cert: Buffer; key: Buffer } | null;
  /** Ends with a slash. */
  publicUrl: URL | null;
}

const loopback = new BlockList();
loopback.addSubnet('127.0.0.0', 8, 'ipv4');
loopback.addAddress('::1', 'ipv6');

const isLoopback = (address: string) => loopback.check(address, isIP(address) === 6 ? 'ipv6' : 'ipv4');

const refuse = (why: string) => new Failure('refused', why);

/** @throws Failure saying why Drover does not start like this */
export function listenOf(flags: ListenFlags): Listen {
  const { address, port } = addressOf(flags.listen ?? '127.0.0.1:7420');
  const publicUrl = flags.publicUrl === undefined ? null : publicUrlOf(flags.publicUrl);
  if (!flags.tlsCert !== !flags.tlsKey)
    throw refuse('--tls-cert and --tls-key belong together: one of them is missing.');
  const secured = flags.tlsCert !== undefined || publicUrl !== null;
  if (!isLoopback(address) && !(flags.allowRemote && secured)) {
    throw refuse(
      `On ${address} Drover could be reached from other machines. That needs --allow-remote with --tls-cert FILE and ` +
        '--tls-key FILE, or --allow-remote with --public-url URL behind a proxy that does TLS.',
    );
  }
  const { tlsCert, tlsKey } = flags;
  const tls = tlsCert && tlsKey ? { cert: read('--tls-cert', tlsCert), key: read('--tls-key', tlsKey) } : null;
  return { address, port, tls, publicUrl };
}

function addressOf(text: string): { address: string; port: number } {
  const [, bracketed, plain, port] = /^(?:\[([^\]]+)\]|([^:]+)):(\d{1,5})$/.exec(text) ?? [];
  const name = bracketed ?? plain ?? '';
  const address = name === 'localhost' ? '127.0.0.1' : name;
  if (isIP(address) !== (bracketed ? 6 : 4) || Number(port) > 65_535) {
    throw refuse(`“${text}” is no address to listen on: it has to be ADDRESS:PORT, e.g. 127.0.0.1:7420 or [::1]:7420.`);
  }
  return { address, port: Number(port) };
}

function publicUrlOf(text: string): URL {
  const url = URL.canParse(text) ? new URL(text) : null;
  if (url?.protocol !== 'https:' || url.username || url.password) {
    throw refuse(`--public-url is “${text}”, and has to be the https:// address under which others find Drover.`);
  }
  if (!url.pathname.endsWith('/')) url.pathname += '/'; // the window's files are found from there
  url.search = url.hash = '';
  return url;
}

function read(flag: string, path: string): Buffer {
  try {
    return readFileSync(path);
  } catch (error) {
    throw refuse(`${flag}: ${(error as Error).message}.`);
  }
}

/** Why the system would not let us listen, as a sentence. */
export function listenFailure(error: NodeJS.ErrnoException, { address, port }: Listen): Failure {
  const where = `${isIP(address) === 6 ? `[${address}]` : address}:${port}`;
  switch (error.code) {
    case 'EADDRINUSE':
      return refuse(
        `${where} is in use, perhaps by another Drover. Choose another port by --listen, or 0 for a free one.`,
      );
    case 'EACCES':
      return refuse(`This user may not listen on ${where}. Choose a port from 1024 on by --listen.`);
    case 'EADDRNOTAVAIL':
      return refuse(`This machine has no address ${address} to listen on.`);
    default:
      return refuse(`Drover cannot listen on ${where}: ${error.message}.`);
  }
}
