// A real sshd on loopback, with keys, configuration and a port of its own. For root on Linux.
import { spawn, execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { connect, createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const program = '/usr/sbin/sshd';
export const sshdIsHere = process.getuid?.() === 0 && existsSync(program) && existsSync('/usr/bin/ssh-keygen');

export interface Sshd {
  host: string;
  port: number;
  /** Where its keys and the client's are. */
  folder: string;
  /** The public keys of the host, as known_hosts has them: `ssh-ed25519 AAAA…`. */
  hostKeys: string[];
  pid: number;
  log(): string;
  stop(): Promise<void>;
}

/** A new key pair at `path` and `path.pub`. */
export function keygen(
  path: string,
  type: string,
  options: { passphrase?: string; bits?: number; pem?: boolean } = {},
) {
  const { passphrase = '', bits, pem } = options;
  execFileSync('ssh-keygen', [
    ...['-q', '-t', type, '-N', passphrase, '-C', 'test', '-f', path],
    ...(bits ? ['-b', String(bits)] : []),
    ...(pem ? ['-m', 'PEM'] : []),
  ]);
  return path;
}

export async function freePort(host: string): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, host, resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

/** Starts it; `authorized` are public key files, `lines` go into its configuration before the defaults. */
export async function startSshd(
  options: { host?: string; lines?: string[]; authorized?: string[]; hostKeyTypes?: string[]; port?: number } = {},
): Promise<Sshd> {
  const host = options.host ?? '127.0.0.1';
  const folder = mkdtempSync(join(tmpdir(), 'drover-sshd-'));
  const types = options.hostKeyTypes ?? ['ed25519', 'ecdsa', 'rsa'];
  for (const type of types) keygen(join(folder, `host_${type}`), type, type === 'rsa' ? { bits: 2048 } : {});
  const authorized = join(folder, 'authorized_keys');
  writeFileSync(authorized, (options.authorized ?? []).map((path) => readFileSync(path, 'utf8')).join(''));
  mkdirSync('/run/sshd', { recursive: true });
  const port = options.port ?? (await freePort(host));
  const config = join(folder, 'sshd_config');
  writeFileSync(
    config,
    [
      ...(options.lines ?? []),
      `ListenAddress ${host}:${port}`,
      ...types.map((type) => `HostKey ${join(folder, `host_${type}`)}`),
      `AuthorizedKeysFile ${authorized}`,
      'PidFile none',
      'UsePAM no',
      'StrictModes no',
      'PasswordAuthentication no',
      'KbdInteractiveAuthentication no',
      'PermitRootLogin yes',
      'LogLevel VERBOSE',
      '',
    ].join('\n'),
  );
  let log = '';
  const child = spawn(program, ['-D', '-e', '-f', config], { stdio: ['ignore', 'ignore', 'pipe'] });
  child.stderr.setEncoding('utf8').on('data', (text: string) => (log += text));
  const gone = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  await listening(host, port, gone, () => log);
  return {
    host,
    port,
    folder,
    hostKeys: types.map((type) =>
      readFileSync(join(folder, `host_${type}.pub`), 'utf8')
        .split(' ')
        .slice(0, 2)
        .join(' '),
    ),
    pid: child.pid ?? 0,
    log: () => log,
    stop: async () => {
      child.kill();
      await gone;
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

async function listening(host: string, port: number, gone: Promise<void>, log: () => string): Promise<void> {
  let ended = false;
  void gone.then(() => (ended = true));
  for (;;) {
    if (ended) throw new Error(`sshd did not start: ${log()}`);
    const there = await new Promise<boolean>((resolve) => {
      const socket = connect(port, host, () => resolve(true));
      socket.once('error', () => resolve(false)).once('connect', () => socket.destroy());
    });
    if (there) return;
    await new Promise((resolve) => setImmediate(resolve));
  }
}
