// The simulated fleet: what others may use of it.
export { SimFleet } from './fleet.ts';
export type { FleetOptions, Whereabouts } from './fleet.ts';
export type { SimHost } from './host.ts';
export type { Death, Fault, FaultKind, Moment, Phase, Side } from './faults.ts';
export { Faults } from './faults.ts';
export type { DiskSpec, DomainSpec, HostSpec, NetworkSpec, PoolSpec, Profile, Timings } from './specs.ts';
