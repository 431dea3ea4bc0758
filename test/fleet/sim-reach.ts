// The way to simulated hosts without SSH: each attempt and each connection is in the test's hand.
import { type Duplex, duplexPair } from 'node:stream';
import { Connection } from '../../src-main/libvirt/index.ts';
import type { OpenReach, Place, Reach, ReachOptions } from '../../src-main/fleet/reach.ts';
import { SshError } from '../../src-main/ssh/index.ts';
import type { SimFleet, SimHost } from '../../src-sim/index.ts';
import { connectScreen } from '../../src-sim/screens.ts';

export class SimReach implements Reach {
  readonly host: SimHost;
  readonly address: string;
  /** How many hold it. */
  holds = 0;
  isEnded = false;
  readonly #open = new Set<() => void>();
  readonly #listeners = { silent: new Set<() => void>(), heard: new Set<() => void>() };

  constructor(host: SimHost) {
    this.host = host;
    this.address = host.address;
  }

  get connections(): number {
    return this.isEnded ? 0 : 1;
  }

  /** libvirt connections over it. */
  get carried(): number {
    return this.#open.size;
  }

  async open({ keepalive, signal }: { keepalive: boolean; signal?: AbortSignal }): Promise<Connection> {
    if (this.isEnded) throw new SshError('lost', 'established', `The connection to ${this.host.name} is closed.`);
    const [near, far] = duplexPair();
    far.on('close', () => near.destroy());
    near.on('close', () => far.destroy());
    const cut = () => near.destroy(this.#end);
    this.#open.add(cut);
    near.on('close', () => this.#open.delete(cut));
    this.host.daemon.accept(far);
    return Connection.open(near, {
      uri: 'qemu:///system',
      ...(keepalive ? {} : { keepalive: false as const }),
      ...(signal && { signal }),
    });
  }

  async dial(place: Place): Promise<Duplex> {
    const [near, far] = duplexPair();
    far.on('close', () => near.destroy());
    near.on('close', () => far.destroy());
    if (this.isEnded || !connectScreen(this.host.daemon, place, () => far)) {
      throw new SshError('channel-refused', 'open', `${this.host.name} refused to open a connection: it is not there.`);
    }
    const cut = () => near.destroy(this.#end);
    this.#open.add(cut);
    near.on('close', () => this.#open.delete(cut));
    return near;
  }

  run(): null {
    return null;
  }

  hold(): () => void {
    this.holds += 1;
    return () => {
      this.holds -= 1;
    };
  }

  on(event: 'silent' | 'heard', listener: () => void): () => void {
    this.#listeners[event].add(listener);
    return () => this.#listeners[event].delete(listener);
  }

  tell(event: 'silent' | 'heard'): void {
    for (const listener of [...this.#listeners[event]]) listener();
  }

  close(): void {
    this.isEnded = true;
    for (const cut of [...this.#open]) cut();
  }

  asked = 0;

  ask(): void {
    this.asked += 1;
  }

  /** As when the network goes. */
  lose(): void {
    this.#end = new SshError('lost', 'established', `${this.host.name} has not answered for 14 s.`);
    this.close();
  }

  #end: SshError | undefined;
}

export class SimReaches {
  readonly made: SimReach[] = [];
  readonly attempts: ReachOptions[] = [];
  /** Comes before each connection: may wait, ask, show a key, or throw. */
  first: (options: ReachOptions) => unknown = () => {};
  readonly #sim: SimFleet;

  constructor(sim: SimFleet) {
    this.#sim = sim;
  }

  readonly open: OpenReach = async (options) => {
    this.attempts.push(options);
    await this.first(options);
    options.signal.throwIfAborted();
    const reach = new SimReach(this.#sim.host(options.uri.host ?? ''));
    this.made.push(reach);
    return reach;
  };

  /** The last one made. */
  get last(): SimReach {
    const reach = this.made.at(-1);
    if (!reach) throw new Error('nothing was connected yet');
    return reach;
  }
}
