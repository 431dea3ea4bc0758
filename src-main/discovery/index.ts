// Finds hosts: sweeps of a range, what they know so far, and taking what was found into the fleet.
import type { Args } from '../../contract/calls.ts';
import type { Adopted, HostId, Neighbour, Notice, Suggestions } from '../../contract/model.ts';
import { fetchHostKey } from '../ssh/index.ts';
import { adopt, type AddHost } from './adopt.ts';
import { systemClock, type Clock } from './clock.ts';
import { dial as systemDial, type Dial } from './dial.ts';
import { newsOf } from './news.ts';
import { Neighbours, type FleetHost, type Store } from './neighbours.ts';
import { ownAddresses as systemAddresses, ownNetworks as systemNetworks } from './own-addresses.ts';
import { PassSchedules } from './schedules.ts';
import { Scans, type Identify } from './scans.ts';
import { Sockets } from './sockets.ts';
import { suggest, type SuggestOptions } from './suggest/suggestions.ts';
import type { TakeKey } from './sweep.ts';

export type { AddHost } from './adopt.ts';
export { identifyBySsh } from './identify.ts';
export type { FleetHost, Store } from './neighbours.ts';
export { parseRange, type Range } from './range.ts';
export type { Identify, Login, ScanArgs, Scans } from './scans.ts';

export interface DiscoveryOptions {
  store: Store;
  /** Keeps when each pass goes by itself; without it, that is as usual in each run. */
  scheduleStore?: Store;
  /** The hosts of the fleet as they are now: what is found is tied to them. */
  fleet: () => Iterable<FleetHost & { uri?: string; label?: string }>;
  addHost: AddHost;
  identify?: Identify;
  /** Addresses of hosts that a VM migrates between now: sweeps of their networks wait. */
  busy?: () => Iterable<string>;
  /** Told of what came up while nobody was asked. */
  notice?: (notice: Notice) => void;
  /** For tests. */
  dial?: Dial;
  takeKey?: TakeKey;
  clock?: Clock;
  ownAddresses?: () => ReadonlySet<string>;
  ownNetworks?: () => (address: string) => boolean;
  suggestFrom?: Pick<SuggestOptions, 'home' | 'mdnsTo' | 'neighbourTable'>;
}

export interface Discovery {
  readonly scans: Scans;
  /** When each pass goes by itself. */
  readonly schedules: PassSchedules;
  /** What all sweeps so far know, by address. */
  neighbours(): Neighbour[];
  adopt(args: Args<'neighbours.adopt'>): Promise<Adopted>;
  /** Hosts that this machine has names for, without any sweep. @param mdns also ask the network, once */
  suggestions(args: { mdns?: boolean | undefined }): Promise<Suggestions>;
  /** Ends every sweep and hands what was found to the store. */
  close(): Promise<void>;
}

export async function openDiscovery(options: DiscoveryOptions): Promise<Discovery> {
  const { store, fleet, addHost, identify = null, dial = systemDial, takeKey = hostKey, clock = systemClock } = options;
  const {
    busy = () => [],
    notice = () => {},
    ownAddresses = systemAddresses,
    ownNetworks = systemNetworks,
    scheduleStore = noStore,
  } = options;
  const neighbours = await Neighbours.open(store, fleet, () => clock.date());
  const label = (id: HostId) => [...fleet()].find((host) => host.id === id)?.label ?? id;
  const scans = new Scans({
    neighbours,
    identify,
    takeKey,
    dial,
    sockets: new Sockets(),
    clock,
    busy,
    ownAddresses,
    ownNetworks,
    completed: (scan, moved) => {
      const at = clock.date().toISOString();
      for (const news of newsOf(scan, neighbours.list(), moved, label)) notice({ ...news, at });
    },
  });
  const schedules = await PassSchedules.open({ scans, neighbours, store: scheduleStore, clock, notice });
  return {
    scans,
    schedules,
    neighbours: () => neighbours.list(),
    adopt: (args) => adopt(args, neighbours, addHost),
    suggestions: (args) => suggest(args, { fleet, clock, ...options.suggestFrom }),
    close: () => {
      schedules.close();
      return scans.close();
    },
  };
}

/** For who keeps no schedules: they are as usual each time. */
const noStore: Store = { load: () => Promise.resolve(undefined), save: () => Promise.resolve() };

const hostKey: TakeKey = ({ address, port }, options) => fetchHostKey(address, port, options);
