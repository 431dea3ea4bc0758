// The source's half of a migration: begin, perform, confirm, and what it holds between them.
import type { Duplex } from 'node:stream';
import { domainState, migrateFlags as flag, pausedReason, runningReason } from '../../src-main/libvirt/index.ts';
import type { Daemon } from '../daemon.ts';
import type { Domain } from '../domain.ts';
import type { File } from '../storage.ts';
import { go, hold, mustRun, setState, stop, told } from '../lifecycle.ts';
import { refuse } from '../refusal.ts';
import { strike } from './deaths.ts';
import type { Driver, Incoming, Outgoing } from './jobs.ts';
import {
  aborted,
  addressIn,
  broken,
  check,
  completedStats,
  cookieOf,
  copiedDisks,
  notMigrating,
  pathIn,
  text,
  type Step,
} from './params.ts';
import { Transfer } from './transfer.ts';

const MIB = 2 ** 20;

export async function begin(daemon: Daemon, domain: Domain, { params, flags }: Omit<Step, 'cookie'>, driver: Driver) {
  const { fleet } = daemon;
  // Without it nothing begins: it is asked what it would say.
  const takes = (flags & flag.change_protection) !== 0;
  if (takes) {
    fleet.moves.set(domain.uuid, { source: { daemon, driver } });
    await strike(fleet, 'begin', 'request', domain);
  }
  const given = check({ params, flags }, 'Begin');
  const offline = (flags & flag.offline) !== 0;
  if (offline && !(flags & flag.persist_dest)) {
    const what = 'offline migration must be specified with the persistent flag set';
    throw refuse.qemu('operation_invalid', `Requested operation is not valid: ${what}`);
  }
  if (!domain.active && !offline) throw refuse.notRunning();
  if (flags & flag.persist_dest && !domain.persistent) {
    const what = 'cannot migrate a transient domain persistently';
    throw refuse.qemu('operation_invalid', `Requested operation is not valid: ${what}`);
  }
  if (takes && domain.active) await takeJob(daemon, domain, flags, driver);
  try {
    if (!offline && !(flags & flag.unsafe))
      checkDisks(daemon, domain, copiedDisks({ params, flags }, domain.definition));
    const xml = text(given['destination_xml']) ?? domain.definition.xml;
    if (takes) await strike(fleet, 'begin', 'reply', domain);
    return { cookie: cookieOf(daemon, domain), xml };
  } catch (error) {
    if (takes) release(domain);
    throw error;
  }
}

async function takeJob(daemon: Daemon, domain: Domain, flags: number, driver: Driver): Promise<Outgoing> {
  await domain.lock.begin('migration out');
  if (!domain.active) {
    domain.lock.end();
    throw refuse.notRunning();
  }
  domain.outgoing = {
    driver,
    flags,
    phase: 'begun',
    transfer: null,
    aborted: false,
    wasPaused: domain.state === domainState.paused,
    beganMs: daemon.fleet.clock.now(),
  };
  // Who begins and is gone while this waited holds nothing.
  if (driver.gone) release(domain);
  return domain.outgoing;
}

function release(domain: Domain): void {
  if (!domain.outgoing) return;
  domain.outgoing = null;
  domain.lock.end();
}

/** @throws Refusal where a disk is not on storage that both hosts share */
function checkDisks({ fleet, host }: Daemon, { definition }: Domain, copied: string[]): void {
  for (const { path, type, cache, readonly, shareable, target } of definition.disks) {
    if (type !== 'file' || path === null || copied.includes(target)) continue;
    if (!readonly && !fleet.storage.mountOf(host.name, path)?.store.shared) {
      throw refuse.qemu('migrate_unsafe', 'Unsafe migration: Migration without shared storage is unsafe');
    }
    if (readonly || shareable || cache === 'none' || cache === 'directsync') continue;
    const what = 'Migration may lead to data corruption if disks use cache != none or cache != directsync';
    throw refuse.qemu('migrate_unsafe', `Unsafe migration: ${what}`);
  }
}

