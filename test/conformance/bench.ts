// What the conformance cases need of whoever runs them: two hosts, real or simulated.
import type { Duplex } from 'node:stream';
import { Connection, type Dom, LibvirtError, lifecycleDetails, lifecycleEvents } from '../../src-main/libvirt/index.ts';
import { domainXml, type Guest } from '../lab/guests.ts';

export type HostName = 'kvm1' | 'kvm2';

export interface Bench {
  /** A stream to the daemon, on which nothing was said yet. */
  dial(host: HostName): Promise<Duplex>;
  /** How long a guest needs at most to do what it was asked, in ms. */
  patienceMs: number;
}

/** One case's connections and domains, all of them gone afterwards. */
export class Stage {
  readonly #bench: Bench;
  readonly #open: Connection[] = [];
  readonly #guests: Guest[] = [];

  constructor(bench: Bench) {
    this.#bench = bench;
  }

  get patienceMs(): number {
    return this.#bench.patienceMs;
  }

  dial(host: HostName): Promise<Duplex> {
    return this.#bench.dial(host);
  }

  async connect(host: HostName = 'kvm1', readOnly = false): Promise<Connection> {
    const connection = await Connection.open(await this.#bench.dial(host), { uri: 'qemu:///system', readOnly });
    this.#open.push(connection);
    return connection;
  }

  /** The XML of a guest of the case's own. */
  guest(given: Partial<Guest> = {}): { dom: Dom; xml: string } {
    const number = 100 + this.#guests.length;
    const uuid = `6a5e0000-1ab0-4000-8000-${String(number).padStart(12, '0')}`;
    const rest = { home: 'kvm1', runs: false, memoryMiB: 128, pace: 1, says: '' };
    const guest: Guest = { name: `conf${number}`, uuid, ...rest, ...given };
    this.#guests.push(guest);
    return { dom: { name: guest.name, uuid: guest.uuid, id: -1 }, xml: domainXml(guest) };
  }

  /** A defined guest, running where asked for. */
  async define(on: Connection, { runs = false, ...given }: Partial<Guest> = {}): Promise<Dom> {
    const { xml } = this.guest(given);
    const { dom } = await on.call('domain_define_xml_flags', { xml });
    if (!runs) return dom;
    return (await on.call('domain_create_with_flags', { dom })).dom;
  }

  /** Lifecycle events from here on, in words: `started: booted`. */
  async follow(on: Connection): Promise<string[]> {
    const seen: string[] = [];
    on.on('lifecycle', ({ event, detail }) => {
      const name = lifecycleEvents[event];
      seen.push(name ? `${name}: ${lifecycleDetails[name][detail] ?? detail}` : String(event));
    });
    on.on('job_completed', () => seen.push('job completed'));
    await on.eventsReady();
    return seen;
  }

  /** Whatever the case left. */
  async clear(): Promise<void> {
    for (const host of ['kvm1', 'kvm2'] as const) {
      const on = await this.connect(host);
      for (const { name, uuid } of this.#guests) {
        const dom = { name, uuid };
        await on.call('domain_destroy_flags', { dom }).catch(() => {});
        await on.call('domain_undefine_flags', { dom, flags: 1 | 2 }).catch(() => {});
      }
    }
    await Promise.all(this.#open.map((connection) => connection.close()));
  }
}

/** `ok`, or the error's code and domain. */
export const outcome = (promise: Promise<unknown>): Promise<string> =>
  promise.then(
    () => 'ok',
    (error: unknown) => (error instanceof LibvirtError ? `${error.code}/${error.domain}` : String(error)),
  );

export const stateOf = async (on: Connection, dom: Dom): Promise<string> => {
  try {
    const { state, reason } = await on.call('domain_get_state', { dom });
    return `${state}/${reason}`;
  } catch (error) {
    if (error instanceof LibvirtError) return `error ${error.code}/${error.domain}`;
    throw error;
  }
};
