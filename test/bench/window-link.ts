// A window's side of the link without a window: what comes in over the WebSocket, decoded, and when.
import WebSocket from 'ws';
import { linkPath } from '../../contract/wire.ts';
import type { NumberedDelta } from '../../contract/events.ts';
import type { DomainState, HostState } from '../../contract/model.ts';
import { SocketLink } from '../../src-renderer/link/socket.ts';
import type { Served } from '../lab/served.ts';
import { until } from '../lab/run.ts';
import { sharedNow } from './sim-process.ts';

export interface Seen {
  uuid: string;
  state: DomainState;
  atMs: number;
}

export class WindowLink {
  readonly hosts = new Map<string, HostState>();
  readonly domains = new Set<string>();
  /** Changes of domains, in order, with when they were there, in the clock that all processes share. */
  readonly seen: Seen[] = [];
  readonly #link: SocketLink;
  readonly #waiting = new Map<string, () => void>();

  static async open({ url, token }: Pick<Served, 'url' | 'token'>): Promise<WindowLink> {
    const window = new WindowLink(url, token);
    const { hosts, domains } = await window.#link.call('fleet.snapshot', {});
    for (const { id, state } of hosts) window.hosts.set(id, state);
    for (const { uuid } of domains) window.domains.add(uuid);
    return window;
  }

  private constructor(url: string, token: string) {
    this.#link = new SocketLink({
      url: `${url.replace(/^http/, 'ws')}${linkPath}`,
      token,
      open: (address, protocols) => new WebSocket(address, protocols) as never,
    });
    this.#link.on('deltas', ({ deltas }) => {
      const atMs = sharedNow();
      for (const delta of deltas) this.#take(delta, atMs);
    });
  }

  #take({ event, data }: NumberedDelta, atMs: number): void {
    if (event === 'host' && !('removed' in data)) {
      this.hosts.set(data.id, data.state);
      if (data.state === 'online') this.#waiting.get(data.id)?.();
    }
    if (event !== 'domain' || 'removed' in data) return;
    this.domains.add(data.uuid);
    this.seen.push({ uuid: data.uuid, state: data.state, atMs });
  }

  /** Adds a host as the window's dialog does. */
  async add(uri: string): Promise<void> {
    const { id, state } = await this.#link.call('hosts.add', { uri });
    if (!this.hosts.has(id)) this.hosts.set(id, state);
  }

  /** Without asking again and again, which would slow what is measured. */
  async hostOnline(id: string): Promise<void> {
    if (this.hosts.get(id) !== 'online') await new Promise<void>((resolve) => this.#waiting.set(id, resolve));
    this.#waiting.delete(id);
  }

  get online(): number {
    return [...this.hosts.values()].filter((state) => state === 'online').length;
  }

  allOnline(count: number, timeoutMs: number): Promise<boolean> {
    return until(`${count} hosts are online`, () => this.online >= count, timeoutMs, 20);
  }

  close(): void {
    this.#link.close();
  }
}