export async function perform(daemon: Daemon, domain: Domain, step: Step, driver: Driver) {
  const { fleet } = daemon;
  await strike(fleet, 'perform', 'request', domain);
  const given = check(step, 'Perform');
  mustRun(domain);
  if (step.flags & flag.change_protection) {
    if (domain.outgoing?.phase !== 'begun') throw notMigrating(domain);
  } else await takeJob(daemon, domain, step.flags, driver);
  const job = domain.outgoing;
  if (!job) throw notMigrating(domain);
  job.driver = driver;
  job.phase = 'performing';
  let midway = () => {};
  const leave: Duplex[] = [];
  const gone = () => job.transfer?.end(refuse.domain('operation_failed', 'operation failed: domain is not running'));
  domain.whenOff.add(gone);
  try {
    if (job.aborted) throw aborted();
    const incoming = await connect(daemon, domain, text(given['migrate_uri']), leave);
    if (domain.outgoing !== job || job.aborted) throw aborted();
    const disks = filesOf(daemon, incoming.daemon, domain, copiedDisks(step, domain.definition));
    const transfer = startTransfer(daemon, domain, incoming, step.flags, {
      bandwidth: Number(given['bandwidth'] ?? 0),
      diskBytes: disks.reduce((sum, { from }) => sum + from.allocation, 0),
    });
    job.transfer = transfer;
    for (const channel of leave) channel.on('close', () => transfer.end(broken()));
    for (const { from, to } of disks) to.holds = `part of ${from.holds}`;
    const { total } = transfer.figures;
    const half = (total / 2 / Math.min(daemon.host.linkBps, domain.maxSpeed * MIB)) * 1000;
    midway = fleet.clock.after(half, () => void strike(fleet, 'perform', 'midway', domain).catch(() => {}));
    await transfer.done;
    const { guest } = domain;
    if (!guest) throw refuse.domain('operation_failed', 'operation failed: domain is not running');
    for (const { from, to } of disks) Object.assign(to, { holds: from.holds, allocation: from.allocation });
    incoming.arrived ??= { runMs: guest.runMs, line: guest.shell.line };
    job.phase = 'performed';
    await strike(fleet, 'perform', 'reply', domain);
    const persistent = domain.persistent ? `  <feature name='persistent'/>\n${domain.persistent.xml}` : '';
    return { cookie: cookieOf(daemon, domain, persistent) };
  } catch (error) {
    if (domain.outgoing === job) {
      release(domain);
      if (domain.active) wake(daemon, domain, job);
    }
    throw error;
  } finally {
    midway();
    domain.whenOff.delete(gone);
    for (const channel of leave) channel.destroy();
  }
}

/** The files of the disks that go along, here and there. @throws Refusal where one is missing */
function filesOf(source: Daemon, target: Daemon, { definition }: Domain, copied: string[]): { from: File; to: File }[] {
  const { storage } = source.fleet;
  return definition.disks.flatMap(({ target: name, path }) => {
    if (path === null || !copied.includes(name)) return [];
    const from = storage.file(source.host.name, path);
    const to = storage.file(target.host.name, path);
    if (!from || !to) throw refuse.storage('no_storage_vol', `Storage volume not found: ${path}`);
    return [{ from, to }];
  });
}

/** @param channels What it goes over is put there, where that is not the network. @throws Refusal when nobody listens there */
async function connect(
  { fleet, host: here }: Daemon,
  domain: Domain,
  uri: string | null,
  channels: Duplex[],
): Promise<Incoming> {
  const path = pathIn(uri);
  if (path !== null) {
    channels.push(await here.unix.send(path, domain.uuid));
    const found = [...fleet.incoming.values()].find((one) => one.at === path && one.domain.uuid === domain.uuid);
    if (!found) throw broken();
    return found;
  }
  const { host = '', port = 0 } = uri === null ? {} : addressIn(uri);
  const target = fleet.hostAt(host);
  const incoming = target && fleet.incoming.get(`${target.name}:${port}`);
  if (!incoming || target.down || incoming.domain.uuid !== domain.uuid) {
    const why = target ? 'Connection refused' : 'Name or service not known';
    throw refuse.rpc('system_error', `unable to connect to server at '${host}:${port}': ${why}`);
  }
  return incoming;
}

function startTransfer(
  daemon: Daemon,
  domain: Domain,
  incoming: Incoming,
  flags: number,
  { bandwidth, diskBytes }: { bandwidth: number; diskBytes: number },
): Transfer {
  const { fleet, host } = daemon;
  const { guest } = domain;
  if (!guest) throw refuse.notRunning();
  if (bandwidth > 0) domain.maxSpeed = bandwidth;
  const place = { host: host.name, vm: domain };
  const transfer = new Transfer({
    clock: fleet.clock,
    guest,
    diskBytes,
    link: host.linkBps,
    maxSpeed: () => domain.maxSpeed,
    maxDowntimeMs: () => domain.maxDowntimeMs,
    autoConverge: (flags & flag.auto_converge) !== 0,
    stallsAt: () => fleet.faults.at('migration-stalls', place)?.at ?? null,
    round: (iteration) => daemon.tell('migration_iteration', domain, { iteration }),
    switching: () => {
      if (domain.state !== domainState.running) return guest.stop();
      hold(daemon, domain, pausedReason.migration);
      daemon.tellLifecycle(domain, told.pausedMigrated);
    },
  });
  incoming.from = { transfer, domain, daemon };
  const undo = fleet.faults.onChange(() => transfer.retune());
  void transfer.done.catch(() => {}).finally(undo);
  return transfer;
}

