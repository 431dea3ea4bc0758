// Empties a host: which VM goes where, by memory and load, and which have to stay; then moves them, a few at a time.
import { Failure } from '../../contract/failure.ts';
import type { DomainView, EvacuationPlan, HostId, MigrationView } from '../../contract/model.ts';
import type { Fleet } from '../fleet/fleet.ts';
import type { Host } from '../fleet/host.ts';
import { type GivenOptions, resolveOptions } from './options.ts';
import { checkAsking, checkKnown, stopping } from './preflight.ts';

/** What a host keeps for itself and its caches, of all its memory. */
const reserve = 0.05;

interface Room {
  host: Host;
  freeKiB: number;
  /** VMs that it was given by this plan. */
  given: number;
}

export type Planned = Pick<EvacuationPlan, 'plan' | 'stays'>;

/**
 * Largest first, each to the host that then has the most memory left in proportion, of those that can take it.
 * @throws Failure `not-found`, `conflict` for a host that is not connected
 */
export async function planEvacuation(
  fleet: Fleet,
  from: Host,
  to: HostId[] | undefined,
  given: GivenOptions,
): Promise<Planned> {
  if (from.state !== 'online') {
    throw new Failure('conflict', `${from.label} is not connected (${from.state}), so its VMs cannot be moved.`);
  }
  const ofOne = (['destName', 'destXml'] as const).find((name) => given[name] !== undefined && given[name] !== null);
  const ofOneHost =
    to?.length === 1
      ? undefined
      : (['migrateUri', 'listenAddress'] as const).find((name) => given[name] !== undefined && given[name] !== null);
  const wrong = ofOne ?? ofOneHost;
  if (wrong) {
    const what = ofOne ? 'one VM, and a host is emptied of all of its own' : 'one target; name just one in “to”';
    throw new Failure('bad-request', `“${wrong}” is for ${what}.`);
  }
  if (to?.includes(from.id)) throw new Failure('bad-request', `${from.label} cannot be emptied onto itself.`);
  const targets = to ? to.map((id) => fleet.host(id)) : fleet.hosts.filter(({ id }) => id !== from.id);
  const rooms = targets
    .filter(({ state }) => state === 'online')
    .map((host): Room => {
      const { memoryKiB = 0, freeMemoryKiB = 0 } = host.info ?? {};
      return { host, freeKiB: freeMemoryKiB - memoryKiB * reserve, given: 0 };
    });
  const planned: Planned = { plan: [], stays: [] };
  const alive = from.domains.all.filter(({ state }) => state !== 'shutoff' && state !== 'crashed');
  const off = from.domains.all.filter((domain) => !alive.includes(domain));
  for (const domain of [...alive].sort((a, b) => b.memoryKiB - a.memoryKiB)) {
    await place(fleet, from, domain, rooms, given, planned);
  }
  for (const { uuid, name } of off) {
    planned.stays.push({ uuid, name, reason: `${name} is shut off, so it stays defined on ${from.label}.` });
  }
  return planned;
}

async function place(
  fleet: Fleet,
  source: Host,
  domain: DomainView,
  rooms: Room[],
  given: GivenOptions,
  planned: Planned,
): Promise<void> {
  const { uuid, name, memoryKiB } = domain;
  const options = resolveOptions({ ...given, mode: given.mode ?? 'live' }, domain);
  const inGiB = (kib: number) => `${(kib / 1024 ** 2).toFixed(1)} GiB`;
  const reasons: string[] = [];
  const best = rooms
    .filter(({ freeKiB, host }) => {
      if (freeKiB >= memoryKiB) return true;
      reasons.push(`${host.label} has too little memory left (${inGiB(Math.max(0, freeKiB))}).`);
      return false;
    })
    .sort((a, b) => score(b, memoryKiB) - score(a, memoryKiB));
  for (const room of best) {
    const route = { domain, source, target: room.host, options };
    const known = stopping(checkKnown(fleet, route), options.force);
    const stops = known.length > 0 ? known : stopping((await checkAsking(fleet, route)).checks, options.force);
    if (stops.length > 0) {
      reasons.push(...stops.map(({ message }) => message));
      continue;
    }
    room.freeKiB -= memoryKiB;
    room.given += 1;
    const load = room.host.info?.cpuPercent;
    const reason = `${inGiB(memoryKiB)} fit: ${room.host.label} then has ${inGiB(Math.max(0, room.freeKiB))} left${typeof load === 'number' ? `, and its processors are ${Math.round(load)} % busy` : ''}.`;
    planned.plan.push({ uuid, name, to: room.host.id, reason });
    return;
  }
  const reason = reasons.length > 0 ? [...new Set(reasons)].join(' ') : 'No other host is connected.';
  planned.stays.push({ uuid, name, reason });
}

/** How much is left there, in proportion; a busy host counts for less. */
function score({ host, freeKiB, given }: Room, memoryKiB: number): number {
  const { memoryKiB: all = 1, cpuPercent } = host.info ?? {};
  const left = (freeKiB - memoryKiB) / all;
  return left * (1 - (cpuPercent ?? 0) / 200) - given * 0.001;
}

export interface Mover {
  start: (uuid: string, to: HostId) => Promise<MigrationView>;
  /** Resolves when it has ended. */
  ended: (id: string) => Promise<MigrationView>;
}

/**
 * Starts what was planned, so many at a time. Begins no more once a VM is not safely in one place.
 * @returns those that began at once; the others are told of as they begin
 */
export async function carryOutPlan(
  { plan }: Planned,
  parallel: number,
  mover: Mover,
  stopped: (why: string) => void,
): Promise<MigrationView[]> {
  const rest = [...plan];
  let halted = false;
  const next = async (): Promise<MigrationView | null> => {
    const step = halted ? undefined : rest.shift();
    if (!step) return null;
    try {
      return await mover.start(step.uuid, step.to);
    } catch (error) {
      stopped(`${step.name} was not moved: ${error instanceof Error ? error.message : String(error)}`);
      return next();
    }
  };
  const follow = async (first: MigrationView): Promise<void> => {
    for (let view: MigrationView | null = first; view; view = await next()) {
      const end = await mover.ended(view.id);
      if (halted || (end.state === 'completed' && end.verdict?.runningOn.length === 1)) continue;
      // One that failed and stayed where it was is no loss of safety, but a reason to look before the next.
      halted = true;
      const left = rest.length > 0 ? ` ${rest.length} more were not begun.` : '';
      stopped(`Emptying the host stopped, as the migration of ${end.name} is ${end.state}.${left}`);
    }
  };
  const first = (await Promise.all(Array.from({ length: Math.min(parallel, plan.length) }, next))).filter(
    (view) => view !== null,
  );
  for (const view of first) void follow(view);
  return first;
}
