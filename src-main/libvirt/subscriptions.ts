// Who listens to which event. The daemon is asked for an event when its first listener comes, and no longer after its last.
import { ConnectionLost, LibvirtError } from './errors.ts';
import { eventName, events, registrations } from './events.ts';
import type { EventName, EventOf } from './events.ts';
import type { CallName, ArgsOf, ResultOf } from './procedures.ts';
import { Reader } from './xdr.ts';

type AnyListener = (event: never) => void;

export interface Asks {
  call<N extends CallName>(name: N, args: ArgsOf<N>): Promise<ResultOf<N>>;
  warn(message: string, cause?: unknown): void;
}

interface Subscription {
  listeners: Set<AnyListener>;
  /** The daemon's id while it is registered. */
  callback: number | null;
  /** Registering and its undoing follow each other, never overlap. */
  settled: Promise<void>;
}

/**
 * One registration per event and connection, so an event finds its listeners by its number alone: it may come
 * before the reply that names its callback id, as it does.
 */
export class Subscriptions {
  readonly #asks: Asks;
  readonly #of = new Map<EventName, Subscription>();
  readonly #refused = new Set<EventName>();

  constructor(asks: Asks) {
    this.#asks = asks;
  }

  add<N extends EventName>(name: N, listener: (event: EventOf<N>) => void): () => void {
    const subscription = this.#subscription(name);
    // A wrapper of its own, so that one function may listen twice and undoing twice harms no one.
    const own: AnyListener = (event) => listener(event);
    subscription.listeners.add(own);
    if (subscription.listeners.size === 1) this.#settle(name, subscription);
    return () => {
      if (subscription.listeners.delete(own) && subscription.listeners.size === 0) this.#settle(name, subscription);
    };
  }

  /** Resolves, once the daemon has answered everything asked so far, to the events that it does not have. */
  async ready(): Promise<EventName[]> {
    await Promise.all([...this.#of.values()].map(({ settled }) => settled));
    return [...this.#refused];
  }

  /** An event came in. What cannot be read is warned of, and harms nothing else. */
  take(procedure: number, payload: Buffer): void {
    const name = eventName(procedure);
    if (!name) return this.#asks.warn(`The daemon sent an event of the unknown number ${procedure}.`);
    const subscription = this.#of.get(name);
    if (!subscription || subscription.listeners.size === 0) return;
    let event: unknown;
    try {
      const from = new Reader(payload);
      event = events[name].payload.read(from);
      from.end();
    } catch (error) {
      return this.#asks.warn(`The daemon sent a ${name} event that cannot be read: ${said(error)}`, error);
    }
    for (const listener of [...subscription.listeners]) {
      try {
        listener(event as never);
      } catch (error) {
        this.#asks.warn(`A listener to ${name} failed: ${said(error)}`, error);
      }
    }
  }

  #subscription(name: EventName): Subscription {
    const known = this.#of.get(name);
    if (known) return known;
    const fresh: Subscription = { listeners: new Set(), callback: null, settled: Promise.resolve() };
    this.#of.set(name, fresh);
    return fresh;
  }

  /** Brings the daemon to what is wanted by then. */
  #settle(name: EventName, subscription: Subscription): void {
    subscription.settled = subscription.settled
      .then(async () => {
        const wanted = subscription.listeners.size > 0;
        if (wanted && subscription.callback === null) {
          subscription.callback = await this.#register(name);
          this.#refused.delete(name);
        } else if (!wanted && subscription.callback !== null) {
          const { callback } = subscription;
          subscription.callback = null;
          await this.#deregister(name, callback);
        }
      })
      .catch((error: unknown) => {
        if (error instanceof ConnectionLost) return;
        this.#refused.add(name);
        if (!notOffered(error)) this.#asks.warn(`The daemon refused ${name} events: ${said(error)}`, error);
      });
  }

  async #register(name: EventName): Promise<number> {
    const { source, id: event } = events[name];
    const all = { event };
    switch (source) {
      case 'connection':
        await this.#asks.call('connect_register_close_callback', {});
        return 0;
      case 'domain':
      case 'network':
      case 'storage_pool':
      case 'node_device':
        return (await this.#asks.call(registrations[source].register, all)).callback;
      default:
        return source satisfies never;
    }
  }

  async #deregister(name: EventName, callback: number): Promise<void> {
    const { source } = events[name];
    if (source === 'connection') await this.#asks.call('connect_unregister_close_callback', {});
    else await this.#asks.call(registrations[source].deregister, { callback });
  }
}

const said = (error: unknown) => (error instanceof Error ? error.message : String(error));

/** An older daemon, or a driver that has none of these. */
const notOffered = (error: unknown) =>
  LibvirtError.isUnsupported(error) || LibvirtError.is(error, 'invalid_arg', 'internal_error');
