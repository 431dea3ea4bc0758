// Finds hosts: sweeps of a range, what they know so far, and taking what was found into the fleet.
import type { Args } from '../../contract/calls.ts';
import type { Adopted, Neighbour } from '../../contract/model.ts';
import { fetchHostKey } from '../ssh/index.ts';
import { adopt, type AddHost } from './adopt.ts';
import { systemClock, type Clock } from './clock.ts';
import { dial as systemDial, type Dial } from './dial.ts';
import { Neighbours, type FleetHost, type Store } from './neighbours.ts';
import { Scans, type Identify } from './scans.ts';
import { Sockets } from './sockets.ts';
import type { TakeKey } from './sweep.ts';

export type { AddHost } from './adopt.ts';
export { identifyBySsh } from './identify.ts';
export type { FleetHost, Store } from './neighbours.ts';
export { parseRange, type Range } from './range.ts';
export type { Identify, Login, ScanArgs, Scans } from './scans.ts';

export interface DiscoveryOptions {
  store: Store;
  /** The hosts of the fleet as they are now: what is found is tied to them. */
  fleet: () => Iterable<FleetHost>;
  addHost: AddHost;
  identify?: Identify;
  /** For tests. */
  dial?: Dial;
  takeKey?: TakeKey;
  clock?: Clock;
}

export interface Discovery {
  readonly scans: Scans;
  /** What all sweeps so far know, by address. */
  neighbours(): Neighbour[];
  adopt(args: Args<'neighbours.adopt'>): Promise<Adopted>;
  /** Ends every sweep and hands what was found to the store. */
  close(): Promise<void>;
}

export async function openDiscovery(options: DiscoveryOptions): Promise<Discovery> {
  const { store, fleet, addHost, identify = null, dial = systemDial, takeKey = hostKey, clock = systemClock } = options;
  const neighbours = await Neighbours.open(store, fleet, () => clock.date());
  const scans = new Scans({ neighbours, identify, takeKey, dial, sockets: new Sockets(), clock });
  return {
    scans,
    neighbours: () => neighbours.list(),
    adopt: (args) => adopt(args, neighbours, addHost),
    close: () => scans.close(),
  };
}

const hostKey: TakeKey = ({ address, port }, options) => fetchHostKey(address, port, options);
