// Unix sockets of a host that are not libvirt's: those that its SSH server makes for a client, and the folders for them.
import { once } from 'node:events';
import type { Duplex } from 'node:stream';
import type { Incoming } from './migration/jobs.ts';
import { dropTarget } from './migration/target.ts';
import { refuse } from './refusal.ts';

export class UnixSockets {
  /** What is under `/run`, made by a client. */
  readonly folders = new Set<string>();
  readonly #listening = new Map<string, () => Promise<Duplex>>();

  /** Whoever connects to it is led to the client. Null where it cannot be made. */
  listen(path: string, open: () => Promise<Duplex>): (() => void) | null {
    if (this.#listening.has(path) || !this.folders.has(path.slice(0, path.lastIndexOf('/')))) return null;
    this.#listening.set(path, open);
    return () => {
      if (this.#listening.get(path) === open) this.#listening.delete(path);
    };
  }

  /** As QEMU connects to it, to send a domain. Resolves when the other end has taken it. @throws Refusal */
  async send(path: string, uuid: string): Promise<Duplex> {
    const open = this.#listening.get(path);
    if (!open) throw refuse.rpc('system_error', `Failed to connect socket to '${path}': No such file or directory`);
    const reset = () => refuse.rpc('system_error', `Failed to connect socket to '${path}': Connection reset by peer`);
    const channel = await open().catch(() => {
      throw reset();
    });
    channel.on('error', () => {});
    channel.write(`${uuid}\n`);
    const taken = await Promise.race([
      once(channel, 'data').then(
        () => true,
        () => false,
      ),
      once(channel, 'close').then(() => false),
    ]);
    if (!taken) throw reset();
    return channel;
  }

  /** The power went, and with it what was in memory. */
  clear(): void {
    this.folders.clear();
    this.#listening.clear();
  }
}

/** What comes into the socket of a QEMU that waits for a domain: if it breaks before all of it is there, that ends. */
export function receive(channel: Duplex, incoming: Incoming): void {
  channel.on('error', () => {});
  channel.once('data', (said: Buffer) => {
    if (said.toString().trim() !== incoming.domain.uuid) return channel.destroy();
    channel.write('taken\n');
    channel.resume();
    return undefined;
  });
  channel.on('close', () => {
    if (!incoming.arrived) dropTarget(incoming);
  });
}
