// A discovery of its own for a test: in virtual time, on a fake network, with a store that forgets nothing.
import type { Notice, ScanView } from '../../contract/model.ts';
import {
  openDiscovery,
  type Discovery,
  type DiscoveryOptions,
  type FleetHost,
  type ScanArgs,
} from '../../src-main/discovery/index.ts';
import { FakeNetwork, VirtualClock } from './fake-network.ts';

export const fingerprintOf = (address: string) => `SHA256:${address.replaceAll(/\D/g, '').padEnd(43, 'x')}`;

export class Room {
  readonly clock = new VirtualClock();
  readonly network = new FakeNetwork(this.clock);
  readonly notices: Notice[] = [];
  /** By address, where it is not the usual one. */
  readonly keys = new Map<string, string>();
  readonly kept = new Map<string, unknown>();
  fleet: (FleetHost & { label?: string; uri?: string })[] = [];
  busy: string[] = [];
  own = new Set(['10.0.0.200']);

  open(options: Partial<DiscoveryOptions> = {}): Promise<Discovery> {
    return openDiscovery({
      store: this.#store('neighbours'),
      scheduleStore: this.#store('schedules'),
      fleet: () => this.fleet,
      addHost: () => Promise.reject(new Error('nothing is added here')),
      dial: this.network.dial,
      takeKey: async ({ address }) => ({ fingerprint: this.keys.get(address) ?? fingerprintOf(address) }),
      clock: this.clock,
      busy: () => this.busy,
      notice: (notice) => this.notices.push(notice),
      ownAddresses: () => this.own,
      ownNetworks: () => () => true,
      ...options,
    });
  }

  /** Runs one to its end. */
  run(discovery: Discovery, args: ScanArgs): Promise<ScanView> {
    return this.ended(discovery, discovery.scans.start(args).id);
  }

  async ended({ scans }: Discovery, id: string): Promise<ScanView> {
    await this.until(() => scans.get(id).state !== 'running');
    return scans.get(id);
  }

  /** Lets time pass until it is so. */
  async until(so: () => boolean): Promise<void> {
    for (let idle = 0; !so();) {
      await new Promise(setImmediate);
      if (so()) return;
      if (this.clock.step()) idle = 0;
      else if ((idle += 1) > 20) throw new Error('nothing more will happen, and it is not so');
    }
  }

  #store(name: string) {
    return {
      load: async () => this.kept.get(name),
      save: async (data: unknown) => void this.kept.set(name, JSON.parse(JSON.stringify(data))), // as a disk would
    };
  }
}