/** The source goes on, as if nothing had been. */
function wake(daemon: Daemon, domain: Domain, { wasPaused }: Outgoing): void {
  if (wasPaused || domain.state !== domainState.paused || domain.reason === pausedReason.user) return;
  // It ran over there already, and never runs here again.
  if (domain.reason === pausedReason.postcopy) {
    setState(daemon, domain, domainState.paused, pausedReason.postcopy_failed);
    return;
  }
  go(daemon, domain, runningReason.migration_canceled);
  daemon.tellLifecycle(domain, told.resumedMigrated);
}

export async function confirm(daemon: Daemon, domain: Domain, step: Step & { cancelled: number }): Promise<void> {
  const { fleet } = daemon;
  await strike(fleet, 'confirm', 'request', domain);
  check(step, 'Confirm');
  if (step.flags & flag.offline && !domain.active) {
    if (!step.cancelled && step.flags & flag.undefine_source) daemon.domains.delete(domain.uuid);
    return strike(fleet, 'confirm', 'reply', domain);
  }
  const job = domain.outgoing;
  if (!job || job.phase === 'performing' || (job.phase === 'begun' && !step.cancelled)) throw notMigrating(domain);
  const performed = job.phase === 'performed';
  job.phase = 'confirming';
  if (step.cancelled) {
    release(domain);
    if (performed) wake(daemon, domain, job);
  } else {
    await fleet.clock.sleep(fleet.timings.confirm);
    const params = job.transfer ? completedStats(job.transfer, 5) : [];
    const dom = domain.ref;
    if (domain.active) stop(daemon, domain, 'migrated');
    daemon.tell('job_completed', domain, { params }, dom);
    release(domain);
    // Forgotten without a word, and a little later than its end is told.
    if (step.flags & flag.undefine_source) {
      domain.persistent = null;
      daemon.domains.delete(domain.uuid);
    }
  }
  await strike(fleet, 'confirm', 'reply', domain);
  // The target may hold its half still.
  const { target } = fleet.moves.get(domain.uuid) ?? {};
  if (target?.daemon.domains.get(domain.uuid)?.incoming) fleet.moves.set(domain.uuid, { target });
  else fleet.moves.delete(domain.uuid);
}

// --- While it lasts, and when whoever drives is gone

/** @throws Refusal */
export async function abort(domain: Domain): Promise<void> {
  mustRun(domain);
  // On the target it waits for the job as anything else does, mostly in vain.
  if (domain.incoming) await domain.lock.change(() => {});
  const job = domain.outgoing;
  if (!job) {
    throw refuse.qemu('operation_invalid', 'Requested operation is not valid: no job is active on the domain');
  }
  if (domain.reason === pausedReason.postcopy && domain.state === domainState.paused) {
    const what = 'cannot abort migration in post-copy mode';
    throw refuse.qemu('operation_invalid', `Requested operation is not valid: ${what}`);
  }
  if (job.phase === 'begun') job.aborted = true;
  job.transfer?.end(aborted());
}

/** @throws Refusal */
export function startPostcopy(daemon: Daemon, domain: Domain): void {
  mustRun(domain);
  const job = domain.outgoing;
  if (job?.phase !== 'performing' || !job.transfer) {
    const what = 'post-copy can only be started while outgoing migration is in progress';
    throw refuse.qemu('operation_invalid', `Requested operation is not valid: ${what}`);
  }
  if (!(job.flags & flag.postcopy)) {
    const what = 'switching to post-copy requires migration to be started with VIR_MIGRATE_POSTCOPY flag';
    throw refuse.qemu('operation_invalid', `Requested operation is not valid: ${what}`);
  }
  const incoming = [...daemon.fleet.incoming.values()].find(({ from }) => from?.domain === domain);
  if (!incoming || !domain.guest) return;
  hold(daemon, domain, pausedReason.postcopy);
  daemon.tellLifecycle(domain, told.pausedPostcopy);
  job.transfer.toPostcopy();
  incoming.arrived = { runMs: domain.guest.runMs, line: domain.guest.shell.line };
  incoming.domain.guest?.takeOver(incoming.arrived);
  go(incoming.daemon, incoming.domain, runningReason.postcopy);
  incoming.daemon.tellLifecycle(incoming.domain, told.resumedPostcopy);
}

/** Begun: the job is dropped. Performed: dropped too, and the domain stays paused, since nobody knows better. */
export function sourceDriverGone(domain: Domain): void {
  const { outgoing } = domain;
  if (outgoing?.phase === 'begun' || outgoing?.phase === 'performed') release(domain);
}
